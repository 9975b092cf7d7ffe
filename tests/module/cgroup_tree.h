// SPDX-License-Identifier: GPL-2.0-or-later
// Real cgroups of a node that does not exist: what slurmd and slurmstepd would have made. Gone with the object.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace slurm_adopt::test {

enum class Layout {
    v1,         // 22.05: /sys/fs/cgroup/freezer/slurm_<node>/uid_<uid>/job_<id>, the slurmstepd one above step_extern
    v2,         // 24.11: <node>_slurmstepd.scope/job_<id>/step_extern/slurm
    v2_sluid,   // 26.05: <node>_slurmstepd.scope/<SLUID>/step_extern/slurm
    no_cgroup,  // proctrack without cgroups: nowhere
};

struct StepCgroup {
    std::string slurmstepd;  // directory of the slurmstepd; empty: none
    std::string adopted;     // directory of adopted processes; empty: none
    std::string path;        // what /proc/<pid>/cgroup shows of the latter
};

class CgroupTree {
public:
    CgroupTree();  // of a node with a name of its own
    CgroupTree(const CgroupTree&) = delete;
    CgroupTree& operator=(const CgroupTree&) = delete;
    ~CgroupTree();

    [[nodiscard]] const std::string& node() const { return node_; }
    StepCgroup make_step(Layout layout, uid_t uid, unsigned job_id);

private:
    std::string node_;
    std::vector<std::string> roots_;
};

// A process (0: this one) into a cgroup directory. False if the kernel refuses.
bool move_to_cgroup(const std::string& directory, pid_t pid);

// Out of everything that make_step() can have made.
void leave_cgroups();

}  // namespace slurm_adopt::test
