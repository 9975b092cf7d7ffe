// SPDX-License-Identifier: GPL-2.0-or-later
// What the dynamic loader sees of a shared object (elf(5)); 64-bit, of this machine's byte order.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace slurm_adopt::test {

struct ElfFile {
    std::set<std::string> exported;
    std::set<std::string> undefined;  // without versions
    std::set<std::string> weak;       // undefined, and may stay so
    std::vector<std::string> needed;
    std::uint64_t flags = 0;    // DT_FLAGS
    std::uint64_t flags_1 = 0;  // DT_FLAGS_1
    bool text_relocations = false;
    bool has_run_path = false;
    bool relro = false;
    bool has_stack_header = false;
    bool executable_stack = false;
    bool writable_and_executable = false;  // a segment
};

// Throws where the file is none.
[[nodiscard]] ElfFile read_elf(const std::string& path);

}  // namespace slurm_adopt::test
