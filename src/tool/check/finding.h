// SPDX-License-Identifier: GPL-2.0-or-later
// What a check has found.
#pragma once

#include <string>
#include <utility>

namespace slurm_adopt::tool {

enum class Status {
    ok,
    warn,  // logins work; something is weaker or less than it could be
    fail,  // users are refused who should get in, or get in unconfined
};

struct Finding {
    Status status = Status::fail;
    std::string seen;
    std::string fix;  // what to do, exactly; empty with ok
};

[[nodiscard]] inline Finding found_ok(std::string seen)
{
    return {Status::ok, std::move(seen), {}};
}
[[nodiscard]] inline Finding found_warn(std::string seen, std::string fix)
{
    return {Status::warn, std::move(seen), std::move(fix)};
}
[[nodiscard]] inline Finding found_fail(std::string seen, std::string fix)
{
    return {Status::fail, std::move(seen), std::move(fix)};
}

}  // namespace slurm_adopt::tool
