// SPDX-License-Identifier: GPL-2.0-or-later
// X11 forwarding of a job. Runs in a cluster started with --x11.
#include <gtest/gtest.h>
#include <security/pam_appl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>
#include <filesystem>
#include <optional>

#include "cluster.h"
#include "job.h"
#include "login.h"

namespace slurm_adopt::e2e {
namespace {

// An X server as far as Slurm's forwarding is concerned: a listening socket at display :77.
class Display {
public:
    Display()
    {
        std::filesystem::create_directories("/tmp/.X11-unix");
        std::filesystem::permissions("/tmp/.X11-unix", std::filesystem::perms::all | std::filesystem::perms::sticky_bit);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strcpy(address.sun_path, path_);
        (void)::unlink(path_);
        fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(::listen(fd_, 8), 0);
        (void)::chmod(path_, 0777);
    }
    ~Display()
    {
        (void)::close(fd_);
        (void)::unlink(path_);
    }
    Display(const Display&) = delete;
    Display& operator=(const Display&) = delete;

    // The first bytes of the next client.
    std::string hear() const
    {
        const int client = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
        char buffer[64] = {};
        const ssize_t got = ::read(client, buffer, sizeof buffer - 1);
        (void)::close(client);
        return {buffer, got > 0 ? static_cast<std::size_t>(got) : 0};
    }

private:
    static constexpr const char* path_ = "/tmp/.X11-unix/X77";
    int fd_ = -1;
};

class X11 : public ::testing::Test {
protected:
    void SetUp() override
    {
        ASSERT_TRUE(run(as_user("alice", {"xauth", "add", ":77", ".", "00112233445566778899aabbccddeeff"})).ok());
        Command salloc = as_user("alice", {"salloc", "--x11", "sh", "-c", "echo job=$SLURM_JOB_ID; exec sleep 1000"});
        salloc.environment.emplace_back("DISPLAY", ":77");
        salloc_.emplace(salloc);
        ASSERT_TRUE(salloc_->says("job=")) << salloc_->wait(std::chrono::seconds{1}).err;
        ASSERT_TRUE(salloc_->says("\n"));
        const std::string output = salloc_->output();
        job_ = std::to_string(std::stoul(output.substr(output.find("job=") + 4)));
    }

    void TearDown() override
    {
        (void)run({.argv = {"scancel", job_}});
        (void)eventually([&] { return !std::filesystem::exists(cluster().spool + '/' + cluster().node + '_' + job_ + ".4294967292"); });
    }

    const Display display_;
    std::optional<Background> salloc_;
    std::string job_;
};

TEST_F(X11, TheSessionGetsTheJobsDisplay)
{
    const Stack sshd("sshd", sshd_stack({account_line("strict")}));
    const Finished session = ssh("alice", "echo $SLURM_JOB_ID; echo D=$DISPLAY; echo X=$XAUTHORITY; xauth list; ls -l $XAUTHORITY");
    ASSERT_EQ(session.code, 0) << session.err;
    EXPECT_TRUE(session.out.starts_with(job_ + "\n")) << session.out;
    EXPECT_NE(session.out.find("D=localhost:"), std::string::npos) << session.out;
    EXPECT_NE(session.out.find("X=/"), std::string::npos) << session.out;
    EXPECT_NE(session.out.find("00112233445566778899aabbccddeeff"), std::string::npos) << "the cookie: " << session.out;
}

TEST_F(X11, AClientInTheSessionReachesTheUsersDisplay)
{
    const Stack sshd("sshd", sshd_stack({account_line("strict")}));
    Background session(ssh_command("alice", "n=${DISPLAY#localhost:}; n=${n%.*}; exec 3<>/dev/tcp/localhost/$((6000 + n)); "
                                            "echo hello from the session >&3; echo sent; sleep 5"));
    ASSERT_TRUE(session.says("sent"));
    EXPECT_EQ(display_.hear(), "hello from the session\n");
}

TEST_F(X11, DisplayCanBeDisabled)
{
    const Login with = pam_login("alice", "strict");
    EXPECT_TRUE(with.environment.contains("DISPLAY"));
    EXPECT_TRUE(with.environment.contains("XAUTHORITY"));
    const Login without = pam_login("alice", "strict disable_x11=1");
    EXPECT_EQ(without.result, PAM_SUCCESS);
    EXPECT_FALSE(without.environment.contains("DISPLAY"));
    EXPECT_FALSE(without.environment.contains("XAUTHORITY"));
    const Stack sshd("sshd", sshd_stack({account_line("strict disable_x11=1")}));
    EXPECT_EQ(ssh("alice", "echo D=$DISPLAY$XAUTHORITY").out, "D=\n");
}

TEST_F(X11, AJobWithoutForwardingGivesNone)
{
    const Job job = Job::allocate("bob");
    const Login login = pam_login("bob", "strict");
    EXPECT_EQ(login.job, job.id());
    EXPECT_FALSE(login.environment.contains("DISPLAY"));
    EXPECT_FALSE(login.environment.contains("XAUTHORITY"));
}

}  // namespace
}  // namespace slurm_adopt::e2e
