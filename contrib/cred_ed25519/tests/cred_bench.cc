// SPDX-License-Identifier: GPL-2.0-or-later
// What signing and verifying cost, by cred/munge and by cred/ed25519: both plugins in this process, in turns, on Slurm's own
// library and the munged that runs. Writes a table in Markdown. Each signature is verified once, as munged remembers them.
//
// usage: cred_bench LIBSLURM MUNGE_PLUGIN ED25519_PLUGIN
#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "key_files.h"
#include "loaded_plugin.h"

namespace slurm_adopt::cred_test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int rounds = 5;
constexpr int calls = 200;  // in each round
constexpr int threads = 8;

struct Bench {
    Plugin plugin;
    void* private_key;
    void* public_key;
};

using Times = std::vector<double>;  // microseconds

struct Measured {
    Times sign;
    Times verify;
    Times signs_per_second;
    Times verifies_per_second;
};

double median(Times times)
{
    std::sort(times.begin(), times.end());
    return times.at(times.size() / 2);
}

template <class Call>
double microseconds(Call call)
{
    const auto begin = Clock::now();
    call();
    return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
}

std::string sign_once(const Bench& bench, std::string& credential)
{
    char* memory = nullptr;
    std::uint32_t size = 0;
    if (bench.plugin.sign(bench.private_key, credential.data(), static_cast<int>(credential.size()), &memory, &size) != 0)
        throw std::runtime_error(std::string(bench.plugin.type) + " does not sign");
    return {memory, size};  // Slurm's memory is left to the end of the process
}

void verify_once(const Bench& bench, std::string& credential, std::string& signature)
{
    const int rc = bench.plugin.verify(bench.public_key, credential.data(), static_cast<std::uint32_t>(credential.size()),
                                       signature.data(), static_cast<std::uint32_t>(signature.size()));
    if (rc != 0) throw std::runtime_error(std::string(bench.plugin.type) + ": " + bench.plugin.str_error(rc));
}

void measure_one_by_one(const Bench& bench, std::string credential, Measured& into)
{
    for (int call = 0; call < calls; ++call) {
        std::string signature;
        into.sign.push_back(microseconds([&] { signature = sign_once(bench, credential); }));
        into.verify.push_back(microseconds([&] { verify_once(bench, credential, signature); }));
    }
}

// Calls of all threads per second.
double together(const std::function<void(int thread, int call)>& work)
{
    std::atomic<bool> failed{false};
    const double time = microseconds([&] {
        std::vector<std::thread> running;
        for (int thread = 0; thread < threads; ++thread)
            running.emplace_back([&, thread] {
                try {
                    for (int call = 0; call < calls; ++call) work(thread, call);
                } catch (const std::exception& error) {
                    std::fprintf(stderr, "cred_bench: %s\n", error.what());
                    failed = true;
                }
            });
        for (std::thread& thread : running) thread.join();
    });
    if (failed) throw std::runtime_error("a thread failed");
    return threads * calls / time * 1e6;
}

void measure_together(const Bench& bench, const std::string& credential, Measured& into)
{
    std::vector<std::vector<std::string>> signatures(threads, std::vector<std::string>(calls));
    into.signs_per_second.push_back(together([&](int thread, int call) {
        std::string own = credential;
        signatures[static_cast<std::size_t>(thread)][static_cast<std::size_t>(call)] = sign_once(bench, own);
    }));
    into.verifies_per_second.push_back(together([&](int thread, int call) {
        std::string own = credential;
        verify_once(bench, own, signatures[static_cast<std::size_t>(thread)][static_cast<std::size_t>(call)]);
    }));
}

void row(const char* name, double munge, double ours, const char* unit)
{
    std::printf("| %s | %.0f %s | %.0f %s | %.1f |\n", name, munge, unit, ours, unit, ours / munge);
}

Bench load(const char* path, const std::string& private_path, const std::string& public_path)
{
    Bench bench{load_plugin(path), nullptr, nullptr};
    bench.private_key = bench.plugin.read_private_key(private_path.c_str());
    bench.public_key = bench.plugin.read_public_key(public_path.c_str());
    if (bench.private_key == nullptr || bench.public_key == nullptr)
        throw std::runtime_error(std::string(path) + ": no keys");
    return bench;
}

void run(const char* munge_path, const char* ours_path)
{
    const KeyFiles files;
    const Pair pair = make_pair("ED25519");
    const std::string private_path = files.write(pair.private_pem, 0400);
    const std::string public_path = files.write(pair.public_pem, 0644, "public.pem");
    const Bench munge = load(munge_path, private_path, public_path);
    const Bench ours = load(ours_path, private_path, public_path);
    std::printf("| | cred/munge | cred/ed25519 | ratio |\n|---|---|---|---|\n");
    for (const auto& [name, size] : {std::pair{"1 KB", 1024}, std::pair{"64 KB", 65536}}) {
        const std::string credential(static_cast<std::size_t>(size), 'c');
        Measured of_munge;
        Measured of_ours;
        for (int round = 0; round < rounds; ++round) {
            measure_one_by_one(munge, credential, of_munge);
            measure_one_by_one(ours, credential, of_ours);
            measure_together(ours, credential, of_ours);
            measure_together(munge, credential, of_munge);
        }
        const std::string of = std::string("a credential of ") + name;
        row(("sign " + of).c_str(), median(of_munge.sign), median(of_ours.sign), "µs");
        row(("verify " + of).c_str(), median(of_munge.verify), median(of_ours.verify), "µs");
        row(("sign " + of + ", 8 threads").c_str(), median(of_munge.signs_per_second), median(of_ours.signs_per_second),
            "/s");
        row(("verify " + of + ", 8 threads").c_str(), median(of_munge.verifies_per_second),
            median(of_ours.verifies_per_second), "/s");
    }
}

}  // namespace
}  // namespace slurm_adopt::cred_test

int main(int argc, char** argv)
{
    if (argc != 4) {
        std::fprintf(stderr, "usage: cred_bench LIBSLURM MUNGE_PLUGIN ED25519_PLUGIN\n");
        return 2;
    }
    // The plugins take its symbols.
    if (::dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL) == nullptr) {
        std::fprintf(stderr, "cred_bench: %s\n", ::dlerror());
        return 1;
    }
    try {
        slurm_adopt::cred_test::run(argv[2], argv[3]);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "cred_bench: %s\n", error.what());
        return 1;
    }
}
