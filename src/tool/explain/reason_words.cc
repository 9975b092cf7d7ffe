// SPDX-License-Identifier: GPL-2.0-or-later
#include "reason_words.h"

namespace slurm_adopt::tool {

std::string_view words_of(Reason reason)
{
    switch (reason) {
    case Reason::internal_error: return "something is wrong with the module itself";
    case Reason::root: return "root is left alone";
    case Reason::service: return "service= does not name this service";
    case Reason::exempt_user: return "exempt_users= names the user";
    case Reason::exempt_group: return "exempt_groups= names a group of the user's";
    case Reason::one_job: return "it is the user's only job on this node";
    case Reason::newest_job: return "it is the job that began last on this node";
    case Reason::source_job: return "the source node says that the login comes from this job";
    case Reason::account_job: return "the account phase took this job";
    case Reason::current_job: return "the process is in this job already";
    case Reason::file_job: return "the user has named this job (slurm-adopt use)";
    case Reason::sticky: return "a login of the user's from the same address is in this job already";
    case Reason::no_jobs: return "the user has no job on this node";
    case Reason::job_starting: return "the controller says that the user's job is starting on this node";
    case Reason::no_extern_step: return "the controller says that a job of the user's runs on this node, but it has no extern step";
    case Reason::unknown_job: return "the user has several jobs here, and action_unknown= does not let the newest be taken";
    case Reason::adopt_refused: return "slurmstepd refuses";
    case Reason::adopt_timeout: return "the job's slurmstepd does not answer in time";
    case Reason::adopt_step_ended: return "the job's extern step is ending";
    case Reason::adopt_protocol: return "slurmstepd says something that the protocol does not allow";
    case Reason::adopt_failed: return "a system call fails while slurmstepd is talked to";
    case Reason::adopt_not_inside: return "the kernel shows the process outside of the job";
    case Reason::adopt_unverifiable:
        return "slurmstepd is in no step_extern cgroup, so that nothing can be compared, and strict wants it";
    case Reason::adopt_foreign_pids: return "slurmstepd lives in another pid namespace";
    case Reason::namespace_join: return "the job's namespaces cannot be joined";
    case Reason::proc_unreadable: return "/proc does not tell where processes are";
    case Reason::sockets_unreadable: return "the list of extern steps cannot be read";
    case Reason::user_lookup: return "the user database does not answer";
    case Reason::out_of_memory: return "there is no memory";
    case Reason::bad_option: return "the PAM line has an option that is wrong";
    case Reason::unknown_user: return "there is no such user";
    }
    return "not known";
}

}  // namespace slurm_adopt::tool
