// SPDX-License-Identifier: GPL-2.0-or-later
// The names in slurmrestd's answers that are read, and how deep they lie.
#pragma once

#include <cstddef>
#include <string_view>

namespace slurm_adopt::rest {

// Where things are: {"errors": [{...}], "jobs": [{"job_id": 1, "job_state": ["RUNNING"], "start_time": {"number": 1}}]}
inline constexpr std::size_t in_answer = 1;
inline constexpr std::size_t in_list = 2;
inline constexpr std::size_t in_item = 3;
inline constexpr std::size_t in_value = 4;

enum class List { none, jobs, errors };
enum class Field {
    none,
    job_id,
    user_id,
    start_time,
    job_state,
    state_reason,
    nodes,
    name,  // this and the next three: of one job only
    partition,
    account,
    node_count,
    description,
    error,
    error_number
};
enum class Part { none, set, infinite, number };

[[nodiscard]] inline Field job_field(std::string_view name)
{
    if (name == "job_id") return Field::job_id;
    if (name == "user_id") return Field::user_id;
    if (name == "start_time") return Field::start_time;
    if (name == "job_state") return Field::job_state;
    if (name == "state_reason") return Field::state_reason;
    return name == "nodes" ? Field::nodes : Field::none;
}

[[nodiscard]] inline Field detail_field(std::string_view name)
{
    if (name == "name") return Field::name;
    if (name == "partition") return Field::partition;
    if (name == "account") return Field::account;
    return name == "node_count" ? Field::node_count : Field::none;
}

[[nodiscard]] inline bool is_detail(Field field)
{
    return field == Field::name || field == Field::partition || field == Field::account || field == Field::node_count;
}

[[nodiscard]] inline Field error_field(std::string_view name)
{
    if (name == "description") return Field::description;
    if (name == "error") return Field::error;
    return name == "error_number" ? Field::error_number : Field::none;
}

[[nodiscard]] inline Part part_of_number(std::string_view name)
{
    if (name == "set") return Part::set;
    if (name == "infinite") return Part::infinite;
    return name == "number" ? Part::number : Part::none;
}

[[nodiscard]] inline bool is_number(Field field)
{
    return field == Field::job_id || field == Field::user_id || field == Field::start_time || field == Field::node_count;
}

}  // namespace slurm_adopt::rest
