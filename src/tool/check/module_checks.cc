// SPDX-License-Identifier: GPL-2.0-or-later
#include <dlfcn.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

#include "check/checks.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt::tool {
namespace {

// "" where only root can change what libpam loads; else what is wrong with which path.
Finding owner_of(const std::string& file)
{
    // A link's own mode says nothing; who can change what it leads to does.
    const std::unique_ptr<char, decltype(&std::free)> real(::realpath(file.c_str(), nullptr), &std::free);
    if (!real) return found_fail(system_error(file).context, "install the module again");
    const std::string path = real.get();
    for (const std::string& part : {path, path.substr(0, path.rfind('/'))}) {
        struct stat status {};
        if (::stat(part.c_str(), &status) != 0) return found_fail(system_error(part).context, "install the module again");
        if (status.st_uid != 0)
            return found_fail(part + ": not owned by root, so that somebody else decides who gets in", "chown root " + part);
        if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
            return found_fail(part + ": writable by others than root", "chmod go-w " + part);
    }
    return found_ok(path + ": root's, writable by nobody else");
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
    void* const loaded = ::dlopen(file->c_str(), RTLD_NOW | RTLD_LOCAL);
    if (loaded == nullptr) {
        const char* const why = ::dlerror();
        return found_fail(std::string("cannot be loaded: ") + (why == nullptr ? file->c_str() : why) +
                              ": everybody is refused, root too",
                          "install the module that was built for this system");
    }
    const bool account = ::dlsym(loaded, "pam_sm_acct_mgmt") != nullptr;
    const bool session = ::dlsym(loaded, "pam_sm_open_session") != nullptr;
    (void)::dlclose(loaded);
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
