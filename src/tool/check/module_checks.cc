// SPDX-License-Identifier: GPL-2.0-or-later
#include <chrono>
#include <filesystem>

#include "check/checks.h"
#include "check/loading.h"
#include "check/owner.h"

namespace slurm_adopt::tool {
namespace {

using namespace std::chrono_literals;

constexpr auto longest_loading = 10s;

Finding owner_of(const std::string& file)
{
    return roots_alone(file, "install the module again");
}

}  // namespace

Found check_module_file(const Node& node)
{
    if (const auto file = node.module_file()) return found_ok(*file);
    return found_fail(node.module_as_written() +
                          ": no such file where libpam looks: everybody is refused, root too, where a line loads it",
                      "install slurm-adopt's module into " + (node.roots.module_directories.empty()
                                                                  ? std::string("libpam's directory")
                                                                  : node.roots.module_directories.front()));
}

Found check_module_owner(const Node& node)
{
    const auto file = node.module_file();
    if (!file) return std::nullopt;
    return owner_of(*file);
}

Found check_module_is_ours(const Node& node)
{
    const auto file = node.module_file();
    if (!file || owner_of(*file).status != Status::ok) return std::nullopt;
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(*file, ignored))
        return found_fail(*file + ": no regular file: everybody is refused, root too, or waits", "install the module again");
    const auto phases = phases_of(*file, Deadline::after(longest_loading));
    if (!phases)
        return found_fail("cannot be loaded: " + phases.error().context + ": everybody is refused, root too",
                          "install the module again, the one that was built for this system");
    const auto [account, session] = phases.value();
    if (account && session) return found_ok(*file + ": has both phases");
    const std::string fix =
        "install slurm-adopt's module into " +
        (node.roots.module_directories.empty() ? std::string("libpam's directory") : node.roots.module_directories.front()) +
        ", or name its full path in both lines";
    if (account)
        return found_fail(
            *file + ": has no session phase: it is Slurm's own module; a session line refuses everybody, root too", fix);
    return found_fail(*file + ": has no account phase: it is another module", fix);
}

}  // namespace slurm_adopt::tool
