// SPDX-License-Identifier: GPL-2.0-or-later
// job_choice=file: users with several jobs on a node name one, with slurm-adopt use.
#include <gtest/gtest.h>
#include <pwd.h>
#include <security/pam_appl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <sstream>

#include "cluster.h"
#include "foretold.h"
#include "job.h"
#include "login.h"
#include "nodes.h"
#include "processes.h"
#include "sshd.h"
#include "support/job_file_cases.h"
#include "support/silent_fuse.h"
#include "tool.h"

namespace slurm_adopt::e2e {
namespace {

// `words` after "slurm-adopt", as alice types them.
Command by_alice(const std::vector<std::string>& words)
{
    return as_user("alice", tool_command(words));
}

// Whatever a test has chosen is chosen no more.
class Chooses : public ::testing::Test {
protected:
    ~Chooses() override { EXPECT_TRUE(run(by_alice({"use", "--clear"})).ok()); }

    static void use(std::uint32_t job)
    {
        const Finished used = run(by_alice({"use", std::to_string(job)}));
        EXPECT_EQ(used.code, 0) << used.err;
    }
};

using JobChoice = Chooses;

std::string session_line(const std::string& options)
{
    return "session required " + cluster().module + ' ' + options;
}

// The section of doc/session.md: the options of its two lines, and its commands without their comments.
struct Documented {
    std::vector<std::string> options;
    std::vector<std::vector<std::string>> commands;
};

Documented documented()
{
    Documented found;
    std::istringstream lines(read_whole(SESSION_DOC));
    bool is_ours = false;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("## ")) is_ours = line == "## Choosing the job";
        if (!is_ours) continue;
        const std::string module = "  required  pam_slurm_adopt.so ";
        if (const auto at = line.find(module); at != std::string::npos) found.options.push_back(line.substr(at + module.size()));
        if (!line.starts_with("slurm-adopt ")) continue;
        std::istringstream words(line.substr(0, line.find('#')));
        found.commands.emplace_back();
        words.ignore(12);
        for (std::string word; words >> word;) found.commands.back().push_back(word);
    }
    return found;
}

TEST_F(JobChoice, AsTheDocumentationHasIt)
{
    Documented doc = documented();
    ASSERT_EQ(doc.options.size(), 2U);
    ASSERT_EQ(doc.commands.size(), 3U);
    EXPECT_EQ(doc.options[0], doc.options[1]) << "both lines have the same";
    auto stack = sshd_stack({account_line(doc.options[0])});
    stack.push_back(session_line(doc.options[1]));
    const Stack sshd("sshd", stack);
    const Job older = Job::allocate("alice");
    const Job newer = Job::allocate("alice");
    EXPECT_NE(ssh("alice", "true").err.find("placed into job " + newer.id_text() + ". For another one: slurm-adopt use <JOBID>"), std::string::npos);

    ASSERT_EQ(doc.commands[0], (std::vector<std::string>{"use", "123"}));
    doc.commands[0][1] = older.id_text();
    EXPECT_EQ(run(by_alice(doc.commands[0])).code, 0);
    const LogMark mark;
    const Finished session = ssh("alice", "cat /proc/self/cgroup; echo JOB=$SLURM_JOB_ID");
    EXPECT_EQ(job_in(session.out), older.id()) << session.err << mark.text();
    EXPECT_NE(session.out.find("JOB=" + older.id_text() + '\n'), std::string::npos) << session.out;
    EXPECT_NE(session.err.find("You have 2 jobs on "), std::string::npos) << session.err;
    EXPECT_NE(session.err.find("placed into job " + older.id_text() + ".\n"), std::string::npos) << session.err;
    const auto decisions = mark.decisions("alice");
    ASSERT_EQ(decisions.size(), 2U) << mark.text();
    EXPECT_EQ(decisions[0]["reason"], "file_job");
    EXPECT_EQ(decisions[1]["reason"], "account_job");

    const Finished shown = run(by_alice(doc.commands[1]));
    EXPECT_EQ(shown.code, 0);
    EXPECT_TRUE(shown.out.starts_with("job " + older.id_text() + ": ")) << shown.out;
    EXPECT_EQ(run(by_alice(doc.commands[2])).code, 0);
    EXPECT_EQ(ssh_job("alice"), static_cast<int>(newer.id()));
    EXPECT_EQ(run(by_alice(doc.commands[1])).code, 1);
}

// And before each login explain foretells it (bench/foretold.h).
TEST_F(JobChoice, WhatIsWrongIsSaid)
{
    const Job older = Job::allocate("alice");
    const Job newer = Job::allocate("alice");
    const Job others = Job::allocate("bob");
    const std::string options = "strict job_choice=file";
    const auto expect_job = [&](const std::string& more, const Job& job, const std::string& reason) {
        const LogMark mark;
        const Login login = pam_login("alice", options + more);
        EXPECT_EQ(login.result, PAM_SUCCESS) << login.messages;
        EXPECT_EQ(login.job, job.id()) << mark.text();
        EXPECT_EQ(mark.decision("alice")["reason"], reason) << mark.text();
        return login.messages;
    };
    (void)expect_job("", newer, "newest_job");
    use(older.id());
    (void)expect_job("", older, "file_job");
    (void)expect_job(" action_unknown=deny", older, "file_job");
    (void)expect_job(" choose=file,newest", older, "file_job");
    EXPECT_EQ(pam_login("bob", options).job, others.id()) << "one job, and nobody's choice but her own";
    for (const std::uint32_t not_hers : {others.id(), 999'999U}) {
        use(not_hers);
        const std::string told = expect_job("", newer, "newest_job");
        EXPECT_NE(told.find("~/.config/slurm-adopt/job is not followed: job " + std::to_string(not_hers) + " does not run on "), std::string::npos)
            << told;
        EXPECT_NE(told.find("slurm-adopt use --clear"), std::string::npos) << told;
        EXPECT_EQ(pam_login("alice", options + " action_unknown=deny").result, PAM_PERM_DENIED);
    }
    const std::string file = cluster().directory + "/home/alice/.config/slurm-adopt/job";
    write_whole(file, "two\nlines\n");
    EXPECT_NE(expect_job("", newer, "newest_job").find("it has more than one line"), std::string::npos);
    EXPECT_EQ(run(by_alice({"use"})).code, 3);
    std::filesystem::remove(file);
    ASSERT_EQ(run(as_user("alice", {"mkfifo", file})).code, 0);
    EXPECT_NE(expect_job("", newer, "newest_job").find("it is no regular file"), std::string::npos);
}

TEST_F(JobChoice, WithKeyboardInteractive)
{
    const Method& method = e2e::method("keyboard_interactive");
    const Job older = Job::allocate("alice");
    const Job newer = Job::allocate("alice");
    use(older.id());
    std::vector<std::string> stack = method.auth;
    stack.insert(stack.end(), {"account required pam_unix.so", account_line("strict job_choice=file"), "session required pam_unix.so",
                               session_line("strict job_choice=file")});
    const Stack sshd("sshd", stack);
    const Sshd server(method);
    const LogMark mark;
    Background session(server.client("ssh", {"alice@node", "echo JOB=$SLURM_JOB_ID; echo up; exec cat"}));
    ASSERT_TRUE(session.says("up\n")) << session.wait(std::chrono::seconds{1}).err;
    EXPECT_NE(session.output().find("JOB=" + older.id_text() + '\n'), std::string::npos) << session.output();
    const auto processes = server.connections_with("cat");
    EXPECT_EQ(count_of("cat", processes), 1) << describe(processes);
    EXPECT_EQ(outside_of(older, processes), "");
    const auto decisions = mark.decisions("alice");
    ASSERT_EQ(decisions.size(), 2U) << mark.text();
    EXPECT_EQ(decisions[0]["reason"], "file_job");
    EXPECT_EQ(decisions[1]["reason"], "account_job");
}

// What is said of a task's number, with Slurm's own squeue.
TEST_F(JobChoice, ATaskOfAnArrayHasANumberOfItsOwn)
{
    const NotForetold changing("tasks begin and end");
    const Job array = Job::batch("alice", {}, {"--array=1-2"});
    const std::string task = array.id_text() + "_1";
    const Finished refused = run(by_alice({"use", task}));
    EXPECT_EQ(refused.code, 2);
    const std::string advice = "squeue --me -O JobArrayID,JobID";
    ASSERT_NE(refused.err.find(advice), std::string::npos) << refused.err;
    std::uint32_t number = 0;
    const auto has_both = [&] {
        std::istringstream rows(run(as_user("alice", {"sh", "-c", advice + " -t running"})).out);
        std::size_t count = 0;
        for (std::string row; std::getline(rows, row); ++count) {
            std::istringstream columns(row);
            std::string name;
            std::uint32_t id = 0;
            if (columns >> name >> id && name == task) number = id;
        }
        return count == 3 && number != 0;  // with the heading
    };
    ASSERT_TRUE(eventually(has_both));
    EXPECT_NE(number, array.id());
    use(number);
    EXPECT_TRUE(eventually([&] { return pam_login("alice", "strict job_choice=file").job == number; }));
    (void)run(as_user("alice", {"scancel", array.id_text()}));
    EXPECT_TRUE(eventually([] { return pam_login("alice", "strict job_choice=file").job == 0; }));
}

// What the user has in the place of a choice is nothing that a login fails by, or waits for longer than a second.
class JobFileAtLogin : public Chooses {
protected:
    using milliseconds = std::chrono::milliseconds;

    static uid_t uid_of(const char* name)
    {
        const passwd* user = ::getpwnam(name);
        return user == nullptr ? 0 : user->pw_uid;
    }
    // A reader is a fork of sshd's that is the user; it may outlive the login. Sessions are, too.
    static std::ptrdiff_t readers()
    {
        const auto processes = descendants(1);
        const uid_t alice = uid_of("alice");
        return std::count_if(processes.begin(), processes.end(),
                             [=](const Process& one) { return one.uid == alice && one.name.starts_with("sshd"); });
    }
    static std::vector<std::string> stack()
    {
        auto lines = sshd_stack({account_line("strict job_choice=file")});
        lines.push_back(session_line("strict job_choice=file"));
        return lines;
    }
    // Adopted by the newest, in `least` to `most` milliseconds by the account phase's own clock, and it is logged why, once.
    void expect_not_followed(const std::string& why, const LogMark& mark, milliseconds least, milliseconds most) const
    {
        const auto decisions = mark.decisions("alice");
        ASSERT_EQ(decisions.size(), 2U) << mark.text();
        EXPECT_EQ(decisions[0]["reason"], "newest_job");
        EXPECT_EQ(decisions[0]["job"], newer_.id_text());
        EXPECT_EQ(decisions[1]["reason"], "account_job");
        const double took = std::stod(decisions[0]["ms"]);
        EXPECT_GE(took, static_cast<double>(least.count()));
        EXPECT_LT(took, static_cast<double>(most.count()));
        const auto lines = mark.lines_with("~alice/.config/slurm-adopt/job is not followed: ");
        ASSERT_EQ(lines.size(), 1U) << mark.text();
        EXPECT_TRUE(lines[0].ends_with(": " + why)) << lines[0];
    }
    void expect_in_the_newest(const std::string& why, const Finished& session) const
    {
        EXPECT_EQ(job_in(session.out), newer_.id()) << session.out << session.err;
        EXPECT_NE(session.err.find("~/.config/slurm-adopt/job is not followed: " + why + '.'), std::string::npos)
            << session.err;
        EXPECT_EQ(session.err.find('\x1b'), std::string::npos) << session.err;
    }

    const Stack sshd_{"sshd", stack()};
    const Job older_ = Job::allocate("alice");
    const Job newer_ = Job::allocate("alice");
    const test::JobFileOf choice_{cluster().directory + "/home/alice", uid_of("alice")};
};

TEST_F(JobFileAtLogin, IsNotFollowedWhereItIsNone)
{
    for (const test::JobFileCase& each : test::job_file_cases(older_.id_text(), uid_of("bob"))) {
        SCOPED_TRACE(each.why);
        choice_.clear();
        each.prepare(choice_);
        const LogMark mark;
        expect_in_the_newest(each.why, ssh("alice", "cat /proc/self/cgroup"));
        expect_not_followed(each.why, mark, milliseconds{0}, milliseconds{900});
        EXPECT_EQ(mark.unprintable(), "");
    }
    choice_.clear();
    choice_.write(older_.id_text());
    EXPECT_EQ(ssh_job("alice"), static_cast<int>(older_.id())) << "a good one is";
}

// A file system that has taken the question and says nothing: who waits for it cannot even be killed.
TEST_F(JobFileAtLogin, CostsASecondWhereTheHomeHangs)
{
    // The cluster's /dev is its own, and has none.
    ASSERT_TRUE(::mknod("/dev/fuse", S_IFCHR | 0600, ::makedev(10, 229)) == 0 || errno == EEXIST);
    const std::string why = "it could not be read in time";
    // Of the reading; all that is around it is the usual login.
    const milliseconds least{990};
    const milliseconds most{1900};
    choice_.make_directory();
    for (const std::string& place : {choice_.config(), choice_.home()}) {
        SCOPED_TRACE(place);
        const bool whole = place == choice_.home();
        const LogMark mark;
        test::SilentFuse fuse(place, test::SilentFuse::Kind::silent);
        ASSERT_TRUE(fuse.works()) << "a home that does not answer cannot be had here: no fuse in the kernel";
        Background client(ssh_command("alice", "cat /proc/self/cgroup"));
        // After our phases sshd itself goes into the home, and waits as long as that hangs.
        if (whole) {
            EXPECT_TRUE(eventually([&] { return mark.decisions("alice").size() == 2; }));
            fuse.end();
        }
        const Finished session = client.wait();
        EXPECT_LT(session.took, milliseconds{5000});
        expect_in_the_newest(why, session);
        expect_not_followed(why, mark, least, most);
        fuse.end();
        EXPECT_TRUE(eventually([] { return readers() == 0; })) << describe(descendants(1));
    }
    (void)::unlink("/dev/fuse");
}

class CallerIdAndFile : public Chooses {
protected:
    static std::uint32_t out_of(NodesJob& job) { return job_on("n2", job.run("ssh -oBatchMode=yes n2 '" + where + "'").out); }
    static std::uint32_t from_outside() { return job_on("n2", run(ssh_between(outside, "alice", "n2", where)).out); }
};

// The choice is made on a machine that is no node, with the same home.
TEST_F(CallerIdAndFile, InTheOrderOfTheList)
{
    NodesJob first("alice", {"n1", "n2"});
    NodesJob second("alice", {"n1", "n2"});
    const Finished used = run(on(outside, by_alice({"use", first.id_text()})));
    ASSERT_EQ(used.code, 0) << used.err;
    {
        const Stack sshd("sshd", caller_id_stack("job_choice=file"));
        EXPECT_EQ(from_outside(), first.id());
        EXPECT_EQ(out_of(first), first.id());
        EXPECT_EQ(out_of(second), second.id()) << "where a login comes from says more";
    }
    {
        const Stack sshd("sshd", caller_id_stack("job_choice=file choose=file,callerid"));
        EXPECT_EQ(from_outside(), first.id());
        EXPECT_EQ(out_of(second), first.id());
        ASSERT_EQ(run(on(outside, by_alice({"use", "--clear"}))).code, 0);
        EXPECT_EQ(out_of(first), first.id()) << "no choice: the source";
        EXPECT_EQ(from_outside(), second.id()) << "nothing at all: the newest";
    }
    {
        const Stack sshd("sshd", caller_id_stack("choose=newest action_unknown=deny"));
        const LogMark mark;
        EXPECT_EQ(out_of(first), second.id()) << "nobody asks";
        EXPECT_EQ(mark.decision("alice")["reason"], "newest_job") << mark.text();
        EXPECT_EQ(mark.text().find("source"), std::string::npos) << mark.text();
    }
}

}  // namespace
}  // namespace slurm_adopt::e2e
