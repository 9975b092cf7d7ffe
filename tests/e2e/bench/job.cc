// SPDX-License-Identifier: GPL-2.0-or-later
#include "job.h"

#include <filesystem>
#include <regex>
#include <sstream>
#include <stdexcept>

#include "cluster.h"

namespace slurm_adopt::e2e {
namespace {

std::uint32_t number_in(const std::string& text, const std::regex& pattern)
{
    std::smatch found;
    return std::regex_search(text, found, pattern) ? static_cast<std::uint32_t>(std::stoul(found[1])) : 0;
}

std::uint32_t submit(const std::string& user, const std::string& script, const std::vector<std::string>& options)
{
    std::vector<std::string> argv = {"sbatch", "--output=/dev/null", "--wrap", script + (script.empty() ? "" : "; ") + "sleep 100000"};
    argv.insert(argv.end() - 2, options.begin(), options.end());
    Command command = as_user(user, std::move(argv));
    command.argv.insert(command.argv.begin(), {"env", "--chdir=/"});
    const Finished done = run(command);
    const std::uint32_t id = number_in(done.out, std::regex("Submitted batch job ([0-9]+)"));
    if (id == 0) throw std::runtime_error("sbatch: " + done.err);
    return id;
}

}  // namespace

Job Job::grant(const std::string& user, const std::vector<std::string>& options)
{
    // salloc grants at once and then polls for three seconds until it believes that the node is ready.
    std::vector<std::string> argv = {"sh", "-c", "exec salloc --no-shell \"$@\" 2>&1", "sh"};
    argv.insert(argv.end(), options.begin(), options.end());
    auto salloc = std::make_unique<Background>(as_user(user, std::move(argv)));
    (void)salloc->says("Granted job allocation ");
    (void)salloc->says("\nsalloc: Waiting", std::chrono::seconds{1});
    const std::string output = salloc->output();
    const std::uint32_t id = number_in(output, std::regex("Granted job allocation ([0-9]+)\n"));
    if (id == 0) throw std::runtime_error("salloc: " + output);
    Job job(id);
    job.salloc_ = std::move(salloc);
    return job;
}

Job Job::allocate_in_haste(const std::string& user, const std::vector<std::string>& options)
{
    Job job = grant(user, options);
    job.wait_for_socket();
    return job;
}

Job Job::allocate(const std::string& user, const std::vector<std::string>& options)
{
    Job job = allocate_in_haste(user, options);
    job.wait_for_step();
    return job;
}

Job Job::batch(const std::string& user, const std::string& script, const std::vector<std::string>& options)
{
    Job job(submit(user, script, options));
    job.wait_for_step();
    // The script's directory comes a moment after the extern step.
    if (!eventually([&] { return std::filesystem::exists(cluster().spool + '/' + cluster().node + '_' + job.id_text() + ".4294967291"); }))
        throw std::runtime_error("the batch step of job " + job.id_text() + " does not start");
    return job;
}

Job Job::held(const std::string& user)
{
    return Job(submit(user, {}, {"--hold"}));
}

std::string Job::socket() const
{
    return cluster().spool + '/' + cluster().node + '_' + id_text() + ".4294967292";
}

pid_t Job::stepd() const
{
    for (const auto& entry : std::filesystem::directory_iterator("/proc"))
        if (read_whole(entry.path() / "cmdline").starts_with("slurmstepd: [" + id_text() + ".extern]"))
            return static_cast<pid_t>(std::stol(entry.path().filename()));
    return 0;
}

void Job::wait_for_socket() const
{
    // The file is there a moment before anybody listens.
    const auto listens = [path = socket()] {
        std::istringstream lines(read_whole("/proc/net/unix"));
        for (std::string line; std::getline(lines, line);)
            if (line.ends_with(path) && line.find(" 00010000 ") != std::string::npos) return true;
        return false;
    };
    if (!eventually(listens)) throw std::runtime_error("the extern step of job " + id_text() + " does not start");
}

void Job::wait_for_step() const
{
    wait_for_socket();
    const auto is_contained = [this] {
        const pid_t pid = stepd();
        return pid != 0 && job_in(read_whole("/proc/" + std::to_string(pid) + "/cgroup")) == id_;
    };
    if (!eventually(is_contained)) throw std::runtime_error("the extern step of job " + id_text() + " is in no cgroup");
}

void Job::release()
{
    const Finished done = run({.argv = {"scontrol", "release", id_text()}});
    if (!done.ok()) throw std::runtime_error("scontrol release: " + done.err);
    wait_for_step();
}

void Job::request_cancel()
{
    (void)run({.argv = {"scancel", id_text()}});
}

void Job::cancel()
{
    if (id_ == 0) return;
    request_cancel();
    (void)eventually([&] { return !std::filesystem::exists(socket()); });
    id_ = 0;
    salloc_.reset();
}

std::uint32_t job_in(const std::string& cgroup_text)
{
    return number_in(cgroup_text, std::regex("/job_([0-9]+)/step_extern"));
}

}  // namespace slurm_adopt::e2e
