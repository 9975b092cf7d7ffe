// SPDX-License-Identifier: GPL-2.0-or-later
// What the kernel of the fuzzer (kernel.h) knows, whatever the module believes.
#pragma once

#include <algorithm>
#include <cstring>

#include "kernel.h"
#include "require.h"
#include "slurm_adopt/cgroup_path.h"

namespace slurm_adopt::fuzz {

inline std::optional<std::int32_t> number_at(const std::string& bytes, std::size_t at)
{
    std::int32_t value = 0;
    if (bytes.size() < at + sizeof value) return std::nullopt;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}

enum class Adopted {
    no,
    by_word,    // slurmstepd says so, and is in no cgroup to compare with
    by_kernel,  // the process, and the parent where it was asked for, are in the step
};

// What has become of the process by this conversation, for `subject`.
inline Adopted outcome_of(const Kernel& kernel, const Talk& talk, uid_t subject)
{
    if (talk.step < 0 || !talk.asked_for_own) return Adopted::no;
    const Step& step = kernel.world.steps[static_cast<std::size_t>(talk.step)];
    if (step.peer != 0 || step.file_owner != 0 || !step.is_socket) return Adopted::no;
    if (number_at(talk.delivered, 4) != static_cast<std::int32_t>(subject)) return Adopted::no;
    const auto directories = extern_step_directories(parse_proc_cgroup(kernel.cgroup_of_stepd(step)));
    const bool said = number_at(talk.delivered, 12) == 0 && (!talk.asked_for_parent || number_at(talk.delivered, 16) == 0);
    const auto state = number_at(talk.delivered, talk.asked_for_parent ? 20 : 16);
    if (state && state != 1 && state != 2) return Adopted::no;  // the step is ending
    // A slurmstepd that comes into its cgroup late may not be seen there: it is gone, or /proc could not be read then.
    const Adopted unless_seen = said && (directories.empty() || step.begins_late) ? Adopted::by_word : Adopted::no;
    if (directories.empty()) return unless_seen;
    const auto inside = [&](bool parent) { return is_inside(parse_proc_cgroup(kernel.cgroup_of(parent)), directories); };
    return inside(false) && (!talk.asked_for_parent || inside(true)) ? Adopted::by_kernel : unless_seen;
}

inline Adopted outcome_of(const Kernel& kernel, uid_t subject)
{
    Adopted best = Adopted::no;
    for (const Talk& talk : kernel.talks) best = std::max(best, outcome_of(kernel, talk, subject));
    return best;
}

// What every phase leaves behind of the helper and of signals: nothing.
inline void check_processes(const Kernel& kernel)
{
    const bool hangs = kernel.world.helper_reply % 16 == 10;
    require(!kernel.helper.is_alive || hangs, "no helper outlives its question");
    require(!kernel.helper.was_started || kernel.helper.is_reaped || hangs, "a helper that has ended is reaped");
    require((sigismember(&kernel.blocked, SIGCHLD) == 1) == ((kernel.world.signals & 1U) != 0), "signals are as they were");
    require(sigismember(&kernel.blocked, SIGTERM) == 0, "signals are as they were");
}

// At the end.
inline void check_descriptors(const Kernel& kernel)
{
    for (const auto& [fd, open] : kernel.open_descriptors)
        (void)std::fprintf(stderr, "left open: %d, kind %d, %s\n", fd, static_cast<int>(open.kind), open.path.c_str());
    require(kernel.open_descriptors.empty(), "every descriptor is closed");
}

}  // namespace slurm_adopt::fuzz
