// SPDX-License-Identifier: GPL-2.0-or-later
// The module's account phase, run without PAM and without adopting anybody: its own objects (pam/login_phase.h), between a
// Host that only listens and a NodeAccess that notes what is found and asks no slurmstepd to adopt.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "slurm_adopt/adoption.h"
#include "slurm_adopt/connection.h"
#include "slurm_adopt/discovery.h"
#include "slurm_adopt/helper_client.h"
#include "slurm_adopt/messages.h"
#include "slurm_adopt/policy.h"

namespace slurm_adopt::tool {

using Microseconds = std::chrono::microseconds;

struct DryRunRequest {
    std::string user;
    std::string service;
    std::vector<std::string> arguments;    // of the PAM line
    std::optional<Connection> connection;  // of the login
    std::optional<Connection> client;      // from where and to which port it comes, its own port left aside
    std::string remote_host;               // PAM_RHOST; empty: none
    bool is_root = true;                   // whoever runs it: what root alone may read is not held against the node
    Roots roots;
};

// One of the user's own.
struct SeenJob {
    std::uint32_t job_id = 0;
    std::string node;
    std::string socket;
    pid_t stepd = 0;                       // 0: out of sight
    std::int32_t protocol = 0;             // the slurmstepd's
    std::optional<uid_t> owner_by_kernel;  // by its cgroup (v1)
    std::vector<std::string> step;         // "controllers:path" of step_extern; empty: none
};

struct SeenSteps {
    std::vector<SeenJob> jobs;
    std::vector<std::uint32_t> ending;  // jobs of the user's whose step ends
    std::size_t silent = 0;
    std::vector<std::string> warnings;
    std::string error;  // they could not be listed; empty: they could
};

struct SeenSource {
    std::optional<SourceAnswer> answer;
    std::string error;    // none: why
    std::string program;  // the helper
};

// The user's own word (job_choice=file).
struct SeenFile {
    std::optional<std::uint32_t> job;
    std::string error;  // it does not count: why. None, and no job: there is no file
};

// What the controller says, where the user has no extern step here and it is asked.
struct SeenController {
    std::optional<std::vector<helper_wire::ControllerJob>> jobs;
    std::string error;  // none: why
    bool by_rest = false;
};

// A login would wait here; the dry run does not.
struct SeenWait {
    std::chrono::seconds at_most{0};
};

struct SeenCandidate {
    std::uint32_t job_id = 0;
    Reason reason = Reason::internal_error;
};

struct SeenChoice {
    std::vector<OwnJob> jobs;
    std::optional<KnownJob> known;
    std::vector<SeenCandidate> candidates;
    Reason otherwise = Reason::internal_error;
};

struct SeenAdoption {
    std::uint32_t job_id = 0;
    bool would_be_asked = false;  // nothing speaks against it
    Reason failure = Reason::internal_error;
    std::string detail;
    bool verifiable = false;  // the kernel could confirm it
};

enum class StepKind { before_jobs, jobs, source, file, choice, adoption, controller, wait };

// What the phase did, in its order; one or no member is set, by `kind`.
struct Step {
    StepKind kind = StepKind::before_jobs;
    Microseconds took{0};
    std::optional<SeenSteps> jobs{};
    std::optional<SeenSource> source{};
    std::optional<SeenChoice> choice{};
    std::optional<SeenAdoption> adoption{};
    std::optional<SeenController> controller{};
    std::optional<SeenWait> wait{};
    std::optional<SeenFile> file{};
};

struct DryRun {
    Decision decision;
    std::vector<Step> steps;
    std::vector<std::string> log;   // the module's lines, as log_level lets them through
    std::vector<std::string> told;  // the user's
    Microseconds took{0};
    std::vector<std::string> unseen;  // what could not be read, and root could
    bool is_uncertain = false;        // of that, something might decide otherwise
};

[[nodiscard]] DryRun dry_run(const DryRunRequest& request);

}  // namespace slurm_adopt::tool
