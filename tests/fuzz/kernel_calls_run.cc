// SPDX-License-Identifier: GPL-2.0-or-later
// The system calls that change something in the file system: all below /run (runtime_dir.h).
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <dirent.h>

#include "failing_memory.h"
#include "kernel.h"
#include "require.h"
#include "slurm_adopt/text.h"

using namespace slurm_adopt::fuzz;
using slurm_adopt::test::MemoryIsThere;

extern "C" int __wrap_openat(int directory, const char* name, int flags, ...);

namespace {

// The path without /run.
std::string below_run(Kernel& kernel, int directory, const char* name)
{
    std::string path = kernel.path_at(directory, name);
    require(path.starts_with("/run/slurm-adopt"), "nothing but /run/slurm-adopt is changed");
    return path.substr(4);
}

Kernel::RunNode* run_node(Kernel& kernel, const std::string& path)
{
    const auto found = kernel.run.find(path);
    return found == kernel.run.end() ? nullptr : &found->second;
}

bool has_children(Kernel& kernel, const std::string& path)
{
    const auto below = kernel.run.upper_bound(path + '/');
    return below != kernel.run.end() && below->first.starts_with(path + '/');
}

Kernel::RunNode* open_run_node(Kernel& kernel, int fd)
{
    const Descriptor* open = kernel.find(fd);
    require(open != nullptr && open->path.starts_with("/run/slurm-adopt"), "nothing but what is below /run/slurm-adopt is changed");
    return run_node(kernel, open->path.substr(4));
}

long start_helper(Kernel& kernel)
{
    if (const int error = kernel.fault({EAGAIN, ENOMEM})) return fail_with(error);
    // The files were looked at, and nobody but root can have changed them since.
    require(kernel.world.helper_file == 0, "no helper is started that others could have written");
    require(!kernel.helper.is_alive || kernel.world.helper_reply % 16 == 10, "one helper at a time, but for one that cannot die");
    kernel.helper = {};
    kernel.helper.was_started = true;
    kernel.helper.is_alive = true;
    const unsigned kind = kernel.world.helper_reply % 16;
    if (kind == 7) kernel.helper.dies_at = kernel.now();
    if (kind == 8) kernel.helper.dies_at = kernel.now() + std::chrono::milliseconds(30);
    for (std::size_t i = 0; i < kernel.talks.size(); ++i)
        if (kernel.talks[i].step < 0) kernel.helper.talk = i;
    return Kernel::helper_pid;
}

long list_directory(Kernel& kernel, int fd, char* buffer, std::size_t size)
{
    if (const int error = kernel.fault({ENOENT, EIO})) return fail_with(error);
    Descriptor* const open = kernel.find(fd);
    require(open != nullptr, "an open directory is read");
    std::size_t used = 0;
    while (open->position < open->node.names.size()) {
        const std::string& name = open->node.names[open->position];
        const std::size_t length = (offsetof(dirent64, d_name) + name.size() + 1 + 7) & ~std::size_t{7};
        if (used + length > size) break;
        dirent64 entry{};
        entry.d_reclen = static_cast<unsigned short>(length);
        std::memcpy(buffer + used, &entry, offsetof(dirent64, d_name));
        std::memcpy(buffer + used + offsetof(dirent64, d_name), name.c_str(), name.size() + 1);
        used += length;
        ++open->position;
    }
    return static_cast<long>(used);
}

}  // namespace

extern "C" {

int __wrap_mkdirat(int directory, const char* name, mode_t mode)
{
    Kernel* const kernel = Kernel::running();
    require(kernel != nullptr, "mkdirat() is the module's");
    const MemoryIsThere guard;
    if (const int error = kernel->fault({ENOSPC, EROFS, EACCES, ENOENT})) return fail_with(error);
    const std::string path = below_run(*kernel, directory, name);
    return kernel->run.emplace(path, Kernel::RunNode{S_IFDIR | (mode & 0755), 0, false}).second ? 0 : fail_with(EEXIST);
}

int __wrap_fchmod(int fd, mode_t mode)
{
    Kernel* const kernel = Kernel::running();
    require(kernel != nullptr, "fchmod() is the module's");
    const MemoryIsThere guard;
    if (const int error = kernel->fault({EROFS, EPERM})) return fail_with(error);
    if (Kernel::RunNode* const node = open_run_node(*kernel, fd)) node->mode = (node->mode & S_IFMT) | mode;
    return 0;
}

int __wrap_fchown(int fd, uid_t uid, gid_t)
{
    Kernel* const kernel = Kernel::running();
    require(kernel != nullptr, "fchown() is the module's");
    const MemoryIsThere guard;
    if (const int error = kernel->fault({EROFS, EPERM})) return fail_with(error);
    if (Kernel::RunNode* const node = open_run_node(*kernel, fd)) node->uid = uid;
    return 0;
}

int __wrap_flock(int fd, int operation)
{
    Kernel* const kernel = Kernel::running();
    require(kernel != nullptr, "flock() is the module's");
    const MemoryIsThere guard;
    require(kernel->find(fd) != nullptr, "an open file is locked");
    if ((operation & LOCK_UN) != 0) return 0;
    require((operation & LOCK_NB) != 0, "nobody waits for a lock without an end");
    if ((kernel->world.run & 128U) != 0) return (void)kernel->fault({}), fail_with(EWOULDBLOCK);
    if (const int error = kernel->fault({EWOULDBLOCK, EINTR, ENOLCK})) return fail_with(error);
    return 0;
}

int __real_fcntl(int, int, ...);
int __wrap_fcntl(int fd, int command, void* argument)
{
    Kernel* const kernel = Kernel::running();
    if (kernel == nullptr) return __real_fcntl(fd, command, argument);
    const MemoryIsThere guard;
    require(command == F_OFD_SETLK, "nothing but a lock is set, and nobody waits for it without an end");
    require(open_run_node(*kernel, fd) != nullptr, "a file that is there is locked");
    if (static_cast<const struct flock*>(argument)->l_type == F_UNLCK) return 0;
    if ((kernel->world.run & 128U) != 0) return (void)kernel->fault({}), fail_with(EAGAIN);
    if (const int error = kernel->fault({EAGAIN, EINTR, ENOLCK})) return fail_with(error);
    return 0;
}

int __wrap_mount(const char*, const char* target, const char*, unsigned long flags, const void*)
{
    Kernel* const kernel = Kernel::running();
    require(kernel != nullptr, "mount() is the module's");
    const MemoryIsThere guard;
    require((flags & (MS_NOSUID | MS_NODEV)) == (MS_NOSUID | MS_NODEV), "no set-user-id programs and devices");
    if (const int error = kernel->fault({EPERM, EACCES, ENOMEM, ENODEV})) return fail_with(error);
    Kernel::RunNode* const node = run_node(*kernel, below_run(*kernel, AT_FDCWD, target));
    if (node == nullptr) return fail_with(ENOENT);
    *node = {S_IFDIR | 0700, 0, true};
    return 0;
}

int __wrap_umount2(const char* target, int)
{
    Kernel* const kernel = Kernel::running();
    require(kernel != nullptr, "umount2() is the module's");
    const MemoryIsThere guard;
    if (const int error = kernel->fault({EPERM, EINVAL})) return fail_with(error);
    std::string path = target;
    constexpr std::string_view open_files = "/proc/self/fd/";
    if (path.starts_with(open_files)) {
        const std::string_view rest = std::string_view(path).substr(open_files.size());
        const auto fd = slurm_adopt::parse_number<unsigned>(rest.substr(0, rest.find('/')));
        require(fd.has_value() && rest.find('/') != std::string_view::npos, "a mount below an open directory");
        path = kernel->path_at(static_cast<int>(*fd), std::string(rest.substr(rest.find('/') + 1)).c_str());
    }
    Kernel::RunNode* const node = run_node(*kernel, below_run(*kernel, AT_FDCWD, path.c_str()));
    if (node == nullptr) return fail_with(ENOENT);
    if (!node->is_mounted) return fail_with(EINVAL);
    *node = {S_IFDIR | 0700, 0, false};
    return 0;
}

int __wrap_unlinkat(int directory, const char* name, int flags)
{
    Kernel* const kernel = Kernel::running();
    require(kernel != nullptr, "unlinkat() is the module's");
    const MemoryIsThere guard;
    if (const int error = kernel->fault({EBUSY, EROFS, EIO, EPERM})) return fail_with(error);
    const std::string path = below_run(*kernel, directory, name);
    const Kernel::RunNode* const node = run_node(*kernel, path);
    if (node == nullptr) return fail_with(ENOENT);
    const bool is_directory = S_ISDIR(node->mode);
    if ((flags & AT_REMOVEDIR) == 0 && is_directory) return fail_with(EISDIR);
    if ((flags & AT_REMOVEDIR) != 0 && !is_directory) return fail_with(ENOTDIR);
    if (node->is_mounted) return fail_with(EBUSY);
    if (has_children(*kernel, path)) return fail_with(ENOTEMPTY);
    kernel->run.erase(path);
    return 0;
}

int __wrap_renameat(int from, const char* name, int to, const char* new_name)
{
    Kernel* const kernel = Kernel::running();
    require(kernel != nullptr, "renameat() is the module's");
    const MemoryIsThere guard;
    if (const int error = kernel->fault({EBUSY, EXDEV, EEXIST, ENOTEMPTY, EIO})) return fail_with(error);
    const std::string old_path = below_run(*kernel, from, name);
    const std::string new_path = below_run(*kernel, to, new_name);
    if (run_node(*kernel, old_path) == nullptr) return fail_with(ENOENT);
    if (run_node(*kernel, new_path) != nullptr) return fail_with(EEXIST);
    if (new_path.starts_with(old_path + '/')) return fail_with(EINVAL);
    std::map<std::string, Kernel::RunNode> moved;
    for (auto at = kernel->run.begin(); at != kernel->run.end();) {
        const bool is_below = at->first == old_path || at->first.starts_with(old_path + '/');
        if (is_below) moved.emplace(new_path + at->first.substr(old_path.size()), at->second);
        at = is_below ? kernel->run.erase(at) : std::next(at);
    }
    kernel->run.merge(moved);
    return 0;
}

long __real_syscall(long, ...);
long __wrap_syscall(long number, long first, long second, long third, long fourth, long fifth, long sixth)
{
    Kernel* const kernel = Kernel::running();
    if (kernel == nullptr) return __real_syscall(number, first, second, third, fourth, fifth, sixth);
    const MemoryIsThere guard;
    switch (number) {
    case SYS_getdents64:
        return list_directory(*kernel, static_cast<int>(first), reinterpret_cast<char*>(second), static_cast<std::size_t>(third));
    case SYS_clone:
        return start_helper(*kernel);
    case SYS_openat2: {
        if (const int error = kernel->fault({ENOSYS, EPERM, EXDEV})) return fail_with(error);
        const auto* const how = reinterpret_cast<const open_how*>(third);
        return __wrap_openat(static_cast<int>(first), reinterpret_cast<const char*>(second), static_cast<int>(how->flags));
    }
    case 434:  // pidfd_open
        if (const int error = kernel->fault({ENOSYS, EPERM, ESRCH, EMFILE})) return fail_with(error);
        return kernel->open({});
    case 438:  // pidfd_getfd
        if (const int error = kernel->fault({ENOSYS, EPERM, ESRCH, EMFILE})) return fail_with(error);
        return fail_with(EBADF);
    default:
        require(false, "no system call that is not known here");
        return -1;
    }
}
}
