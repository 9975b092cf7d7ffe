// SPDX-License-Identifier: GPL-2.0-or-later
// The private cluster that the tests run in (tests/cluster/cluster.sh), its users' jobs and its log.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace slurm_adopt::e2e {

struct Cluster {
    std::string directory;     // everything of the run
    std::string node;          // the node's name
    std::string spool;         // SlurmdSpoolDir
    std::string syslog;        // what the daemons and the module logged
    std::string keys;          // private keys by user name
    std::string control;       // starts and stops daemons
    std::string module;        // our pam_slurm_adopt.so
    std::string their_module;  // Slurm's own
    std::string login_program; // slurm_adopt_e2e_login
};

[[nodiscard]] const Cluster& cluster();

// Stops a daemon of the cluster for as long as this lives.
class Stopped {
public:
    explicit Stopped(std::string daemon);
    ~Stopped();
    Stopped(const Stopped&) = delete;
    Stopped& operator=(const Stopped&) = delete;

private:
    std::string daemon_;
};

// Moves a file out of the way for as long as this lives.
class Hidden {
public:
    explicit Hidden(std::string path);
    ~Hidden();
    Hidden(const Hidden&) = delete;
    Hidden& operator=(const Hidden&) = delete;

private:
    std::string path_;
};

struct Decision {
    std::map<std::string, std::string> keys;  // decision, reason, user, jobs, job ...
    std::string line;

    const std::string& operator[](const std::string& key) const;
};

// The lines that came into the log since this was made.
class LogMark {
public:
    LogMark();
    [[nodiscard]] std::vector<std::string> lines() const;
    // The lines of our module with `text`; waits until all that was logged before is in the file, and for at least one.
    [[nodiscard]] std::vector<std::string> lines_with(const std::string& text) const;
    // All of our module's as one text, to be searched or shown.
    [[nodiscard]] std::string text() const;
    // Of all lines those with anything but printable ASCII in them, one a line; empty: there is none.
    [[nodiscard]] std::string unprintable() const;
    // The decision lines about `user`, oldest first; waits for the first.
    [[nodiscard]] std::vector<Decision> decisions(const std::string& user) const;
    // The only one; more or fewer give an empty one.
    [[nodiscard]] Decision decision(const std::string& user) const;

private:
    std::size_t offset_ = 0;
};

// As much as can be read; nothing where there is no such file (any more).
[[nodiscard]] std::string read_whole(const std::string& path);
void write_whole(const std::string& path, const std::string& text);

}  // namespace slurm_adopt::e2e
