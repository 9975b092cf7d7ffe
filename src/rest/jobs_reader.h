// SPDX-License-Identifier: GPL-2.0-or-later
// slurmrestd's answer to GET /slurm/VERSION/jobs/, of v0.0.38 (Slurm 22.05) to v0.0.45 (26.05).
//
// And to GET /slurm/VERSION/job/ID, which is the same with one job in it.
//
// Of each job are read: job_id, user_id, job_state (a word up to v0.0.39, then a list of words), state_reason, nodes and
// start_time; of one that is asked for by its id also name, partition, account and node_count. Numbers are plain, or objects of set, infinite and number. Everything else is passed over.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rest/json_text.h"
#include "slurm_adopt/helper_wire.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt::rest {

// Which jobs are wanted.
struct Wanted {
    std::optional<std::uint32_t> uid;  // none: everybody's
    std::string node;
    std::uint32_t job_id = 0;  // not 0: the details of this one, wherever it runs, and nothing of the others
};

// What slurmrestd says that went wrong: the first of its errors.
struct RestError {
    std::string text;  // printable
    std::int64_t number = 0;
};

struct JobsAnswer {
    std::vector<helper_wire::ControllerJob> jobs;  // wanted ones that have not ended, at most helper_wire::most_jobs
    bool has_more = false;                         // than that
    bool has_list = false;                         // there was a list of jobs at all
    std::optional<helper_wire::JobReply> details;  // of Wanted::job_id; none: the user has no such job
    std::optional<RestError> error;
};

// `now`, in seconds since 1970, is what a job's start is compared with. An error: what Source says, no JSON, or a value of
// another type than it has to have.
[[nodiscard]] Result<JobsAnswer> read_jobs(Source& source, const Wanted& wanted, std::int64_t now);

}  // namespace slurm_adopt::rest
