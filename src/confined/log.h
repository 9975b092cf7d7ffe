// SPDX-License-Identifier: GPL-2.0-or-later
// This program's log: syslog, its own file's name as identity, facility authpriv; each line begins with the module's pid, by
// which it is found beside the module's own. Nothing is written to a descriptor of the standard three.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>

namespace slurm_adopt::helper {

// `level` as in the option log_level, 0 (quiet) to 9. May be called again when the level is known.
void set_up_log(pid_t module_pid, std::uint32_t level);

// Text from outside is made printable by the caller.
void log_error(std::string_view text);
void log_info(std::string_view text);
void log_debug(std::string_view text);

}  // namespace slurm_adopt::helper
