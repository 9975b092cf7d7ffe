// SPDX-License-Identifier: GPL-2.0-or-later
// Several nodes (cluster.sh --nodes): commands on them, jobs that span them, and what listens on their ports.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "process.h"

namespace slurm_adopt::e2e {

inline constexpr std::uint16_t slurmd_port = 6818;
inline constexpr auto outside = "outside";  // a host that is no node

// "n2" -> the name in slurm.conf.
[[nodiscard]] std::string node_name(const std::string& node);

// slurm-adopt-helper, in a directory of the cluster whose parents are root's alone: the module runs no other.
[[nodiscard]] const std::string& helper_copy();

// sshd's stack with an account line that asks that helper, and more options.
[[nodiscard]] std::vector<std::string> caller_id_stack(const std::string& options);

// Runs a command in a node's network and UTS namespaces.
[[nodiscard]] Command on(const std::string& node, Command command);

// ssh USER@TO COMMAND, by key, from a node (as root) to another one.
[[nodiscard]] Command ssh_between(const std::string& from, const std::string& user, const std::string& to,
                                  const std::string& command, const std::vector<std::string>& options = {});

// A batch job on these nodes, whose script runs the commands it is given, on the first of them. Ended, and its extern
// steps waited for, when this goes out of scope.
class NodesJob {
public:
    NodesJob(const std::string& user, const std::vector<std::string>& nodes, const std::string& partition = "all",
             const std::vector<std::string>& options = {});  // of sbatch
    NodesJob(NodesJob&& other) noexcept
        : id_(std::exchange(other.id_, 0)), directory_(std::move(other.directory_)), nodes_(std::move(other.nodes_)) {}
    NodesJob& operator=(NodesJob&&) = delete;
    ~NodesJob();

    std::uint32_t id() const { return id_; }
    std::string id_text() const { return std::to_string(id_); }
    // By a shell inside the job, on its first node.
    Finished run(const std::string& command, std::chrono::seconds limit = std::chrono::seconds{30});
    // The same without waiting for its end; then wait for each.
    [[nodiscard]] int begin(const std::string& command);
    [[nodiscard]] Finished end(int number, std::chrono::seconds limit = std::chrono::seconds{60}) const;

private:
    std::uint32_t id_ = 0;
    std::string directory_;
    std::vector<std::string> nodes_;
    int count_ = 0;
};

// The job whose extern step a session is in, from the output of `where`; the node's name must be in the cgroup's path.
inline const std::string where = "cat /proc/self/cgroup";
[[nodiscard]] std::uint32_t job_on(const std::string& node, const std::string& cgroup_text);

// A TCP socket that listens on a port in a node's network namespace.
class Listener {
public:
    enum class Way {
        silent,   // accepts, and never says a word
        garbage,  // accepts and answers something that is no Slurm message
        drops,    // no packet that is sent here is ever answered, as with a firewall
    };
    Listener(const std::string& node, std::uint16_t port, Way way);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    int connections() const { return connections_; }

private:
    void serve();

    Way way_;
    int socket_ = -1;
    std::atomic<bool> over_ = false;
    std::atomic<int> connections_ = 0;
    std::thread thread_;
};

// An IPv6 socket that takes IPv4 as well, with an "sshd -i" of the node's for each connection.
class DualStackSshd {
public:
    DualStackSshd(const std::string& node, std::uint16_t port);
    ~DualStackSshd();
    DualStackSshd(const DualStackSshd&) = delete;
    DualStackSshd& operator=(const DualStackSshd&) = delete;

private:
    void serve() const;

    std::string node_;
    int socket_ = -1;
    std::atomic<bool> over_ = false;
    std::thread thread_;
};

}  // namespace slurm_adopt::e2e
