// SPDX-License-Identifier: GPL-2.0-or-later
// Who may start the program, and how.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>

#include "helper_process.h"

namespace slurm_adopt::test {
namespace {

constexpr uid_t nobody = 65534;

void expect_refused(const Outcome& run, const std::string& reason)
{
    EXPECT_EQ(run.end, "exited 2");
    EXPECT_EQ(run.output, "");
    EXPECT_NE(run.errors.find("slurm-adopt-helper: "), std::string::npos) << run.errors;
    EXPECT_NE(run.errors.find("pam_slurm_adopt.so"), std::string::npos) << run.errors;
    EXPECT_NE(run.errors.find(reason), std::string::npos) << run.errors;
    EXPECT_EQ(run.errors.find('\n'), run.errors.size() - 1) << "not one line: " << run.errors;
}

// Descriptor 3 is one end; the other stays open in the same process.
void socketpair_as_3(int domain, int type)
{
    std::array<int, 2> pair{};
    if (::socketpair(domain, type, 0, pair.data()) != 0) ::_exit(126);
    (void)::dup2(::fcntl(pair[0], F_DUPFD, 10), 3);
}

TEST(HelperStart, Version)
{
    const Outcome run = run_by_hand({"--version"});
    EXPECT_EQ(run.end, "exited 0");
    EXPECT_EQ(run.errors, "");
    EXPECT_TRUE(run.output.starts_with("slurm-adopt-helper ")) << run.output;
    EXPECT_NE(run.output.find("(libslurm 2"), std::string::npos) << run.output;
    EXPECT_TRUE(run.output.ends_with(")\n")) << run.output;
}

TEST(HelperStart, TakesNoOtherArgument)
{
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"whois"}, {"--help"}, {""}, {"--version", "x"}, {"-v"}, {"--versio"}})
        expect_refused(run_by_hand(arguments), "takes no arguments but --version");
}

TEST(HelperStart, RefusesToBeRunByHand)
{
    if (!is_root()) GTEST_SKIP() << "needs root";
    expect_refused(run_by_hand({}), "descriptor 3 is not open");
}

TEST(HelperStart, RefusesAnotherKindOfDescriptor)
{
    if (!is_root()) GTEST_SKIP() << "needs root";
    expect_refused(run_by_hand({}, [] { (void)::dup2(::open("/dev/null", O_RDWR), 3); }), "not a unix stream socket");
    expect_refused(run_by_hand({}, [] {
        std::array<int, 2> ends{};
        (void)::pipe(ends.data());
        (void)::dup2(::fcntl(ends[0], F_DUPFD, 10), 3);
    }), "not a unix stream socket");
    expect_refused(run_by_hand({}, [] { (void)::dup2(::socket(AF_INET, SOCK_STREAM, 0), 3); }), "not a unix stream socket");
    expect_refused(run_by_hand({}, [] { socketpair_as_3(AF_UNIX, SOCK_DGRAM); }), "not a unix stream socket");
    expect_refused(run_by_hand({}, [] { socketpair_as_3(AF_UNIX, SOCK_SEQPACKET); }), "not a unix stream socket");
}

TEST(HelperStart, RefusesAnUnconnectedSocket)
{
    if (!is_root()) GTEST_SKIP() << "needs root";
    expect_refused(run_by_hand({}, [] { (void)::dup2(::socket(AF_UNIX, SOCK_STREAM, 0), 3); }), "not connected");
}

TEST(HelperStart, RefusesASocketOfAnotherUser)
{
    if (!is_root()) GTEST_SKIP() << "needs root";
    expect_refused(run_by_hand({}, [] {
        if (::seteuid(nobody) != 0) ::_exit(126);
        socketpair_as_3(AF_UNIX, SOCK_STREAM);
        if (::seteuid(0) != 0) ::_exit(126);
    }), "not root's");
}

TEST(HelperStart, RefusesASocketThatItsParentHasNotMade)
{
    if (!is_root()) GTEST_SKIP() << "needs root";
    // Made by the process itself: as a shell would by `3<>`, or somebody who passes a descriptor around.
    expect_refused(run_by_hand({}, [] { socketpair_as_3(AF_UNIX, SOCK_STREAM); }), "not our parent's");
}

TEST(HelperStart, RefusesEveryoneButRoot)
{
    if (!is_root()) GTEST_SKIP() << "needs root";
    // A directory on the way may be closed to others.
    if (::access("/proc/self/exe", X_OK) != 0) GTEST_SKIP();
    const Outcome run = run_by_hand({}, [] {
        if (::setresuid(nobody, nobody, nobody) != 0) ::_exit(126);
        socketpair_as_3(AF_UNIX, SOCK_STREAM);
    });
    if (run.end == "exited 127") GTEST_SKIP() << "the build directory is closed to others";
    expect_refused(run, "not run by root");
}

}  // namespace
}  // namespace slurm_adopt::test
