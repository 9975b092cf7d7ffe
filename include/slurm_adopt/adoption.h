// SPDX-License-Identifier: GPL-2.0-or-later
// Moving a process into an extern step, and believing only the kernel about it.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "slurm_adopt/cgroup_path.h"
#include "slurm_adopt/deadline.h"
#include "slurm_adopt/discovery.h"
#include "slurm_adopt/fd.h"
#include "slurm_adopt/job_process.h"
#include "slurm_adopt/reason.h"
#include "slurm_adopt/stepd_protocol.h"
#include "slurm_adopt/stepd_session.h"

namespace slurm_adopt {

struct AdoptionRequest {
    pid_t pid = 0;                 // of this process, or of another in the same pid namespace
    std::optional<pid_t> parent = std::nullopt;  // to be adopted too: the session will come from there
    const Fd* proc_cgroup = nullptr;  // an open /proc/<pid>/cgroup of `pid`, where /proc by now shows other pids
    bool x11 = true;               // ask for the job's X11 display
    bool join_namespaces = true;   // join the job's namespaces with the calling process
    std::optional<uid_t> environment_of = std::nullopt;  // keep hold of the job's environment, which is this user's
    bool read_ahead = false;       // and begin to read it while slurmstepd is adopting
    bool must_be_verified = false; // an adoption that the kernel cannot confirm is none
};

struct X11Forwarding {
    std::int32_t display = 0;  // > 0: DISPLAY=localhost:<display>.0
    std::string xauthority;    // absolute path; empty: the user's own
};

struct Adoption {
    bool adopted = false;
    Reason failure = Reason::internal_error;  // why not
    std::string detail;                       // for the log; may be set on success too (what was odd)
    bool is_ending = false;                   // slurmstepd says that the step is; whoever it has moved is in it all the same
    bool half_joined = false;                 // left in some of the job's namespaces: fit for nothing but a refusal
    bool may_follow = false;                  // the request lies in the socket of a slurmstepd that may yet act on it
    bool verified = false;                    // /proc/<pid>/cgroup shows the process (and the parent) inside the step
    std::vector<CgroupEntry> step;            // the step's directories; empty where slurmstepd is in no step_extern cgroup
    std::size_t namespaces = 0;               // of the job that have been joined
    Fd proc_cgroup;                           // the process's own, opened before a namespace was joined; nothing where none was
    std::optional<X11Forwarding> x11;
    JobEnvironment environment;               // by what was in sight before a namespace was joined; empty where not asked for
};

// What keeps an adoption from counting, other than slurmstepd's answer to it: by where the slurmstepd is, before it is
// asked; because nothing could be compared and has to be; and by the state of its step. None where nothing does.
[[nodiscard]] std::optional<Adoption> obstacle(const Roots& roots, const StepdSession& session, const StepdPlace& place);
[[nodiscard]] Adoption unverifiable();
[[nodiscard]] std::optional<Adoption> ending(stepd_protocol::StepState state);

// What an error in the conversation with the slurmstepd makes of the adoption.
[[nodiscard]] Reason adoption_failure(const Error& error);

// Whether the process, and its parent where one is asked for, is in the step by the kernel's view.
[[nodiscard]] bool is_in_step(const Roots& roots, const AdoptionRequest& request, const std::vector<CgroupEntry>& step);

// Asks the slurmstepd to adopt, reads the kernel's answer, then X11 and namespaces; one write, in that order.
// The session is spent afterwards. Namespaces are joined only after an adoption that counts; one that cannot be
// joined makes the adoption a failure.
// The answer may take until the deadline: nobody else can be asked while it is out (`may_follow`). What follows the answer
// has an equal share of the time that is left then, this being the next of `candidates` that could be asked.
[[nodiscard]] Adoption adopt(const Roots& roots, const StepdSession& session, const AdoptionRequest& request, Deadline deadline,
                             std::size_t candidates = 1);

}  // namespace slurm_adopt
