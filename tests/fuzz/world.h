// SPDX-License-Identifier: GPL-2.0-or-later
// A compute node and a login to it, as the fuzzer's bytes describe them. All zero: alice with one job, and all is well.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "input.h"

namespace slurm_adopt::fuzz {

inline constexpr uid_t alice = 41001;
inline constexpr uid_t bob = 41002;
inline constexpr gid_t admins = 50000;
inline constexpr const char* spool = "/var/spool/slurmd";
inline constexpr const char* exempt_list = "# on call\n dave # x\nalice\r\n\nadmins\n";

enum class Layout { v1, v2, v2_sluid, none, raw };
enum class Moves { both, nobody, child_only, parent_only };
enum class Ending { never, silence, closed, reset };

// One extern step: its socket, its slurmstepd, and what that says.
struct Step {
    std::uint32_t job_id = 0;
    std::string node;
    pid_t pid = 0;              // of the slurmstepd; as SO_PEERCRED tells it: see hides_pid
    Layout layout = Layout::v1;
    bool is_listed = true;
    bool is_socket = true;
    bool has_file = true;
    bool has_batch_directory = false;
    bool hides_pid = false;     // in a pid namespace out of sight
    bool other_pids = false;    // in another pid namespace
    bool begins_late = false;   // in its cgroup only when it adopts
    bool ends_early = false;    // its socket is gone when it has been asked to adopt
    bool raw_reply = false;     // after the handshake it says what the tail of the input says
    char state = 'S';           // of /proc/<pid>/stat; 0: no such process
    uid_t file_owner = 0;
    uid_t socket_owner = 0;     // by netlink
    uid_t peer = 0;             // by SO_PEERCRED
    uid_t says = alice;         // whose the job is
    uid_t tree_owner = alice;   // of cgroup v1: uid_<tree_owner>
    std::int32_t version = 38 << 8;
    int connect_error = 0;
    Moves moves = Moves::both;
    std::int32_t result = 0;    // of ADD_EXTERN_PID
    std::int32_t state_before = 2;  // of the step: running
    std::int32_t state_after = 2;   // when it has been asked to adopt
    std::int32_t display = 0;
    std::uint8_t xauthority = 0;
    std::uint8_t namespaces = 0;
    std::uint8_t chunk = 0;     // at most so many bytes at once; 0: all
    std::size_t cut = 0;        // after so many bytes of all that it says ...
    Ending ending = Ending::never;
    int delay_ms = 0;           // before each answer
    std::size_t flip_at = 0;    // which byte of what it says is changed
    std::uint8_t flip = 0;

    [[nodiscard]] std::string file_name() const { return node + '_' + std::to_string(job_id) + ".4294967292"; }
    // On cgroup v1, below the freezer: slurm_<node>/uid_<uid>/job_<id>/step_extern.
    [[nodiscard]] std::string tree() const;
    // On cgroup v2, of the step_extern directory.
    [[nodiscard]] std::string scope() const;
};

// The call after `skip` others that can fail fails, and `more` after it.
struct Fault {
    unsigned skip = 0;
    unsigned which = 0;
    unsigned more = 0;
};

struct Login {
    std::uint8_t user = 0;
    std::uint8_t session_user = 0;
    std::string service;
    std::string rhost;
    int flags = 0;
    std::vector<std::string> options;
    std::vector<std::string> session_options;
    bool putenv_fails = false;
    bool set_data_fails = false;
    bool with_session = false;
    bool with_close = false;
    std::uint16_t memory = 0;  // so many allocations less one succeed; 0: all
    std::vector<std::string> environment;
    // Between account and session phase:
    bool is_moved_out = false;
    bool is_forked = false;
    bool steps_end = false;
};

struct World {
    Login login;
    Layout layout = Layout::v1;
    std::uint8_t parent = 0;      // 0: none to be adopted; 1: sshd's monitor; 2: another program; 3: another process group
    std::uint8_t listing = 0;     // 0: netlink; 1: without owners; 2: /proc/net/unix; 3, 4: the same, raw
    std::uint8_t mounts = 0;      // 0: as usual; 1: none; 2: raw
    std::uint8_t connection = 0;  // 0: IPv4; 1: none; 2: IPv6; 3: two; 4: no TCP
    std::uint8_t helper_file = 0;
    std::uint8_t helper_reply = 0;
    std::uint32_t helper_job = 0;
    std::uint8_t run = 0;         // what is in /run/slurm-adopt before
    std::uint8_t signals = 0;
    std::uint8_t freezer = 0;     // 0: as it is; 1: not cgroup; 2: none
    bool own_proc = false;        // the job's namespaces have a /proc of their own
    std::vector<Step> steps;
    std::vector<Fault> faults;
    std::string raw;              // the tail of the input
};

[[nodiscard]] World world_of(Input& input);
// What PAM_USER is; null for none.
[[nodiscard]] const char* user_name_of(std::uint8_t user);

}  // namespace slurm_adopt::fuzz
