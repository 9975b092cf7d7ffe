// SPDX-License-Identifier: GPL-2.0-or-later
// Sockets that users have made and named like a slurmstepd's.
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "node_test.h"
#include "slurm_adopt/fd.h"
#include "support/fault_table.h"
#include "support/listening_socket.h"

namespace slurm_adopt::test {
namespace {

class Planted : public NodeTest {
protected:
    // Sockets of alice's own, in a directory of hers.
    std::vector<Fd> plant(int count)
    {
        std::vector<Fd> sockets;
        const std::string directory = spool_.make_directory("alice");
        EXPECT_EQ(::chown(directory.c_str(), alice, 0), 0);
        EXPECT_EQ(::chmod(spool_.path().c_str(), 0755), 0);
        EXPECT_EQ(::seteuid(alice), 0);
        for (int i = 1; i <= count; ++i)
            sockets.push_back(listen_at(directory + '/' + step_socket_name(tree_.node(), static_cast<unsigned>(i))));
        EXPECT_EQ(::seteuid(0), 0);
        return sockets;
    }
    [[nodiscard]] std::string warning(int count) const
    {
        return "warning " + std::to_string(count) +
               " socket(s) named like a slurmstepd's but not root's: ignored, e.g. " + spool_.path() + "/alice/" +
               tree_.node() + '_';
    }
};

TEST_F(Planted, OneIsIgnoredAndSaidOnce)
{
    const auto sockets = plant(1);
    const std::string said = warning(1) + "1.4294967292";
    expect("no job", log_in({.options = {"strict"}}),
           {"perm_denied", {said, decided("notice deny no_jobs", 0, 0, "-", "closed")}, {no_job_message}});
    (void)start(7);
    expect("a real job too", log_in({.options = {"strict"}}),
           {"success", {said, decided("info adopt one_job", 1, 7, "yes", "closed")}, {}, {"SLURM_JOB_ID=7"}});
}

TEST_F(Planted, AUsersServerIsNeverSpokenTo)
{
    // It would say yes to everything. Once with the file as alice's, once as if root had been tricked into owning it.
    for (const bool root_owns_the_file : {false, true}) {
        TempDirectory public_place;
        ASSERT_EQ(::chmod(public_place.path().c_str(), 0777), 0);
        const FakeStepd fake(tree_, public_place.path(), 7, {.listener = alice, .root_owns_the_file = root_owns_the_file},
                             Layout::no_cgroup, alice);
        const Outcome outcome = log_in({});
        expect("fake", outcome,
               {"perm_denied",
                {"warning 1 socket(s) named like a slurmstepd's but not root's: ignored, e.g. " + fake.socket(),
                 decided("notice deny no_jobs", 0, 0, "-", "open")},
                {no_job_message}});
        EXPECT_EQ(fake.seen().uid, 0);

        // Where the kernel's owner is not asked, the file and the peer are: never a word to it.
        const Outcome by_spool = log_in({.options = {"spool_dir=" + public_place.path()}});
        EXPECT_EQ(by_spool.code, "perm_denied");
        ASSERT_EQ(by_spool.log.size(), 2U);
        EXPECT_EQ(by_spool.log[0],
                  root_owns_the_file
                      ? "warning 1 socket(s) named like a slurmstepd's are not served by root: ignored, e.g. " + fake.socket()
                      : "warning 1 socket(s) named like a slurmstepd's but not root's: ignored, e.g. " +
                            fake.socket());
        EXPECT_EQ(fake.seen().uid, 0);
        report_fault({"attacker", std::string("a server of a user's own that says yes to everything") + (root_owns_the_file ? ", its file root's" : ""),
                      "deny no_jobs, never a word to it", 300},
                     std::max(outcome.milliseconds, by_spool.milliseconds));
    }
}

TEST_F(Planted, AHostileNameIsSafeInTheLog)
{
    const std::string directory = spool_.make_directory("a\n\x1b[2J decision=adopt");
    ASSERT_EQ(::chown(directory.c_str(), alice, 0), 0);
    ASSERT_EQ(::chmod(spool_.path().c_str(), 0755), 0);
    ASSERT_EQ(::seteuid(alice), 0);
    const Fd socket = listen_at(directory + '/' + step_socket_name("n", 1));
    ASSERT_EQ(::seteuid(0), 0);
    const Outcome outcome = log_in({});
    ASSERT_EQ(outcome.log.size(), 2U);
    for (const std::string& line : outcome.log)
        EXPECT_TRUE(std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c <= '~'; })) << line;
    report_fault({"attacker", "a socket with control characters and a decision line in its path", "deny no_jobs, printable in the log", 300},
                 outcome.milliseconds);
}

double used_by_children()
{
    rusage usage{};
    EXPECT_EQ(::getrusage(RUSAGE_CHILDREN, &usage), 0);
    const auto milliseconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3; };
    return milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);
}

struct Cost {
    double milliseconds = 1e9;  // of the login
    double processor = 1e9;     // of the whole process, in milliseconds
};

TEST_F(Planted, FiveHundredDoNotSlowALogin)
{
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = std::max<rlim_t>(limit.rlim_cur, 2048);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    (void)start(777, {}, Layout::v2);  // no freezer tree that would tell, so each has to be looked at
    constexpr double bound = 20;
    // Of a few: the machine may be busy with something else.
    const auto best_of = [](int tries, const std::optional<Roots>& roots, const std::string& first_line) {
        Cost best;
        for (int i = 0; i < tries && best.milliseconds > bound; ++i) {
            const double before = used_by_children();
            const Outcome outcome = log_in({.options = {"strict"}, .roots = roots});
            EXPECT_EQ(outcome.code, "success");
            EXPECT_TRUE(!outcome.log.empty() && outcome.log.front().starts_with(first_line));
            best.processor = std::min(best.processor, used_by_children() - before);
            if (!first_line.empty()) best.milliseconds = std::min(best.milliseconds, outcome.milliseconds);
        }
        return best;
    };
    Roots by_text;
    by_text.proc = "/proc/.";  // another name for it: asks /proc/net/unix, not netlink
    const std::array ways = {std::optional<Roots>(), std::optional<Roots>(by_text)};
    const double without = std::max(best_of(5, ways[0], "").processor, best_of(5, ways[1], "").processor);
    const auto sockets = plant(500);
    for (const auto& roots : ways) {
        const Cost with = best_of(25, roots, warning(500));
        // Where others compute all the time a login of more than a turn is never alone: it is what it uses that counts then.
        const bool is_crowded = with.milliseconds > bound && with.milliseconds <= 10 * bound;
        report_fault({"attacker", std::string("500 sockets that a user has named like steps, by ") + (roots ? "/proc/net/unix" : "netlink") + "; the best of a few",
                      "adopt one_job", bound},
                     is_crowded ? with.processor - without : with.milliseconds);
    }
    // A refusal looks twice.
    const Outcome refused = log_in({.user = "bob", .options = {"strict"}});
    EXPECT_EQ(refused.log.size(), 2U) << "said once";
}

}  // namespace
}  // namespace slurm_adopt::test
