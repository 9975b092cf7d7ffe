// SPDX-License-Identifier: GPL-2.0-or-later
// A cgroup whose processes do not even die.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace slurm_adopt::test {

// As a process that hangs in the kernel does: no signal ends it until somebody lets it go.
class Frozen {
public:
    Frozen()
    {
        // The freezer of cgroup v1; that of v2 lets a process be killed.
        directory_ = "/sys/fs/cgroup/freezer/slurm-adopt-test-" + std::to_string(::getpid());
        works_ = std::filesystem::exists("/sys/fs/cgroup/freezer/cgroup.procs") && std::filesystem::create_directory(directory_) &&
                 bool(std::ofstream(directory_ + "/freezer.state") << "FROZEN" << std::flush);
    }
    Frozen(const Frozen&) = delete;
    Frozen& operator=(const Frozen&) = delete;
    ~Frozen()
    {
        if (!std::filesystem::exists(directory_)) return;
        std::ofstream(directory_ + "/freezer.state") << "THAWED" << std::flush;
        for (int i = 0; i < 1000 && ::rmdir(directory_.c_str()) != 0; ++i) ::usleep(5'000);
    }
    [[nodiscard]] bool works() const { return works_; }
    [[nodiscard]] const std::string& directory() const { return directory_; }

private:
    std::string directory_;
    bool works_ = false;
};

}  // namespace slurm_adopt::test
