// SPDX-License-Identifier: GPL-2.0-or-later
// A place for runtime directories of a test's own.
#pragma once

#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "slurm_adopt/runtime_dir.h"
#include "slurm_adopt/session_registry.h"
#include "support/private_mounts.h"

namespace slurm_adopt::test {

inline constexpr uid_t someone = 12345;
inline constexpr uid_t other = 12346;

inline bool is_private_to(const std::string& path, uid_t uid)
{
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && (status.st_mode & 07777) == 0700 &&
           status.st_uid == uid && status.st_gid == uid;
}

class RuntimeDirTest : public PrivateMounts {
protected:
    // The key of a process; of one that is gone, one that it may have had.
    [[nodiscard]] static std::string key_of(pid_t session)
    {
        const auto key = session_key("/proc", std::to_string(session));
        return key && key.value() ? *key.value() : std::to_string(session) + ".1";
    }
    [[nodiscard]] Result<RuntimeDir> open_for(uid_t uid, pid_t session,
                                              Deadline deadline = Deadline::after(std::chrono::seconds(60))) const
    {
        return open_runtime_dir(dirs_, uid, uid, key_of(session), deadline);
    }
    [[nodiscard]] Result<Done> close_for(uid_t uid, pid_t session,
                                         Deadline deadline = Deadline::after(std::chrono::seconds(60))) const
    {
        return close_runtime_dir(dirs_, uid, key_of(session), deadline);
    }
    [[nodiscard]] std::string own_directory(uid_t uid) const { return dirs_.base + "/user/" + std::to_string(uid); }
    [[nodiscard]] bool is_there(const std::string& name) const
    {
        return std::filesystem::exists(std::filesystem::symlink_status(dirs_.base + name));
    }
    // No directory, session or mount of anybody, and no trash.
    [[nodiscard]] bool nothing_is_left() const
    {
        for (const char* name : {"/user", "/sessions", "/trash"})
            if (!std::filesystem::is_empty(dirs_.base + name)) return false;
        std::ifstream mounts("/proc/self/mounts");
        for (std::string line; std::getline(mounts, line);)
            if (line.find(dirs_.base) != std::string::npos) return false;
        return true;
    }

    const RuntimeDirs dirs_{.base = *this / "run"};
};

}  // namespace slurm_adopt::test
