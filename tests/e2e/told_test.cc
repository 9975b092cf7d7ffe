// SPDX-License-Identifier: GPL-2.0-or-later
// What users are told, and where it must not come between: with several jobs the one that was taken; a site's own text with a
// refusal; nothing to the exempt.
#include <gtest/gtest.h>
#include <security/pam_appl.h>
#include <sys/stat.h>

#include <filesystem>

#include "cluster.h"
#include "job.h"
#include "login.h"
#include "sshd.h"

namespace slurm_adopt::e2e {
namespace {

std::string site_file(const std::string& name, const std::string& text)
{
    const std::string path = cluster().directory + '/' + name;
    write_whole(path, text);
    EXPECT_EQ(::chmod(path.c_str(), 0644), 0);
    return path;
}

class Told : public ::testing::TestWithParam<std::string> {
protected:
    Told()
    {
        std::vector<std::string> lines = method(GetParam()).auth;
        lines.insert(lines.end(), {"account required pam_unix.so", account_line("strict"), "session required pam_unix.so",
                                   "session required " + cluster().module + " strict"});
        stack_ = std::make_unique<Stack>("sshd", lines);
    }
    const Sshd server_{method(GetParam())};
    std::unique_ptr<Stack> stack_;
    const Job first_ = Job::allocate("alice");
    const Job second_ = Job::allocate("alice");
    const std::string told_ = "You have 2 jobs on ";
};

TEST_P(Told, TheJobTakenInAnInteractiveSession)
{
    Background session(server_.client("ssh", {"-tt", "alice@node"}));
    session.send("stty -echo; echo u''p; exit\n");
    const Finished ended = session.wait();
    const std::string all = ended.out + ended.err;
    EXPECT_NE(all.find(told_), std::string::npos) << all;
    EXPECT_NE(all.find("placed into job " + second_.id_text() + ". For another one: srun --overlap"), std::string::npos) << all;
}

// What a program says there is data: the line is on ssh's standard error, before it, and not at all with -q.
TEST_P(Told, DataIsLeftAlone)
{
    const std::vector<std::string> both = {"alice@node", "printf x; printf y >&2"};
    const Finished command = run(server_.client("ssh", both));
    EXPECT_EQ(command.out, "x");
    EXPECT_TRUE(command.err.ends_with("y")) << command.err;
    EXPECT_NE(command.err.find(told_), std::string::npos) << command.err;
    const Finished quiet = run(server_.client("ssh", {"-q", both[0], both[1]}));
    EXPECT_EQ(quiet.out, "x");
    EXPECT_EQ(quiet.err, "y");

    const std::string from = site_file("told.from", std::string(200'000, 'x'));
    const std::string to = cluster().directory + "/home/alice/told.to";
    for (const std::vector<std::string>& protocol : {std::vector<std::string>{}, {"-O"}}) {
        std::filesystem::remove(to);
        std::vector<std::string> arguments = protocol;
        arguments.insert(arguments.end(), {from, "alice@node:" + to});
        const Finished copied = run(server_.client("scp", arguments));
        EXPECT_TRUE(copied.ok()) << copied.err;
        EXPECT_EQ(copied.out.find(told_), std::string::npos) << copied.out;
        EXPECT_EQ(read_whole(to).size(), 200'000U);
    }
    const std::string got = cluster().directory + "/told.got";
    std::filesystem::remove(got);
    Background transfer(server_.client("sftp", {"alice@node"}));
    transfer.send("get " + to + ' ' + got + "\nbye\n");
    const Finished ended = transfer.wait();
    EXPECT_TRUE(ended.ok()) << ended.err;
    EXPECT_EQ(ended.out.find(told_), std::string::npos) << ended.out;
    EXPECT_EQ(read_whole(got).size(), 200'000U);
}

INSTANTIATE_TEST_SUITE_P(, Told, ::testing::Values("publickey", "password", "keyboard_interactive"),
                         [](const auto& test) { return test.param; });

TEST(Denied, ASitesOwnTextFollowsOurs)
{
    const std::string text = site_file("denied", "%u has no job on %h (%j). Write to help@example.org.\n\nSecond line.\n");
    const Stack sshd("sshd", sshd_stack({account_line("strict deny_message_file=" + text)}));
    const Finished refused = ssh("bob", "true");
    EXPECT_FALSE(refused.ok());
    const std::size_t ours = refused.err.find("Access denied: you have no job running on ");
    const std::size_t theirs = refused.err.find("bob has no job on ");
    EXPECT_NE(ours, std::string::npos) << refused.err;
    EXPECT_NE(theirs, std::string::npos) << refused.err;
    EXPECT_LT(ours, theirs) << refused.err;
    EXPECT_NE(refused.err.find(" (-). Write to help@example.org."), std::string::npos) << refused.err;
    EXPECT_NE(refused.err.find("Second line."), std::string::npos) << refused.err;
    const Job job = Job::allocate("bob");
    const Finished adopted = ssh("bob", "true");
    EXPECT_TRUE(adopted.ok()) << adopted.err;
    EXPECT_EQ(adopted.err.find("help@example.org"), std::string::npos) << adopted.err;
}

// Administrators, by real ssh, with our session line too: by pam_access above ours, and by our own options.
class Untold : public ::testing::TestWithParam<std::string> {
protected:
    // The command's output and nothing else, outside of all jobs (0) or in this one.
    void expect_silence(std::vector<std::string> lines, const std::string& options, const std::string& user, std::uint32_t job)
    {
        const std::vector<std::string>& auth = method(GetParam()).auth;
        lines.insert(lines.begin(), auth.begin(), auth.end());
        for (std::string& line : lines)
            if (line.ends_with(cluster().module)) line += " strict " + options;
        const Stack stack("sshd", lines);
        const Finished session = run(server_.client("ssh", {user + "@node", "cat /proc/self/cgroup"}));
        EXPECT_TRUE(session.ok()) << options;
        EXPECT_EQ(session.err, "") << options;
        EXPECT_EQ(job_in(session.out), job) << session.out;
        const Finished refused = run(server_.client("ssh", {"bob@node", "true"}));
        EXPECT_EQ(refused.code, 255) << options;
        EXPECT_NE(refused.err.find("you have no job"), std::string::npos) << refused.err;
    }

    const Sshd server_{method(GetParam())};
    const std::string account_ = "account required " + cluster().module;
    const std::string session_ = "session required " + cluster().module;
    const std::string access_ = "pam_access.so accessfile=" + site_file("access.conf", "+:(admins) carol:ALL\n-:ALL:ALL\n");
    const Job job_ = Job::allocate("carol");
};

TEST_P(Untold, AnAdministratorByPamAccessAboveOurs)
{
    for (const char* control : {"sufficient", "[success=1 default=ignore]"}) {
        const std::string access = std::string(control) + ' ' + access_;
        const std::vector<std::string> lines = {"account required pam_unix.so", "account " + access, account_,
                                                "session required pam_unix.so", "session " + access, session_};
        expect_silence(lines, "", "adm", 0);
        expect_silence(lines, "", "carol", 0);
    }
}

TEST_P(Untold, AnAdministratorByOurOwnOptions)
{
    const std::vector<std::string> lines = {"account required pam_unix.so", account_, "session required pam_unix.so", session_};
    const std::string exempt = "exempt_groups=admins exempt_users=carol";
    expect_silence(lines, exempt, "adm", 0);
    expect_silence(lines, exempt, "carol", 0);
    expect_silence(lines, exempt + " exempt_adopt=1", "adm", 0);
    expect_silence(lines, exempt + " exempt_adopt=1", "carol", job_.id());
}

INSTANTIATE_TEST_SUITE_P(, Untold, ::testing::Values("publickey", "keyboard_interactive"), [](const auto& test) { return test.param; });

TEST(ExemptByAFile, PassesUntoldAndIsAdoptedWhereAsked)
{
    const std::string users = site_file("exempt.users", "# on call\ncarol\n");
    const std::string groups = site_file("exempt.groups", "admins\n");
    const std::string options = "strict exempt_users=@" + users + " exempt_groups=@" + groups;
    for (const char* each : {"carol", "adm"}) {
        const Login login = pam_login(each, options);
        EXPECT_EQ(login.result, PAM_IGNORE) << each;
        EXPECT_EQ(login.messages.find("job"), std::string::npos) << login.messages;
    }
    EXPECT_EQ(pam_login("alice", options).result, PAM_PERM_DENIED);
    const Job job = Job::allocate("carol");
    EXPECT_EQ(pam_login("carol", options).job, 0U);
    const Login adopted = pam_login("carol", options + " exempt_adopt=1");
    EXPECT_EQ(adopted.result, PAM_SUCCESS);
    EXPECT_EQ(adopted.job, job.id());
    const Login without = pam_login("adm", options + " exempt_adopt=1");
    EXPECT_EQ(without.result, PAM_IGNORE);
    EXPECT_EQ(without.messages.find("job"), std::string::npos) << without.messages;
    EXPECT_EQ(::chmod(users.c_str(), 0666), 0);
    EXPECT_EQ(pam_login("carol", options).result, PAM_SUCCESS) << "has a job, and is exempt by nothing";
}

}  // namespace
}  // namespace slurm_adopt::e2e
