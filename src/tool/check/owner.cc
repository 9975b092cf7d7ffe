// SPDX-License-Identifier: GPL-2.0-or-later
#include "check/owner.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

#include "slurm_adopt/result.h"

namespace slurm_adopt::tool {

Finding roots_alone(const std::string& file, const std::string& lost)
{
    // A link's own mode says nothing; who can change what it leads to does.
    const std::unique_ptr<char, decltype(&std::free)> real(::realpath(file.c_str(), nullptr), &std::free);
    if (!real) return found_fail(system_error(file).context, lost);
    const std::string path = real.get();
    for (const std::string& part : {path, path.substr(0, path.rfind('/'))}) {
        struct stat status {};
        if (::stat(part.c_str(), &status) != 0) return found_fail(system_error(part).context, lost);
        if (status.st_uid != 0)
            return found_fail(part + ": not owned by root, so that somebody else decides who gets in", "chown root " + part);
        if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
            return found_fail(part + ": writable by others than root", "chmod go-w " + part);
    }
    return found_ok(path + ": root's, writable by nobody else");
}

}  // namespace slurm_adopt::tool
