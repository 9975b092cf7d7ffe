// SPDX-License-Identifier: GPL-2.0-or-later
//
// Compares PAM services by many logins, each in a process of its own, sample by sample in turn so that the noise of
// the machine hits all alike.
//
//   bench_compare LOGIN CONFDIR USER SAMPLES IDLE SERVICE=OUTCOME...
//
// LOGIN is the program bench_login. IDLE is 0, or the milliseconds that the node rests before each login. SERVICE=OUTCOME:
// see common.h; a login that does not come to its outcome ends the run. Service names are in lower case, as in libpam.
// Prints a line per service: its name, samples, then lower quartile, median and upper quartile of the microseconds,
// then the medians of page faults, RSS kB, private dirty kB and mappings.
#include <fcntl.h>
#include <security/pam_appl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

// A login's aftermath (the slurmstepds' threads ending, the log being written) must not be charged to the next one.
constexpr std::chrono::milliseconds pause_between{2};
constexpr int warm_up_rounds = 3;

enum Metric : std::size_t { microseconds, faults, resident, dirty, mappings, metrics };

struct Service {
    std::string name;
    std::string outcome;
    std::array<std::vector<double>, metrics> samples;
};

// This process's own cgroup.procs, of the freezer (cgroup v1) or of cgroup v2.
std::string own_cgroup_procs()
{
    std::ifstream cgroups("/proc/self/cgroup");
    std::string best;
    for (std::string line; std::getline(cgroups, line);) {
        const std::string path = line.substr(line.rfind(':') + 1);
        if (line.find(":freezer:") != std::string::npos) return "/sys/fs/cgroup/freezer" + path + "/cgroup.procs";
        if (line.starts_with("0::")) best = "/sys/fs/cgroup" + path + "/cgroup.procs";
    }
    return best;
}

// Moving a process between cgroups waits for an RCU grace period (10 ms and more) unless another process has just
// been moved: whoever asks slurmstepd first pays, whatever module it is. Here the bench pays, before the clock
// starts, by moving itself to where it is.
void pay_for_grace_period(const std::string& cgroup_procs)
{
    const int fd = ::open(cgroup_procs.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;  // then the medians are only noisier
    if (::write(fd, "0", 1) < 0) std::perror(cgroup_procs.c_str());
    (void)::close(fd);
}

std::string first_line_of(const std::vector<std::string>& command)
{
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) throw std::runtime_error("pipe");
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("fork");
    if (child == 0) {
        (void)::setsid();  // as sshd does for each connection
        (void)::dup2(ends[1], STDOUT_FILENO);
        (void)::close(ends[0]);
        (void)::close(ends[1]);
        std::vector<char*> arguments;
        for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
        arguments.push_back(nullptr);
        ::execv(arguments[0], arguments.data());
        ::_exit(127);
    }
    (void)::close(ends[1]);
    std::string line;
    char buffer[256];
    for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;)
        line.append(buffer, static_cast<std::size_t>(got));
    (void)::close(ends[0]);
    int status = 0;
    if (::waitpid(child, &status, 0) != child || status != 0) throw std::runtime_error("failed: " + command.front());
    return line;
}

void sample(Service& service, const std::vector<std::string>& login, bool keep)
{
    std::vector<std::string> command = login;
    command.insert(command.begin() + 2, service.name);
    const std::string line = first_line_of(command);
    int result = -1;
    int inside = 0;
    std::array<double, metrics> values{};
    if (std::sscanf(line.c_str(), "%d %lf %lf %lf %lf %lf %d", &result, &values[microseconds], &values[faults],
                    &values[resident], &values[dirty], &values[mappings], &inside) != 7)
        throw std::runtime_error("unreadable: " + line);

    const std::string outcome = result != PAM_SUCCESS ? "refused" : inside != 0 ? "adopted" : "pass";
    if (outcome != service.outcome)
        throw std::runtime_error(service.name + ": expected " + service.outcome + ", got " + outcome + " (PAM result " +
                                 std::to_string(result) + ")");
    if (!keep) return;
    for (std::size_t metric = 0; metric < metrics; ++metric) service.samples[metric].push_back(values[metric]);
}

void run(int argc, char** argv)
{
    if (argc < 7) throw std::runtime_error("usage: bench_compare LOGIN CONFDIR USER SAMPLES IDLE SERVICE=OUTCOME...");
    const std::vector<std::string> login = {argv[1], argv[2], argv[3]};
    const int samples = bench::number(argv[4]);
    const std::chrono::milliseconds idle(std::atoi(argv[5]));
    std::vector<Service> services;
    for (const bench::Expectation& each : bench::expectations(argc, argv, 6))
        services.push_back({each.service, each.outcome, {}});

    const std::string cgroup_procs = own_cgroup_procs();
    std::minstd_rand random(1);  // a different neighbour every round, the same ones every run
    std::vector<std::size_t> order(services.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    for (int round = -warm_up_rounds; round < samples; ++round) {
        std::shuffle(order.begin(), order.end(), random);
        for (const std::size_t turn : order) {
            std::this_thread::sleep_for(std::max(idle, pause_between));
            if (idle.count() == 0) pay_for_grace_period(cgroup_procs);
            sample(services[turn], login, round >= 0);
        }
    }

    for (const Service& service : services) {
        const auto& time = service.samples[microseconds];
        std::printf("%s %d %.1f %.1f %.1f %.0f %.0f %.0f %.0f\n", service.name.c_str(), samples, bench::quantile(time, 0.25),
                    bench::quantile(time, 0.5), bench::quantile(time, 0.75), bench::quantile(service.samples[faults], 0.5),
                    bench::quantile(service.samples[resident], 0.5), bench::quantile(service.samples[dirty], 0.5),
                    bench::quantile(service.samples[mappings], 0.5));
    }
}

}  // namespace

int main(int argc, char** argv)
{
    return bench::guarded("bench_compare", run, argc, argv);
}
