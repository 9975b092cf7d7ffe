// SPDX-License-Identifier: GPL-2.0-or-later
#include "fake_slurm.h"

#include <slurm/slurm.h>
#include <slurm/spank.h>

#include <array>
#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <utility>

namespace {

std::mutex log_mutex;
std::vector<std::string> log_lines;
std::atomic<bool> memory_fails{false};
std::atomic<std::size_t> allocations{0};

// In front of what is given out, as Slurm has it: free() of it is an error of the allocator.
constexpr std::size_t header = 16;
constexpr std::uint64_t mark = 0x534c55524d4d454d;

void log_line(const char* level, const char* format, std::va_list arguments)
{
    std::array<char, 2048> text{};
    (void)std::vsnprintf(text.data(), text.size(), format, arguments);
    const std::scoped_lock lock(log_mutex);
    log_lines.push_back(std::string(level) + ": " + text.data());
}

}  // namespace

#define HOST_EXPORT extern "C" __attribute__((visibility("default")))

HOST_EXPORT slurm_conf_t slurm_conf;
slurm_conf_t slurm_conf;

HOST_EXPORT void slurm_error(const char* format, ...)
{
    std::va_list arguments;
    va_start(arguments, format);
    log_line("error", format, arguments);
    va_end(arguments);
}

HOST_EXPORT void slurm_info(const char* format, ...)
{
    std::va_list arguments;
    va_start(arguments, format);
    log_line("info", format, arguments);
    va_end(arguments);
}

HOST_EXPORT void* slurm_xcalloc(std::size_t count, std::size_t size, bool clear, bool may_fail, const char* file, int line,
                                const char* function);
void* slurm_xcalloc(std::size_t count, std::size_t size, bool clear, bool may_fail, const char* file, int line,
                    const char* function)
{
    if (count != 1 || !clear || !may_fail || file == nullptr || line <= 0 || function == nullptr) std::abort();
    if (memory_fails) return nullptr;
    auto* const memory = static_cast<char*>(std::calloc(1, header + size));
    if (memory == nullptr) return nullptr;
    std::memcpy(memory, &mark, sizeof mark);
    ++allocations;
    return memory + header;
}

namespace slurm_adopt::cred_test {

std::vector<std::string> take_log()
{
    const std::scoped_lock lock(log_mutex);
    return std::exchange(log_lines, {});
}

void set_slurm_user(uid_t uid)
{
    ::slurm_conf.slurm_user_id = uid;
}

void fail_memory(bool fails)
{
    memory_fails = fails;
}

void slurm_free(char* memory)
{
    if (memory == nullptr) return;
    std::uint64_t found = 0;
    std::memcpy(&found, memory - header, sizeof found);
    if (found != mark) std::abort();
    --allocations;
    std::free(memory - header);
}

std::size_t slurm_allocations()
{
    return allocations;
}

}  // namespace slurm_adopt::cred_test
