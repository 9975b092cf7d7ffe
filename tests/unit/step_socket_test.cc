// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/step_socket.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <ctime>

namespace slurm_adopt {
namespace {

constexpr const char* heading = "Num       RefCount Protocol Flags    Type St Inode Path\n";

// A line as the kernel writes it (net/unix/af_unix.c, unix_seq_show).
std::string line(const std::string& path, const char* flags = "00010000", const char* type = "0001",
                 const char* state = "01")
{
    return std::string("ffff8f1c0a2b3c40: 00000002 00000000 ") + flags + ' ' + type + ' ' + state + " 12345" +
           (path.empty() ? "" : ' ' + path) + '\n';
}

std::vector<std::string> listed(const std::string& table)
{
    std::vector<std::string> found;
    for (const StepSocketPath& socket : parse_listening_extern_sockets(table))
        found.push_back(socket.directory + '|' + socket.file_name + '|' + socket.node + '|' +
                        std::to_string(socket.job_id));
    return found;
}

using Found = std::vector<std::string>;

TEST(StepSocketName, NodesAndJobs)
{
    struct Case {
        const char* file;
        const char* node;
        std::uint32_t job_id;
    };
    for (const Case& each : {Case{"n1_7.4294967292", "n1", 7},
                             {"node.example.org_123456.4294967292", "node.example.org", 123456},
                             {"my_node_1_7.4294967292", "my_node_1", 7},
                             {"__7.4294967292", "_", 7},
                             {"n1_7.4294967292.0", "n1", 7},
                             {"n1_7.4294967292.12", "n1", 7},
                             {"n1_4294967295.4294967292", "n1", 4294967295U},
                             {"n.4294967292_7.4294967292", "n.4294967292", 7}}) {
        const auto name = parse_extern_socket_name(each.file);
        ASSERT_TRUE(name) << each.file;
        EXPECT_EQ(name->node, each.node) << each.file;
        EXPECT_EQ(name->job_id, each.job_id) << each.file;
    }
}

TEST(StepSocketName, EverythingElseIsNone)
{
    for (const char* file : {"",
                             "_",
                             "_7.4294967292",
                             "n1_.4294967292",
                             "n1_7",
                             "n1_7.",
                             "n1_7.0",
                             "n1_7.4294967291",
                             "n1_7.4294967293",
                             "n1_7.42949672920",
                             "n1_7.4294967292x",
                             "n1_7.4294967292.",
                             "n1_7.4294967292.x",
                             "n1_7.4294967292.1.2",
                             "n1_7.4294967292.-1",
                             "n1_0.4294967292",
                             "n1_-7.4294967292",
                             "n1_+7.4294967292",
                             "n1_ 7.4294967292",
                             "n1_7 .4294967292",
                             "n1_4294967296.4294967292",
                             "n1_99999999999999999999.4294967292",
                             "n1-7.4294967292",
                             "n1_7.4294967292 (deleted)",
                             "n1_7.4294967292\n",
                             "n1_0x7.4294967292",
                             "n1_7.04294967292",
                             "4294967292",
                             ".4294967292",
                             "n1_7..4294967292",
                             "n1_7.4294967292.4294967296"})
        EXPECT_FALSE(parse_extern_socket_name(file)) << file;
    EXPECT_TRUE(parse_extern_socket_name(std::string(10000, 'n') + "_7.4294967292")) << "length is the kernel's to limit";
}

TEST(ProcNetUnix, OnlyListeningExternSteps)
{
    EXPECT_EQ(listed(heading + line("/var/spool/slurmd/n1_7.4294967292") + line("/var/spool/slurmd/n1_7.4294967291") +
                     line("/run/systemd/notify", "00000000", "0002") + line("/var/spool/slurmd/n1_8.0") +
                     line("/var/spool/slurmd/n1_9.4294967292", "00010000")),
              (Found{"/var/spool/slurmd|n1_7.4294967292|n1|7", "/var/spool/slurmd|n1_9.4294967292|n1|9"}));
}

TEST(ProcNetUnix, ConnectedAbstractRelativeAndUnboundAreLeftOut)
{
    EXPECT_EQ(listed(heading + line("/s/n1_7.4294967292", "00000000", "0001", "03") + line("@/s/n1_7.4294967292") +
                     line("@n1_7.4294967292") + line("n1_7.4294967292") + line("./n1_7.4294967292") + line("") + line(" ")),
              Found{});
    EXPECT_EQ(listed(heading + line("/n1_7.4294967292")), Found{"/|n1_7.4294967292|n1|7"}) << "in the root directory";
}

TEST(ProcNetUnix, FlagsAreBitsInHexadecimal)
{
    EXPECT_EQ(listed(line("/s/n1_7.4294967292", "00010008")).size(), 1U);
    EXPECT_EQ(listed(line("/s/n1_7.4294967292", "ffffffff")).size(), 1U);
    EXPECT_EQ(listed(line("/s/n1_7.4294967292", "00001000")), Found{});
    EXPECT_EQ(listed(line("/s/n1_7.4294967292", "0001000g")), Found{});
    EXPECT_EQ(listed(line("/s/n1_7.4294967292", "")), Found{});
    EXPECT_EQ(listed(line("/s/n1_7.4294967292", "99999999999999999999")), Found{});
}

TEST(ProcNetUnix, APathMayHaveSpaces)
{
    EXPECT_EQ(listed(line("/my spool/n1_7.4294967292")), Found{"/my spool|n1_7.4294967292|n1|7"});
    EXPECT_EQ(listed(line("/s/ n1_7.4294967292")), Found{"/s| n1_7.4294967292| n1|7"});
}

TEST(ProcNetUnix, AForgedLineListsAPathOnceAndOnlyAPath)
{
    // A user may bind a path with a newline and what looks like another socket's line behind it. The owner check
    // of discovery decides then; here it must not upset the other lines or list one twice.
    const std::string forged = line("/tmp/x\n" + line("/var/spool/slurmd/n1_7.4294967292"));
    EXPECT_EQ(listed(heading + forged + line("/var/spool/slurmd/n1_7.4294967292")),
              Found{"/var/spool/slurmd|n1_7.4294967292|n1|7"});
    EXPECT_EQ(listed(heading + line("/tmp/x\n/n1_8.4294967292") + line("/s/n1_9.4294967292")),
              Found{"/s|n1_9.4294967292|n1|9"});
}

TEST(ProcNetUnix, OneLineManyMatches)
{
    EXPECT_EQ(listed(line("/s/n1_7.4294967292/n1_8.4294967292")), Found{"/s/n1_7.4294967292|n1_8.4294967292|n1|8"});
    EXPECT_EQ(listed(line("/s/n1_7.4294967292.4294967292.4294967292")), Found{});
    EXPECT_EQ(listed(line("/s/.4294967292/n1_8.0") + line("/s/n1_9.4294967292")), Found{"/s|n1_9.4294967292|n1|9"});
}

TEST(ProcNetUnix, CutOrEmptyTextIsNoHarm)
{
    EXPECT_EQ(listed(""), Found{});
    EXPECT_EQ(listed(heading), Found{});
    const std::string whole = line("/s/n1_7.4294967292");
    for (std::size_t length = 0; length + 1 < whole.size(); ++length) (void)listed(whole.substr(0, length));
    EXPECT_EQ(listed(whole.substr(0, whole.size() - 1)), Found{"/s|n1_7.4294967292|n1|7"}) << "no newline at the end";
    for (const char* text :
         {".4294967292", "\n.4294967292", "       .4294967292", "a b c 00010000 .4294967292", " /.4294967292\n"})
        EXPECT_EQ(listed(text), Found{}) << text;
}

TEST(ProcNetUnix, SortedByDirectory)
{
    EXPECT_EQ(listed(line("/b/n1_1.4294967292") + line("/a/n1_9.4294967292") + line("/b/n1_0.4294967292") +
                     line("/a/n1_3.4294967292")),
              (Found{"/a|n1_3.4294967292|n1|3", "/a|n1_9.4294967292|n1|9", "/b|n1_1.4294967292|n1|1"}));
}

TEST(ExternSocket, WhereItIsExpectedIsWhatIsParsed)
{
    const StepSocketPath socket = extern_socket_in("/var/spool/slurmd", "n_1.x", 4294967294U);
    EXPECT_EQ(socket.file_name, "n_1.x_4294967294.4294967292");
    const std::string path = socket.directory + '/' + socket.file_name;
    const auto parsed = parse_extern_socket_path(path);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->directory, "/var/spool/slurmd");
    EXPECT_EQ(parsed->node, "n_1.x");
    EXPECT_EQ(parsed->job_id, 4294967294U);
}

// Of the processor, and the best of a few: the machine may be busy with something else.
template <class Work>
std::chrono::nanoseconds time_of(Work work, std::chrono::nanoseconds enough)
{
    const auto used = [] {
        timespec now{};
        EXPECT_EQ(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now), 0);
        return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
    };
    auto best = std::chrono::nanoseconds::max();
    for (int i = 0; i < 10 && best > enough; ++i) {
        const auto before = used();
        work();
        best = std::min<std::chrono::nanoseconds>(best, used() - before);
    }
    return best;
}

TEST(ProcNetUnix, FiveThousandLinesInNoTime)
{
    using namespace std::chrono_literals;
    std::string table = heading;
    for (int i = 0; i < 5000; ++i) table += line("/run/user/1000/some/application/socket" + std::to_string(i));
    table += line("/s/n1_7.4294967292");
    EXPECT_LE(time_of([&] { EXPECT_EQ(listed(table), Found{"/s|n1_7.4294967292|n1|7"}); }, 50ms), 50ms);

    std::string many = heading;
    for (int i = 1; i <= 5000; ++i) many += line("/s/n1_" + std::to_string(i) + ".4294967292");
    EXPECT_LE(time_of([&] { EXPECT_EQ(listed(many).size(), 5000U); }, 500ms), 500ms);
}

}  // namespace
}  // namespace slurm_adopt
