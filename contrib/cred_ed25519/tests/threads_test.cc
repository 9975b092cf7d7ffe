// SPDX-License-Identifier: GPL-2.0-or-later
// Eight threads sign and verify while keys come and go, as in a daemon that is reconfigured. For the address and the thread
// sanitizer too (tests/run.sh).
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include "../refusal.h"
#include "called_plugin.h"
#include "key_files.h"
#include "support/forked.h"

namespace slurm_adopt::cred_test {
namespace {

constexpr int threads = 8;
constexpr int calls_each = 10'000 / threads;

TEST(CredThreads, SignAndVerifyTogether)
{
    const KeyFiles files;
    const Pair pair = make_pair("ED25519");
    const ReadKey private_key(plugin().read_private_key(files.write(pair.private_pem, 0400).c_str()));
    const ReadKey public_key(plugin().read_public_key(files.write(pair.public_pem, 0644, "public.pem").c_str()));
    std::atomic<int> wrong{0};
    std::vector<std::thread> running;
    for (int thread = 0; thread < threads; ++thread)
        running.emplace_back([&, thread] {
            for (int call = 0; call < calls_each; ++call) {
                const std::string credential = "job " + std::to_string(call) + " of thread " + std::to_string(thread);
                const Signed made = sign(private_key.get(), credential);
                if (made.rc != 0 || verify(public_key.get(), credential, made.signature) != 0) ++wrong;
                if (call % 16 == 0 && verify(public_key.get(), credential + "!", made.signature) == 0) ++wrong;
            }
        });
    for (std::thread& thread : running) thread.join();
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(slurm_allocations(), 0U);
    (void)take_log();
}

// slurmd destroys a key that another of its threads verifies with, and may do so twice.
TEST(CredThreads, AKeyMayGoWhileItIsUsed)
{
    const KeyFiles files;
    const Pair pair = make_pair("ED25519");
    const std::string public_path = files.write(pair.public_pem, 0644, "public.pem");
    const ReadKey private_key(plugin().read_private_key(files.write(pair.private_pem, 0400).c_str()));
    const std::string credential = "job 7";
    const std::string good = sign(private_key.get(), credential).signature;
    std::atomic<void*> current{plugin().read_public_key(public_path.c_str())};
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    std::vector<std::thread> running;
    for (int thread = 0; thread < threads; ++thread)
        running.emplace_back([&] {
            while (!done) {
                void* const key = current;
                const int rc = verify(key, credential, good);
                if (rc != 0 && rc != static_cast<int>(cred_ed25519::Refusal::unknown_key)) ++wrong;
            }
        });
    for (int round = 0; round < 200; ++round) {
        void* const old = current.exchange(plugin().read_public_key(public_path.c_str()));
        std::thread second([old] { plugin().destroy_key(old); });
        plugin().destroy_key(old);
        second.join();
    }
    done = true;
    for (std::thread& thread : running) thread.join();
    plugin().destroy_key(current);
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(take_log().size(), 202U);
}

// Slurm's fatal() calls exit() while others verify. The child is a program of its own, which has not used OpenSSL before.
TEST(CredThreads, TheProcessMayExitMeanwhile)
{
    if (SANITIZED) GTEST_SKIP() << "what the sanitizers do at the end is not Slurm's";
    const KeyFiles files;
    const Pair pair = make_pair("ED25519");
    const std::string private_path = files.write(pair.private_pem, 0400);
    const std::string public_path = files.write(pair.public_pem, 0644, "public.pem");
    for (int round = 0; round < 30; ++round) {
        test::Forked child([&] {
            (void)::setenv("CRED_TEST_PRIVATE", private_path.c_str(), 1);
            (void)::setenv("CRED_TEST_PUBLIC", public_path.c_str(), 1);
            (void)::execl("/proc/self/exe", "cred_ed25519_test", "--gtest_also_run_disabled_tests",
                          "--gtest_filter=CredThreads.DISABLED_ExitMeanwhile", nullptr);
            return false;
        });
        ASSERT_TRUE(child.succeeds()) << "round " << round;
    }
}

TEST(CredThreads, DISABLED_ExitMeanwhile)
{
    const char* const private_path = std::getenv("CRED_TEST_PRIVATE");
    const char* const public_path = std::getenv("CRED_TEST_PUBLIC");
    ASSERT_TRUE(private_path != nullptr && public_path != nullptr);
    void* const private_key = plugin().read_private_key(private_path);
    void* const public_key = plugin().read_public_key(public_path);
    static std::atomic<int> calls{0};
    for (int thread = 0; thread < threads; ++thread)
        std::thread([=] {
            for (;;) {
                const Signed made = sign(private_key, "job 7");
                if (made.rc != 0 || verify(public_key, "job 7", made.signature) != 0) ::_exit(1);
                ++calls;
            }
        }).detach();
    while (calls < threads) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::exit(0);  // NOLINT(concurrency-mt-unsafe): that is the test
}

}  // namespace
}  // namespace slurm_adopt::cred_test
