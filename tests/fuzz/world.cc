// SPDX-License-Identifier: GPL-2.0-or-later
#include "world.h"

#include <algorithm>
#include <cerrno>

namespace slurm_adopt::fuzz {
namespace {

constexpr const char* users[] = {"alice", "root", "bob", "toor", "dave", "stranger", "broken", "", "al\nice=\x1b[0m", nullptr};
constexpr const char* services[] = {"sshd", "su", "login", "", "ss hd=\n"};
constexpr const char* hosts[] = {"192.0.2.7", "2001:db8::7", "host.example", "UNKNOWN", "", "::ffff:192.0.2.7", "x\n\x1b"};
// Waits are short: the fuzzer has better things to do than to count virtual seconds.
constexpr const char* options[] = {
    "", "strict", "action_adopt_failure=deny", "action_generic_failure=deny", "action_no_jobs=ignore", "action_unknown=deny",
    "action_unknown=allow", "action_generic_failure=allow", "ignore_root=0", "runtime_dir=1", "single_job_skip_rpc=0",
    "log_level=debug5", "log_level=quiet", "disable_x11=1", "join_container=0", "nodename=n1", "nodename=n2", "service=*",
    "service=su", "timeout=1", "timeout=3", "callerid_timeout=1", "spool_dir=/spool", "helper=/opt/h", "slurm_conf=/etc/x",
    "exempt_users=alice", "exempt_groups=admins", "exempt_groups=broken-group", "quiet", "service=sshd,su", "sticky=1"};
constexpr const char* waits[] = {"wait_for_job=2", "controller=rpc", "controller_timeout=1", "wait_for_job=1"};
constexpr const char* of_files[] = {"exempt_users=@/lists/good", "exempt_groups=@/lists/good", "exempt_users=@/lists/bad,bob",
                                      "exempt_users=@/lists/raw", "exempt_adopt=1", "exempt_users=alice",
                                      "deny_message_file=/lists/raw", "deny_message_file=/lists/bad"};
constexpr const char* wrong_options[] = {"wrong=1", "strict=maybe", "action_no_jobs=allow", "timeout=1 2", "strict", "quiet"};
constexpr std::int32_t versions[] = {38 << 8, 44 << 8, 46 << 8, 41 << 8, 0, -1, 43 << 8};
constexpr int connect_errors[] = {0, ECONNREFUSED, ENOENT, EAGAIN, EACCES, EPROTOTYPE, EMFILE};
constexpr int delays[] = {0, 1, 50, 190, 250, 1200, 30000};
constexpr uid_t owners[] = {alice, bob, 0, 4294967295U, 7};

bool bit(unsigned byte, int which)
{
    return (byte >> which & 1U) != 0;
}

bool same_option(std::string_view a, std::string_view b)
{
    return a.substr(0, a.find('=')) == b.substr(0, b.find('='));
}

std::vector<std::string> options_of(Input& input, int most)
{
    constexpr unsigned first_wait = 240;
    constexpr unsigned first_of_files = first_wait - std::size(of_files);
    constexpr unsigned first_wrong = first_wait + std::size(waits);
    std::vector<std::string> found;
    for (int i = 0; i < most; ++i) {
        const unsigned which = input.byte();
        const std::string option = which < first_of_files ? options[which % std::size(options)]
                                   : which < first_wait  ? of_files[which - first_of_files]
                                   : which < first_wrong ? waits[which - first_wait]
                                                         : wrong_options[which % std::size(wrong_options)];
        // Twice is wrong: only where that is wanted.
        const bool is_known = std::any_of(found.begin(), found.end(), [&](const std::string& other) { return same_option(option, other); });
        if (!option.empty() && (!is_known || which >= first_wrong)) found.push_back(option);
    }
    return found;
}

Login login_of(Input& input)
{
    Login login;
    login.user = input.byte();
    login.service = input.pick(services);
    login.rhost = input.pick(hosts);
    const unsigned bits = input.byte();
    login.flags = bit(bits, 0) ? 0x8000 : 0;  // PAM_SILENT
    login.putenv_fails = bit(bits, 1);
    login.set_data_fails = bit(bits, 2);
    login.with_session = bit(bits, 3);
    login.with_close = bit(bits, 4);
    login.options = options_of(input, 6);
    login.memory = input.word() % 700;  // a login takes some hundred
    if (const unsigned job = input.byte(); job != 0)
        login.environment.push_back(job == 255 ? "SLURM_JOB_ID=x" : "SLURM_JOB_ID=" + std::to_string(job));
    const unsigned between = input.byte();
    login.is_moved_out = bit(between, 0);
    login.is_forked = bit(between, 1);
    login.steps_end = bit(between, 2);
    if (bit(between, 3)) login.environment.push_back("XDG_RUNTIME_DIR=/run/user/41001");
    if (bit(between, 4)) login.environment.push_back("XDG_RUNTIME_DIR=/run/slurm-adopt/user/41001");
    login.session_user = bit(between, 5) ? 2 : login.user;
    login.session_options = bit(between, 6) ? options_of(input, 3) : login.options;
    return login;
}

Step step_of(Input& input, std::size_t number, Layout layout)
{
    Step step;
    const unsigned job = input.byte();
    step.job_id = job == 0 ? 7 + static_cast<std::uint32_t>(number) : job;
    step.pid = 501 + static_cast<pid_t>(number);
    const unsigned file = input.byte();
    step.is_listed = !bit(file, 0);
    step.is_socket = !bit(file, 1);
    step.has_file = !bit(file, 2);
    step.file_owner = bit(file, 3) ? alice : 0;
    step.socket_owner = bit(file, 4) ? alice : 0;
    step.peer = bit(file, 5) ? alice : 0;
    step.has_batch_directory = bit(file, 6);
    step.hides_pid = bit(file, 7);
    const unsigned where = input.byte();
    step.layout = where % 8 == 0 ? layout : static_cast<Layout>((where % 8 - 1) % 5);
    step.begins_late = bit(where, 3);
    step.ends_early = bit(where, 4);
    step.raw_reply = bit(where, 5);
    step.other_pids = bit(where, 6);
    step.node = bit(where, 7) ? "n2" : "n1";
    step.says = input.pick(owners);
    const unsigned owner = input.byte();
    step.tree_owner = owner == 0 ? step.says : owners[owner % 5];
    const unsigned moves = input.byte();
    step.moves = static_cast<Moves>(moves % 4);
    constexpr std::int32_t step_states[] = {2, 1, 3, 0, 4, -1, 2, 2};
    step.state_after = step_states[moves >> 2 & 7U];
    if (bit(moves, 5)) step.state_before = step.state_after;
    step.result = static_cast<std::int8_t>(input.byte());
    step.version = input.pick(versions);
    step.connect_error = input.pick(connect_errors);
    step.display = static_cast<std::int8_t>(input.byte());
    step.xauthority = input.byte();
    step.namespaces = input.byte();
    step.chunk = input.byte();
    const unsigned end = input.byte();
    step.ending = static_cast<Ending>(end & 3);
    step.cut = end >> 2;
    step.delay_ms = input.pick(delays);
    step.flip_at = input.byte();
    step.flip = input.byte();
    constexpr char states[] = {'S', 'T', 'Z', 0, 'R', 't'};
    step.state = input.pick(states);
    return step;
}

}  // namespace

std::string Step::tree() const
{
    return "slurm_" + node + "/uid_" + std::to_string(tree_owner) + "/job_" + std::to_string(job_id) + "/step_extern";
}

std::string Step::scope() const
{
    const std::string job = layout == Layout::v2 ? "job_" + std::to_string(job_id) : "s4ZHM7WXK5QW" + std::to_string(job_id);
    return "/system.slice/" + node + "_slurmstepd.scope/" + job + "/step_extern";
}

const char* user_name_of(std::uint8_t user)
{
    return users[user % std::size(users)];
}

World world_of(Input& input)
{
    World world;
    world.login = login_of(input);
    world.layout = static_cast<Layout>(input.byte() % 5);
    world.parent = input.byte() % 4;
    world.listing = input.byte() % 5;
    world.mounts = input.byte() % 3;
    world.connection = input.byte() % 5;
    world.helper_file = input.byte() % 7;
    world.helper_reply = input.byte();
    world.helper_job = input.byte();
    world.run = input.byte();
    world.signals = input.byte();
    const unsigned last = input.byte();
    world.freezer = last & 3U;
    world.own_proc = bit(last, 2);

    const std::size_t steps = (input.byte() + std::size_t{1}) % 6;
    for (std::size_t i = 0; i < steps; ++i) {
        Step step = step_of(input, i, world.layout);
        // A path is one socket.
        while (std::any_of(world.steps.begin(), world.steps.end(), [&](const Step& other) { return other.file_name() == step.file_name(); }))
            ++step.job_id;
        world.steps.push_back(std::move(step));
    }
    for (std::size_t faults = input.byte() % 9; faults > 0; --faults) {
        const unsigned skip = input.byte();
        const unsigned which = input.byte();
        world.faults.push_back({skip, which & 15U, (which >> 4) * (which >> 4)});
    }
    world.raw = input.rest();
    return world;
}

}  // namespace slurm_adopt::fuzz
