// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel.h"

#include <fcntl.h>

#include <cerrno>

#include "require.h"

namespace slurm_adopt::fuzz {
namespace {

thread_local Kernel* the_kernel = nullptr;

// A login makes some hundred calls; one that waits out its deadlines some ten thousand.
constexpr long most_calls = 400'000;

}  // namespace

int fail_with(int error)
{
    errno = error;
    return -1;
}

Kernel::Kernel(const World& described) : world(described), faults_(described.faults.begin(), described.faults.end())
{
    netlink = datagrams();
    (void)sigemptyset(&blocked);
    if ((world.signals & 1U) != 0) (void)sigaddset(&blocked, SIGCHLD);
    run["/slurm-adopt"] = {};
    if ((world.run & 1U) != 0) run.clear();
    if ((world.run & 2U) != 0) run["/slurm-adopt"] = {S_IFDIR | 0777, 0, false};
    if ((world.run & 4U) != 0) run["/slurm-adopt/user"] = {S_IFLNK | 0777, alice, false};
    if ((world.run & 8U) != 0) run["/slurm-adopt/user/41001"] = {S_IFDIR | 0700, alice, (world.run & 16U) != 0};
    if ((world.run & 32U) != 0) {
        run["/slurm-adopt/sessions/41001"] = {S_IFDIR | 0700, 0, false};
        run["/slurm-adopt/sessions/41001/100.12345"] = {S_IFREG | 0600, 0, false};
        run["/slurm-adopt/sessions/41001/77.1"] = {S_IFREG | 0600, 0, false};
    }
    if ((world.run & 64U) != 0) {
        run["/slurm-adopt/sessions/41002"] = {S_IFREG | 0600, 0, false};
        run["/slurm-adopt/trash/1"] = {S_IFDIR | 0700, alice, false};
        run["/slurm-adopt/trash/1/file"] = {S_IFREG | 0600, alice, false};
    }
    the_kernel = this;
}

Kernel::~Kernel()
{
    the_kernel = nullptr;
}

Kernel* Kernel::running()
{
    return the_kernel;
}

int Kernel::fault(std::initializer_list<int> errnos)
{
    now_ += std::chrono::microseconds(1);
    require(++calls < most_calls, "the module comes to an end");
    if (faults_.empty() || errnos.size() == 0) return 0;
    Fault& next = faults_.front();
    if (next.skip > 0) {
        --next.skip;
        return 0;
    }
    const int error = errnos.begin()[next.which % errnos.size()];
    if (next.more == 0)
        faults_.pop_front();
    else
        --next.more;
    return error;
}

int Kernel::open(Descriptor descriptor)
{
    open_descriptors.emplace(next_descriptor_, std::move(descriptor));
    return next_descriptor_++;
}

Descriptor* Kernel::find(int fd)
{
    const auto found = open_descriptors.find(fd);
    return found == open_descriptors.end() ? nullptr : &found->second;
}

void Kernel::close(int fd)
{
    require(open_descriptors.erase(fd) == 1, "a descriptor is closed once, by who has opened it");
}

std::string Kernel::path_at(int directory, const char* name)
{
    if (*name == '/' || directory == AT_FDCWD) return name;
    const Descriptor* base = find(directory);
    require(base != nullptr, "a path is relative to an open directory");
    const std::string_view relative = name;
    return relative.empty() || relative == "." ? base->path : base->path + '/' + name;
}

bool Kernel::is_gone(const Step& step) const
{
    if (steps_have_ended) return true;
    return step.ends_early && asked.contains(static_cast<int>(&step - world.steps.data()));
}

int Kernel::step_at(const std::string& path) const
{
    for (std::size_t i = 0; i < world.steps.size(); ++i)
        if (path.ends_with('/' + world.steps[i].file_name())) return static_cast<int>(i);
    return -1;
}

}  // namespace slurm_adopt::fuzz
