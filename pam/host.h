// SPDX-License-Identifier: GPL-2.0-or-later
// What a phase needs of the PAM application, so that a phase can be run without one.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "slurm_adopt/cgroup_path.h"
#include "slurm_adopt/fd.h"
#include "slurm_adopt/options.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt {

enum class Priority { error, warning, notice, info, debug };  // of syslog(3)

// What a phase leaves for the next one of the same process.
struct TakenJob {
    std::uint32_t job_id = 0;
    uid_t uid = 0;                  // whose it is
    std::size_t jobs = 0;           // the user's jobs on the node by then
    pid_t pid = 0;                  // who was adopted: a fork of it was not
    std::vector<CgroupEntry> step;  // the step's directories; empty: none to be verified by
    bool verified = false;
    bool in_namespaces = false;     // of the job
    std::string session_key;        // the process's (session_registry.h), by the /proc from before that; empty: not asked for
    Fd proc_cgroup;                 // the process's own, opened before those were joined; nothing where none was
};

class Host {
public:
    Host() = default;
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;
    virtual ~Host() = default;

    // Empty where the application has not set it; valid until the application changes it.
    [[nodiscard]] virtual std::string_view user() const = 0;
    [[nodiscard]] virtual std::string_view service() const = 0;
    [[nodiscard]] virtual std::string_view remote_host() const = 0;

    virtual void log(Priority priority, const std::string& line) = 0;
    virtual void tell_refusal(const std::string& message) = 0;
    virtual void tell(const std::string& message) = 0;

    // Into the environment of the session to come.
    [[nodiscard]] virtual Result<Done> set_environment(const std::string& name, const std::string& value) = 0;
    virtual void unset_environment(const std::string& name) = 0;
    // From there; empty where it is not set.
    [[nodiscard]] virtual std::string environment(const std::string& name) const = 0;

    [[nodiscard]] virtual bool has_environment(const std::string& name) const = 0;
    [[nodiscard]] virtual std::vector<std::string> environment_names() const = 0;

    // As long as the PAM handle lives, in this process and its forks. False where there is no memory for it.
    [[nodiscard]] virtual bool keep(TakenJob taken) = 0;
    [[nodiscard]] virtual const TakenJob* kept() const = 0;
};

}  // namespace slurm_adopt
