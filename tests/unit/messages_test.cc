// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/messages.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "unit/all_reasons.h"

namespace slurm_adopt {
namespace {

LoginRecord record(Verdict verdict, Reason reason)
{
    LoginRecord login;
    login.decision = {verdict, reason};
    login.user = "alice";
    login.uid = 1000;
    login.service = "sshd";
    login.rhost = "192.0.2.7";
    login.node = "n1";
    login.jobs = 1;
    login.job_id = 7;
    login.phase = "account";
    login.took = std::chrono::microseconds(1234);
    return login;
}

TEST(DecisionLine, AnAdoption)
{
    LoginRecord login = record(Verdict::adopt, Reason::one_job);
    login.verified = true;
    EXPECT_EQ(decision_line(login),
              "decision=adopt reason=one_job user=alice uid=1000 service=sshd rhost=192.0.2.7 jobs=1 job=7 phase=account "
              "ms=1.23 verified=yes on_failure=closed");
    login.verified = false;
    login.fails_open = true;
    login.took = std::chrono::microseconds(0);
    EXPECT_EQ(decision_line(login),
              "decision=adopt reason=one_job user=alice uid=1000 service=sshd rhost=192.0.2.7 jobs=1 job=7 phase=account "
              "ms=0.00 verified=no on_failure=open");
}

TEST(DecisionLine, NothingIsADash)
{
    EXPECT_EQ(decision_line(LoginRecord{}),
              "decision=deny reason=internal_error user=- uid=- service=- rhost=- jobs=0 job=- phase=- ms=0.00 verified=- "
              "on_failure=closed");
    LoginRecord login = record(Verdict::ignore, Reason::root);
    login.uid = 0;
    login.verified = true;
    EXPECT_EQ(decision_line(login),
              "decision=ignore reason=root user=alice uid=0 service=sshd rhost=192.0.2.7 jobs=1 job=7 phase=account "
              "ms=1.23 verified=- on_failure=closed");
    EXPECT_TRUE(
        decision_line(record(Verdict::allow, Reason::adopt_timeout)).starts_with("decision=allow reason=adopt_timeout "));
}

TEST(DecisionLine, MillisecondsHaveTwoDecimals)
{
    const std::pair<long, const char*> cases[] = {{9, " ms=0.00 "},       {10, " ms=0.01 "},
                                                  {999, " ms=0.99 "},     {1000, " ms=1.00 "},
                                                  {10'050, " ms=10.05 "}, {120'000'000, " ms=120000.00 "}};
    for (const auto& [microseconds, text] : cases) {
        LoginRecord login = record(Verdict::adopt, Reason::one_job);
        login.took = std::chrono::microseconds(microseconds);
        EXPECT_NE(decision_line(login).find(text), std::string::npos) << decision_line(login);
    }
}

TEST(DecisionLine, NoTextFromOutsideForgesAKeyALineOrAnEscape)
{
    const std::string hostile[] = {"x decision=adopt",
                                   "x\ndecision=adopt",
                                   "\x1b[2Jx",
                                   "a=b",
                                   "j\xc3\xbcrgen",
                                   std::string("a\0b", 3),
                                   "\r\n",
                                   "\x7f",
                                   std::string(5000, 'A'),
                                   "%s%n"};
    const std::string plain = decision_line(record(Verdict::deny, Reason::no_jobs));
    const auto spaces = std::count(plain.begin(), plain.end(), ' ');
    const auto equals = std::count(plain.begin(), plain.end(), '=');
    for (const std::string& text : hostile) {
        LoginRecord login = record(Verdict::deny, Reason::no_jobs);
        login.user = login.rhost = login.service = login.phase = login.node = text;
        const std::string line = decision_line(login);
        EXPECT_EQ(std::count(line.begin(), line.end(), ' '), spaces) << line;
        EXPECT_EQ(std::count(line.begin(), line.end(), '='), equals) << line;
        EXPECT_TRUE(std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c <= '~'; })) << line;
        EXPECT_LT(line.size(), 1400U) << "syslog cuts lines that are longer";
    }
}

TEST(UserMessage, NamesTheWayToAnotherJob)
{
    LoginRecord login = record(Verdict::adopt, Reason::newest_job);
    login.jobs = 2;
    login.may_name_job = true;
    EXPECT_EQ(user_message(login), "You have 2 jobs on n1; this login was placed into job 7. For another one: slurm-adopt use <JOBID>");
    login.decision = {Verdict::adopt, Reason::file_job};
    EXPECT_EQ(user_message(login), "You have 2 jobs on n1; this login was placed into job 7.");
    login.decision = {Verdict::deny, Reason::unknown_job};
    EXPECT_EQ(user_message(login),
              "Access denied: you have 2 jobs on n1 and it is not known which one this login belongs to. Use: slurm-adopt use <JOBID>");
}

TEST(UserMessage, ExactTextForEachClass)
{
    const std::pair<Reason, const char*> cases[] = {
        {Reason::no_jobs,
         "Access denied: you have no job running on n1. Start one there (sbatch, salloc) and log in while it runs."},
        {Reason::job_starting, "Access denied: your job 7 is still starting on n1. Try again in a moment."},
        {Reason::no_extern_step, "Access denied: your job 7 runs on n1, but has no extern step there (no_extern_step). "
                                 "Please tell your administrator this line."},
        {Reason::unknown_job, "Access denied: you have 3 jobs on n1 and it is not known which one this login belongs to. "
                              "Use: srun --overlap --pty --jobid=<JOBID> bash"},
        {Reason::adopt_timeout, "Access denied: this login could not be placed into your job on n1 (adopt_timeout). "
                                "Try again; if it stays, tell your administrator this line."},
        {Reason::namespace_join, "Access denied: this login could not be placed into your job on n1 (namespace_join). "
                                 "Try again; if it stays, tell your administrator this line."},
        {Reason::sockets_unreadable, "Access denied: job access control on n1 does not work (sockets_unreadable). "
                                     "Please tell your administrator this line."},
        {Reason::bad_option, "Access denied: job access control on n1 is misconfigured (bad_option). "
                             "Please tell your administrator this line."},
        {Reason::unknown_user, ""},
    };
    for (const auto& [reason, text] : cases) {
        LoginRecord login = record(Verdict::deny, reason);
        login.jobs = 3;
        EXPECT_EQ(user_message(login), text) << reason_code(reason);
    }
}

TEST(UserMessage, AStrangerLearnsNothing)
{
    for (const Verdict verdict : {Verdict::deny, Verdict::ignore, Verdict::allow})
        EXPECT_EQ(user_message(record(verdict, Reason::unknown_user)), "");
}

TEST(UserMessage, EveryRefusalOfAUserSaysWhy)
{
    for (const Reason reason : test::all_reasons) {
        const bool silent =
            failure_class(reason) == FailureClass::none || failure_class(reason) == FailureClass::unknown_user;
        EXPECT_EQ(user_message(record(Verdict::deny, reason)).empty(), silent) << reason_code(reason);
        EXPECT_EQ(user_message(record(Verdict::ignore, reason)), "") << reason_code(reason);
        EXPECT_EQ(user_message(record(Verdict::allow, reason)), "") << reason_code(reason);
    }
}

TEST(UserMessage, TheJobTakenIsNamedWhereThereWereSeveral)
{
    LoginRecord login = record(Verdict::adopt, Reason::one_job);
    EXPECT_EQ(user_message(login), "");
    login.decision.reason = Reason::newest_job;
    login.jobs = 2;
    EXPECT_EQ(user_message(login),
              "You have 2 jobs on n1; this login was placed into job 7. For another one: srun --overlap --pty --jobid=<JOBID> bash");
    const std::string newest = user_message(login);
    login.decision.reason = Reason::sticky;
    EXPECT_EQ(user_message(login), newest);
    // Who comes out of a job, or is in one, knows why it is that one.
    for (const Reason known : {Reason::source_job, Reason::current_job, Reason::account_job}) {
        login.decision.reason = known;
        EXPECT_EQ(user_message(login), "You have 2 jobs on n1; this login was placed into job 7.") << reason_code(known);
    }
}

using Lines = std::vector<std::string>;

TEST(SiteMessage, UserNodeAndJobAreFilledIn)
{
    LoginRecord login = record(Verdict::deny, Reason::adopt_timeout);
    const std::string user = login.user;
    EXPECT_EQ(site_message("Ask %u@%h about job %j.\n", login), Lines{"Ask " + user + "@n1 about job 7."});
    EXPECT_EQ(site_message("%%u %%%j %", login), Lines{"%u %7 %"});
    EXPECT_EQ(site_message("100% %x %n %s %d%", login), Lines{"100% %x %n %s %d%"});
    EXPECT_EQ(site_message("%u%h", login), Lines{user + "n1"});
    login.job_id = 0;
    EXPECT_EQ(site_message("%j", login), Lines{"-"});
    login.user = "%h%j";
    EXPECT_EQ(site_message("%u", login), Lines{"%h%j"}) << "what is filled in is not looked at again";
}

TEST(SiteMessage, LineByLineAndSafe)
{
    LoginRecord login = record(Verdict::deny, Reason::no_jobs);
    for (const char* nothing : {"", "\n", "\r\n\n"}) EXPECT_EQ(site_message(nothing, login), Lines{}) << nothing;
    EXPECT_EQ(site_message("a\r\n\n\tb\n\n", login), (Lines{"a", "", " b"}));
    EXPECT_EQ(site_message(std::string_view("\x1b[2Ja\0b\x7f\xc3\xa9", 10), login), Lines{"?[2Ja?b???"});
    login.user = "x\ny\x1b";
    login.node = "n\n1";
    EXPECT_EQ(site_message("%u %h", login), Lines{"x?y? n?1"});
    EXPECT_EQ(site_message(std::string(4096, 'x'), login), Lines{std::string(4096, 'x')}) << "a long line is no name: nothing is cut off";
    login.user = std::string(300, 'u');
    std::string many;
    for (int i = 0; i < 2048; ++i) many += "%u";
    EXPECT_EQ(site_message(many, login), Lines{std::string(longest_site_text, 'u')}) << "what is filled in has an end";
}

TEST(UserMessage, IsOneSafeLineWhateverTheNodeIsCalled)
{
    for (const Reason reason : test::all_reasons) {
        LoginRecord login = record(Verdict::deny, reason);
        login.node = "n1\n\x1b]0;x\x07\xc3\xa9";
        login.user = "x\ny";
        const std::string message = user_message(login);
        EXPECT_TRUE(std::all_of(message.begin(), message.end(), [](char c) { return c >= ' ' && c <= '~'; })) << message;
    }
}

}  // namespace
}  // namespace slurm_adopt
