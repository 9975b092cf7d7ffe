// SPDX-License-Identifier: GPL-2.0-or-later
// A process that speaks slurmstepd's protocol on a real socket, and does with it what a script says.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "cgroup_tree.h"
#include "fake_users.h"

namespace slurm_adopt::test {

inline constexpr std::int32_t release_22_05 = 38 << 8;
inline constexpr std::int32_t release_25_05 = 43 << 8;
inline constexpr std::int32_t release_25_11 = 44 << 8;
inline constexpr std::int32_t release_26_05 = 45 << 8;

enum class Step { version, uid, state, adopt, adopted_state, x11, x11_length, xauthority, namespaces, descriptor };
enum class Fault { none, hang, close, half_then_close, die };

struct OfferedNamespace {
    std::int32_t type = 0;  // CLONE_NEW*
    int fd = -1;            // open in the test when the slurmstepd is started
};

struct StepdScript {
    std::int32_t version = release_22_05;
    uid_t uid = alice;  // what it answers
    std::int32_t adopt_result = 0;
    std::int32_t state = 2;  // of the step: running
    std::optional<std::int32_t> adopted_state = std::nullopt;  // when it has adopted, if another
    bool moves = true;  // it really moves the process
    bool moves_only_first = false;  // and no other
    std::int32_t display = 0;
    std::string xauthority = {};
    std::optional<std::int32_t> xauthority_length = std::nullopt;  // other than the true one
    std::vector<OfferedNamespace> namespaces = {};
    std::optional<std::int32_t> namespace_count = std::nullopt;  // other than the true one
    std::size_t descriptors_at_once = 1;                         // in one message

    Fault fault = Fault::none;
    Step at = Step::version;
    int faulty_connections = std::numeric_limits<int>::max();  // the first so many
    std::chrono::milliseconds before_adopting{0};
    std::chrono::milliseconds between_bytes{0};
    std::chrono::milliseconds accepts_after{0};
    std::chrono::milliseconds dies_after_answer{0};  // that it is alive
    bool accepts = true;
    int backlog = 64;
    uid_t listener = 0;  // who makes the socket and listens on it
    bool root_owns_the_file = true;
};

class FakeStepd {
public:
    // Listens when the constructor returns. `owner` is whose job the kernel shows (Layout::v1).
    FakeStepd(CgroupTree& tree, const std::string& spool, unsigned job_id, const StepdScript& script,
              Layout layout = Layout::v1, uid_t owner = alice);
    FakeStepd(const FakeStepd&) = delete;
    FakeStepd& operator=(const FakeStepd&) = delete;
    ~FakeStepd();

    [[nodiscard]] const std::string& socket() const { return socket_; }
    [[nodiscard]] const std::string& cgroup() const { return step_.path; }  // "freezer:/.../step_extern"
    [[nodiscard]] const StepCgroup& step() const { return step_; }
    [[nodiscard]] pid_t pid() const { return pid_; }
    void pull_in(pid_t pid) const;  // into the step, without being asked
    void stop() const;  // SIGSTOP, and waits until it has stopped

    // What it has been asked, over all connections.
    struct Seen {
        std::atomic<int> connections, uid, adopt, x11, namespace_26, namespaces_28;
    };
    [[nodiscard]] const Seen& seen() const { return *seen_; }

private:
    std::string socket_;
    StepCgroup step_;
    Seen* seen_ = nullptr;
    pid_t pid_ = -1;
};

}  // namespace slurm_adopt::test
