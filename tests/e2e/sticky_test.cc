// SPDX-License-Identifier: GPL-2.0-or-later
// sticky=1: the logins of a client stay in the job that one of them is in, as an IDE's do that connects again and again.
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#ifdef SLURM_ADOPT_TOOL
#include <nlohmann/json.hpp>
#endif

#include "cluster.h"
#include "job.h"
#include "login.h"
#include "processes.h"
#include "sshd.h"
#include "tcp.h"
#ifdef SLURM_ADOPT_TOOL
#include "tool.h"
#endif

namespace slurm_adopt::e2e {
namespace {

constexpr int reconnects = 20;
const std::string stay = "cat /proc/self/cgroup; echo here; exec sleep 600";

std::vector<std::string> stack(const std::string& options)
{
    return sshd_stack({account_line("strict " + options)});
}

// A connection from an address of loopback, whose session stays.
class Connected {
public:
    explicit Connected(const std::string& address = "127.0.0.1", const std::vector<std::string>& more = {})
    {
        std::vector<std::string> options = {"-oBindAddress=" + address};
        options.insert(options.end(), more.begin(), more.end());
        client_ = std::make_unique<Background>(ssh_command("alice", stay, options));
        EXPECT_TRUE(client_->says("here"));
        job_ = job_in(client_->output());
    }
    std::uint32_t job() const { return job_; }

private:
    std::unique_ptr<Background> client_;
    std::uint32_t job_ = 0;
};

std::uint32_t job_from(const std::string& address, const std::vector<std::string>& more = {})
{
    std::vector<std::string> options = {"-oBindAddress=" + address};
    options.insert(options.end(), more.begin(), more.end());
    const Finished session = ssh("alice", "cat /proc/self/cgroup", options);
    EXPECT_TRUE(session.ok()) << session.err;
    return job_in(session.out);
}

#ifdef SLURM_ADOPT_TOOL
// What explain says of a login from there: "reason job".
std::string explained(const std::string& address)
{
    const Finished done = tool({"explain", "alice", "--from", address, "--json"});
    const auto json = nlohmann::json::parse(done.out, nullptr, false);
    if (json.is_discarded()) return done.out + done.err;
    return json["reason"].get<std::string>() + ' ' + json["steps"].back()["job"].dump();
}
#endif

TEST(Sticky, TwentyReconnectsOfAClientWithManyChannels)
{
    const Stack sshd("sshd", stack("sticky=1"));
    Job older = Job::batch("alice");
    const std::string control = cluster().directory + "/sticky-control";
    auto first = std::make_unique<Connected>("127.0.0.1",
                                             std::vector<std::string>{"-oControlMaster=yes", "-oControlPath=" + control});
    ASSERT_EQ(first->job(), older.id());
    const Job newer = Job::batch("alice");

    // What such a client does by one connection: sessions, a file, a forwarded port with a connection in it.
    const std::vector<std::string> by_control = {"-oControlPath=" + control};
    for (int session = 0; session < 3; ++session) EXPECT_EQ(job_from("127.0.0.1", by_control), older.id());
    const std::string sftp_target = cluster().directory + "/sticky-file";
    EXPECT_TRUE(
        run({.argv = {"sh", "-c",
                      "echo get /etc/hostname " + sftp_target + " | sftp -b - -oControlPath=" + control + " alice@node"}})
            .ok());
    const Tcp service;
    ASSERT_TRUE(service.listen_at(2290));
    const Finished forward =
        run({.argv = {"ssh", "-oControlPath=" + control, "-Oforward", "-L127.0.0.1:2291:127.0.0.1:2290", "alice@node"}});
    EXPECT_TRUE(forward.ok()) << forward.err;
    const Tcp through;
    ASSERT_TRUE(through.connect_to(2291));
    const Tcp arrived(service.accept_one());
    through.say("forwarded");
    EXPECT_EQ(arrived.hear(9), "forwarded");

    for (int i = 0; i < reconnects / 2; ++i) {
        const LogMark mark;
        EXPECT_EQ(job_from("127.0.0.1"), older.id()) << i;
        EXPECT_EQ(mark.decision("alice")["reason"], "sticky") << mark.text();
    }
    // The first is replaced by one that came later, again and again.
    for (int i = reconnects / 2; i < reconnects; ++i) {
        auto next = std::make_unique<Connected>();
        EXPECT_EQ(next->job(), older.id()) << i;
        first = std::move(next);
    }
#ifdef SLURM_ADOPT_TOOL
    EXPECT_EQ(explained("127.0.0.1"), "sticky " + older.id_text());
    EXPECT_EQ(explained("127.0.0.8"), "newest_job " + newer.id_text());
#endif
    EXPECT_EQ(job_from("127.0.0.8"), newer.id()) << "another client";
    {
        const Stack off("sshd", stack("sticky=0"));
        EXPECT_EQ(job_from("127.0.0.1"), newer.id()) << "sticky is off";
#ifdef SLURM_ADOPT_TOOL
        EXPECT_EQ(explained("127.0.0.1"), "newest_job " + newer.id_text());
#endif
    }
    {
        const Stack deny("sshd", stack("sticky=1 action_unknown=deny"));
        EXPECT_EQ(job_from("127.0.0.1"), older.id());
        EXPECT_FALSE(ssh("alice", "true", {"-oBindAddress=127.0.0.8"}).ok());
    }
    older.cancel();
    const Job newest = Job::batch("alice");
    EXPECT_EQ(job_from("127.0.0.1"), newest.id()) << "the job of the first is over";
}

// The connection that was opened last, and no more of it when it is closed; IPv6 is another client.
TEST(Sticky, FollowsTheConnectionThatWasOpenedLast)
{
    const Job older = Job::batch("alice");
    const Stack sshd("sshd", stack("sticky=1"));
    auto in_older = std::make_unique<Connected>();
    const Job newer = Job::batch("alice");
    auto in_newer = std::make_unique<Connected>("127.0.0.8");
    EXPECT_EQ(in_newer->job(), newer.id());
    const std::vector<std::string> six = {"-oHostName=::1"};
    auto by_six = std::make_unique<Connected>("::1", six);
    EXPECT_EQ(by_six->job(), newer.id());
    const Job newest = Job::batch("alice");
    EXPECT_EQ(job_from("127.0.0.1"), older.id());
    EXPECT_EQ(job_from("127.0.0.8"), newer.id());
    EXPECT_EQ(job_from("::1", six), newer.id());
    by_six.reset();
    in_older.reset();
    EXPECT_TRUE(eventually([&] { return job_from("127.0.0.1") == newest.id() && job_from("::1", six) == newest.id(); }));
}

// A child of sshd's asks PAM, and its parent is the monitor; and another sshd at another port is another service.
TEST(Sticky, WithKeyboardInteractive)
{
    const Method& interactive = method("keyboard_interactive");
    std::vector<std::string> lines = interactive.auth;
    lines.insert(lines.end(), {"account required pam_unix.so", account_line("strict sticky=1"),
                               "session required pam_unix.so", "session required " + cluster().module + " strict sticky=1"});
    const Stack stack("sshd", lines);
    const Sshd server(interactive);
    const Job older = Job::batch("alice");
    Background first(server.client("ssh", {"alice@node", stay}));
    ASSERT_TRUE(first.says("here"));
    EXPECT_EQ(job_in(first.output()), older.id());
    const Job newer = Job::batch("alice");
    for (int i = 0; i < 2; ++i) {
        const LogMark mark;
        const Finished again = run(server.client("ssh", {"alice@node", "cat /proc/self/cgroup"}));
        EXPECT_EQ(job_in(again.out), older.id()) << again.err << mark.text();
        ASSERT_FALSE(mark.decisions("alice").empty()) << mark.text();
        EXPECT_EQ(mark.decisions("alice").front()["reason"], "sticky") << mark.text();
    }
    EXPECT_EQ(job_from("127.0.0.1"), newer.id()) << "another port";
}

}  // namespace
}  // namespace slurm_adopt::e2e
