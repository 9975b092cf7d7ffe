// SPDX-License-Identifier: GPL-2.0-or-later
// The built slurm-adopt, run as people run it.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "support/temp_directory.h"

namespace slurm_adopt::test {

inline std::string contents(const std::string& path)
{
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

struct Ran {
    int status = -1;  // exit code; -1 where a signal ended it
    std::string out;
    std::string err;
};

// One run; its TMPDIR is its own, so that a killed run leaves nothing on the machine.
class Tool {
public:
    explicit Tool(const std::vector<std::string>& arguments) : pid_(::fork())
    {
        if (pid_ != 0) return;
        (void)::setenv("TMPDIR", directory_.path().c_str(), 1);
        redirect("out", STDOUT_FILENO);
        redirect("err", STDERR_FILENO);
        std::vector<std::string> words{SLURM_ADOPT_TOOL};
        words.insert(words.end(), arguments.begin(), arguments.end());
        std::vector<char*> pointers;
        for (std::string& word : words) pointers.push_back(word.data());
        pointers.push_back(nullptr);
        (void)::execv(pointers[0], pointers.data());
        ::_exit(127);
    }
    Tool(const Tool&) = delete;
    Tool& operator=(const Tool&) = delete;
    ~Tool()
    {
        kill();
        (void)wait();
    }

    void kill() const
    {
        if (pid_ > 0) (void)::kill(pid_, SIGKILL);
    }
    Ran wait()
    {
        int status = 0;
        if (pid_ <= 0 || ::waitpid(pid_, &status, 0) != pid_) return {};
        pid_ = -1;
        return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, contents(directory_ / "out"), contents(directory_ / "err")};
    }

private:
    void redirect(const std::string& name, int to) const
    {
        const int fd = ::open((directory_ / name).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0 || ::dup2(fd, to) < 0) ::_exit(126);
    }
    const TempDirectory directory_;
    pid_t pid_;
};

inline Ran run_tool(const std::vector<std::string>& arguments)
{
    return Tool(arguments).wait();
}

}  // namespace slurm_adopt::test
