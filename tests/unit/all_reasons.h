// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>

#include "slurm_adopt/reason.h"

namespace slurm_adopt::test {

inline constexpr std::array all_reasons = {
    Reason::internal_error,
    Reason::root,
    Reason::service,
    Reason::exempt_user,
    Reason::exempt_group,
    Reason::one_job,
    Reason::newest_job,
    Reason::source_job,
    Reason::account_job,
    Reason::current_job,
    Reason::file_job,
    Reason::sticky,
    Reason::no_jobs,
    Reason::job_starting,
    Reason::no_extern_step,
    Reason::unknown_job,
    Reason::adopt_refused,
    Reason::adopt_timeout,
    Reason::adopt_step_ended,
    Reason::adopt_protocol,
    Reason::adopt_failed,
    Reason::adopt_not_inside,
    Reason::adopt_unverifiable,
    Reason::adopt_foreign_pids,
    Reason::namespace_join,
    Reason::proc_unreadable,
    Reason::sockets_unreadable,
    Reason::user_lookup,
    Reason::out_of_memory,
    Reason::bad_option,
    Reason::unknown_user,
};

}  // namespace slurm_adopt::test
