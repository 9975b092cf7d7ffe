// SPDX-License-Identifier: GPL-2.0-or-later
// All that this program asks of libslurm, but for the jobs (slurm_jobs.h) and what slurm.conf says of logins
// (slurm_config.cc). No other file includes Slurm's headers.
//
// libslurm ends the process where it finds no usable configuration ("fatal", exit(1)), waits for minutes where a
// network does, and is built for one release of Slurm: that is why it lives in a program of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "slurm_adopt/helper_wire.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt::helper {

// "22.05.8": of the headers. The library that is loaded is of the same major release, by its soname.
[[nodiscard]] std::string slurm_version();

// Reads slurm.conf (SLURM_CONF, else libslurm's default, else what slurmd has cached on a configless node) and loads the
// authentication plugin. May end the process; returns only when all is well.
void load_slurm_conf();

// The NodeAddr and the NodeHostname of every node in slurm.conf, ranges expanded, each once, as written: numeric
// addresses and names. load_slurm_conf() comes first.
[[nodiscard]] std::vector<std::string> node_addresses();

// The NodeNames of the machine that calls itself `name`: `name` itself where it is one of slurm.conf; else those that have it
// for their NodeHostname; else `name` all the same, which is a dynamic node's. load_slurm_conf() comes first.
[[nodiscard]] std::vector<std::string> node_names_of(const std::string& name);

// The NodeName of every node, ranges expanded, each once. load_slurm_conf() comes first.
[[nodiscard]] std::vector<std::string> node_names();

// AuthType and AuthInfo of slurm.conf, e.g. "auth/munge" and "socket=/run/munge/munge.socket.2". load_slurm_conf()
// comes first.
struct Authentication {
    std::string type;
    std::string info;
};
[[nodiscard]] Authentication authentication();

struct SourceJob {
    std::uint32_t job_id = 0;  // 0: that slurmd knows no job that has the connection
    std::string node;  // as that slurmd calls itself: text from outside
};

// Asks the slurmd at the peer's address, on SlurmdPort, which job has the other end of this connection.
[[nodiscard]] Result<SourceJob> network_callerid(const helper_wire::WhoisRequest& connection);

}  // namespace slurm_adopt::helper
