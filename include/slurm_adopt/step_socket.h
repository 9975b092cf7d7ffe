// SPDX-License-Identifier: GPL-2.0-or-later
// Names of slurmstepd sockets, and the kernel's list of listening unix sockets (/proc/net/unix, proc(5)).
//
// A slurmstepd listens on <SlurmdSpoolDir>/<node>_<job>.<step>; the extern step's number is 4294967292
// (SLURM_EXTERN_CONT, 0xfffffffc), and a component of a heterogeneous job adds ".<component>"
// (Slurm 22.05 ... 26.05).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slurm_adopt {

// What every extern step's socket has in its name.
inline constexpr std::string_view extern_step_suffix = ".4294967292";

// An extern step's socket, in text that belongs to somebody else.
struct StepSocketView {
    std::string_view directory;  // absolute; empty where only the name is known
    std::string_view file_name;
    std::string_view node;
    std::uint32_t job_id = 0;
};

struct StepSocketPath {
    std::string directory;
    std::string file_name;
    std::string node;
    std::uint32_t job_id = 0;

    [[nodiscard]] StepSocketView view() const { return {directory, file_name, node, job_id}; }
};

// The node and job of an extern step's socket, by the last part of its path; none for any other name.
// The node may contain dots and underscores: the last underscore separates it from the job.
[[nodiscard]] std::optional<StepSocketView> parse_extern_socket_name(std::string_view file_name);

// An absolute path whose last part is the name of an extern step's socket; none for any other.
[[nodiscard]] std::optional<StepSocketView> parse_extern_socket_path(std::string_view path);

// Where the socket of a job's extern step is, if slurmd has its sockets in `directory`. Not that of a component of a
// heterogeneous job.
[[nodiscard]] StepSocketPath extern_socket_in(const std::string& directory, const std::string& node, std::uint32_t job_id);

// A copy of its own.
[[nodiscard]] StepSocketPath own(const StepSocketView& socket);

// Sorts by directory and name, and leaves one of each.
void sort_and_unite(std::vector<StepSocketPath>& sockets);

// The listening sockets of extern steps in the text of /proc/net/unix. Whoever made them: owner and peer are to be
// checked by the caller. A path is listed once, also where its text contains a forged line.
[[nodiscard]] std::vector<StepSocketPath> parse_listening_extern_sockets(std::string_view proc_net_unix);

}  // namespace slurm_adopt
