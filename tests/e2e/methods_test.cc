// SPDX-License-Identifier: GPL-2.0-or-later
// Every way to authenticate, with everything that ssh can do: all processes of the connection are inside the job, with the
// account line alone, and with a session line too.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <ostream>
#include <tuple>

#include "cluster.h"
#include "job.h"
#include "login.h"
#include "sshd.h"
#include "tcp.h"

namespace slurm_adopt::e2e {
namespace {

enum class Lines { account, account_and_session };

void PrintTo(Lines lines, std::ostream* out)
{
    *out << (lines == Lines::account ? "account line" : "account and session line");
}

class Methods : public ::testing::TestWithParam<std::tuple<std::string, Lines>> {
protected:
    // One job and one sshd a method for all: what they cost is more than what is done with them.
    static void SetUpTestSuite() { job_ = std::make_unique<Job>(Job::allocate("alice")); }
    static void TearDownTestSuite()
    {
        sshds_.clear();
        job_.reset();
    }

    Methods() : method_(method(std::get<0>(GetParam()))), sshd_("sshd", stack_lines())
    {
        auto& server = sshds_[method_.name];
        if (!server) server = std::make_unique<Sshd>(method_);
        server_ = server.get();
    }

    // The connection's processes have ended; each line of the stack has spoken once, and said that it is in the job.
    void TearDown() override
    {
        EXPECT_TRUE(server_->wait_until_idle()) << describe(server_->connections());
        int account = 0;
        int session = 0;
        std::string lines;
        for (const Decision& decision : mark_.decisions("alice")) {
            lines += decision.line + '\n';
            EXPECT_EQ(decision["decision"], "adopt") << decision.line;
            EXPECT_EQ(decision["job"], job_->id_text()) << decision.line;
            (decision["phase"] == "session" ? session : account) += 1;
        }
        EXPECT_EQ(account, 1) << lines;
        EXPECT_EQ(session, std::get<1>(GetParam()) == Lines::account ? 0 : 1) << lines;
    }

    std::vector<std::string> stack_lines() const
    {
        std::vector<std::string> lines = method_.auth;
        lines.insert(lines.end(), {"account required pam_unix.so", account_line("strict"), "session required pam_unix.so"});
        if (std::get<1>(GetParam()) == Lines::account_and_session)
            lines.push_back("session required " + cluster().module + " strict");
        return lines;
    }

    Command client(const std::string& program, const std::vector<std::string>& arguments) const
    {
        return server_->client(program, arguments);
    }

    // The connection has at least a monitor of root's, a process of sshd's that is alice's, and `count` of the program;
    // all of it is inside.
    void expect_inside(Background& client, const std::string& program, int count) const
    {
        std::vector<Process> processes;
        (void)eventually([&] {
            processes = server_->connections();
            return count_of(program, processes) >= count || !client.running();
        });
        ASSERT_GE(count_of(program, processes), count) << "of " << program << " among\n"
                                                       << describe(processes) << client.wait(std::chrono::seconds{0}).err;
        const std::string outside = outside_of(*job_, processes);
        EXPECT_TRUE(outside.empty()) << "outside the job:\n" << outside;
        int roots = 0;
        int users = 0;
        for (const Process& process : processes) {
            if (process.name.starts_with("sshd") && process.uid == 0) ++roots;
            if (process.name.starts_with("sshd") && process.uid == 2001) ++users;
        }
        EXPECT_EQ(roots, 1) << describe(processes);
        EXPECT_GE(users, 1) << describe(processes);
    }

    static std::unique_ptr<Job> job_;
    static std::map<std::string, std::unique_ptr<Sshd>> sshds_;

    const Method& method_;
    const Stack sshd_;
    const Sshd* server_ = nullptr;
    const LogMark mark_;
};

std::unique_ptr<Job> Methods::job_;
std::map<std::string, std::unique_ptr<Sshd>> Methods::sshds_;

// Lets scp and sftp have the first byte that the server says, and the rest only when it is opened: it is there to be
// looked at meanwhile.
class Gate {
public:
    Gate()
    {
        std::filesystem::remove(open_);
        write_whole(program_,
                    "#!/bin/sh\nssh \"$@\" | { head -c 1; until [ -e " + open_ + " ]; do sleep 0.01; done; cat; }\n");
        std::filesystem::permissions(program_, std::filesystem::perms::owner_all);
    }
    const std::string& program() const { return program_; }
    void open() const { write_whole(open_, ""); }

private:
    const std::string program_ = cluster().directory + "/gate";
    const std::string open_ = cluster().directory + "/gate.open";
};

TEST_P(Methods, Shell)
{
    Background session(client("ssh", {"-T", "alice@node"}));
    session.send("echo JOB=$SLURM_JOB_ID; echo u''p\n");
    ASSERT_TRUE(session.says("up\n")) << session.wait(std::chrono::seconds{0}).err;
    expect_inside(session, "bash", 1);
    EXPECT_NE(session.output().find("JOB=" + job_->id_text() + '\n'), std::string::npos) << session.output();
    session.end_input();
    EXPECT_TRUE(session.wait().ok()) << session.wait().err;
}

TEST_P(Methods, ShellWithATerminal)
{
    Background session(client("ssh", {"-tt", "alice@node"}));
    session.send("stty -echo; tty; echo u''p\n");
    ASSERT_TRUE(session.says("\nup")) << session.wait(std::chrono::seconds{0}).err;
    expect_inside(session, "bash", 1);
    EXPECT_NE(session.output().find("/dev/pts/"), std::string::npos) << session.output();
    session.send("exit\n");
    EXPECT_TRUE(session.wait().ok()) << session.wait().err;
}

TEST_P(Methods, Command)
{
    Background session(client("ssh", {"alice@node", "echo up; exec cat"}));
    ASSERT_TRUE(session.says("up\n")) << session.wait(std::chrono::seconds{0}).err;
    expect_inside(session, "cat", 1);
    session.end_input();
    EXPECT_TRUE(session.wait().ok()) << session.wait().err;
}

TEST_P(Methods, CommandWithATerminal)
{
    Background session(client("ssh", {"-tt", "alice@node", "stty -echo; tty; echo up; cat; exit 0"}));
    ASSERT_TRUE(session.says("up\r\n")) << session.wait(std::chrono::seconds{0}).err;
    expect_inside(session, "cat", 1);
    EXPECT_TRUE(session.output().starts_with("/dev/pts/")) << session.output();
    session.send("\x04");
    EXPECT_TRUE(session.wait().ok()) << session.wait().err;
}

TEST_P(Methods, Scp)
{
    const Gate gate;
    const std::string from = cluster().directory + "/scp.from";
    const std::string to = cluster().directory + "/home/alice/scp.to";
    write_whole(from, std::string(200'000, 'x'));
    std::filesystem::remove(to);
    Background copy(client("scp", {"-S", gate.program(), from, "alice@node:" + to}));
    expect_inside(copy, "sftp-server", 1);
    gate.open();
    EXPECT_TRUE(copy.wait().ok()) << copy.wait().err;
    EXPECT_EQ(read_whole(to).size(), 200'000U);
}

TEST_P(Methods, Sftp)
{
    const std::string file = cluster().directory + "/home/alice/sftp.file";
    const std::string got = cluster().directory + "/sftp.got";
    write_whole(file, "of alice's\n");
    std::filesystem::remove(got);
    Background transfer(client("sftp", {"alice@node"}));
    transfer.send("pwd\n");
    ASSERT_TRUE(transfer.says("Remote working directory:")) << transfer.wait(std::chrono::seconds{0}).err;
    expect_inside(transfer, "sftp-server", 1);
    transfer.send("get " + file + ' ' + got + "\nbye\n");
    EXPECT_TRUE(transfer.wait().ok()) << transfer.wait().err;
    EXPECT_EQ(read_whole(got), "of alice's\n");
}

TEST_P(Methods, Forwarding)
{
    const Tcp service;
    ASSERT_TRUE(service.listen_at(2401));
    Background tunnel(client("ssh", {"-N", "-oExitOnForwardFailure=yes", "-L127.0.0.1:2402:127.0.0.1:2401", "alice@node"}));
    std::unique_ptr<Tcp> near;
    ASSERT_TRUE(eventually([&] {
        near = std::make_unique<Tcp>();
        return near->connect_to(2402) || !tunnel.running();
    }));
    ASSERT_TRUE(tunnel.running()) << tunnel.wait().err;
    const Tcp far(service.accept_one());
    near->say("there");
    EXPECT_EQ(far.hear(5), "there");
    far.say("and back");
    EXPECT_EQ(near->hear(8), "and back");
    // Nothing but sshd's two processes, whose name changed to sshd-session with OpenSSH 9.8.
    const std::vector<Process> processes = server_->connections();
    ASSERT_EQ(processes.size(), 2U) << describe(processes);
    expect_inside(tunnel, processes.front().name, 2);
}

TEST_P(Methods, ThreeSessionsOfOneConnection)
{
    const std::string socket = cluster().directory + "/master";
    const std::string control = "-S" + socket;
    std::filesystem::remove(socket);
    Background master(client("ssh", {"-M", control, "-N", "alice@node"}));
    ASSERT_TRUE(eventually([&] { return std::filesystem::exists(socket) || !master.running(); }));
    ASSERT_TRUE(master.running()) << master.wait().err;
    std::vector<std::unique_ptr<Background>> sessions;
    for (int i = 0; i < 3; ++i) {
        sessions.push_back(std::make_unique<Background>(
            e2e::Command{.argv = {"ssh", control, "alice@node", "echo JOB=$SLURM_JOB_ID; exec cat"}}));
        ASSERT_TRUE(sessions.back()->says("JOB=" + job_->id_text() + '\n')) << sessions.back()->output();
    }
    expect_inside(master, "cat", 3);
}

INSTANTIATE_TEST_SUITE_P(, Methods,
                         ::testing::Combine(::testing::Values("publickey", "password", "keyboard_interactive",
                                                              "publickey_and_keyboard_interactive"),
                                            ::testing::Values(Lines::account, Lines::account_and_session)),
                         [](const auto& test) {
                             const bool both = std::get<1>(test.param) == Lines::account_and_session;
                             return std::get<0>(test.param) + (both ? "_account_and_session" : "_account");
                         });

}  // namespace
}  // namespace slurm_adopt::e2e
