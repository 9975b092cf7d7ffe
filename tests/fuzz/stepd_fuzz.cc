// SPDX-License-Identifier: GPL-2.0-or-later
// Asking slurmstepds whose they are, and to adopt: whatever they answer, in whatever pieces, and whatever calls fail.
#include <fcntl.h>

#include "oracle.h"
#include "slurm_adopt/adoption.h"
#include "slurm_adopt/probe.h"
#include "slurm_adopt/text.h"

using namespace slurm_adopt;
using namespace slurm_adopt::fuzz;

namespace {

using namespace std::chrono_literals;

void check_adoption(const Kernel& kernel, const Adoption& adoption, const AdoptionRequest& request, std::size_t joined_before)
{
    const Adopted outcome = outcome_of(kernel, alice);
    require(!adoption.adopted || outcome != Adopted::no, "an adoption is one by the kernel's view");
    require(!adoption.verified || outcome == Adopted::by_kernel, "verified is what the kernel has shown");
    require(!adoption.adopted || !request.must_be_verified || adoption.verified, "what has to be verified is");
    require(!adoption.half_joined || !adoption.adopted, "half joined is not adopted");
    require(adoption.namespaces == kernel.joined - joined_before, "the namespaces are counted");
    require(adoption.adopted || adoption.half_joined == (adoption.namespaces > 0), "who is left in a namespace is said to be");
    require(request.join_namespaces || adoption.namespaces == 0, "no namespace is joined that was not asked for");
    if (!adoption.x11) return;
    require(request.x11 && adoption.x11->display > 0, "a display that was asked for");
    const std::string& path = adoption.x11->xauthority;
    require(path.empty() || (path.front() == '/' && is_printable(path) && path.size() <= 4096), "XAUTHORITY is a path");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    Input input(data, size);
    const unsigned wants = input.byte();
    const World world = world_of(input);
    Kernel kernel(world);
    const Roots roots;
    std::vector<Candidate> candidates;
    for (const Step& step : world.steps)
        if (step.is_socket && step.file_owner == 0) candidates.push_back({{spool, step.file_name(), step.node, step.job_id}, 0});
    const std::size_t count = candidates.size();
    const auto began = kernel.now();
    {
        ProbeReport report = probe(roots, std::move(candidates), alice, Deadline::after(3s));
        require(kernel.now() - began <= 3s + 100ms, "asking has an end");
        require(report.own.size() + report.untrusted.size() + report.silent.size() + report.unusable.size() <= count, "each is counted once");
        AdoptionRequest request{.pid = kernel.pid,
                                .x11 = (wants & 1U) == 0,
                                .join_namespaces = (wants & 2U) == 0,
                                .must_be_verified = (wants & 4U) != 0};
        if (world.parent == 1) request.parent = Kernel::parent_pid;
        const Fd kept(open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC));
        if ((wants & 8U) != 0 && kept) request.proc_cgroup = &kept;
        for (const StepdSession& session : report.own) {
            const auto start = kernel.now();
            const std::size_t joined = kernel.joined;
            check_adoption(kernel, adopt(roots, session, request, Deadline::after(2s)), request, joined);
            require(kernel.now() - start <= 2s + 100ms, "an adoption has an end");
        }
        for (const Step& step : world.steps) {
            if (!step.is_socket || step.file_owner != 0) continue;
            const auto owner = ask_owner({{spool, step.file_name(), step.node, step.job_id}, 0}, Deadline::after(200ms));
            require(!owner || step.peer == 0, "who is not root is not believed");
        }
    }
    check_descriptors(kernel);
    return 0;
}
