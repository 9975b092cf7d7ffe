// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/probe.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <optional>

#include "slurm_adopt/cgroup_path.h"
#include "slurm_adopt/hung.h"
#include "slurm_adopt/stepd_place.h"
#include "slurm_adopt/stepd_protocol.h"
#include "slurm_adopt/unix_stream.h"

namespace slurm_adopt {
namespace {

using namespace std::chrono_literals;

// sshd's own limit of descriptors may be as low as 1024, and a session must not be denied for our sake.
constexpr std::size_t most_at_once = 128;
constexpr std::size_t few = 3;
// A full backlog empties as fast as slurmstepd accepts; there is nothing to poll for.
constexpr auto backlog_retry = 10ms;
constexpr auto longest_look_at_stopped = 50ms;

// One step that is still to be connected to.
struct Waiting {
    Candidate candidate;
    bool tried = false;  // it could not be had just then
};

// One step that has been connected to and asked, and has not answered yet.
struct Question {
    Candidate candidate;
    Fd socket;
    Peer peer;
    std::optional<StepdPlace> place;
    std::array<std::byte, 12> answer{};  // protocol version, uid, and of our own: the step's state
    std::size_t received = 0;
};

// The handshake, "whose are you" and "are you alive", in one write. Twelve bytes into an empty socket: either they fit, or the peer is gone.
bool send_question(const Fd& socket)
{
    const std::array<std::int32_t, 3> request = {stepd_protocol::any_release,
                                                 static_cast<std::int32_t>(stepd_protocol::Request::step_uid),
                                                 static_cast<std::int32_t>(stepd_protocol::Request::step_state)};
    return send_all(socket, std::as_bytes(std::span(request)), Deadline::after(0ms)).ok();
}

std::optional<uid_t> owner_by_kernel(const Roots& roots, pid_t pid)
{
    const auto cgroups = cgroups_of(roots, pid);
    if (!cgroups) return std::nullopt;
    return owner_by_path(cgroups.value());
}

class Prober {
public:
    Prober(const Roots& roots, std::vector<Candidate> candidates, uid_t uid, Deadline deadline)
        : roots_(roots), uid_(uid), deadline_(deadline)
    {
        for (Candidate& candidate : candidates) queue_.push_back({std::move(candidate)});
    }

    ProbeReport run() &&
    {
        while (true) {
            ask_as_many_as_possible();
            if (open_.empty() && queue_.empty()) break;
            if (deadline_.passed()) break;
            prepare_adoption();
            if (patience_.passed() && !keep_waiting()) break;
            wait();
        }
        give_up_on_the_rest();
        return std::move(report_);
    }

private:
    void ask_as_many_as_possible()
    {
        out_of_descriptors_ = false;
        for (std::size_t tries = queue_.size(); tries > 0 && open_.size() < window_ && !out_of_descriptors_; --tries) {
            if (deadline_.passed()) return;
            ask_next();
        }
    }

    // Connects to the next candidate and asks it; one that cannot be had right now goes to the end of the queue.
    void ask_next()
    {
        const std::string path = queue_.front().candidate.path();
        auto socket = connect_unix(path);
        if (!socket) {
            const int why = socket.error().errno_value;
            out_of_descriptors_ = (why == EMFILE || why == ENFILE) && !open_.empty();
            if (out_of_descriptors_) return;  // until an answer, or patience, frees one
            if (why == EAGAIN) {
                // Its backlog is full: later. The others first, this one may be stuck for good.
                queue_.front().tried = true;
                queue_.push_back(std::move(queue_.front()));
            } else if (why != ECONNREFUSED && why != ENOENT) {  // those have ended since they were listed
                report_.unusable.push_back({std::move(queue_.front().candidate), socket.error().context});
            }
            queue_.pop_front();
            return;
        }
        Question question{std::move(queue_.front().candidate), std::move(socket).value(), {}, {}, {}, 0};
        queue_.pop_front();
        const auto peer = peer_of(question.socket);
        if (!peer || peer.value().uid != 0) {
            report_.untrusted.push_back(path);
            return;
        }
        question.peer = peer.value();
        if (!send_question(question.socket)) return;
        open_.push_back(std::move(question));
    }

    // It takes a slurmstepd a tenth of a millisecond to make a thread and answer. Meanwhile we read what adopting
    // needs to know about it - if it is one of a few, so that the reading never takes longer than the waiting.
    void prepare_adoption()
    {
        if (open_.size() + queue_.size() > few) return;
        for (Question& question : open_)
            if (!question.place) question.place = place_of(roots_, question.peer.pid);
    }

    void wait()
    {
        std::vector<pollfd> waiting;
        waiting.reserve(open_.size());
        for (const Question& question : open_) waiting.push_back({question.socket.get(), POLLIN, 0});
        int timeout = (patience_.passed() ? deadline_ : deadline_.sooner(patience_)).poll_timeout();
        if (!queue_.empty()) timeout = std::min(timeout, static_cast<int>(backlog_retry.count()));
        const int ready = ::poll(waiting.data(), waiting.size(), timeout);
        // Those that are silent must not keep us from asking the others: most answer within a millisecond.
        if (ready == 0 && open_.size() >= window_) window_ *= 2;
        if (ready <= 0) return;  // nothing yet, or interrupted: the caller looks at the clock
        patience_ = Deadline::after(probe_grace);
        // From the back, so that erasing does not move those still to be looked at.
        for (std::size_t i = waiting.size(); i-- > 0;)
            if (waiting[i].revents != 0 && read_answer(open_[i]))
                open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(i));
    }

    // True when this question is over, one way or another.
    bool read_answer(Question& question)
    {
        const auto room = std::span(question.answer).subspan(question.received);
        const ssize_t got = ::recv(question.socket.get(), room.data(), room.size(), MSG_DONTWAIT);
        if (got < 0 && errno != ECONNRESET) return errno != EAGAIN && errno != EINTR;
        if (got <= 0) {  // reset: closed without having read all that we asked
            // Ending, or it refuses our handshake (22.05 closes after a negative version).
            if (question.received != 0) report_.unusable.push_back({std::move(question.candidate), "closed in the handshake", true});
            return true;
        }
        question.received += static_cast<std::size_t>(got);
        return is_answered(question);
    }

    bool is_answered(Question& question)
    {
        std::array<std::int32_t, 3> answer{};
        std::memcpy(answer.data(), question.answer.data(), sizeof answer);
        const auto [version, uid, state] = answer;
        if (question.received < sizeof version + sizeof uid) return false;
        if (version <= 0) {
            report_.unusable.push_back({std::move(question.candidate), "refused the handshake with " + std::to_string(version)});
            return true;
        }
        if (static_cast<uid_t>(uid) != uid_) return true;
        if (question.received < question.answer.size()) return false;
        if (!lives(stepd_protocol::StepState{state})) {
            report_.ending.push_back(std::move(question.candidate));
        } else {
            report_.own.push_back({std::move(question.candidate), std::move(question.socket), version, question.peer.pid,
                                   std::move(question.place)});
        }
        return true;
    }

    // Nobody has answered for probe_grace. Whether it is worth waiting for those that are left.
    bool keep_waiting()
    {
        if (!report_.own.empty()) return false;
        // Without a step of ours a refusal is near, so a slow answer is waited for, on a node under load too;
        // but not one that the kernel says is somebody else's, and not a process that is stopped.
        std::erase_if(open_, [&](const Question& question) {
            const auto owner = owner_by_kernel(roots_, question.peer.pid);
            return owner && *owner != uid_;
        });
        if (out_of_descriptors_) give_up_on(open_);
        const bool all_tried = std::all_of(queue_.begin(), queue_.end(), [](const Waiting& waiting) { return waiting.tried; });
        const bool all_hung = std::all_of(open_.begin(), open_.end(), [&](const Question& question) {
            return is_hung(roots_, question.peer.pid);
        });
        patience_ = Deadline::after(probe_grace);
        return !all_tried || !all_hung || (!queue_.empty() && !backlog_patience_.passed() && !all_backlogs_are_of_hung());
    }

    // Of a full backlog nobody says who listens there; but who is stopped, and where those listen, can be read.
    bool all_backlogs_are_of_hung() const
    {
        const auto hung = sockets_of_stopped(roots_, deadline_.sooner(Deadline::after(longest_look_at_stopped)));
        return std::all_of(queue_.begin(), queue_.end(), [&](const Waiting& waiting) {
            return std::binary_search(hung.begin(), hung.end(), waiting.candidate.path());
        });
    }

    void give_up_on(std::vector<Question>& questions)
    {
        for (Question& question : questions) {
            const bool own = owner_by_kernel(roots_, question.peer.pid) == uid_;
            report_.silent.push_back({std::move(question.candidate), own});
        }
        questions.clear();
    }

    void give_up_on_the_rest()
    {
        give_up_on(open_);
        for (Waiting& waiting : queue_) report_.silent.push_back({std::move(waiting.candidate), false});
    }

    const Roots& roots_;
    std::deque<Waiting> queue_;
    std::vector<Question> open_;
    std::size_t window_ = most_at_once;  // grows while nobody in it answers
    bool out_of_descriptors_ = false;
    uid_t uid_;
    Deadline deadline_;
    Deadline patience_ = Deadline::after(probe_grace);
    Deadline backlog_patience_ = Deadline::after(1s);  // a backlog that stays full is that of a hung process
    ProbeReport report_;
};

}  // namespace

ProbeReport probe(const Roots& roots, std::vector<Candidate> candidates, uid_t uid, Deadline deadline)
{
    return Prober(roots, std::move(candidates), uid, deadline).run();
}

std::optional<uid_t> ask_owner(const Candidate& candidate, Deadline deadline)
{
    const auto socket = connect_unix(candidate.path());
    if (!socket) return std::nullopt;
    const auto peer = peer_of(socket.value());
    if (!peer || peer.value().uid != 0 || !send_question(socket.value())) return std::nullopt;
    const auto version = receive_int(socket.value(), deadline);
    if (!version || version.value() <= 0) return std::nullopt;
    const auto uid = receive_int(socket.value(), deadline);
    if (!uid) return std::nullopt;
    return static_cast<uid_t>(uid.value());
}

}  // namespace slurm_adopt
