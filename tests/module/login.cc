// SPDX-License-Identifier: GPL-2.0-or-later
#include "login.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "login_phase.h"
#include "fake_pam.h"
#include "in_child.h"
#include "pam_host.h"
#include "phases.h"
#include "support/descriptors.h"

namespace slurm_adopt::test {
namespace {

std::string host()
{
    utsname name{};
    (void)::uname(&name);
    const std::string full = name.nodename;
    return full.substr(0, full.find('.'));
}

std::string read(const char* path)
{
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string link_target(const char* path)
{
    char target[256];
    const ssize_t length = ::readlink(path, target, sizeof target);
    return length < 0 ? "" : std::string(target, static_cast<std::size_t>(length));
}

// What a module must leave as it was: descriptors, signals, environment, umask, directory.
std::vector<std::string> process_state()
{
    std::vector<std::string> state;
    for (const int fd : open_descriptors()) state.push_back("descriptor " + std::to_string(fd));
    sigset_t mask;
    (void)::sigprocmask(SIG_SETMASK, nullptr, &mask);
    for (int number = 1; number < NSIG; ++number) {
        struct sigaction action {};
        if (::sigaction(number, nullptr, &action) == 0 && action.sa_handler != SIG_DFL)
            state.push_back("signal " + std::to_string(number) + (action.sa_handler == SIG_IGN ? " ignored" : " caught"));
        if (::sigismember(&mask, number) == 1) state.push_back("signal " + std::to_string(number) + " blocked");
    }
    for (char** variable = environ; *variable != nullptr; ++variable) state.push_back(std::string("variable ") + *variable);
    const mode_t mask_of_files = ::umask(0);
    (void)::umask(mask_of_files);
    state.push_back("umask " + std::to_string(mask_of_files));
    for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task"))
        state.push_back("thread " + thread.path().string());
    // Joining a mount namespace moves the process to its root: the kernel's doing (setns(2)).
    static const std::string began_in = link_target("/proc/self/ns/mnt");
    if (link_target("/proc/self/ns/mnt") == began_in) state.push_back("directory " + link_target("/proc/self/cwd"));
    std::sort(state.begin(), state.end());
    return state;
}

std::string changes(const std::vector<std::string>& before, const std::vector<std::string>& after)
{
    std::string text;
    const auto list = [&](const char* what, const auto& a, const auto& b) {
        std::vector<std::string> only;
        std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(only));
        for (const std::string& line : only)
            if (!line.starts_with("directory") || what[0] == 'n') text += what + line + '\n';
    };
    list("gone: ", before, after);
    list("new: ", after, before);
    return text;
}

const char* code_name(int code)
{
    switch (code) {
    case PAM_SUCCESS: return "success";
    case PAM_PERM_DENIED: return "perm_denied";
    case PAM_IGNORE: return "ignore";
    case PAM_USER_UNKNOWN: return "user_unknown";
    default: return "another code";
    }
}

// account_phase() knows only the real roots.
int with_roots(pam_handle_t* handle, int flags, const Roots& roots, const std::vector<const char*>& arguments)
{
    PamHost pam(handle, flags);
    const std::vector<std::string_view> words(arguments.begin(), arguments.end());
    NodeAccess node;
    const Decision decision = LoginPhase(pam, node, roots, Phase::account).run(words);
    if (decision.verdict == Verdict::ignore) return PAM_IGNORE;
    if (decision.verdict == Verdict::deny)
        return decision.reason == Reason::unknown_user ? PAM_USER_UNKNOWN : PAM_PERM_DENIED;
    return PAM_SUCCESS;
}

// " ms=1.23 " to " ms=# ": how long it took is no part of what was decided.
std::string without_times(std::string line)
{
    const std::size_t begin = line.find(" ms=");
    if (begin == std::string::npos) return line;
    const std::size_t end = line.find_first_not_of("0123456789.", begin + 4);
    if (end != std::string::npos && end > begin + 4 && line[end] == ' ') line.replace(begin + 4, end - begin - 4, "#");
    return line;
}

void append(std::vector<std::string>& lines, const std::vector<std::string>& more)
{
    lines.push_back(std::to_string(more.size()));
    lines.insert(lines.end(), more.begin(), more.end());
}

std::vector<std::string> take(const std::vector<std::string>& lines, std::size_t& at)
{
    const std::size_t count = std::stoul(lines.at(at++));
    const auto begin = lines.begin() + static_cast<std::ptrdiff_t>(at);
    at += count;
    return {begin, begin + static_cast<std::ptrdiff_t>(count)};
}

int one_phase(pam_handle_t* handle, const Login& login, Phases phase, std::vector<const char*>& arguments)
{
    const int count = static_cast<int>(arguments.size());
    if (phase == Phases::session) return open_session_phase(handle, login.flags, count, arguments.data());
    return login.roots ? with_roots(handle, login.flags, *login.roots, arguments)
                       : account_phase(handle, login.flags, count, arguments.data());
}

std::vector<std::string> call_phases(const Login& login)
{
    pam_handle handle;
    if (login.user) handle.items[PAM_USER] = *login.user;
    handle.items[PAM_SERVICE] = login.service;
    handle.items[PAM_RHOST] = login.rhost;
    handle.putenv_result = login.putenv_result;
    handle.prompt_result = login.prompt_result;
    std::vector<const char*> arguments;
    for (const std::string& option : login.options) arguments.push_back(option.c_str());

    handle.environment = login.environment;
    handle.set_data_result = login.set_data_result;

    errno = login.errno_before;
    const auto begin = std::chrono::steady_clock::now();
    int code = PAM_SYSTEM_ERR;
    if (login.phases != Phases::session) code = one_phase(&handle, login, Phases::account, arguments);
    if (login.phases == Phases::both && login.between) login.between();
    if (login.user_of_session) handle.items[PAM_USER] = *login.user_of_session;
    if (login.options_of_session) {
        arguments.clear();
        for (const std::string& option : *login.options_of_session) arguments.push_back(option.c_str());
    }
    if (login.phases != Phases::account) code = one_phase(&handle, login, Phases::session, arguments);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;

    std::vector<std::string> lines = {code_name(code), std::to_string(took.count()), read("/proc/self/cgroup"),
                                      link_target("/proc/self/ns/mnt"), "no changes seen yet"};
    append(lines, handle.log);
    append(lines, handle.told);
    append(lines, handle.environment);
    return lines;
}

std::vector<std::string> call(const Login& login)
{
    const auto before = process_state();
    std::vector<std::string> lines = call_phases(login);  // the handle is closed by its end
    lines[4] = changes(before, process_state());
    return lines;
}

}  // namespace

const char* const no_job_message =
    "error Access denied: you have no job running on HOST. Start one there (sbatch, salloc) and log in while it runs.";

std::string adopt_failure_message(const std::string& reason)
{
    return "error Access denied: this login could not be placed into your job on HOST (" + reason +
           "). Try again; if it stays, tell your administrator this line.";
}

Outcome log_in(const Login& login)
{
    const ChildResult child = in_child([&] { return call(login); });
    Outcome outcome;
    outcome.complaints = child.trouble;
    if (!child.trouble.empty() || child.lines.size() < 8) {
        outcome.complaints += " (no result)";
        return outcome;
    }
    outcome.code = child.lines[0];
    outcome.milliseconds = std::stod(child.lines[1]);
    outcome.cgroup = child.lines[2];
    outcome.mount_namespace = child.lines[3];
    outcome.complaints = child.lines[4];
    std::size_t at = 5;
    outcome.log = take(child.lines, at);
    for (std::string& line : outcome.log) line = without_times(line);
    outcome.told = take(child.lines, at);
    for (std::string& line : outcome.told)
        if (const std::size_t found = line.find(" on " + host()); found != std::string::npos)
            line.replace(found + 4, host().size(), "HOST");
    outcome.environment = take(child.lines, at);
    return outcome;
}

void expect(const std::string& what, const Outcome& outcome, const Expected& expected)
{
    EXPECT_EQ(outcome.complaints, "") << what;
    EXPECT_EQ(outcome.code, expected.code) << what;
    EXPECT_EQ(outcome.log, expected.log) << what;
    EXPECT_EQ(outcome.told, expected.told) << what;
    EXPECT_EQ(outcome.environment, expected.environment) << what;
}

std::string decided(const std::string& priority_verdict_reason, int jobs, int job, const std::string& verified,
                    const std::string& on_failure, const Who& who)
{
    std::istringstream words(priority_verdict_reason);
    std::string priority, verdict, reason;
    words >> priority >> verdict >> reason;
    return priority + " decision=" + verdict + " reason=" + reason + " user=" + who.user + " uid=" + who.uid +
           " service=" + who.service + " rhost=192.0.2.7 jobs=" + std::to_string(jobs) +
           " job=" + (job == 0 ? "-" : std::to_string(job)) + " phase=" + who.phase + " ms=# verified=" + verified +
           " on_failure=" + on_failure;
}

bool is_in(const Outcome& outcome, const std::string& cgroup)
{
    return (outcome.cgroup).find(cgroup + '\n') != std::string::npos;
}

}  // namespace slurm_adopt::test
