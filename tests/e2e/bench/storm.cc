// SPDX-License-Identifier: GPL-2.0-or-later
#include "storm.h"

#include <fcntl.h>
#include <poll.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "cluster.h"
#include "job.h"
#include "login.h"

namespace slurm_adopt::e2e {
namespace {

using namespace std::chrono;

static_assert(sizeof(StormLogin) <= PIPE_BUF, "it is to be written in one piece");

int converse(int count, const pam_message**, pam_response** responses, void*)
{
    *responses = static_cast<pam_response*>(std::calloc(static_cast<std::size_t>(count), sizeof(pam_response)));
    return *responses == nullptr ? PAM_BUF_ERR : PAM_SUCCESS;
}

double since(steady_clock::time_point start)
{
    return duration<double, std::milli>(steady_clock::now() - start).count();
}

std::uint32_t owner_in(const std::string& cgroup_text)
{
    const std::size_t at = cgroup_text.find("/uid_");
    return at == std::string::npos ? 0 : static_cast<std::uint32_t>(std::strtoul(cgroup_text.c_str() + at + 5, nullptr, 10));
}

}  // namespace

std::vector<std::string> storm_stack(const std::string& options)
{
    const std::string session = "session required " + cluster().module + " service=* " + options;
    // At the end of a session our module has nothing to say; to libpam nothing but that is a refusal.
    return {account_line("service=* " + options), session, "session required pam_permit.so"};
}

StormLogin log_in_here(const std::string& service, const std::string& user)
{
    StormLogin login;
    const pam_conv conversation{converse, nullptr};
    pam_handle_t* handle = nullptr;
    login.result = ::pam_start(service.c_str(), user.c_str(), &conversation, &handle);
    if (login.result != PAM_SUCCESS) return login;
    (void)::pam_set_item(handle, PAM_RHOST, "198.51.100.9");
    const auto start = steady_clock::now();
    login.result = ::pam_acct_mgmt(handle, 0);
    login.account_ms = since(start);
    const bool in = login.result == PAM_SUCCESS;
    if (in) login.result = ::pam_open_session(handle, 0);
    login.took_ms = since(start);
    const std::string cgroup = read_whole("/proc/self/cgroup");
    login.job = job_in(cgroup);
    login.owner = login.job == 0 ? 0 : owner_in(cgroup);
    if (in && login.result == PAM_SUCCESS) login.result = ::pam_close_session(handle, 0);
    (void)::pam_end(handle, login.result);
    return login;
}

StormAtOnce::StormAtOnce(const std::string& service, const std::vector<std::string>& users)
{
    std::array<int, 2> gate{};
    std::array<int, 2> results{};
    if (::pipe2(gate.data(), O_CLOEXEC) != 0 || ::pipe2(results.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    for (std::size_t i = 0; i < users.size(); ++i) {
        const pid_t pid = ::fork();
        if (pid < 0) throw std::runtime_error("fork");
        if (pid == 0) {
            (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
            (void)::close(gate[1]);
            char nothing = 0;
            (void)!::read(gate[0], &nothing, 1);
            StormLogin login = log_in_here(service, users[i]);
            login.user = static_cast<std::int32_t>(i);
            ::_exit(::write(results[1], &login, sizeof login) == sizeof login ? 0 : 1);
        }
        pids_.push_back(pid);
    }
    (void)::close(gate[0]);
    (void)::close(results[1]);
    gate_ = gate[1];
    results_ = results[0];
}

void StormAtOnce::let_go()
{
    if (gate_ >= 0) (void)::close(gate_);
    gate_ = -1;
}

std::vector<StormLogin> StormAtOnce::wait()
{
    std::vector<StormLogin> all(pids_.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i].result = StormLogin::killed;
    const auto end = steady_clock::now() + minutes{1};
    for (std::size_t got = 0; got < all.size(); ++got) {
        pollfd ready{results_, POLLIN, 0};
        const auto left = duration_cast<milliseconds>(end - steady_clock::now()).count();
        StormLogin login;
        if (left <= 0 || ::poll(&ready, 1, static_cast<int>(left)) <= 0 || ::read(results_, &login, sizeof login) != sizeof login) break;
        all.at(static_cast<std::size_t>(login.user)) = login;
    }
    return all;
}

StormAtOnce::~StormAtOnce()
{
    let_go();
    for (const pid_t pid : pids_) {
        (void)::kill(pid, SIGKILL);
        (void)::waitpid(pid, nullptr, 0);
    }
    (void)::close(results_);
}

std::string distribution(std::vector<double> times_ms)
{
    if (times_ms.empty()) return "n=0";
    std::sort(times_ms.begin(), times_ms.end());
    std::array<char, 128> text{};
    (void)std::snprintf(text.data(), text.size(), "n=%zu median=%.1f 99%%=%.1f max=%.1f ms", times_ms.size(),
                        times_ms[times_ms.size() / 2], times_ms[times_ms.size() * 99 / 100], times_ms.back());
    return text.data();
}

}  // namespace slurm_adopt::e2e
