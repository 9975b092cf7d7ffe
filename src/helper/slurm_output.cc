// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_output.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "log.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt::helper {
namespace {

constexpr std::size_t most_caught = std::size_t{16} * 1024;

off_t already_logged = 0;

// Never destroyed: used while the process ends.
std::function<int()>& last_act_of_process()
{
    static auto* const act = new std::function<int()>;
    return *act;
}

void end_of_process()
{
    // Our own ends do not come here: main() ends with _exit(). No exception may leave a handler of exit().
    try {
        log_slurm_output();
        if (const auto act = std::exchange(last_act_of_process(), nullptr)) ::_exit(act());
    } catch (...) {
        ::_exit(1);
    }
}

}  // namespace

void catch_slurm_output()
{
    const int file = ::memfd_create("libslurm", MFD_CLOEXEC);
    if (file < 0) return;  // then it is lost in /dev/null
    (void)::dup2(file, STDERR_FILENO);
    (void)::close(file);
}

void log_slurm_output()
{
    std::string text(most_caught, '\0');
    const ssize_t got = ::pread(STDERR_FILENO, text.data(), text.size(), already_logged);
    if (got <= 0) return;
    already_logged += got;
    text.resize(static_cast<std::size_t>(got));
    for (const std::string_view line : split(text, '\n')) {
        if (line.empty()) continue;
        const bool is_error = line.find("error:") != std::string_view::npos || line.find("fatal:") != std::string_view::npos;
        const std::string said = "libslurm: " + printable(line);
        if (is_error)
            log_error(said);
        else
            log_debug(said);
    }
}

void at_exit_of_slurm(std::function<int()> last_act)
{
    last_act_of_process() = std::move(last_act);
    (void)std::atexit(end_of_process);
}

}  // namespace slurm_adopt::helper
