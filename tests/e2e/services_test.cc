// SPDX-License-Identifier: GPL-2.0-or-later
// Sessions that no sshd opens: su, login on a terminal, and su as a cloud's session manager starts it. Adopted where
// service= names them, untouched where it does not.
#include <gtest/gtest.h>

#include <ostream>
#include <tuple>

#include "cluster.h"
#include "job.h"
#include "login.h"
#include "processes.h"

namespace slurm_adopt::e2e {
namespace {

struct Way {
    const char* name;
    const char* service;            // what it calls itself for PAM
    std::vector<std::string> argv;  // reads commands for alice's shell from standard input
    bool on_terminal;
};

void PrintTo(const Way& way, std::ostream* out)
{
    *out << way.name;
}

const std::string services = "service=sshd,su-l,login";

class Services : public ::testing::TestWithParam<std::tuple<Way, bool>> {
protected:
    static const Way& way() { return std::get<0>(GetParam()); }
    static bool has_session_line() { return std::get<1>(GetParam()); }

    // As Debian's, without what would need the host's accounts.
    static std::vector<std::string> stack(const std::string& options)
    {
        std::vector<std::string> lines = {"auth sufficient pam_rootok.so", "auth required pam_unix.so",
                                          "account required pam_unix.so", account_line("strict " + options),
                                          "session required pam_unix.so"};
        if (has_session_line()) lines.push_back("session required " + cluster().module + " strict " + options);
        return lines;
    }

    struct Seen {
        std::string output;
        std::vector<Process> processes;  // the program that opened the session, and all that came of it
    };
    Seen look_at_a_session() const
    {
        Background session(Command{.argv = way().argv});
        // A terminal echoes what is typed: nothing of it may look like the answer.
        session.send("echo J''OB=$SLURM_JOB_ID.; ls -l /proc/self/fd; echo u''p.; exec cat\n");
        const bool is_up = session.says("up.");
        Seen seen{session.output(), {}};
        if (is_up) (void)descendants_with("cat", session.pid());
        for (const Process& process : tree(session.pid()))
            if (process.name == program()) seen.processes = tree(process.pid);
        session.end_input();
        if (is_up && way().on_terminal) session.send("\x04");
        const Finished ended = session.wait(std::chrono::seconds{is_up ? 10 : 0});
        if (!is_up) seen.output += ended.err;
        return seen;
    }

    static std::string program() { return std::string(way().service).starts_with("su") ? "su" : "login"; }

    static void expect_adopted(const Job& job, const Seen& seen)
    {
        EXPECT_NE(seen.output.find("JOB=" + job.id_text() + '.'), std::string::npos) << seen.output;
        EXPECT_EQ(count_of("cat", seen.processes), 1) << describe(seen.processes) << seen.output;
        const std::string outside = outside_of(job, seen.processes);
        EXPECT_TRUE(outside.empty()) << "outside the job:\n" << outside;
    }
};

TEST_P(Services, AreAdoptedWhereNamed)
{
    const Job job = Job::allocate("alice");
    const Stack service(way().service, stack(services));
    const LogMark mark;
    const Seen seen = look_at_a_session();
    expect_adopted(job, seen);
    // That the session is what it says it is.
    EXPECT_EQ(seen.output.find("socket:"), std::string::npos) << seen.output;
    EXPECT_EQ(seen.output.find("/dev/pts/") != std::string::npos, way().on_terminal) << seen.output;
    const std::vector<Decision> decisions = mark.decisions("alice");
    ASSERT_FALSE(decisions.empty());
    EXPECT_EQ(decisions.front()["decision"], "adopt") << decisions.front().line;
    EXPECT_EQ(decisions.front()["service"], way().service) << decisions.front().line;
    EXPECT_LE(decisions.size(), has_session_line() ? 2U : 1U) << decisions.back().line;
}

// There is no connection that a source node could be asked about.
TEST_P(Services, GoToTheNewestOfSeveralJobs)
{
    const Job first = Job::allocate("alice");
    const Job second = Job::allocate("alice");
    const Stack service(way().service, stack(services));
    expect_adopted(second, look_at_a_session());
}

class ServicesWithoutAJob : public Services {};

TEST_P(ServicesWithoutAJob, AreRefused)
{
    const Stack service(way().service, stack(services));
    const LogMark mark;
    const Seen seen = look_at_a_session();
    EXPECT_EQ(seen.output.find("JOB="), std::string::npos) << seen.output;
    EXPECT_EQ(mark.decision("alice")["reason"], "no_jobs") << mark.decision("alice").line;
}

TEST_P(Services, AreUntouchedByDefault)
{
    const Job job = Job::allocate("alice");
    const Stack service(way().service, stack({}));
    const Seen seen = look_at_a_session();
    EXPECT_NE(seen.output.find("JOB=."), std::string::npos) << seen.output;
    EXPECT_EQ(count_of("cat", seen.processes), 1) << describe(seen.processes) << seen.output;
    const std::string inside = inside_of(job, seen.processes);
    EXPECT_TRUE(inside.empty()) << "inside the job:\n" << inside;
}

const std::vector<Way> ways = {
    {"su", "su-l", {"su", "-l", "alice"}, false},
    {"su_on_a_terminal", "su-l", {"script", "-qec", "su -l alice", "/dev/null"}, true},
    {"login", "login", {"script", "-qec", "login -f alice", "/dev/null"}, true},
    // An agent starts it in a session of its own, with pipes and without a terminal.
    {"session_manager", "su-l", {"env", "-i", "PATH=/usr/bin:/bin", "setsid", "--wait", "su", "-l", "alice"}, false},
};

std::string name_of(const ::testing::TestParamInfo<std::tuple<Way, bool>>& test)
{
    return std::string(std::get<0>(test.param).name) + (std::get<1>(test.param) ? "_account_and_session" : "_account");
}

INSTANTIATE_TEST_SUITE_P(, Services, ::testing::Combine(::testing::ValuesIn(ways), ::testing::Bool()), name_of);
INSTANTIATE_TEST_SUITE_P(, ServicesWithoutAJob, ::testing::Combine(::testing::ValuesIn(ways), ::testing::Values(false)),
                         name_of);

}  // namespace
}  // namespace slurm_adopt::e2e
