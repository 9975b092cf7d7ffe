// SPDX-License-Identifier: GPL-2.0-or-later
// Why a login ended as it did. The names are the `reason=` codes of the log and are part of the interface.
#pragma once

#include <string_view>

namespace slurm_adopt {

enum class Reason {
    internal_error,  // the zero value: nothing was decided, so something is wrong with us

    // Passed over: not ours to decide.
    root,
    service,
    exempt_user,
    exempt_group,

    // Adopted.
    one_job,
    newest_job,
    source_job,
    account_job,  // the one that the account phase took: the session stays there
    current_job,  // the one that the process is in already
    file_job,     // the one that the user has named in a file
    sticky,       // the one that another login from the same client is in

    // Not adopted.
    no_jobs,
    job_starting,    // by the controller; its extern step did not come in time
    no_extern_step,  // by the controller a job runs here, but there is no extern step of it
    unknown_job,
    adopt_refused,       // slurmstepd answered with an error
    adopt_timeout,       // slurmstepd did not answer in time, and the kernel does not show us inside
    adopt_step_ended,    // slurmstepd hung up, or says that the step is ending
    adopt_protocol,      // slurmstepd answered something that the protocol does not allow
    adopt_failed,        // a system call of ours failed while talking to slurmstepd
    adopt_not_inside,    // slurmstepd said done, the kernel shows us elsewhere
    adopt_unverifiable,  // slurmstepd lives in no step_extern cgroup: nothing to compare with (strict refuses)
    adopt_foreign_pids,  // slurmstepd lives in another pid namespace: our pid means somebody else there
    namespace_join,      // the job's namespace could not be joined
    proc_unreadable,     // /proc does not tell where processes are
    sockets_unreadable,  // /proc/net/unix or spool_dir= could not be read
    user_lookup,         // the user database did not answer
    out_of_memory,
    bad_option,
    unknown_user,
};

// The option that decides about a failure.
enum class FailureClass {
    none,  // not a failure
    no_jobs,
    unknown_job,
    adopt_failure,
    generic_failure,
    bad_config,    // always refused
    unknown_user,  // always refused, as PAM_USER_UNKNOWN
};

// Each reason belongs to exactly one class.
[[nodiscard]] FailureClass failure_class(Reason reason);

// The code in the log: the enumerator's own name.
[[nodiscard]] std::string_view reason_code(Reason reason);

}  // namespace slurm_adopt
