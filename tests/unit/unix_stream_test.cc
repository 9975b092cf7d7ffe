// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/unix_stream.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <csignal>
#include <cstring>
#include <thread>

#include "support/descriptors.h"
#include "support/listening_socket.h"
#include "support/stream_pair.h"
#include "support/temp_directory.h"

namespace slurm_adopt {
namespace {

using namespace std::chrono_literals;
using test::StreamPair;

Result<Done> send_text(const Fd& socket, std::string_view text, Deadline deadline)
{
    return send_all(socket, std::as_bytes(std::span(text)), deadline);
}

std::string receive_text(const Fd& socket, std::size_t length, Deadline deadline)
{
    std::string text(length, '\0');
    const auto received = receive_all(socket, std::as_writable_bytes(std::span(text)), deadline);
    return received ? text : "error: " + received.error().context;
}

TEST(UnixStream, ConnectsAndKnowsThePeer)
{
    const test::TempDirectory directory;
    const Fd listener = test::listen_at(directory / "socket");
    const auto socket = connect_unix(directory / "socket");
    ASSERT_TRUE(socket);
    EXPECT_TRUE(test::is_close_on_exec(socket.value().get()));
    const auto peer = peer_of(socket.value());
    ASSERT_TRUE(peer);
    EXPECT_EQ(peer.value().pid, ::getpid());
    EXPECT_EQ(peer.value().uid, ::geteuid());
}

TEST(UnixStream, ConnectSaysWhyNot)
{
    const test::TempDirectory directory;
    const auto why = [](const std::string& path) {
        const auto socket = connect_unix(path);
        return socket ? 0 : socket.error().errno_value;
    };
    EXPECT_EQ(why(directory / "none"), ENOENT);
    EXPECT_EQ(why(directory.write("file", "")), ECONNREFUSED);
    (void)test::listen_at(directory / "left");  // closed again, the file stays
    EXPECT_EQ(why(directory / "left"), ECONNREFUSED);
    EXPECT_EQ(why(directory / std::string(200, 'x')), ENAMETOOLONG);
    EXPECT_EQ(why(""), ECONNREFUSED) << "an empty path is the abstract name of nobody";

    const Fd full = test::listen_at(directory / "full", 0);
    const auto first = connect_unix(directory / "full");
    EXPECT_TRUE(first);
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(why(directory / "full"), EAGAIN) << "a full backlog is not waited for";
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 1s);
}

TEST(UnixStream, PartialReadsAreNormal)
{
    const StreamPair pair;
    std::thread drip([&] {
        for (const char c : std::string("0123456789")) {
            std::this_thread::sleep_for(2ms);
            (void)::send(pair.theirs.get(), &c, 1, 0);
        }
    });
    EXPECT_EQ(receive_text(pair.ours, 10, Deadline::after(5s)), "0123456789");
    drip.join();
}

TEST(UnixStream, ReceivesNoMoreThanAskedFor)
{
    const StreamPair pair;
    ASSERT_TRUE(send_text(pair.theirs, "abcdef", Deadline::after(1s)));
    EXPECT_EQ(receive_text(pair.ours, 2, Deadline::after(1s)), "ab");
    EXPECT_EQ(receive_text(pair.ours, 0, Deadline::after(1s)), "");
    EXPECT_EQ(receive_text(pair.ours, 4, Deadline::after(1s)), "cdef");
}

TEST(UnixStream, IntegersAreNativeAndFourBytes)
{
    const StreamPair pair;
    for (const std::int32_t number : {0, 1, -1, 0x7fff, 1 << 30, -2147483647 - 1}) {
        ASSERT_EQ(::send(pair.theirs.get(), &number, 4, 0), 4);
        const auto received = receive_int(pair.ours, Deadline::after(1s));
        ASSERT_TRUE(received);
        EXPECT_EQ(received.value(), number);
    }
}

TEST(UnixStream, CloseInTheMiddle)
{
    StreamPair pair;
    ASSERT_EQ(::send(pair.theirs.get(), "ab", 2, 0), 2);
    pair.theirs.reset();
    const auto number = receive_int(pair.ours, Deadline::after(5s));
    ASSERT_FALSE(number);
    EXPECT_EQ(number.error().code, ErrorCode::closed);
    const auto sent = send_text(pair.ours, "x", Deadline::after(5s));  // and no SIGPIPE
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().code, ErrorCode::closed);
    EXPECT_EQ(sent.error().errno_value, EPIPE);
}

TEST(UnixStream, AResetIsAClose)
{
    StreamPair pair;
    ASSERT_EQ(::send(pair.ours.get(), "unread", 6, 0), 6);
    pair.theirs.reset();  // with data unread: the kernel answers ECONNRESET
    const auto number = receive_int(pair.ours, Deadline::after(5s));
    ASSERT_FALSE(number);
    EXPECT_EQ(number.error().code, ErrorCode::closed);
}

TEST(UnixStream, SilenceEndsAtTheDeadline)
{
    const StreamPair pair;
    const auto begin = std::chrono::steady_clock::now();
    const auto number = receive_int(pair.ours, Deadline::after(50ms));
    const auto took = std::chrono::steady_clock::now() - begin;
    ASSERT_FALSE(number);
    EXPECT_EQ(number.error().code, ErrorCode::timed_out);
    EXPECT_GE(took, 50ms);
    EXPECT_LT(took, 500ms);
    EXPECT_FALSE(receive_int(pair.ours, Deadline::after(-1s)));
}

TEST(UnixStream, WhatIsThereIsReadAlsoAfterTheDeadline)
{
    const StreamPair pair;
    ASSERT_TRUE(send_text(pair.theirs, "abcd", Deadline::after(-1s))) << "room enough: no wait, no timeout";
    EXPECT_EQ(receive_text(pair.ours, 4, Deadline::after(-1s)), "abcd");
}

TEST(UnixStream, SendingToAFullSocketEndsAtTheDeadline)
{
    const StreamPair pair;
    const std::string much(10'000'000, 'x');
    const auto sent = send_text(pair.ours, much, Deadline::after(50ms));
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().code, ErrorCode::timed_out);
}

TEST(UnixStream, SendsAllOfIt)
{
    const StreamPair pair;
    const std::string much(2'000'000, 'x');
    std::thread reader([&] { EXPECT_EQ(receive_text(pair.theirs, much.size(), Deadline::after(10s)), much); });
    EXPECT_TRUE(send_text(pair.ours, much, Deadline::after(10s)));
    reader.join();
}

// A storm of signals: the deadline holds, and a read that gets its bytes is not disturbed.
TEST(UnixStream, AStormOfSignalsDoesNotMoveTheDeadline)
{
    struct sigaction count {};
    count.sa_handler = [](int) {};
    struct sigaction before {};
    ASSERT_EQ(::sigaction(SIGUSR1, &count, &before), 0);  // without SA_RESTART
    std::atomic<bool> stop = false;
    const pthread_t target = ::pthread_self();
    std::thread storm([&] {
        while (!stop) {
            (void)::pthread_kill(target, SIGUSR1);
            std::this_thread::sleep_for(200us);
        }
    });
    const StreamPair pair;
    const auto begin = std::chrono::steady_clock::now();
    const auto number = receive_int(pair.ours, Deadline::after(200ms));
    const auto took = std::chrono::steady_clock::now() - begin;
    EXPECT_FALSE(number);
    if (!number) {
        EXPECT_EQ(number.error().code, ErrorCode::timed_out);
    }
    EXPECT_GE(took, 199ms);
    EXPECT_LT(took, 1s);

    std::thread drip([&] {
        for (const char c : std::string("abcd")) {
            std::this_thread::sleep_for(10ms);
            (void)::send(pair.theirs.get(), &c, 1, MSG_NOSIGNAL);
        }
    });
    EXPECT_EQ(receive_text(pair.ours, 4, Deadline::after(5s)), "abcd");
    drip.join();
    stop = true;
    storm.join();
    (void)::sigaction(SIGUSR1, &before, nullptr);
}

}  // namespace
}  // namespace slurm_adopt
