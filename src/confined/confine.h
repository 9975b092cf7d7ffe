// SPDX-License-Identifier: GPL-2.0-or-later
// The conditions this program runs under: started by the module, as root, with nothing that anybody else has chosen.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "slurm_adopt/fd.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt::helper {

// The whole program has this long, whatever its parent does.
inline constexpr unsigned longest_life_seconds = 30;

struct Module {
    Fd socket;
    pid_t pid = 0;
};

// The module that has started us, if that is so: descriptor 3 is a connected unix stream socket, its other end was made by
// root in our parent, and we are root. An error says what is not so.
[[nodiscard]] Result<Module> find_module();

// From here on: killed when the module's thread dies (an error if it is dead already) or the time is over; only
// descriptors 0 to 3; no environment but SLURM_CONF; signals as at login, SIGPIPE ignored; root in every id; no core
// file, which could hold keys; no way to more privileges.
[[nodiscard]] Result<Done> confine(pid_t module);

// The value of SLURM_CONF, if set.
[[nodiscard]] std::optional<std::string> slurm_conf_path();

}  // namespace slurm_adopt::helper
