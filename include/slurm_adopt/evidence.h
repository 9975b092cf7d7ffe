// SPDX-License-Identifier: GPL-2.0-or-later
// Whose step is it, without waking its slurmstepd?
//
// On cgroup v1 the kernel's tree tells: <freezer>/slurm[_<node>]/uid_<uid>/job_<id>/step_extern. A batch job has a
// directory <spool>/job<id> (five digits or more) beside the sockets, which belongs to its user (22.05) or to root with
// the job's group (24.11, which tells nothing). Evidence decides
// whom to ask first and whom perhaps not at all; only is_foreign() is strong enough to refuse somebody.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "slurm_adopt/discovery.h"

namespace slurm_adopt {

enum class Hint {
    own,      // ask
    unknown,  // ask
    foreign,  // probably somebody else's: ask only before a refusal
};

class Evidence {
public:
    Evidence(const Roots& roots, uid_t uid) : roots_(roots), uid_(uid) {}

    [[nodiscard]] Hint hint(const StepSocketView& socket);

    // True if the kernel shows processes of this job (its slurmstepd, or its extern step) below another user's
    // uid_<uid>, and nothing of it below ours.
    [[nodiscard]] bool is_foreign(const StepSocketView& socket);

private:
    // The part of the freezer tree that belongs to one node.
    struct Tree {
        std::string node;
        std::string directory;                   // empty: there is none
        std::vector<std::uint32_t> own_jobs;     // sorted
    };
    struct ForeignJob {
        std::string node;
        std::uint32_t job_id = 0;
        std::string directory;
    };
    [[nodiscard]] Tree& tree_of(std::string_view node);
    void read_foreign_jobs(const Tree& tree);

    Roots roots_;
    uid_t uid_;
    std::vector<Tree> trees_;
    std::vector<std::string> nodes_read_;   // whose foreign jobs have been read
    std::vector<ForeignJob> foreign_jobs_;
};

}  // namespace slurm_adopt
