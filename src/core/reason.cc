// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/reason.h"

namespace slurm_adopt {

FailureClass failure_class(Reason reason)
{
    switch (reason) {
    case Reason::root:
    case Reason::service:
    case Reason::exempt_user:
    case Reason::exempt_group:
    case Reason::one_job:
    case Reason::newest_job:
    case Reason::source_job:
    case Reason::account_job:
    case Reason::current_job:
    case Reason::file_job:
    case Reason::sticky:
        return FailureClass::none;
    case Reason::no_jobs:
    case Reason::job_starting:
    case Reason::no_extern_step:
        return FailureClass::no_jobs;
    case Reason::unknown_job:
        return FailureClass::unknown_job;
    case Reason::adopt_refused:
    case Reason::adopt_timeout:
    case Reason::adopt_step_ended:
    case Reason::adopt_protocol:
    case Reason::adopt_failed:
    case Reason::adopt_not_inside:
    case Reason::adopt_unverifiable:
    case Reason::adopt_foreign_pids:
    case Reason::namespace_join:
        return FailureClass::adopt_failure;
    case Reason::internal_error:
    case Reason::proc_unreadable:
    case Reason::sockets_unreadable:
    case Reason::user_lookup:
    case Reason::out_of_memory:
        return FailureClass::generic_failure;
    case Reason::bad_option:
        return FailureClass::bad_config;
    case Reason::unknown_user:
        return FailureClass::unknown_user;
    }
    return FailureClass::bad_config;  // no such reason: memory is corrupt, refuse
}

std::string_view reason_code(Reason reason)
{
    switch (reason) {
    case Reason::internal_error: return "internal_error";
    case Reason::root: return "root";
    case Reason::service: return "service";
    case Reason::exempt_user: return "exempt_user";
    case Reason::exempt_group: return "exempt_group";
    case Reason::one_job: return "one_job";
    case Reason::newest_job: return "newest_job";
    case Reason::source_job: return "source_job";
    case Reason::account_job: return "account_job";
    case Reason::current_job: return "current_job";
    case Reason::file_job: return "file_job";
    case Reason::sticky: return "sticky";
    case Reason::no_jobs: return "no_jobs";
    case Reason::job_starting: return "job_starting";
    case Reason::no_extern_step: return "no_extern_step";
    case Reason::unknown_job: return "unknown_job";
    case Reason::adopt_refused: return "adopt_refused";
    case Reason::adopt_timeout: return "adopt_timeout";
    case Reason::adopt_step_ended: return "adopt_step_ended";
    case Reason::adopt_protocol: return "adopt_protocol";
    case Reason::adopt_failed: return "adopt_failed";
    case Reason::adopt_not_inside: return "adopt_not_inside";
    case Reason::adopt_unverifiable: return "adopt_unverifiable";
    case Reason::adopt_foreign_pids: return "adopt_foreign_pids";
    case Reason::namespace_join: return "namespace_join";
    case Reason::proc_unreadable: return "proc_unreadable";
    case Reason::sockets_unreadable: return "sockets_unreadable";
    case Reason::user_lookup: return "user_lookup";
    case Reason::out_of_memory: return "out_of_memory";
    case Reason::bad_option: return "bad_option";
    case Reason::unknown_user: return "unknown_user";
    }
    return "internal_error";
}

}  // namespace slurm_adopt
