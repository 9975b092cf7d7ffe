// SPDX-License-Identifier: GPL-2.0-or-later
#include "usage.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "cluster.h"

namespace slurm_adopt::e2e {
namespace {

int entries_of(const std::string& directory)
{
    std::error_code gone;
    return static_cast<int>(std::distance(std::filesystem::directory_iterator(directory, gone), {}));
}

long kilobytes(const std::string& rollup, const std::string& field)
{
    const std::size_t at = rollup.find('\n' + field + ':');
    return at == std::string::npos ? -1 : std::strtol(rollup.c_str() + at + field.size() + 2, nullptr, 10);
}

}  // namespace

Usage usage_of(pid_t pid)
{
    const std::string proc = "/proc/" + std::to_string(pid);
    Usage usage;
    usage.descriptors = entries_of(proc + "/fd");
    usage.threads = entries_of(proc + "/task");
    std::istringstream children(read_whole(proc + "/task/" + std::to_string(pid) + "/children"));
    for (std::string child; children >> child;) ++usage.children;
    const std::string maps = read_whole(proc + "/maps");
    usage.mappings = static_cast<int>(std::count(maps.begin(), maps.end(), '\n'));
    const std::string rollup = read_whole(proc + "/smaps_rollup");
    usage.resident_kb = kilobytes(rollup, "Rss");
    usage.private_dirty_kb = kilobytes(rollup, "Private_Dirty");
    return usage;
}

std::string describe(const Usage& before, const Usage& after)
{
    std::ostringstream text;
    const auto add = [&](const char* what, long from, long to) {
        text << (text.tellp() > 0 ? ", " : "") << what << ' ' << from << " -> " << to;
    };
    add("descriptors", before.descriptors, after.descriptors);
    add("threads", before.threads, after.threads);
    add("children", before.children, after.children);
    add("mappings", before.mappings, after.mappings);
    add("RSS kB", before.resident_kb, after.resident_kb);
    add("private dirty kB", before.private_dirty_kb, after.private_dirty_kb);
    return text.str();
}

}  // namespace slurm_adopt::e2e
