// SPDX-License-Identifier: GPL-2.0-or-later
// Whose step is it, without waking its slurmstepd?
//
// On cgroup v1 the kernel's tree tells: <freezer>/slurm[_<node>]/uid_<uid>/job_<id>/step_extern. A batch job has a
// directory <spool>/job<id> (five digits or more) beside the sockets. It is root's, the file slurm_script in it is the
// user's (22.05 ... 26.05). Evidence decides whom to ask first and whom perhaps not at all; only is_foreign() is strong
// enough to refuse somebody.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "slurm_adopt/discovery.h"
#include "slurm_adopt/fd.h"

namespace slurm_adopt {

enum class Hint {
    own,      // ask
    unknown,  // ask
    foreign,  // probably somebody else's: ask only before a refusal
};

struct JobOnNode {
    std::string node;
    std::uint32_t job_id = 0;
};

class Evidence {
public:
    Evidence(const Roots& roots, uid_t uid) : roots_(roots), uid_(uid) {}

    [[nodiscard]] Hint hint(const StepSocketView& socket);

    // The jobs below the user's uid_<uid> in the kernel's tree, of every node that has one here, or of `nodename` where that
    // is not empty. None where there is no tree. A tree without a node's name is this host's.
    [[nodiscard]] std::vector<JobOnNode> own_jobs(const std::string& nodename);

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
    [[nodiscard]] Hint hint_by_batch_script(const StepSocketView& socket);
    [[nodiscard]] Tree& tree_of(std::string_view node);
    void read_foreign_jobs(const Tree& tree);

    Roots roots_;
    uid_t uid_;
    std::vector<Tree> trees_;
    std::vector<std::string> nodes_read_;   // whose foreign jobs have been read
    std::vector<ForeignJob> foreign_jobs_;
    std::string spool_path_;  // of the directory that is open
    Fd spool_;
};

}  // namespace slurm_adopt
