// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/asked_child.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <utility>

#include "slurm_adopt/interrupted.h"

namespace slurm_adopt {
namespace {

constexpr std::size_t piece = 4096;

// What a question comes to follows its answer, so that nobody has to wait for the child's end to know it.
constexpr std::uint32_t answered = 0x5a17ed01;  // a child that ends before it has not answered
struct Trailer {
    std::uint32_t mark = 0;
    int status = 0;  // 0 or an errno
};

int answer_and_status(const void* context, int out, int given) noexcept
{
    const auto& question = *static_cast<const ChildTask*>(context);
    const Trailer trailer{answered, question.run(question.context, out, given)};
    const int error = write_answer(out, reinterpret_cast<const char*>(&trailer), sizeof trailer);
    (void)::shutdown(out, SHUT_WR);
    return error;
}

// Until it closes its end.
Result<std::string> read_answer(const Child& child, std::size_t most, Deadline deadline)
{
    std::string answer;
    for (;;) {
        const std::size_t length = answer.size();
        answer.resize(length + piece);
        const ssize_t got =
            uninterrupted([&] { return ::recv(child.socket().get(), answer.data() + length, piece, MSG_DONTWAIT); });
        const int error = errno;
        answer.resize(length + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        if (got == 0) return answer;
        if (got < 0 && error != EAGAIN) return system_error("recv", error);
        if (answer.size() > most) return Error{ErrorCode::too_large, 0, "longer than expected"};
        if (got > 0) continue;  // mostly all of it is there by now
        if (deadline.passed()) return Error{ErrorCode::timed_out, 0, "no answer in time"};
        (void)child.wait_for_output(deadline);
    }
}

// Of a child that has closed its end without a trailer.
Error why_not(Child& child, Deadline deadline)
{
    const ChildEnd end = child.wait_for_end(deadline);
    const bool in_time = end.how != ChildEnd::How::killed && end.how != ChildEnd::How::hangs;
    return {in_time ? ErrorCode::closed : ErrorCode::timed_out, 0, end.text()};
}

}  // namespace

Result<AskedChild> AskedChild::start(const ChildTask& task)
{
    ChildTask asked = task;
    asked.run = answer_and_status;
    asked.context = &task;
    auto child = Child::start(asked);
    if (!child) return std::move(child).error();
    return AskedChild(std::move(child).value());
}

Result<Answer> AskedChild::answer(std::size_t most, Deadline deadline)
{
    auto bytes = read_answer(child_, most + sizeof(Trailer), deadline);
    if (!bytes) return std::move(bytes).error();  // the destructor kills it
    Trailer trailer;
    const std::size_t size = bytes.value().size() - std::min(bytes.value().size(), sizeof trailer);
    if (bytes.value().size() >= sizeof trailer) std::memcpy(&trailer, bytes.value().data() + size, sizeof trailer);
    if (trailer.mark != answered) return why_not(child_, deadline);
    if (trailer.status != 0) return system_error("in a child", trailer.status);
    bytes.value().resize(size);
    return Answer{std::move(bytes).value(), std::move(child_)};
}

bool AskedChild::abandon()
{
    return child_.wait_for_end(Deadline::after(std::chrono::milliseconds{0})).how != ChildEnd::How::hangs;
}

Result<Answer> ask_child(const ChildTask& task, std::size_t most, Deadline deadline)
{
    auto asked = AskedChild::start(task);
    if (!asked) return std::move(asked).error();
    return asked.value().answer(most, deadline);
}

int write_answer(int out, const char* bytes, std::size_t size) noexcept
{
    while (size > 0) {
        // Nobody listens any more: no SIGPIPE is needed to say so.
        const ssize_t sent = ::send(out, bytes, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return sent < 0 ? errno : EIO;
        bytes += sent;
        size -= static_cast<std::size_t>(sent);
    }
    return 0;
}

int copy_answer(int out, int from, std::size_t most) noexcept
{
    char buffer[piece];
    for (std::size_t left = most + 1; left > 0;) {
        const ssize_t got = ::read(from, buffer, std::min(left, sizeof buffer));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno;
        if (got == 0) return 0;
        if (const int error = write_answer(out, buffer, static_cast<std::size_t>(got)); error != 0) return error;
        left -= static_cast<std::size_t>(got);
    }
    return 0;
}

}  // namespace slurm_adopt
