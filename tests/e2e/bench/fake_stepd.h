// SPDX-License-Identifier: GPL-2.0-or-later
// A slurmstepd made by the tests, for answers that a real one gives only when something is broken.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace slurm_adopt::e2e {

enum class NamespaceOffer { none, not_a_namespace, error };

struct FakeStepdSpec {
    std::uint32_t job_id = 900000;
    uid_t owner = 0;                                   // whose job it says it is
    bool adopts = true;                                // moves the process into its cgroup, as a real one does
    NamespaceOffer offer = NamespaceOffer::none;
    uid_t runs_as = 0;                                 // and owns the socket
    std::string directory;                             // of the socket; empty: the spool directory
};

// Serves until it goes out of scope. It lives in a step_extern cgroup of its own when it runs as root.
class FakeStepd {
public:
    explicit FakeStepd(const FakeStepdSpec& spec);
    ~FakeStepd();
    FakeStepd(const FakeStepd&) = delete;
    FakeStepd& operator=(const FakeStepd&) = delete;

    const std::string& path() const { return path_; }
    // How many connections it has had.
    int connections() const;

private:
    std::string path_;
    std::string cgroup_;
    int* counter_ = nullptr;  // shared with the server
    pid_t pid_ = -1;
};

// A listening socket file that nobody accepts on; keeps it open for as long as this lives.
class PlantedSocket {
public:
    PlantedSocket(const std::string& path, uid_t owner);
    ~PlantedSocket();
    PlantedSocket(PlantedSocket&& other) noexcept;
    PlantedSocket& operator=(PlantedSocket&&) = delete;

private:
    std::string path_;
    int fd_ = -1;
};

}  // namespace slurm_adopt::e2e
