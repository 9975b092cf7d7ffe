// SPDX-License-Identifier: GPL-2.0-or-later
#include "check/run_command.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "slurm_adopt/fd.h"
#include "slurm_adopt/interrupted.h"

namespace slurm_adopt::tool {
namespace {

constexpr std::size_t most_output = std::size_t{1024} * 1024;

class SpawnActions {
public:
    SpawnActions() { (void)::posix_spawn_file_actions_init(&actions_); }
    SpawnActions(const SpawnActions&) = delete;
    SpawnActions& operator=(const SpawnActions&) = delete;
    ~SpawnActions() { (void)::posix_spawn_file_actions_destroy(&actions_); }
    [[nodiscard]] bool output_to(int fd)
    {
        return ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0 &&
               ::posix_spawn_file_actions_adddup2(&actions_, fd, STDOUT_FILENO) == 0 &&
               ::posix_spawn_file_actions_adddup2(&actions_, fd, STDERR_FILENO) == 0;
    }
    [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

private:
    posix_spawn_file_actions_t actions_{};
};

// False at the deadline.
bool read_until_end(const Fd& from, std::string& text, Deadline deadline)
{
    std::array<char, 4096> buffer{};
    for (;;) {
        pollfd wait{from.get(), POLLIN, 0};
        if (uninterrupted([&] { return ::poll(&wait, 1, deadline.poll_timeout()); }) <= 0) return false;
        const ssize_t got = uninterrupted([&] { return ::read(from.get(), buffer.data(), buffer.size()); });
        if (got <= 0) return true;
        if (text.size() < most_output) text.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

}  // namespace

Result<CommandOutput> run_command(const std::vector<std::string>& command, Deadline deadline)
{
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_error("pipe");
    const Fd from(ends[0]);
    Fd to(ends[1]);
    SpawnActions actions;
    if (!actions.output_to(to.get())) return system_error(command.front(), ENOMEM);
    std::vector<std::string> words = command;
    std::string path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::array<char*, 2> environment{path.data(), nullptr};
    pid_t child = -1;
    if (const int failure =
            ::posix_spawn(&child, command.front().c_str(), actions.get(), nullptr, arguments.data(), environment.data());
        failure != 0)
        return system_error(command.front(), failure);
    to.reset();
    CommandOutput output;
    const bool ended = read_until_end(from, output.text, deadline);
    if (!ended) (void)::kill(child, SIGKILL);
    int status = 0;
    (void)uninterrupted([&] { return ::waitpid(child, &status, 0); });
    if (!ended) return Error{ErrorCode::timed_out, 0, command.front() + ": takes too long"};
    if (WIFEXITED(status)) output.status = WEXITSTATUS(status);
    return output;
}

}  // namespace slurm_adopt::tool
