// SPDX-License-Identifier: GPL-2.0-or-later
#include "fault_logins.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace slurm_adopt::test {
namespace {

constexpr char separator = '\x1e';  // the module's lines have no control characters

void put(std::string& text, const std::vector<std::string>& lines)
{
    text += std::to_string(lines.size()) + separator;
    for (const std::string& line : lines) text += line + separator;
}

std::string text_of(const Outcome& outcome)
{
    std::string text;
    put(text,
        {outcome.code, outcome.cgroup, outcome.mount_namespace, std::to_string(outcome.milliseconds), outcome.complaints});
    put(text, outcome.log);
    put(text, outcome.told);
    put(text, outcome.environment);
    return text;
}

std::vector<std::string> take(std::istream& text)
{
    std::string line;
    std::getline(text, line, separator);
    std::vector<std::string> lines(line.empty() ? 0 : std::stoul(line));
    for (std::string& each : lines) std::getline(text, each, separator);
    return lines;
}

Outcome outcome_of(const std::string& whole)
{
    std::istringstream text(whole);
    Outcome outcome;
    const std::vector<std::string> first = take(text);
    if (first.size() != 5) {
        outcome.complaints = "no result";
        return outcome;
    }
    outcome.code = first[0];
    outcome.cgroup = first[1];
    outcome.mount_namespace = first[2];
    outcome.milliseconds = std::stod(first[3]);
    outcome.complaints = first[4];
    outcome.log = take(text);
    outcome.told = take(text);
    outcome.environment = take(text);
    return outcome;
}

[[noreturn]] void run(const Login& login, int out)
{
    const std::string text = text_of(log_in(login));
    for (std::size_t sent = 0; sent < text.size();) {
        const ssize_t now = ::write(out, text.data() + sent, text.size() - sent);
        if (now <= 0) break;
        sent += static_cast<std::size_t>(now);
    }
    ::_exit(0);
}

}  // namespace

std::vector<Outcome> log_in_together(const std::vector<Login>& logins)
{
    struct Running {
        pid_t pid;
        int out;
    };
    std::vector<Running> running;
    for (const Login& login : logins) {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
        const pid_t pid = ::fork();
        if (pid == 0) run(login, ends[1]);  // which log_in() itself ends after a minute
        (void)::close(ends[1]);
        running.push_back({pid, ends[0]});
    }
    std::vector<Outcome> outcomes;
    for (const Running& each : running) {
        std::string text;
        char buffer[4096];
        for (ssize_t got = 0; (got = ::read(each.out, buffer, sizeof buffer)) > 0;)
            text.append(buffer, static_cast<std::size_t>(got));
        (void)::close(each.out);
        (void)::waitpid(each.pid, nullptr, 0);
        outcomes.push_back(outcome_of(text));
    }
    return outcomes;
}

double best_of(int tries, const Login& login, const std::string& decision, double enough)
{
    double best = 1e9;
    for (int i = 0; i < tries || (i < 5 * tries && best > enough); ++i) {
        const Outcome outcome = log_in(login);
        EXPECT_EQ(outcome.complaints, "");
        EXPECT_EQ(decision_of(outcome), decision);
        best = std::min(best, outcome.milliseconds);
    }
    return best;
}

void expect_nothing_of_others(const Outcome& outcome, const std::vector<std::string>& secrets)
{
    for (const auto* lines : {&outcome.told, &outcome.environment})
        for (const std::string& line : *lines)
            for (const std::string& secret : secrets) EXPECT_EQ(line.find(secret), std::string::npos) << line;
}

}  // namespace slurm_adopt::test
