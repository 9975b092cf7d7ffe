// SPDX-License-Identifier: GPL-2.0-or-later
#include "in_child.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>

#include "cgroup_tree.h"
#include "slurm_adopt/deadline.h"

namespace slurm_adopt::test {
namespace {

constexpr char separator = '\x1e';  // the module's lines have no control characters
constexpr std::chrono::seconds longest{60};

[[noreturn]] void run(const std::function<std::vector<std::string>()>& work, int out)
{
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::string text;
    for (const std::string& line : work()) text += line + separator;
    for (std::size_t sent = 0; sent < text.size();) {
        const ssize_t now = ::write(out, text.data() + sent, text.size() - sent);
        if (now <= 0) ::_exit(9);
        sent += static_cast<std::size_t>(now);
    }
    leave_cgroups();  // or the tree could not be removed while we are a zombie
    ::_exit(0);
}

}  // namespace

ChildResult in_child(const std::function<std::vector<std::string>()>& work)
{
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("pipe");
    const pid_t child = ::fork();
    if (child == 0) {
        (void)::close(ends[0]);
        run(work, ends[1]);
    }
    (void)::close(ends[1]);

    ChildResult result;
    std::string text;
    const Deadline deadline = Deadline::after(longest);
    while (true) {
        pollfd waiting{.fd = ends[0], .events = POLLIN, .revents = 0};
        if (::poll(&waiting, 1, deadline.poll_timeout()) == 0) {
            result.trouble = "hangs";
            (void)::kill(child, SIGKILL);
            break;
        }
        char buffer[4096];
        const ssize_t got = ::read(ends[0], buffer, sizeof buffer);
        if (got <= 0) break;
        text.append(buffer, static_cast<std::size_t>(got));
    }
    (void)::close(ends[0]);
    int status = 0;
    (void)::waitpid(child, &status, 0);
    if (result.trouble.empty() && WIFSIGNALED(status))
        result.trouble = "killed by signal " + std::to_string(WTERMSIG(status));
    if (result.trouble.empty() && WEXITSTATUS(status) != 0)
        result.trouble = "exit code " + std::to_string(WEXITSTATUS(status));
    for (std::size_t at = 0, end; (end = text.find(separator, at)) != std::string::npos; at = end + 1)
        result.lines.push_back(text.substr(at, end - at));
    return result;
}

}  // namespace slurm_adopt::test
