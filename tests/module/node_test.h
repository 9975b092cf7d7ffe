// SPDX-License-Identifier: GPL-2.0-or-later
// What most tests here need: a node with a spool directory, real cgroups, and a network namespace without other sockets.
#pragma once

#include <gtest/gtest.h>

#include <list>

#include "cgroup_tree.h"
#include "fake_stepd.h"
#include "login.h"
#include "support/temp_directory.h"

namespace slurm_adopt::test {

class NodeTest : public testing::Test {
protected:
    FakeStepd& start(unsigned job_id, const StepdScript& script = {}, Layout layout = Layout::v1)
    {
        return start_owned_by(script.uid, job_id, script, layout);
    }
    FakeStepd& start_owned_by(uid_t owner, unsigned job_id, const StepdScript& script, Layout layout = Layout::v1)
    {
        return stepds_.emplace_back(tree_, spool_.path(), job_id, script, layout, owner);
    }
    void end_all() { stepds_.clear(); }

    // Members are destroyed from the last: the slurmstepds before the cgroups they are in.
    CgroupTree tree_;
    TempDirectory spool_;
    std::list<FakeStepd> stepds_;
};

// A fresh node for each case of a table.
struct Node {
    CgroupTree tree;
    TempDirectory spool;
    std::list<FakeStepd> stepds;

    FakeStepd& start(unsigned job_id, const StepdScript& script = {}, Layout layout = Layout::v1)
    {
        return stepds.emplace_back(tree, spool.path(), job_id, script, layout, script.uid);
    }
};

}  // namespace slurm_adopt::test
