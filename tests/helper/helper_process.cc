// SPDX-License-Identifier: GPL-2.0-or-later
#include "helper_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "slurm_adopt/deadline.h"

namespace slurm_adopt::test {
namespace {

using namespace std::chrono_literals;

[[noreturn]] void execute(const std::vector<std::string>& arguments, const std::vector<std::string>& environment)
{
    std::vector<char*> argv{const_cast<char*>(HELPER_PROGRAM)};
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    std::vector<char*> envp;
    for (const std::string& variable : environment) envp.push_back(const_cast<char*>(variable.c_str()));
    envp.push_back(nullptr);
    ::execve(HELPER_PROGRAM, argv.data(), envp.data());
    ::_exit(127);
}

std::string read_all(const Fd& fd)
{
    std::string text;
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = ::read(fd.get(), buffer.data(), buffer.size())) > 0;) text.append(buffer.data(), static_cast<std::size_t>(got));
    return text;
}

struct Pipe {
    Fd read;
    Fd write;
    Pipe()
    {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) ADD_FAILURE() << "pipe2";
        read = Fd(ends[0]);
        write = Fd(ends[1]);
    }
};

std::string wait_for_end(pid_t pid, Deadline deadline)
{
    for (;;) {
        int status = 0;
        if (::waitpid(pid, &status, WNOHANG) == pid) {
            if (WIFEXITED(status)) return "exited " + std::to_string(WEXITSTATUS(status));
            return "killed " + std::to_string(WTERMSIG(status));
        }
        if (deadline.passed()) return "still running";
        std::this_thread::sleep_for(1ms);
    }
}

}  // namespace

bool is_root()
{
    return ::geteuid() == 0;
}

std::vector<std::string> with_fake_slurm(std::vector<std::string> more)
{
    more.emplace_back("LD_PRELOAD=" FAKE_SLURM);
    more.emplace_back("ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0");
    return more;
}

HelperProcess::HelperProcess(std::vector<std::string> environment, const std::function<void()>& in_child)
{
    std::array<int, 2> pair{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) ADD_FAILURE() << "socketpair";
    socket_ = Fd(pair[0]);
    const Fd theirs(pair[1]);
    Pipe errors;
    pid_ = ::fork();
    if (pid_ == 0) {
        // The numbers may be those that they go to.
        const int socket = ::fcntl(theirs.get(), F_DUPFD, 100);
        const int error = ::fcntl(errors.write.get(), F_DUPFD, 100);
        const int null = ::open("/dev/null", O_RDWR);
        (void)::dup2(null, 0);
        (void)::dup2(null, 1);
        (void)::dup2(error, 2);
        (void)::dup2(socket, 3);
        (void)::close(socket);
        (void)::close(error);
        if (in_child) in_child();
        execute({}, environment);
    }
    errors_ = std::move(errors.read);
}

HelperProcess::~HelperProcess()
{
    if (pid_ <= 0) return;
    (void)::kill(pid_, SIGKILL);
    (void)::waitpid(pid_, nullptr, 0);
}

void HelperProcess::send(const std::vector<std::byte>& bytes) const
{
    (void)::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

std::vector<std::byte> HelperProcess::receive(std::chrono::milliseconds patience) const
{
    const Deadline deadline = Deadline::after(patience);
    std::vector<std::byte> bytes;
    for (;;) {
        pollfd waiting{.fd = socket_.get(), .events = POLLIN, .revents = 0};
        if (::poll(&waiting, 1, deadline.poll_timeout()) <= 0) return bytes;
        std::array<std::byte, 4096> buffer{};
        const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (got <= 0) return bytes;
        bytes.insert(bytes.end(), buffer.begin(), buffer.begin() + got);
    }
}

std::string HelperProcess::end(std::chrono::milliseconds patience)
{
    std::string how = wait_for_end(pid_, Deadline::after(patience));
    if (how != "still running") pid_ = -1;
    return how;
}

std::string HelperProcess::error_output() const
{
    return read_all(errors_);
}

Outcome run_by_hand(const std::vector<std::string>& arguments, const std::function<void()>& prepare)
{
    Pipe output;
    Pipe errors;
    const pid_t pid = ::fork();
    if (pid == 0) {
        (void)::dup2(output.write.get(), 1);
        (void)::dup2(errors.write.get(), 2);
        (void)::close(3);
        if (prepare) prepare();
        execute(arguments, {});
    }
    output.write.reset();
    errors.write.reset();
    Outcome run;
    run.output = read_all(output.read);
    run.errors = read_all(errors.read);
    run.end = wait_for_end(pid, Deadline::after(10s));
    return run;
}

template <class Reply, class Request>
Reply ask(helper_wire::Verb verb, const Request& request, const std::vector<std::string>& environment, std::uint32_t log_level)
{
    HelperProcess helper(environment);
    helper.send(helper_wire::encode(verb, request, ::getpid(), log_level));
    const auto bytes = helper.receive();
    EXPECT_EQ(helper.end(), "exited 0");
    EXPECT_EQ(helper.error_output(), "");
    EXPECT_EQ(bytes.size(), sizeof(helper_wire::Header) + sizeof(Reply));
    if (bytes.size() != sizeof(helper_wire::Header) + sizeof(Reply)) return {};
    const auto header = helper_wire::decode_header(std::span(bytes).first(sizeof(helper_wire::Header)));
    EXPECT_TRUE(header.ok()) << header.error().context;
    const auto body = helper_wire::decode_body<Reply>(std::span(bytes).subspan(sizeof(helper_wire::Header)));
    EXPECT_TRUE(body.ok()) << body.error().context;
    return body ? body.value() : Reply{};
}

template helper_wire::WhoisReply ask(helper_wire::Verb, const helper_wire::WhoisRequest&, const std::vector<std::string>&, std::uint32_t);
template helper_wire::ConfigReply ask(helper_wire::Verb, const helper_wire::ConfigRequest&, const std::vector<std::string>&, std::uint32_t);
template helper_wire::JobsReply ask(helper_wire::Verb, const helper_wire::JobsRequest&, const std::vector<std::string>&, std::uint32_t);
template helper_wire::TimesReply ask(helper_wire::Verb, const helper_wire::TimesRequest&, const std::vector<std::string>&, std::uint32_t);
template helper_wire::JobReply ask(helper_wire::Verb, const helper_wire::JobRequest&, const std::vector<std::string>&, std::uint32_t);

}  // namespace slurm_adopt::test
