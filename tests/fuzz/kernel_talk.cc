// SPDX-License-Identifier: GPL-2.0-or-later
// What slurmstepd and the helper say, and what the kernel tells about them.
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstring>

#include "kernel.h"
#include "require.h"
#include "slurm_adopt/helper_wire.h"
#include "slurm_adopt/stepd_protocol.h"

namespace slurm_adopt::fuzz {
namespace {

using stepd_protocol::Request;

template <class T>
std::string bytes_of(const T& value)
{
    return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::string of_int(std::int32_t value)
{
    return bytes_of(value);
}

// Off the front; none where there is not that much.
std::optional<std::int32_t> take_int(std::string_view& bytes)
{
    std::int32_t value = 0;
    if (bytes.size() < sizeof value) return std::nullopt;
    std::memcpy(&value, bytes.data(), sizeof value);
    bytes.remove_prefix(sizeof value);
    return value;
}

std::string xauthority_of(const Step& step, const std::string& raw)
{
    const auto with_length = [](const std::string& text) { return of_int(static_cast<std::int32_t>(text.size())) + text; };
    switch (step.xauthority % 8) {
    case 1: return of_int(0);
    case 2: return of_int(-1);
    case 3: return of_int(4097) + std::string(4097, 'x');
    case 4: return with_length("relative");
    case 5: return with_length("/tmp/x\ny\x1b");
    case 6: return with_length(raw.substr(0, 4096));
    case 7: return of_int(2000000000);
    default: return with_length(std::string("/tmp/xauth_7\0", 13));
    }
}

std::string attribute(std::uint16_t type, const std::string& value)
{
    std::string text = bytes_of(nlattr{static_cast<std::uint16_t>(sizeof(nlattr) + value.size()), type}) + value;
    text.resize((text.size() + 3) & ~std::size_t{3});
    return text;
}

std::string message(std::uint16_t type, const std::string& payload)
{
    std::string text = bytes_of(nlmsghdr{static_cast<std::uint32_t>(sizeof(nlmsghdr) + payload.size()), type, NLM_F_MULTI, 1, 0}) + payload;
    text.resize((text.size() + 3) & ~std::size_t{3});
    return text;
}

}  // namespace

std::string Kernel::cgroup_of_stepd(const Step& step) const
{
    const std::string outside = "1:name=systemd:/system.slice/slurmd.service\n0::/system.slice/slurmd.service\n";
    if (step.begins_late && !asked.contains(static_cast<int>(&step - world.steps.data()))) return outside;
    switch (step.layout) {
    case Layout::v1: {
        const std::string tree = '/' + step.tree();
        return "6:freezer:" + tree.substr(0, tree.rfind('/')) + "\n4:memory:" + tree + '\n' + outside;
    }
    case Layout::v2:
    case Layout::v2_sluid: return "0::" + step.scope() + "/slurm\n";
    case Layout::none: return outside;
    case Layout::raw: return world.raw.substr(0, world.raw.find('\0'));
    }
    return outside;
}

std::string Kernel::cgroup_of(bool parent) const
{
    const int where = parent ? parent_step : own_step;
    const Step* const step = where < 0 ? nullptr : &world.steps[static_cast<std::size_t>(where)];
    if (step != nullptr && step->layout == Layout::raw) {
        const std::size_t end = world.raw.find('\0');
        return end == std::string::npos ? world.raw : world.raw.substr(end + 1);
    }
    const bool in_tree = step != nullptr && step->layout == Layout::v1;
    const bool in_scope = step != nullptr && (step->layout == Layout::v2 || step->layout == Layout::v2_sluid);
    const std::string tree = in_tree ? '/' + step->tree() : "/";
    return "6:freezer:" + tree + "\n4:memory:" + tree + "\n1:name=systemd:/user.slice\n0::" +
           (in_scope ? step->scope() + "/user/task_special" : "/user.slice/session-1.scope") + '\n';
}

std::string Kernel::socket_table() const
{
    std::string text = "Num       RefCount Protocol Flags    Type St Inode Path\n";
    for (const Step& step : world.steps)
        if (step.is_listed && !is_gone(step))
            text += "ffff8c0a43b0c400: 00000002 00000000 00010000 0001 01 " + std::to_string(inode_of(step)) + ' ' +
                    std::string(spool) + '/' + step.file_name() + '\n';
    return text;
}

std::deque<std::string> Kernel::datagrams() const
{
    if (world.listing == 3) return {world.raw.empty() ? std::string(1, 'x') : world.raw, message(NLMSG_DONE, std::string(4, '\0'))};
    std::deque<std::string> all;
    for (const Step& step : world.steps) {
        if (!step.is_listed || is_gone(step)) continue;
        unix_diag_msg head{};
        std::string socket = bytes_of(head) + attribute(UNIX_DIAG_NAME, std::string(spool) + '/' + step.file_name() + '\0');
        if (world.listing == 0) socket += attribute(7, bytes_of(step.socket_owner));  // UNIX_DIAG_UID
        all.push_back(message(SOCK_DIAG_BY_FAMILY, socket));
    }
    all.push_back(message(NLMSG_DONE, std::string(4, '\0')));
    return all;
}

bool Kernel::is_readable(const Talk& talk) const
{
    return (!talk.coming.empty() && talk.coming.front().at <= now_) || ((talk.is_closed || talk.is_reset) && talk.coming.empty());
}

void Kernel::say(std::size_t index, const std::string& bytes, int descriptors)
{
    Talk& talk = talks[index];
    if (talk.is_closed || talk.is_reset) return;
    Item item{bytes, descriptors, now_};
    if (talk.step >= 0) {
        const Step& step = world.steps[static_cast<std::size_t>(talk.step)];
        item.at += std::chrono::milliseconds(step.delay_ms);
        if (step.flip != 0 && step.flip_at >= talk.said && step.flip_at < talk.said + bytes.size())
            item.bytes[step.flip_at - talk.said] = static_cast<char>(item.bytes[step.flip_at - talk.said] ^ static_cast<char>(step.flip));
        if (step.ending != Ending::never && talk.said + bytes.size() > step.cut) {
            item.bytes.resize(step.cut > talk.said ? step.cut - talk.said : 0);
            if (step.ending == Ending::closed) talk.is_closed = true;
            if (step.ending == Ending::reset) talk.is_reset = true;
        }
    }
    talk.said += bytes.size();
    if (!item.bytes.empty()) talk.coming.push_back(std::move(item));
}

void Kernel::hear(std::size_t index, std::string_view bytes)
{
    talks[index].asked += bytes;
    if (talks[index].step < 0) {
        answer_helper(index);
        return;
    }
    const Step& step = world.steps[static_cast<std::size_t>(talks[index].step)];
    require(step.peer == 0, "who is not root is told nothing");
    std::string_view left = talks[index].asked;
    for (;;) {
        std::string_view rest = left;
        const auto request = take_int(rest);
        if (!request) break;
        if (!talks[index].shook_hands) {
            require(*request == stepd_protocol::any_release, "the conversation begins with the version");
            talks[index].shook_hands = true;
            say(index, of_int(step.version));
        } else if (*request == static_cast<std::int32_t>(Request::add_extern_pid) && rest.size() < 4) {
            break;
        } else {
            answer(index, *request, rest);
        }
        left = rest;
    }
    talks[index].asked = left;
}

void Kernel::answer(std::size_t index, std::int32_t request, std::string_view& arguments)
{
    const int number = talks[index].step;
    const Step& step = world.steps[static_cast<std::size_t>(number)];
    switch (static_cast<Request>(request)) {
    case Request::step_state:
        say(index, of_int(talks[index].asked_for_own || talks[index].asked_for_parent ? step.state_after : step.state_before));
        return;
    case Request::step_uid:
        say(index, bytes_of(step.says));
        return;
    case Request::add_extern_pid: {
        const std::string& told = talks[index].delivered;
        std::int32_t version = 0;
        uid_t owner = 0;
        std::int32_t state = 0;
        require(told.size() >= 12, "nobody is asked to adopt before the answer is there");
        std::memcpy(&version, told.data(), sizeof version);
        std::memcpy(&owner, told.data() + sizeof version, sizeof owner);
        std::memcpy(&state, told.data() + sizeof version + sizeof owner, sizeof state);
        require(state == 1 || state == 2, "no step that is ending is asked to adopt");
        require(version > 0 && owner == subject, "only the user's own step is asked to adopt");
        const pid_t who = take_int(arguments).value_or(0);
        require(who == pid || (who == parent_pid && world.parent == 1), "this process is adopted, or sshd's monitor of it");
        (who == pid ? talks[index].asked_for_own : talks[index].asked_for_parent) = true;
        adopt(number, who);
        say(index, step.raw_reply ? world.raw.substr(0, 16384) : of_int(step.result));
        return;
    }
    case Request::x11_display:
        say(index, of_int(step.display) + xauthority_of(step, world.raw));
        return;
    case Request::get_ns_fd:
        require(step.version < stepd_protocol::release_25_11 || step.flip != 0, "what a release does not know is not asked for");
        if (step.namespaces == 0 && step.version < stepd_protocol::release_25_11) {
            say(index, of_int(0));
        } else {
            say(index, of_int((step.namespaces & 128U) != 0 ? -1 : 1));
            say(index, "x", step.namespaces % 8);
        }
        return;
    case Request::get_ns_fds: {
        const unsigned count = step.namespaces % 8;
        say(index, of_int((step.namespaces & 128U) != 0 ? -1 : static_cast<std::int32_t>(count)));
        for (unsigned i = 0; i < count; ++i) {
            say(index, of_int(0x20000));  // CLONE_NEWNS
            say(index, "x", (step.namespaces & 64U) != 0 ? 6 : (step.namespaces & 32U) != 0 ? 0 : 1);
        }
        return;
    }
    }
    require(false, "nothing is asked that slurmstepd does not know");
}

void Kernel::adopt(int number, pid_t who)
{
    const Step& step = world.steps[static_cast<std::size_t>(number)];
    asked.insert(number);
    const bool moves_own = step.moves == Moves::both || step.moves == Moves::child_only;
    const bool moves_parent = step.moves == Moves::both || step.moves == Moves::parent_only;
    if (who == pid && moves_own) own_step = number;
    if (who == parent_pid && moves_parent) parent_step = number;
}

void Kernel::let_helper_live()
{
    if (!helper.is_alive || now_ < helper.dies_at) return;
    helper.is_alive = false;
    helper.signal_is_pending = true;
    if ((world.signals & 2U) != 0) helper.is_reaped = true;  // the host ignores SIGCHLD
    talks[helper.talk].is_closed = true;
}

void Kernel::answer_helper(std::size_t index)
{
    using namespace helper_wire;
    const std::span<const std::byte> whole = fuzz::bytes_of(std::string_view(talks[index].asked));
    if (whole.size() < sizeof(Header)) return;
    const auto header = decode_header(whole.first(sizeof(Header)), Kind::request);
    require(header.ok() && header.value().module_pid == pid, "the helper is asked properly");
    if (whole.size() < sizeof(Header) + header.value().size) return;
    require(whole.size() == sizeof(Header) + header.value().size, "one question");
    const bool is_whois = header.value().verb == static_cast<std::uint32_t>(Verb::whois);
    const bool is_jobs = header.value().verb == static_cast<std::uint32_t>(Verb::jobs);
    const bool is_job = header.value().verb == static_cast<std::uint32_t>(Verb::job);
    if (is_jobs) require(decode_body<JobsRequest>(whole.subspan(sizeof(Header))).ok(), "a proper question");
    if (is_whois) require(decode_body<WhoisRequest>(whole.subspan(sizeof(Header))).ok(), "a proper question");
    WhoisReply job;
    job.status = static_cast<std::uint32_t>(world.helper_job == 0 && world.steps.empty() ? Status::no_job : Status::answered);
    if (job.status == static_cast<std::uint32_t>(Status::answered)) job.job_id = world.helper_job != 0 ? world.helper_job : world.steps.front().job_id;
    TimesReply times;
    if (!is_whois && !is_jobs && !is_job) {
        const auto request = decode_body<TimesRequest>(whole.subspan(sizeof(Header)));
        require(request.ok(), "a proper question");
        times.count = request.value().count;
        for (std::uint32_t i = 0; i < times.count; ++i) times.began_ns[i] = 1'700'000'000 + request.value().pids[i];
    }
    const unsigned kind = world.helper_reply % 16;
    if (kind == 1 || kind == 2) {
        job = {};
        job.status = static_cast<std::uint32_t>(kind == 1 ? Status::no_job : Status::not_a_node);
        times.count += 1;
    }
    if (kind == 9) job = {};
    if (kind == 9) times.began_ns[0] = 0;
    JobsReply listed;
    listed.status = static_cast<std::uint32_t>(kind == 9 ? JobsStatus::failed : JobsStatus::answered);
    // Of whom, and in what state, as the job's number says; it may be in none.
    if (kind != 1 && kind != 9) {
        listed.count = 1;
        const std::uint32_t id = world.helper_job != 0 ? world.helper_job : 7;
        listed.jobs[0] = {id, id % 5 == 4 ? bob : subject, id % 4, id % 7};
    }
    JobReply details;
    details.status = listed.status;
    if (kind != 1 && kind != 9 && is_job) {
        const auto request = decode_body<JobRequest>(whole.subspan(sizeof(Header)));
        require(request.ok(), "a proper question");
        details.job_id = kind == 2 ? request.value().job_id + 1 : request.value().job_id;
        details.uid = listed.jobs[0].uid;
        require(put_whole(details.name, std::string_view(world.raw).substr(0, world.raw.find('\0')).substr(0, longest_job_name - 1)), "a text is a text");
    }
    const auto encoded = is_job ? encode(kind != 6 ? Verb::job : Verb::jobs, details)
                         : is_jobs ? encode(kind != 6 ? Verb::jobs : Verb::times, listed) : is_whois == (kind != 6) ? encode(Verb::whois, job) : encode(Verb::times, times);
    std::string reply(reinterpret_cast<const char*>(encoded.data()), encoded.size());
    if (kind == 3) reply = world.raw;
    if (kind == 4) reply = reply.substr(0, 24) + world.raw;  // sizeof(Header)
    if (kind == 5 || kind == 7 || kind == 8 || kind == 10) return;
    if (kind == 11) reply.resize(reply.size() / 2);
    if (kind == 12) talks[index].is_closed = true;
    say(index, reply);
    if (kind == 0 || kind == 11) helper.dies_at = now_ + std::chrono::milliseconds(1);
}

}  // namespace slurm_adopt::fuzz
