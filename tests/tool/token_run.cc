// SPDX-License-Identifier: GPL-2.0-or-later
#include "token_run.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <iterator>

namespace slurm_adopt::token_test {
namespace {

constexpr uid_t nobody = 65534;

// Deleted already: room for what a process is given and what it says.
int scratch(const std::string& content)
{
    std::FILE* const file = std::tmpfile();
    (void)std::fwrite(content.data(), 1, content.size(), file);
    (void)std::fflush(file);
    const int fd = ::fcntl(::fileno(file), F_DUPFD_CLOEXEC, 10);
    (void)std::fclose(file);
    (void)::lseek(fd, 0, SEEK_SET);
    return fd;
}

std::string content_of(int fd)
{
    std::string text;
    char buffer[4096];
    (void)::lseek(fd, 0, SEEK_SET);
    for (ssize_t got = 0; (got = ::read(fd, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(got));
    (void)::close(fd);
    return text;
}

void put(int fd, int place)
{
    if (fd < 0)
        (void)::close(place);
    else
        (void)::dup2(fd, place);
}

}  // namespace

Ended run(const Call& what)
{
    std::vector<std::string> words{SLURM_ADOPT_TOOL, "token"};
    words.insert(words.end(), what.arguments.begin(), what.arguments.end());
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::string variable = "SLURM_JWT=" + what.variable.value_or("");
    char* environment[] = {what.variable ? variable.data() : nullptr, nullptr};

    const int in = what.input ? scratch(*what.input) : -1;
    const int out = scratch("");
    const int err = scratch("");
    const pid_t child = ::fork();
    if (child == 0) {
        put(in, 0);
        put(out, 1);
        put(err, 2);
        if (what.stdout_file == "closed")
            (void)::close(1);
        else if (!what.stdout_file.empty())
            put(::open(what.stdout_file.c_str(), O_WRONLY | O_CLOEXEC), 1);
        if (what.largest_file >= 0) {
            const rlimit limit{static_cast<rlim_t>(what.largest_file), static_cast<rlim_t>(what.largest_file)};
            (void)::signal(SIGXFSZ, SIG_IGN);
            if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(126);
        }
        if (what.as_nobody && (::setgid(nobody) != 0 || ::setuid(nobody) != 0)) ::_exit(126);
        ::execve(arguments[0], arguments.data(), environment);
        ::_exit(127);
    }
    int status = 0;
    (void)::waitpid(child, &status, 0);
    if (in >= 0) (void)::close(in);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), content_of(out), content_of(err)};
}

}  // namespace slurm_adopt::token_test
