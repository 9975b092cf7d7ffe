// SPDX-License-Identifier: GPL-2.0-or-later
// Starting the helper, asking it and believing it: whatever it answers, and however it ends.
#include "oracle.h"
#include "slurm_adopt/helper_client.h"
#include "slurm_adopt/helper_wire.h"
#include "slurm_adopt/text.h"

using namespace slurm_adopt;
using namespace slurm_adopt::fuzz;

namespace {

using namespace std::chrono_literals;

template <class Ask>
void check_call(Kernel& kernel, Ask ask)
{
    const auto began = kernel.now();
    ask();
    require(kernel.now() - began <= 2s + 400ms, "a question has an end");
    check_processes(kernel);
    check_descriptors(kernel);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    Input input(data, size);
    const unsigned wants = input.byte();
    const World world = world_of(input);
    Kernel kernel(world);
    const HelperSettings settings{(wants & 1U) != 0 ? "/opt/h" : "/usr/libexec/slurm-adopt/slurm-adopt-helper", (wants & 2U) != 0 ? "/etc/x" : "", LogLevel::info};
    Connection connection;
    connection.peer.address.is_v6 = (wants & 4U) != 0;
    connection.peer.port = 50000;
    check_call(kernel, [&] {
        const auto answer = ask_source_job(settings, connection, Deadline::after(2s));
        require(!answer || world.helper_file == 0, "an answer is that of a trusted program");
        if (answer) require((answer.value().kind == SourceAnswer::Kind::job) == (answer.value().job_id != 0), "a job has a number, and nothing else has");
        if (!answer) require(!answer.error().context.empty(), "an error says what it is");
    });
    kernel.talks.clear();
    std::vector<pid_t> pids;
    for (unsigned i = 0; i < (wants >> 3) * 3; ++i) pids.push_back(500 + static_cast<pid_t>(i));
    check_call(kernel, [&] {
        const auto starts = ask_step_starts(settings, pids, Deadline::after(2s));
        if (starts) require(starts.value().size() == pids.size(), "as many times as steps");
        if (starts) require(std::all_of(starts.value().begin(), starts.value().end(), [](std::int64_t ns) { return ns > 0; }), "each is known");
    });
    kernel.talks.clear();
    check_call(kernel, [&] {
        const auto jobs = ask_controller(settings, {.uid = alice, .node = "n1", .rest = std::nullopt}, Deadline::after(2s));
        require(!jobs || world.helper_file == 0, "an answer is that of a trusted program");
        if (jobs) require(std::all_of(jobs.value().begin(), jobs.value().end(), [](const auto& job) { return job.job_id != 0 && job.state >= 1 && job.state <= 3; }), "jobs are jobs");
        if (!jobs) require(!jobs.error().context.empty(), "an error says what it is");
    });
    kernel.talks.clear();
    check_call(kernel, [&] {
        const auto job = ask_job_details(settings, {.uid = alice, .node = "n1", .rest = std::nullopt}, 17, Deadline::after(2s));
        require(!job || world.helper_file == 0, "an answer is that of a trusted program");
        if (job) require(job.value().name.find('\0') == std::string::npos && job.value().nodes.size() < helper_wire::longest_node_list, "texts are texts");
        if (!job) require(!job.error().context.empty(), "an error says what it is");
    });
    return 0;
}
