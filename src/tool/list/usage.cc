// SPDX-License-Identifier: GPL-2.0-or-later
#include "usage.h"

#include <fmt/core.h>

#include <algorithm>

#include "slurm_adopt/file.h"
#include "slurm_adopt/mount_table.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt::tool {
namespace {

constexpr std::size_t longest_file = std::size_t{64} * 1024;

std::optional<std::string> file_in(const std::string& directory, const char* name)
{
    auto text = read_file(directory + '/' + name, longest_file);
    if (!text) return std::nullopt;
    return std::move(text).value();
}

std::optional<std::uint64_t> number_in(const std::string& directory, const char* name)
{
    const auto text = file_in(directory, name);
    if (!text) return std::nullopt;
    return parse_number<std::uint64_t>(std::string_view(*text).substr(0, text->find('\n')));
}

bool has(const CgroupEntry& entry, std::string_view controller)
{
    const auto controllers = split(entry.controllers, ',');
    return std::find(controllers.begin(), controllers.end(), controller) != controllers.end();
}

}  // namespace

std::optional<std::uint64_t> cpu_of_stat(std::string_view text)
{
    constexpr std::string_view key = "usage_usec ";
    for (std::string_view line : split(text, '\n'))
        if (line.starts_with(key)) return parse_number<std::uint64_t>(line.substr(key.size()));
    return std::nullopt;
}

Usage usage_of(const std::string& mountinfo, const std::vector<CgroupEntry>& directories)
{
    Usage usage;
    for (const CgroupEntry& entry : directories) {
        const auto directory = cgroup_directory(mountinfo, entry);
        if (!directory) continue;
        if (entry.controllers.empty()) {
            usage.memory_bytes = number_in(*directory, "memory.current");
            if (const auto stat = file_in(*directory, "cpu.stat")) usage.cpu_us = cpu_of_stat(*stat);
        }
        if (has(entry, "memory")) usage.memory_bytes = number_in(*directory, "memory.usage_in_bytes");
        if (has(entry, "cpuacct"))
            if (const auto nanoseconds = number_in(*directory, "cpuacct.usage")) usage.cpu_us = *nanoseconds / 1000;
    }
    return usage;
}

std::string bytes_text(std::uint64_t bytes)
{
    constexpr std::string_view units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double amount = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (amount >= 1024 && unit + 1 < std::size(units)) {
        amount /= 1024;
        ++unit;
    }
    return unit == 0 || amount >= 10 ? fmt::format("{:.0f} {}", amount, units[unit])
                                     : fmt::format("{:.1f} {}", amount, units[unit]);
}

std::string cpu_text(std::uint64_t microseconds)
{
    const std::uint64_t seconds = microseconds / 1'000'000;
    const std::uint64_t minutes = seconds / 60;
    if (minutes < 60) return fmt::format("{}:{:02}", minutes, seconds % 60);
    return fmt::format("{}:{:02}:{:02}", minutes / 60, minutes % 60, seconds % 60);
}

}  // namespace slurm_adopt::tool
