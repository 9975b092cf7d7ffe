// SPDX-License-Identifier: GPL-2.0-or-later
// A socket's path has 107 bytes at most. Slurm cannot listen at a longer one; a spool directory can be that long.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "fault_logins.h"
#include "node_test.h"
#include "support/fault_table.h"
#include "support/listening_socket.h"

namespace slurm_adopt::test {
namespace {

constexpr std::size_t longest_path = sizeof(sockaddr_un::sun_path) - 1;

class PathLength : public NodeTest {
protected:
    // A directory in which the socket of job 7 has a path of so many bytes.
    [[nodiscard]] std::string directory_for(std::size_t bytes) const
    {
        const std::size_t rest = 1 + step_socket_name(tree_.node(), 7).size();
        std::string name = spool_.path() + '/';
        EXPECT_LT(name.size() + rest, bytes);
        name.append(bytes - rest - name.size(), 'd');
        EXPECT_EQ(::mkdir(name.c_str(), 0755), 0);
        return name;
    }
};

TEST_F(PathLength, ExactlyFits)
{
    double longest = 0;
    for (const bool by_directory : {false, true}) {
        const std::string directory = directory_for(longest_path);
        const FakeStepd stepd(tree_, directory, 7, {}, Layout::v1, alice);
        ASSERT_EQ(stepd.socket().size(), longest_path);
        Login login{.options = {"strict", "timeout=1"}};
        if (by_directory) login.options.push_back("spool_dir=" + directory);
        const Outcome outcome = log_in(login);
        EXPECT_EQ(decision_of(outcome), "adopt one_job");
        EXPECT_TRUE(is_in(outcome, stepd.cgroup()));
        longest = std::max(longest, outcome.milliseconds);
        std::filesystem::remove_all(directory);
    }
    report_fault({"slurmstepd", "socket path of 107 bytes, the longest there is; also by spool_dir=", "adopt one_job", 1300},
                 longest);
}

// A file with such a name can be there - bound in the directory itself, as "./name" - but not be connected to by its path.
// Cut to what fits it would be the path of another socket, here one that says yes to everything.
TEST_F(PathLength, IsNotCut)
{
    const std::string directory = directory_for(longest_path + 2);
    const std::string path = directory + '/' + step_socket_name(tree_.node(), 7);
    const FakeStepd cut(tree_, spool_.path(), 8, {}, Layout::no_cgroup, alice);
    ASSERT_EQ(std::rename(cut.socket().c_str(), path.substr(0, longest_path).c_str()), 0);
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(directory);
    const Fd listener = listen_at("./" + step_socket_name(tree_.node(), 7));
    std::filesystem::current_path(before);
    const Outcome outcome = log_in({.options = {"strict", "timeout=1", "spool_dir=" + directory}});
    expect("too long", outcome,
           {"perm_denied",
            {"warning 1 extern step(s) could not be asked, e.g. " + path + ": connect: File name too long",
             decided("notice deny no_jobs", 0, 0, "-", "closed")},
            {no_job_message}});
    EXPECT_EQ(cut.seen().connections, 0) << "another socket";
    report_fault({"slurmstepd", "spool_dir= too long for a socket's path", "deny no_jobs, and why in the log", 1300},
                 outcome.milliseconds);
}

}  // namespace
}  // namespace slurm_adopt::test
