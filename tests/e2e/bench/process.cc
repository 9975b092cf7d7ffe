// SPDX-License-Identifier: GPL-2.0-or-later
#include "process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>

namespace slurm_adopt::e2e {
namespace {

using namespace std::chrono;

std::array<int, 2> make_pipe()
{
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    return ends;
}

void close_if_open(int& fd)
{
    if (fd >= 0) (void)::close(fd);
    fd = -1;
}

[[noreturn]] void become(const Command& command, int input, int out, int err)
{
    (void)::setpgid(0, 0);
    (void)::dup2(input, 0);
    (void)::dup2(out, 1);
    (void)::dup2(err, 2);
    for (const auto& [name, value] : command.environment) (void)::setenv(name.c_str(), value.c_str(), 1);
    std::vector<char*> argv;
    for (const std::string& argument : command.argv) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    (void)::execvp(argv[0], argv.data());
    ::_exit(127);
}

}  // namespace

Background::Background(const Command& command) : started_(steady_clock::now())
{
    auto input = make_pipe();
    auto out = make_pipe();
    auto err = make_pipe();
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork");
    if (pid_ == 0) become(command, input[0], out[1], err[1]);
    (void)::setpgid(pid_, pid_);  // whoever comes first; both must not wait for the other
    close_if_open(input[0]);
    close_if_open(out[1]);
    close_if_open(err[1]);
    input_ = input[1];
    out_ = out[0];
    err_ = err[0];
}

Background::~Background()
{
    (void)::kill(-pid_, SIGKILL);
    (void)reap(true);
    close_if_open(input_);
    close_if_open(out_);
    close_if_open(err_);
}

// Reads what is there, for at most `limit`; returns early when something came.
void Background::drain(milliseconds limit)
{
    std::array<pollfd, 2> sources{pollfd{out_, POLLIN, 0}, pollfd{err_, POLLIN, 0}};
    if (::poll(sources.data(), sources.size(), static_cast<int>(limit.count())) <= 0) return;
    std::array<char, 65536> buffer{};
    for (const pollfd& source : sources) {
        if (source.fd < 0 || source.revents == 0) continue;
        const ssize_t got = ::read(source.fd, buffer.data(), buffer.size());
        if (got > 0) {
            (source.fd == out_ ? finished_.out : finished_.err).append(buffer.data(), static_cast<std::size_t>(got));
        } else {
            close_if_open(source.fd == out_ ? out_ : err_);
        }
    }
}

bool Background::reap(bool block)
{
    if (reaped_) return true;
    int status = 0;
    if (::waitpid(pid_, &status, block ? 0 : WNOHANG) != pid_) return false;
    reaped_ = true;
    finished_.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    finished_.took = duration_cast<milliseconds>(steady_clock::now() - started_);
    return true;
}

bool Background::running()
{
    return !reap(false);
}

bool Background::says(const std::string& text, seconds limit)
{
    const auto end = steady_clock::now() + limit;
    while (finished_.out.find(text) == std::string::npos) {
        if (steady_clock::now() >= end || (out_ < 0 && err_ < 0)) return false;
        drain(milliseconds{50});
    }
    return true;
}

std::string Background::output()
{
    drain(milliseconds{0});
    return finished_.out;
}

void Background::send(const std::string& text)
{
    // One that has ended must not end the tests.
    struct sigaction ignore {};
    struct sigaction before {};
    ignore.sa_handler = SIG_IGN;
    (void)::sigaction(SIGPIPE, &ignore, &before);
    if (::write(input_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) finished_.err += "\n[it reads no input]\n";
    (void)::sigaction(SIGPIPE, &before, nullptr);
}

void Background::end_input()
{
    close_if_open(input_);
}

Finished Background::wait(seconds limit)
{
    const auto end = steady_clock::now() + limit;
    // What it started may keep the pipes open after its own end: then a last look is enough.
    while (!reap(false)) {
        if (steady_clock::now() >= end) {
            (void)::kill(-pid_, SIGKILL);
            (void)reap(true);
            finished_.code = 124;
            break;
        }
        drain(milliseconds{5});
        if (out_ < 0 && err_ < 0) ::usleep(1000);
    }
    for (int rounds = 0; rounds < 20 && (out_ >= 0 || err_ >= 0); ++rounds) drain(milliseconds{10});
    return finished_;
}

Finished run(const Command& command)
{
    Background process(command);
    process.end_input();
    return process.wait(command.timeout);
}

Command as_user(const std::string& user, std::vector<std::string> argv)
{
    const std::string home = std::string(std::getenv("CLUSTER_DIR")) + "/home/" + user;
    std::vector<std::string> whole = {"setpriv", "--reuid", user, "--regid", user == "adm" ? "admins" : user, "--init-groups"};
    if (user == "root") whole.clear();
    whole.insert(whole.end(), argv.begin(), argv.end());
    return {.argv = std::move(whole), .environment = {{"HOME", home}, {"USER", user}, {"LOGNAME", user}}};
}

}  // namespace slurm_adopt::e2e
