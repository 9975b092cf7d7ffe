// SPDX-License-Identifier: GPL-2.0-or-later
// /proc/<pid>/cgroup of a slurmstepd and of a process, separated by NUL: whether the one is inside the other's step is what
// an adoption is believed by.
#include <algorithm>
#include <string>
#include <vector>

#include "input.h"
#include "require.h"
#include "slurm_adopt/cgroup_path.h"

using namespace slurm_adopt;
using fuzz::require;

namespace {

using Entries = std::vector<CgroupEntry>;

bool same(const Entries& a, const Entries& b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const CgroupEntry& x, const CgroupEntry& y) { return x.controllers == y.controllers && x.path == y.path; });
}

Entries read(std::string_view text)
{
    Entries entries = parse_proc_cgroup(text);
    std::string again;
    for (const CgroupEntry& entry : entries) {
        require(entry.path.starts_with('/'), "a path is absolute");
        require(entry.controllers.find_first_of(":\n") == std::string::npos && entry.path.find('\n') == std::string::npos,
                "an entry is of one line");
        again += "7:" + entry.controllers + ':' + entry.path + '\n';
    }
    require(same(entries, parse_proc_cgroup(again)), "written down again it is the same");
    return entries;
}

// The obvious way: with a slash behind both, a directory is a prefix of what is in it.
bool is_in(const CgroupEntry& entry, const CgroupEntry& directory)
{
    return entry.controllers == directory.controllers && (entry.path + '/').starts_with(directory.path + '/');
}

bool tracks(const CgroupEntry& directory)
{
    return directory.controllers.empty() || directory.controllers == "freezer";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::Input input(data, size);
    const Entries stepd = read(input.text());
    const Entries process = read(input.rest());
    const Entries step = extern_step_directories(stepd);

    require(step.size() <= stepd.size(), "no more directories than lines");
    require(step.empty() || std::any_of(step.begin(), step.end(), tracks), "none where the step is not tracked by cgroups");
    for (const CgroupEntry& directory : step) {
        require(directory.path.ends_with("/step_extern"), "an extern step's directory is called so");
        require(std::any_of(stepd.begin(), stepd.end(),
                            [&](const CgroupEntry& entry) {
                                return is_in(entry, directory) || directory.path == entry.path + "/step_extern";
                            }),
                "the slurmstepd is in its step, or right above it");
    }

    bool expected = !step.empty();
    for (const CgroupEntry& directory : step)
        expected = expected && std::any_of(process.begin(), process.end(), [&](const CgroupEntry& entry) { return is_in(entry, directory); });
    require(is_inside(process, step) == expected, "inside is to be in every directory of the step");
    require(!is_inside(process, {}) && !is_inside({}, step), "nothing is in nowhere");
    require(step.empty() || is_inside(step, step), "a step is in itself");

    const Entries job = job_directories(step);
    require(job.size() == step.size() && (step.empty() || is_inside(step, job)), "a step is in its job");
    if (const auto owner = owner_by_path(stepd))
        require(std::any_of(stepd.begin(), stepd.end(),
                            [&](const CgroupEntry& entry) {
                                return !entry.controllers.empty() && entry.path.find("/uid_") != std::string::npos;
                            }),
                "an owner is read from a path of cgroup v1");
    return 0;
}
