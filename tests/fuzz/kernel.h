// SPDX-License-Identifier: GPL-2.0-or-later
// A kernel that is only for the module: the system calls of src/ and pam/ are bound to it at link time (wrapped.txt), while
// there is one in this thread. Nothing real is opened, asked, started or waited for; time passes only where the module waits.
// Some calls fail, as the input says.
//
// What it insists on by itself: a descriptor is closed once, and by who has it; nobody but root's slurmstepd is asked to
// adopt, and only this process or its parent; no helper starts that others could have written; the module comes to an end.
#pragma once

#include <signal.h>
#include <sys/stat.h>

#include <chrono>
#include <deque>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "world.h"

namespace slurm_adopt::fuzz {

// What there is at a path.
struct Node {
    mode_t mode = S_IFREG | 0644;
    uid_t uid = 0;
    dev_t device = 1;
    ino_t inode = 1;
    std::int64_t mtime_s = 1'700'000'000;
    long file_system = 0x9fa0;  // PROC_SUPER_MAGIC
    std::string text;                // of a file
    std::vector<std::string> names;  // of a directory

    [[nodiscard]] bool is_directory() const { return S_ISDIR(mode); }
};

// Bytes on their way to the module, from the time on when they are there.
struct Item {
    std::string bytes;
    int descriptors = 0;
    std::chrono::nanoseconds at{0};
};

// A conversation with a slurmstepd or the helper.
struct Talk {
    int step = -1;         // an index into the world's; -1: the helper
    std::string asked;     // not understood yet
    std::deque<Item> coming;
    std::string delivered; // read by the module
    std::size_t said = 0;
    bool shook_hands = false;
    bool is_closed = false;
    bool is_reset = false;
    bool asked_for_own = false;  // to adopt this process
    bool asked_for_parent = false;
};

struct Descriptor {
    enum class Kind { file, directory, netlink, stream, helper, other } kind = Kind::file;
    std::string path;
    Node node;
    std::size_t position = 0;
    std::size_t talk = 0;  // an index into talks
};

struct HelperProcess {
    bool was_started = false;
    bool is_alive = false;
    bool is_reaped = false;
    bool signal_is_pending = false;
    std::chrono::nanoseconds dies_at = std::chrono::nanoseconds::max();
    std::size_t talk = 0;
};

class Kernel {
public:
    explicit Kernel(const World& world);
    Kernel(const Kernel&) = delete;
    Kernel& operator=(const Kernel&) = delete;
    ~Kernel();
    // The one of this thread, if any.
    [[nodiscard]] static Kernel* running();
    static constexpr pid_t own_pid = 100;
    static constexpr pid_t parent_pid = 99;
    static constexpr pid_t helper_pid = 4242;
    static constexpr int first_descriptor = 1000;
    static constexpr int client_socket = 5;  // sshd's own
    static constexpr int other_socket = 6;   // of the host: another connection

    // Every call that can fail begins here: 0, or the one of `errnos` that it fails with.
    [[nodiscard]] int fault(std::initializer_list<int> errnos);
    void pass_time(std::chrono::nanoseconds time) { now_ += time; }
    [[nodiscard]] std::chrono::nanoseconds now() const { return now_; }

    [[nodiscard]] std::optional<Node> look_up(const std::string& path);
    [[nodiscard]] int open(Descriptor descriptor);
    [[nodiscard]] Descriptor* find(int fd);
    void close(int fd);
    [[nodiscard]] std::string path_at(int directory, const char* name);

    // Of the step whose socket this is; -1: nobody's.
    [[nodiscard]] int step_at(const std::string& path) const;
    [[nodiscard]] bool is_gone(const Step& step) const;
    // Of the socket that it listens on.
    [[nodiscard]] static ino_t inode_of(const Step& step) { return 27000 + static_cast<ino_t>(step.pid); }
    void hear(std::size_t talk, std::string_view bytes);
    void say(std::size_t talk, const std::string& bytes, int descriptors = 0);
    [[nodiscard]] bool is_readable(const Talk& talk) const;

    [[nodiscard]] std::string cgroup_of_stepd(const Step& step) const;
    [[nodiscard]] std::string cgroup_of(bool parent) const;
    [[nodiscard]] std::string socket_table() const;
    [[nodiscard]] std::deque<std::string> datagrams() const;
    void let_helper_live();  // and die, when its time has come

    const World& world;
    std::map<int, Descriptor> open_descriptors;
    std::vector<Talk> talks;
    std::deque<std::string> netlink;
    HelperProcess helper;
    sigset_t blocked{};
    pid_t pid = own_pid;
    int own_step = -1;     // where this process is; -1: outside
    int parent_step = -1;
    std::set<int> asked;   // steps that have been asked to adopt
    uid_t subject = alice; // whose login it is
    std::size_t joined = 0;  // namespaces
    bool join_has_failed = false;  // of one of them
    bool steps_have_ended = false;
    bool helper_was_trusted = false;
    struct RunNode {
        mode_t mode = S_IFDIR | 0755;
        uid_t uid = 0;
        bool is_mounted = false;
    };
    std::map<std::string, RunNode> run;  // below /run, the path without it
    long calls = 0;

private:
    [[nodiscard]] std::optional<Node> look_up_process(std::string_view who, std::string_view what);
    [[nodiscard]] std::optional<Node> look_up_freezer(std::string_view path);
    [[nodiscard]] std::optional<Node> look_up_spool(const std::string& path);
    [[nodiscard]] std::optional<Node> look_up_helper(const std::string& path);
    [[nodiscard]] std::optional<Node> look_up_list(std::string_view name) const;
    [[nodiscard]] std::optional<Node> look_up_run(const std::string& path);
    void answer(std::size_t talk, std::int32_t request, std::string_view& arguments);
    void adopt(int step, pid_t who);
    void answer_helper(std::size_t talk);

    std::deque<Fault> faults_;
    std::chrono::nanoseconds now_{std::chrono::hours(1)};
    int next_descriptor_ = first_descriptor;
};

// -1 with errno for `error`; what a system call returns.
[[nodiscard]] int fail_with(int error);

}  // namespace slurm_adopt::fuzz
