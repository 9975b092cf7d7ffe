// SPDX-License-Identifier: GPL-2.0-or-later
// What a cgroup has used: memory.usage_in_bytes and cpuacct.usage (cgroup v1), memory.current and cpu.stat (cgroup v2).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "slurm_adopt/cgroup_path.h"

namespace slurm_adopt::tool {

struct Usage {
    std::optional<std::uint64_t> memory_bytes;  // now; none: no controller counts it
    std::optional<std::uint64_t> cpu_us;        // since it began
};

// The usage_usec of a cpu.stat (cgroup v2).
[[nodiscard]] std::optional<std::uint64_t> cpu_of_stat(std::string_view text);

// By the directories of one step or job in its hierarchies.
[[nodiscard]] Usage usage_of(const std::string& mountinfo, const std::vector<CgroupEntry>& directories);

// "1.5 GiB", "17 MiB"; "1:02:03", "0:07": for people.
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);
[[nodiscard]] std::string cpu_text(std::uint64_t microseconds);

}  // namespace slurm_adopt::tool
