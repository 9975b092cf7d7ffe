// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_host.h"

#include <slurm/slurm.h>
#include <slurm/spank.h>
#include <unistd.h>

// In no header that is installed; the same in every release this is built for.
extern "C" {
// COUNT, SIZE, zeroed, null instead of the end of the process, and who asks.
void* slurm_xcalloc(std::size_t count, std::size_t size, bool clear, bool may_fail, const char* file, int line,
                    const char* function);
// The program's slurm.conf as it was read. slurm_conf_t is that of the headers, and the loader takes no plugin that was
// built with others (plugin_version).
extern slurm_conf_t slurm_conf __attribute__((weak));
}

namespace slurm_adopt::cred_ed25519 {

void log_error(const char* line)
{
    ::slurm_error("%s", line);
}

void log_info(const char* line)
{
    ::slurm_info("%s", line);
}

uid_t slurm_user()
{
    return &slurm_conf == nullptr ? ::geteuid() : slurm_conf.slurm_user_id;
}

char* slurm_memory(std::size_t size)
{
    return static_cast<char*>(::slurm_xcalloc(1, size, true, true, __FILE__, __LINE__, __func__));
}

}  // namespace slurm_adopt::cred_ed25519
