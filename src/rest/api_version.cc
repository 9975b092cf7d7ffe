// SPDX-License-Identifier: GPL-2.0-or-later
#include "rest/api_version.h"

#include <string_view>

#include "slurm_adopt/text.h"

namespace slurm_adopt::rest {
namespace {

constexpr std::string_view before_version = "/slurm/v0.0.";
constexpr std::string_view after_version = "/jobs";

std::optional<std::uint32_t> version_of(std::string_view path)
{
    if (path.ends_with('/')) path.remove_suffix(1);
    if (!path.starts_with(before_version) || !path.ends_with(after_version)) return std::nullopt;
    if (path.size() < before_version.size() + after_version.size()) return std::nullopt;
    path.remove_prefix(before_version.size());
    path.remove_suffix(after_version.size());
    return parse_number<std::uint32_t>(path);
}

// The names in {"paths": {"/slurm/v0.0.46/jobs/": ...}}.
class PathsListener : public Listener {
public:
    bool opens(std::size_t, bool) override { return true; }
    bool closes(std::size_t) override { return true; }
    bool has_name(std::size_t depth, std::string_view name) override
    {
        if (depth == 1) in_paths_ = name == "paths";
        if (depth != 2 || !in_paths_) return true;
        const auto version = version_of(name);
        if (version && *version > newest_version && (!found_ || *version < *found_)) found_ = version;
        return true;
    }
    bool has_text(std::size_t, std::string_view) override { return true; }
    bool has_number(std::size_t, std::optional<std::int64_t>) override { return true; }
    bool has_flag(std::size_t, bool) override { return true; }
    bool has_null(std::size_t) override { return true; }

    [[nodiscard]] std::optional<std::uint32_t> found() const { return found_; }

private:
    bool in_paths_ = false;
    std::optional<std::uint32_t> found_;
};

}  // namespace

std::string jobs_path(std::uint32_t version)
{
    // With the last slash: so it stands in every release's description. Without the flag a job is told with every core of
    // every node that it has: 28 KB instead of 8 KB on a node of 64 (24.11). v0.0.39 and older do not know it.
    constexpr std::uint32_t first_with_flags = 40;
    const char* const flags = version >= first_with_flags ? "/?flags=ALL" : "/";
    return std::string(before_version) + std::to_string(version) + std::string(after_version) + flags;
}

std::string job_path(std::uint32_t version, std::uint32_t job_id)
{
    return std::string(before_version) + std::to_string(version) + "/job/" + std::to_string(job_id);
}

Result<std::optional<std::uint32_t>> find_newer_version(Source& description)
{
    PathsListener listener;
    const auto is_read = read_json(description, listener);
    if (!is_read) return is_read.error();
    return listener.found();
}

}  // namespace slurm_adopt::rest
