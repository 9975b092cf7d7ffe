// SPDX-License-Identifier: GPL-2.0-or-later
// Moving a process into an extern step, and believing only the kernel about it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "slurm_adopt/deadline.h"
#include "slurm_adopt/discovery.h"
#include "slurm_adopt/reason.h"
#include "slurm_adopt/stepd_session.h"

namespace slurm_adopt {

struct AdoptionRequest {
    pid_t pid = 0;                 // of this process, or of another in the same pid namespace
    bool x11 = true;               // ask for the job's X11 display
    bool join_namespaces = true;   // join the job's namespaces with the calling process
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
    bool half_joined = false;                 // left in some of the job's namespaces: fit for nothing but a refusal
    bool may_follow = false;                  // the request lies in the socket of a slurmstepd that may yet act on it
    bool verified = false;                    // /proc/<pid>/cgroup shows the process inside the step
    std::optional<X11Forwarding> x11;
};

// Asks the slurmstepd to adopt, reads the kernel's answer, then X11 and namespaces; one write, in that order.
// The session is spent afterwards. Namespaces are joined only after an adoption that counts; one that cannot be
// joined makes the adoption a failure.
[[nodiscard]] Adoption adopt(const Roots& roots, const StepdSession& session, const AdoptionRequest& request, Deadline deadline);

}  // namespace slurm_adopt
