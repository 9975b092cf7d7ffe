// SPDX-License-Identifier: GPL-2.0-or-later
// Users who choose the environment and the arguments of su, which runs the module as root, and who run the module
// themselves.
#include <gtest/gtest.h>
#include <security/pam_appl.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cluster.h"
#include "job.h"
#include "login.h"
#include "support/fault_table.h"

namespace slurm_adopt::e2e {
namespace {

using namespace std::string_literals;
using test::report_fault;

const std::string where_am_i = "echo JOB=$SLURM_JOB_ID.; cat /proc/self/cgroup";

// What a user may hope that a root's program believes.
std::vector<std::pair<std::string, std::string>> hostile_environment(const Job& of_another)
{
    const std::string evil = "/tmp/evil";
    return {{"SLURM_JOB_ID", of_another.id_text()},
            {"SLURM_JOBID", of_another.id_text()},
            {"SLURM_CONF", evil},
            {"SLURMD_NODENAME", "evil"},
            {"SLURM_CONF_SERVER", "127.0.0.1:1"},
            {"SLURM_DEBUG", "9"},
            {"LD_PRELOAD", evil},
            {"LD_LIBRARY_PATH", "/tmp"},
            {"LD_AUDIT", evil},
            {"GCONV_PATH", "/tmp"},
            {"GLIBC_TUNABLES", "glibc.malloc.check=3"},
            {"MALLOC_PERTURB_", "85"},
            {"SPDLOG_LEVEL", "trace"},
            {"TMPDIR", "/tmp/none"},
            {"XDG_RUNTIME_DIR", "/tmp"},
            {"XAUTHORITY", evil},
            {"DISPLAY", ":99"},
            {"PATH", "/tmp:/usr/bin:/bin"}};
}

// Nobody needs a password here, so that su asks nothing but the account.
std::vector<std::string> su_stack(const std::string& options)
{
    return {"auth required pam_permit.so", "account required pam_unix.so", account_line(options),
            "session required pam_permit.so"};
}

Command su(const std::string& caller, std::vector<std::string> arguments,
           const std::vector<std::pair<std::string, std::string>>& environment)
{
    arguments.insert(arguments.begin(), "su");
    Command command = as_user(caller, std::move(arguments));
    command.environment.insert(command.environment.end(), environment.begin(), environment.end());
    return command;
}

double decided_in(const LogMark& mark, const std::string& user)
{
    double longest = 0;
    for (const Decision& decision : mark.decisions(user)) longest = std::max(longest, std::stod(decision["ms"]));
    return longest;
}

TEST(Attacker, ChoosesTheEnvironmentOfSu)
{
    const Job alices = Job::allocate("alice");
    const Job bobs = Job::allocate("bob");
    const auto environment = hostile_environment(bobs);
    const Stack by_name("su", su_stack("strict service=su,su-l"));
    const Stack with_login("su-l", su_stack("strict service=su,su-l"));
    const LogMark mark;
    for (const std::vector<std::string>& arguments : {std::vector<std::string>{"alice", "-c", where_am_i},
                                                      {"-l", "alice", "-c", where_am_i},
                                                      {"-p", "alice", "-c", where_am_i},
                                                      {"-w", "SLURM_JOB_ID,SLURM_CONF", "-l", "alice", "-c", where_am_i}}) {
        const Finished session = run(su("alice", arguments, environment));
        EXPECT_EQ(session.code, 0) << session.err;
        EXPECT_EQ(job_in(session.out), alices.id()) << session.out;
        EXPECT_EQ(session.out.find("JOB=" + alices.id_text() + "."), 0U) << session.out;
    }
    EXPECT_EQ(mark.decisions("alice").size(), 4U);
    for (const Decision& decision : mark.decisions("alice")) {
        EXPECT_EQ(decision["reason"], "one_job") << decision.line;
        EXPECT_EQ(decision["job"], alices.id_text()) << decision.line;
    }
    report_fault({"attacker", "su with the environment of the user's choice: SLURM_*, LD_*, SLURM_CONF",
                  "adopt one_job, the own", 300},
                 decided_in(mark, "alice"));

    const LogMark refused_mark;
    const Finished refused = run(su("carol", {"-p", "carol", "-c", where_am_i}, environment));
    EXPECT_NE(refused.code, 0);
    EXPECT_EQ(refused.out.find("JOB="), std::string::npos) << refused.out;
    const std::string told = refused.out + refused.err;
    for (const std::string& secret : {std::string("bob"), std::string("alice"), cluster().spool, ".4294967292"s})
        EXPECT_EQ(told.find(secret), std::string::npos) << told;
    EXPECT_EQ(refused_mark.decision("carol")["reason"], "no_jobs");
    report_fault(
        {"attacker", "su with the environment of the user's choice, no job", "deny no_jobs, nothing told about others", 300},
        decided_in(refused_mark, "carol"));
}

TEST(Attacker, ChoosesTheArgumentsOfSu)
{
    const Job bobs = Job::allocate("bob");
    const Stack service("su", su_stack("strict service=su"));
    const LogMark mark;
    const std::string forged = "decision=adopt";
    for (const std::string& name : {"bob\n" + forged + " reason=one_job user=carol", std::string(5000, 'x'),
                                    "../../etc/passwd"s, "bob "s, " bob"s, "BOB"s, "b%nob"s, "\x1b[2Jbob"s, "2002"s}) {
        const Finished session = run(su("carol", {"-s", "/bin/sh", "-c", where_am_i, "--", name}, {}));
        EXPECT_NE(session.code, 0) << name;
        EXPECT_EQ(session.out.find("JOB="), std::string::npos) << name;
    }
    EXPECT_TRUE(mark.lines_with(" " + forged).empty()) << mark.text();
    for (const std::string& line : mark.lines()) EXPECT_FALSE(line.starts_with(forged)) << line;
    report_fault({"attacker", "su with user names that are none", "refused, no line forged in the log", 0}, 0);
}

// The module in a program of the user's own. slurmstepd adopts for root only.
TEST(Attacker, RunsTheModuleThemselves)
{
    const Job bobs = Job::allocate("bob");
    const Stack stack(transparent_stack("strict service=*"));
    double longest = 0;
    for (const char* target : {"bob", "carol", "alice"}) {
        const Finished finished = run(as_user("carol", login_command("e2e", target).argv));
        const Login login = login_of(finished);
        EXPECT_EQ(login.result, PAM_PERM_DENIED) << target << finished.err;
        EXPECT_EQ(login.job, 0U) << target;
        EXPECT_EQ(login.environment.count("SLURM_JOB_ID"), 0U);
        // What slurmstepd says to everybody who asks is all there is to learn.
        const std::string all = login.messages + login.error;
        for (const std::string& secret : {cluster().spool, ".4294967292"s, "job " + bobs.id_text(), "uid"s})
            EXPECT_EQ(all.find(secret), std::string::npos) << all;
        longest = std::max(longest, static_cast<double>(login.account_took.count()) / 1000);
    }
    EXPECT_EQ(pam_login("bob", "strict").job, bobs.id()) << "as root it would have been";
    report_fault({"attacker", "the module in a program of the user's own, for anybody",
                  "deny; in nobody's job, nothing learnt", 1300},
                 longest);
}

}  // namespace
}  // namespace slurm_adopt::e2e
