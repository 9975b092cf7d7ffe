// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/step_watch.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>
#include <thread>

#include "support/listening_socket.h"
#include "support/temp_directory.h"

namespace slurm_adopt {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class StepWatchTest : public testing::Test {
protected:
    StepWatch watch() const { return {roots_, spool_, nodename_}; }
    void start(unsigned job_id, const std::string& node = "n1")
    {
        sockets_.push_back(test::listen_at(spool_ + '/' + test::step_socket_name(node, job_id)));
    }
    // How long it took, where there were news.
    static std::chrono::milliseconds news(StepWatch& watch, std::chrono::milliseconds limit)
    {
        const auto begin = Clock::now();
        EXPECT_TRUE(watch.wait(Deadline::after(limit)));
        return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
    }
    // What was there when it began is looked at until it has settled.
    static void settle(StepWatch& watch)
    {
        while (watch.wait(Deadline::after(300ms))) {}
    }

    const test::TempDirectory directory_;
    const std::string spool_ = directory_.path();
    std::string nodename_;
    Roots roots_;
    std::vector<Fd> sockets_;
};

TEST_F(StepWatchTest, WithoutAStepItEndsWithTheTime)
{
    StepWatch watched = watch();
    const auto begin = Clock::now();
    EXPECT_FALSE(watched.wait(Deadline::after(700ms)));
    EXPECT_GE(Clock::now() - begin, 700ms);
    EXPECT_LT(Clock::now() - begin, 2000ms);
    EXPECT_FALSE(watched.wait(Deadline::after(0ms)));
}

TEST_F(StepWatchTest, WhatIsThereAtFirstIsNews)
{
    start(7);
    StepWatch watched = watch();
    EXPECT_LT(news(watched, 20s), 5s);
}

TEST_F(StepWatchTest, AStepThatComesIsNews)
{
    start(7);
    StepWatch watched = watch();
    settle(watched);
    std::thread later([&] {
        std::this_thread::sleep_for(500ms);
        start(8);
    });
    const auto took = news(watched, 10s);
    later.join();
    EXPECT_GE(took, 400ms) << "before, there was nothing new";
    EXPECT_LT(took, 5s);
}

// The file in a directory is there before anybody listens: the first look may come too early.
TEST_F(StepWatchTest, WhatHasComeIsLookedAtMoreThanOnce)
{
    StepWatch watched = watch();
    start(7);
    (void)news(watched, 5s);
    (void)news(watched, 5s);
    settle(watched);
    EXPECT_FALSE(watched.wait(Deadline::after(500ms))) << "but not for ever";
}

TEST_F(StepWatchTest, AStepThatEndsIsNoNews)
{
    start(7);
    start(8);
    StepWatch watched = watch();
    settle(watched);
    std::filesystem::remove(spool_ + '/' + test::step_socket_name("n1", 7));
    EXPECT_FALSE(watched.wait(Deadline::after(500ms)));
}

TEST_F(StepWatchTest, OtherNodesAndOtherStepsDoNotCount)
{
    nodename_ = "n1";
    StepWatch watched = watch();
    start(7, "n2");
    sockets_.push_back(test::listen_at(spool_ + "/n1_7.4294967291"));
    sockets_.push_back(test::listen_at(spool_ + "/n1_7.0"));
    EXPECT_FALSE(watched.wait(Deadline::after(500ms)));
}

TEST_F(StepWatchTest, AListThatCannotBeHadIsForTheOneWhoLooks)
{
    const std::string nowhere = spool_ + "/nowhere";
    StepWatch watched(roots_, nowhere, nodename_);
    EXPECT_LT(news(watched, 20s), 5s);
}

TEST_F(StepWatchTest, TheKernelsListDoesAsWell)
{
    const std::string none;
    StepWatch watched(roots_, none, nodename_);
    settle(watched);
    start(7);
    EXPECT_LT(news(watched, 20s), 5s);
}

TEST_F(StepWatchTest, WaitingIsCheap)
{
    const auto used = [] {
        rusage usage{};
        EXPECT_EQ(::getrusage(RUSAGE_THREAD, &usage), 0);
        return std::chrono::seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               std::chrono::microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    };
    for (unsigned job_id = 1; job_id <= 100; ++job_id) start(job_id);
    const std::string none;
    StepWatch watched(roots_, none, nodename_);
    settle(watched);
    const auto before = used();
    EXPECT_FALSE(watched.wait(Deadline::after(2s)));
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(used() - before);
    RecordProperty("microseconds_of_two_seconds", static_cast<int>(took.count()));
    EXPECT_LT(took, 100ms) << took.count() << " us";
}

}  // namespace
}  // namespace slurm_adopt
