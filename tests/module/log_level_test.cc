// SPDX-License-Identifier: GPL-2.0-or-later
// Which lines each log_level lets through, for one login of every kind.
#include "node_test.h"

namespace slurm_adopt::test {
namespace {

const char* const levels[] = {"quiet", "fatal", "error", "info", "verbose", "debug", "debug2", "debug3", "debug4", "debug5"};

struct Case {
    const char* what;
    Login login;
    StepdScript script;
    // The words of each line that has to be there from this level on.
    struct Line {
        int from;
        std::string begins;
    };
    std::vector<Line> lines;
};

TEST(LogLevel, EveryLevelForEveryKindOfLogin)
{
    constexpr int never_hidden = 0, error = 2, info = 3, verbose = 4, debug = 5;
    const StepdScript refuses = {.adopt_result = -1, .moves = false};
    const std::string closed = "warning job 7: slurmstepd answered -1";
    const std::vector<Case> cases = {
        {"adopted", {}, {}, {{info, "info decision=adopt reason=one_job "}}},
        {"refused", {.user = "bob"}, {}, {{info, "notice decision=deny reason=no_jobs "}}},
        {"unknown", {.user = "ghost"}, {}, {{info, "notice decision=deny reason=unknown_user "}}},
        {"root", {.user = "root"}, {}, {{info, "info decision=ignore reason=root "}}},
        {"no jobs, ignored",
         {.user = "bob", .options = {"action_no_jobs=ignore"}},
         {},
         {{info, "info decision=ignore reason=no_jobs "}}},
        {"other service", {.service = "login"}, {}, {{debug, "debug decision=ignore reason=service "}}},
        {"exempt", {.options = {"exempt_users=alice"}}, {}, {{debug, "debug decision=ignore reason=exempt_user "}}},
        {"fails open",
         {.options = {"action_adopt_failure=allow"}},
         refuses,
         {{error, closed},
          {verbose, "info a job ended while "},
          {error, closed},
          {error, "warning decision=allow reason=adopt_refused "}}},
        {"fails closed",
         {.options = {"strict"}},
         refuses,
         {{error, closed},
          {verbose, "info a job ended while "},
          {error, closed},
          {info, "notice decision=deny reason=adopt_refused "}}},
        {"generic failure",
         {.options = {"spool_dir=/nowhere"}},
         {},
         {{error, "error cannot list the extern steps: "}, {error, "warning decision=ignore reason=sockets_unreadable "}}},
        {"wrong option",
         {.options = {"nonsense"}},
         {},
         {{never_hidden, "error PAM line: "}, {info, "notice decision=deny reason=bad_option "}}},
    };
    for (const Case& each : cases) {
        Node node;
        (void)node.start(7, each.script);
        for (int level = 0; level < 10; ++level)
            for (const std::string& value : {std::string(levels[level]), std::to_string(level)}) {
                Login login = each.login;
                login.options.push_back("log_level=" + value);
                const Outcome outcome = log_in(login);
                EXPECT_EQ(outcome.complaints, "");
                std::vector<std::string> expected;
                for (const Case::Line& line : each.lines)
                    if (level >= line.from) expected.push_back(line.begins);
                ASSERT_EQ(outcome.log.size(), expected.size()) << each.what << ", log_level=" << value;
                for (std::size_t i = 0; i < expected.size(); ++i)
                    EXPECT_TRUE(outcome.log[i].starts_with(expected[i]))
                        << each.what << ", log_level=" << value << ": " << outcome.log[i];
            }
    }
}

}  // namespace
}  // namespace slurm_adopt::test
