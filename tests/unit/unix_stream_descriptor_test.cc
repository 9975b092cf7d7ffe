// SPDX-License-Identifier: GPL-2.0-or-later
// Receiving a descriptor: exactly one, close-on-exec, and none left over whatever the peer sends.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <thread>

#include "slurm_adopt/unix_stream.h"
#include "support/descriptors.h"
#include "support/stream_pair.h"

namespace slurm_adopt {
namespace {

using namespace std::chrono_literals;
using test::send_descriptors;
using test::StreamPair;

TEST(ReceiveDescriptor, ExactlyOne)
{
    const StreamPair pair;
    const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    ASSERT_TRUE(send_descriptors(pair.theirs, {null.get()}));
    const auto received = receive_descriptor(pair.ours, Deadline::after(1s));
    ASSERT_TRUE(received);
    EXPECT_NE(received.value().get(), null.get());
    EXPECT_TRUE(test::is_close_on_exec(received.value().get()));
    struct stat sent {};
    struct stat got {};
    ASSERT_EQ(::fstat(null.get(), &sent), 0);
    ASSERT_EQ(::fstat(received.value().get(), &got), 0);
    EXPECT_EQ(sent.st_rdev, got.st_rdev);
}

TEST(ReceiveDescriptor, AnyOtherNumberIsAgainstTheProtocolAndLeaksNone)
{
    for (const std::size_t count : {0U, 2U, 3U, 4U, 5U, 16U, 100U, 253U}) {
        const StreamPair pair;
        const auto before = test::open_descriptors();
        ASSERT_TRUE(send_descriptors(pair.theirs, std::vector<int>(count, 0))) << count;
        const auto received = receive_descriptor(pair.ours, Deadline::after(1s));
        ASSERT_FALSE(received) << count;
        EXPECT_EQ(received.error().code, ErrorCode::protocol) << count;
        EXPECT_EQ(test::open_descriptors(), before) << count;
    }
}

TEST(ReceiveDescriptor, OnesThatNobodyExpectedAreNotKept)
{
    const StreamPair pair;
    const auto before = test::open_descriptors();
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(send_descriptors(pair.theirs, {0, 1, 2}));  // four bytes, twelve descriptors
    EXPECT_TRUE(receive_int(pair.ours, Deadline::after(1s)));
    EXPECT_EQ(test::open_descriptors(), before);
}

TEST(ReceiveDescriptor, WaitsUntilTheDeadlineAndNoLonger)
{
    const StreamPair pair;
    const auto begin = std::chrono::steady_clock::now();
    const auto none = receive_descriptor(pair.ours, Deadline::after(50ms));
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ErrorCode::timed_out);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 500ms);

    std::thread later([&] {
        std::this_thread::sleep_for(20ms);
        (void)send_descriptors(pair.theirs, {0});
    });
    EXPECT_TRUE(receive_descriptor(pair.ours, Deadline::after(5s)));
    later.join();
}

TEST(ReceiveDescriptor, ClosedByThePeer)
{
    StreamPair pair;
    pair.theirs.reset();
    const auto received = receive_descriptor(pair.ours, Deadline::after(1s));
    ASSERT_FALSE(received);
    EXPECT_EQ(received.error().code, ErrorCode::closed);
}

TEST(ReceiveDescriptor, NoRoomForItIsNoCrashAndNoLeak)
{
    // Out of descriptors the kernel drops it and says so (MSG_CTRUNC): an error like any other. In a child, for the limit
    // stays.
    const StreamPair pair;
    ASSERT_TRUE(send_descriptors(pair.theirs, {0}));
    const pid_t child = ::fork();
    if (child == 0) {
        while (::dup(0) >= 0) {
        }
        const auto received = receive_descriptor(pair.ours, Deadline::after(1s));
        ::_exit(!received.ok() && received.error().code == ErrorCode::protocol ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace slurm_adopt
