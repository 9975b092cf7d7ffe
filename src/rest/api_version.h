// SPDX-License-Identifier: GPL-2.0-or-later
// The versions of slurmrestd's interface. A server has three or four of them, and answers 404 to the others.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "rest/json_text.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt::rest {

inline constexpr std::uint32_t newest_version = 45;  // v0.0.45: 26.05

// In the order in which to try them. 42 is what 24.11 to 26.05 have in common, 40 is of 23.11 to 24.11, 38 of 22.05 and
// 23.02; the others are for servers whose administrator has chosen what they offer.
inline constexpr std::array<std::uint32_t, 8> known_versions{42, 40, 38, 45, 44, 43, 41, 39};

// The path of the list of all jobs, also those in hidden partitions, without details where they can be left out.
[[nodiscard]] std::string jobs_path(std::uint32_t version);

// The path of one job.
[[nodiscard]] std::string job_path(std::uint32_t version, std::uint32_t job_id);

// From the server's own description of its interface (OpenAPI, GET /openapi/v3): the oldest version above newest_version, as
// the one that is most like what we know. None: it has nothing of the kind.
[[nodiscard]] Result<std::optional<std::uint32_t>> find_newer_version(Source& description);

}  // namespace slurm_adopt::rest
