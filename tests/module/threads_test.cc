// SPDX-License-Identifier: GPL-2.0-or-later
// The module starts no thread, but a host may have some: many logins at once in one process, each with its own handle.
// In a program of its own, which is built once more with the thread sanitizer.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <barrier>
#include <chrono>
#include <thread>

#include "fake_pam.h"
#include "in_child.h"
#include "node_test.h"
#include "phases.h"

namespace slurm_adopt::test {
namespace {

constexpr int rounds = 8;

struct Kind {
    const char* user;
    std::vector<const char*> options;
    int code;
    const char* decision;
};

// Only alice has a job: an adoption moves the whole process, and a second job would take it out of the first.
const std::array kinds = {
    Kind{"alice", {}, PAM_SUCCESS, "decision=adopt reason=one_job user=alice "},
    Kind{"bob", {}, PAM_PERM_DENIED, "decision=deny reason=no_jobs user=bob "},
    Kind{"ghost", {}, PAM_USER_UNKNOWN, "decision=deny reason=unknown_user user=ghost "},
    Kind{"root", {}, PAM_IGNORE, "decision=ignore reason=root user=root "},
    Kind{"dave", {"exempt_groups=admins", "log_level=debug"}, PAM_IGNORE, "decision=ignore reason=exempt_group user=dave "},
    Kind{"alice", {"no_such_option"}, PAM_PERM_DENIED, "decision=deny reason=bad_option user=alice "},
};

// What is wrong with one login; nothing, if all is well.
std::vector<std::string> one_login(const Kind& kind)
{
    pam_handle handle;
    handle.items = {{PAM_USER, kind.user}, {PAM_SERVICE, "sshd"}, {PAM_RHOST, "192.0.2.7"}};
    std::vector<const char*> arguments = kind.options;
    const int code = account_phase(&handle, 0, static_cast<int>(arguments.size()), arguments.data());
    std::vector<std::string> wrong;
    if (code != kind.code) wrong.push_back(std::string(kind.decision) + ": code " + std::to_string(code));
    const auto is_decision = [&](const std::string& line) { return line.find(kind.decision) != std::string::npos; };
    if (std::count_if(handle.log.begin(), handle.log.end(), is_decision) != 1) {
        wrong.push_back(std::string("not once in the log: ") + kind.decision);
        wrong.insert(wrong.end(), handle.log.begin(), handle.log.end());
    }
    return wrong;
}

std::vector<std::string> all_at_once()
{
    std::array<std::vector<std::string>, kinds.size()> wrong;
    std::barrier start(std::ssize(kinds));
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < kinds.size(); ++i)
            threads.emplace_back([&, i] {
                for (int round = 0; round < rounds; ++round) {
                    start.arrive_and_wait();
                    const auto found = one_login(kinds[i]);
                    wrong[i].insert(wrong[i].end(), found.begin(), found.end());
                }
            });
    }
    std::vector<std::string> all;
    for (const auto& each : wrong) all.insert(all.end(), each.begin(), each.end());
    return all;
}

class Threads : public NodeTest {};

TEST_F(Threads, LoginsOfEveryKindAtOnce)
{
    FakeStepd& alices = start(7);
    const ChildResult child = in_child(all_at_once);
    EXPECT_EQ(child.trouble, "");
    EXPECT_EQ(child.lines, std::vector<std::string>{});
    EXPECT_EQ(alices.seen().adopt, rounds) << "each of alice's logins";
}

}  // namespace
}  // namespace slurm_adopt::test
