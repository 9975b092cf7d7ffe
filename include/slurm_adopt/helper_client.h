// SPDX-License-Identifier: GPL-2.0-or-later
// The module's side of slurm-adopt-helper. Whatever the helper does, the outcome is an answer or "not known" in time.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "slurm_adopt/connection.h"
#include "slurm_adopt/deadline.h"
#include "slurm_adopt/helper_wire.h"
#include "slurm_adopt/options.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt {

struct HelperSettings {
    std::string program;     // absolute path
    std::string slurm_conf;  // for SLURM_CONF; empty: libslurm's own search
    LogLevel log_level = LogLevel::info;
};

struct SourceAnswer {
    enum class Kind {
        no_job,      // the source node's slurmd knows no job that has the connection
        job,         // it names one
        not_a_node,  // the source is no node of slurm.conf: nobody was asked
    };
    Kind kind = Kind::no_job;
    std::uint32_t job_id = 0;  // of Kind::job
};

// The job that the source node's slurmd names for this connection. An error where nothing could be learnt; its context
// says why, for the log.
[[nodiscard]] Result<SourceAnswer> ask_source_job(const HelperSettings& settings, const Connection& connection, Deadline deadline);

// When the extern steps of these slurmstepds began, nanoseconds since the epoch; an error unless all are known.
[[nodiscard]] Result<std::vector<std::int64_t>> ask_step_starts(const HelperSettings& settings, const std::vector<pid_t>& pids,
                                                                Deadline deadline);

// Where slurmrestd is, and with what it is asked. Each is at most helper_wire::longest_path - 1 characters.
struct RestSettings {
    std::string url;         // http://HOST:PORT, https://HOST:PORT or unix:/PATH
    std::string user;        // whom the token is for; empty: root
    std::string token_file;  // exactly one of this and the next
    std::string key_file;
    std::string ca_file;     // empty: the system's
};

struct ControllerQuestion {
    std::optional<std::uint32_t> uid;  // whose jobs; none: everybody's
    std::string node;                  // NodeName
    std::optional<RestSettings> rest;  // none: slurmctld by RPC
};

// The jobs that the controller has on this node and that have not ended; at most helper_wire::most_jobs. By REST the program
// asked is slurm-adopt-rest, in the directory of settings.program.
[[nodiscard]] Result<std::vector<helper_wire::ControllerJob>> ask_controller(const HelperSettings& settings,
                                                                             const ControllerQuestion& question, Deadline deadline);

// What the controller knows of a job. Empty, or 0: not known, or too long.
struct JobDetails {
    std::string name;  // the user's choice, to the last byte
    std::string partition;
    std::string account;
    std::string nodes;  // "n[1-3]"
    std::uint32_t node_count = 0;
};

// About one job of question.uid, which is not none. An error where that user has no such job.
[[nodiscard]] Result<JobDetails> ask_job_details(const HelperSettings& settings, const ControllerQuestion& question,
                                                 std::uint32_t job_id, Deadline deadline);

// Where a slurmd is to be found.
struct SlurmdPlace {
    std::string node;     // NodeName
    std::string address;  // NodeAddr: numeric, or a name
    std::uint16_t port = 0;
};

// What of slurm.conf a login depends on. Settings as slurm.conf has them, the default where it has none.
struct SlurmConfig {
    std::string version;  // of libslurm
    bool contain = false;  // PrologFlags
    bool x11 = false;
    bool use_pam = false;
    std::string proctrack_type;
    std::string task_plugin;
    std::string launch_parameters;
    std::string job_container;          // JobContainerType; from 25.11 on NamespaceType
    std::string slurmd_parameters;
    std::string spool_dir;              // SlurmdSpoolDir as written, with its %n and %h
    std::optional<SlurmdPlace> own;     // none: slurm.conf has no such node
    std::uint32_t nodes = 0;            // in slurm.conf
    std::vector<SlurmdPlace> peers;     // some of the other nodes, at most helper_wire::most_peers
};

// For the node of that NodeName; empty: for this host.
[[nodiscard]] Result<SlurmConfig> ask_slurm_config(const HelperSettings& settings, const std::string& node, Deadline deadline);

}  // namespace slurm_adopt
