// SPDX-License-Identifier: GPL-2.0-or-later
// The system calls about files and directories.
#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <memory>

#include "failing_memory.h"
#include "kernel.h"
#include "require.h"

using namespace slurm_adopt::fuzz;
using slurm_adopt::test::MemoryIsThere;

namespace {

// What a DIR* is here.
struct Directory {
    int fd = -1;
    std::size_t next = 0;
    dirent entry{};
};

int open_node(Kernel& kernel, const std::string& path, int flags)
{
    auto node = kernel.look_up(path);
    if (!node) return fail_with(ENOENT);
    if (S_ISLNK(node->mode) && (flags & O_NOFOLLOW) != 0) return fail_with((flags & O_DIRECTORY) != 0 ? ENOTDIR : ELOOP);
    if (S_ISSOCK(node->mode) && (flags & O_PATH) == 0) return fail_with(ENXIO);
    if ((flags & O_DIRECTORY) != 0 && !node->is_directory()) return fail_with(ENOTDIR);
    Descriptor descriptor;
    descriptor.kind = node->is_directory() ? Descriptor::Kind::directory : Descriptor::Kind::file;
    descriptor.path = path;
    descriptor.node = *std::move(node);
    return kernel.open(std::move(descriptor));
}

int fill(const std::optional<Node>& node, struct stat* status)
{
    if (!node) return fail_with(ENOENT);
    *status = {};
    status->st_mode = node->mode;
    status->st_uid = node->uid;
    status->st_dev = node->device;
    status->st_ino = node->inode;
    status->st_mtim.tv_sec = node->mtime_s;
    return 0;
}

// An open file is as it was found, but what is below /run changes, and so does a socket's number.
std::optional<Node> node_of(Kernel& kernel, int fd)
{
    if (fd == Kernel::client_socket || fd == Kernel::other_socket) {
        Node node;
        node.mode = S_IFSOCK | 0777;
        node.inode = fd == Kernel::client_socket ? 777 : 776;
        return node;
    }
    const Descriptor* open = kernel.find(fd);
    require(open != nullptr, "an open descriptor is asked about");
    // What is below a mount that came later is seen as it was.
    if (open->path.starts_with("/run/") && open->node.device != 9)
        if (auto now = kernel.look_up(open->path)) {
            now->device = open->node.device;
            return now;
        }
    return open->node;
}

}  // namespace

extern "C" {

int __real_open(const char*, int, ...);
int __wrap_open(const char* path, int flags, ...)
{
    Kernel* const kernel = Kernel::running();
    if (kernel == nullptr) {
        std::va_list arguments;
        va_start(arguments, flags);
        const unsigned mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, unsigned) : 0U;
        va_end(arguments);
        return __real_open(path, flags, mode);
    }
    const MemoryIsThere guard;
    if (const int error = kernel->fault({EMFILE, ENFILE, EACCES, EIO, ENOMEM, ENOENT, EINTR})) return fail_with(error);
    require((flags & O_CLOEXEC) != 0, "a descriptor is close-on-exec");
    return open_node(*kernel, path, flags);
}

int __wrap_openat(int directory, const char* name, int flags, ...)
{
    Kernel* const kernel = Kernel::running();
    require(kernel != nullptr, "openat() is the module's");
    const MemoryIsThere guard;
    if (const int error = kernel->fault({EMFILE, EACCES, EIO, ENOENT, ELOOP})) return fail_with(error);
    require((flags & O_CLOEXEC) != 0, "a descriptor is close-on-exec");
    const std::string path = kernel->path_at(directory, name);
    if ((flags & O_CREAT) != 0) {
        const bool has_locks = path.starts_with("/run/slurm-adopt/reading-") && (flags & O_NOFOLLOW) != 0;
        require(((flags & O_EXCL) != 0 && path.starts_with("/run/")) || has_locks, "a file is made anew, in a place of its own");
        const bool is_new = kernel->run.emplace(path.substr(4), Kernel::RunNode{S_IFREG | 0600, 0, false}).second;
        if (!is_new && !has_locks) return fail_with(EEXIST);
    }
    return open_node(*kernel, path, flags);
}

int __real_close(int);
int __wrap_close(int fd)
{
    Kernel* const kernel = Kernel::running();
    if (kernel == nullptr) return __real_close(fd);
    const MemoryIsThere guard;
    kernel->close(fd);
    // Whatever it returns, it is closed (close(2)).
    if (const int error = kernel->fault({EIO, EINTR})) return fail_with(error);
    return 0;
}

ssize_t __wrap_pread(int fd, void* buffer, size_t size, off_t offset)
{
    Kernel* const kernel = Kernel::running();
    require(kernel != nullptr, "pread() is the module's");
    const MemoryIsThere guard;
    if (const int error = kernel->fault({EINTR, EIO, ESRCH, ENOMEM})) return fail_with(error);
    Descriptor* const open = kernel->find(fd);
    require(open != nullptr && offset >= 0, "an open file is read");
    // A process's file tells how the process is by now; one that is gone is no more (ESRCH).
    const bool is_kept = open->path.ends_with("/self/cgroup");
    if (is_kept) open->node.text = kernel->cgroup_of(false);
    const std::string& text = open->node.text;
    const std::size_t at = std::min(static_cast<std::size_t>(offset), text.size());
    // In pieces, as /proc likes to.
    const std::size_t length = std::min({size, text.size() - at, std::size_t{3000}});
    std::memcpy(buffer, text.data() + at, length);
    return static_cast<ssize_t>(length);
}

ssize_t __real_read(int, void*, size_t);
ssize_t __wrap_read(int fd, void* buffer, size_t size)
{
    Kernel* const kernel = Kernel::running();
    if (kernel == nullptr) return __real_read(fd, buffer, size);
    return __wrap_pread(fd, buffer, size, 0);
}

ssize_t __wrap_readlink(const char* path, char* buffer, size_t size)
{
    Kernel* const kernel = Kernel::running();
    require(kernel != nullptr, "readlink() is the module's");
    const MemoryIsThere guard;
    if (const int error = kernel->fault({EACCES, ENOENT})) return fail_with(error);
    const std::string_view link = path;
    std::string target = link.ends_with("/fd/7") && kernel->world.parent == 1 ? "socket:[777]" : "/dev/null";
    for (const Step& step : kernel->world.steps)
        if (link == "/proc/" + std::to_string(step.pid) + "/fd/7") target = "socket:[" + std::to_string(Kernel::inode_of(step)) + ']';
    const std::size_t length = std::min(size, target.size());
    std::memcpy(buffer, target.data(), length);
    return static_cast<ssize_t>(length);
}

int __real_stat(const char*, struct stat*);
int __wrap_stat(const char* path, struct stat* status)
{
    Kernel* const kernel = Kernel::running();
    if (kernel == nullptr) return __real_stat(path, status);
    const MemoryIsThere guard;
    if (const int error = kernel->fault({EACCES, ENOENT, EIO})) return fail_with(error);
    return fill(kernel->look_up(path), status);
}

int __real_lstat(const char*, struct stat*);
int __wrap_lstat(const char* path, struct stat* status)
{
    Kernel* const kernel = Kernel::running();
    if (kernel == nullptr) return __real_lstat(path, status);
    return __wrap_stat(path, status);
}

int __real_fstat(int, struct stat*);
int __wrap_fstat(int fd, struct stat* status)
{
    Kernel* const kernel = Kernel::running();
    if (kernel == nullptr) return __real_fstat(fd, status);
    const MemoryIsThere guard;
    if (const int error = kernel->fault({EIO})) return fail_with(error);
    return fill(node_of(*kernel, fd), status);
}

int __wrap_fstatat(int directory, const char* name, struct stat* status, int)
{
    Kernel* const kernel = Kernel::running();
    require(kernel != nullptr, "fstatat() is the module's");
    const MemoryIsThere guard;
    if (const int error = kernel->fault({EACCES, ENOENT, EIO})) return fail_with(error);
    return fill(kernel->look_up(kernel->path_at(directory, name)), status);
}

int __wrap_statx(int directory, const char*, int, unsigned, struct statx* status)
{
    Kernel* const kernel = Kernel::running();
    require(kernel != nullptr, "statx() is the module's");
    const MemoryIsThere guard;
    if (const int error = kernel->fault({ENOSYS, EIO})) return fail_with(error);
    const auto node = node_of(*kernel, directory);
    *status = {};
    status->stx_uid = node->uid;
    status->stx_dev_major = gnu_dev_major(node->device);
    status->stx_dev_minor = gnu_dev_minor(node->device);
    return 0;
}

int __wrap_fstatfs(int fd, struct statfs* status)
{
    Kernel* const kernel = Kernel::running();
    require(kernel != nullptr, "fstatfs() is the module's");
    const MemoryIsThere guard;
    if (fd < 0) return fail_with(EBADF);
    if (const int error = kernel->fault({EIO, ENOSYS})) return fail_with(error);
    *status = {};
    status->f_type = node_of(*kernel, fd)->file_system;
    return 0;
}

int __wrap_access(const char* path, int)
{
    Kernel* const kernel = Kernel::running();
    require(kernel != nullptr, "access() is the module's");
    const MemoryIsThere guard;
    if (const int error = kernel->fault({EACCES, ETXTBSY})) return fail_with(error);
    const auto node = kernel->look_up(path);
    if (!node) return fail_with(ENOENT);
    return (node->mode & 0111) != 0 ? 0 : fail_with(EACCES);
}

// ---- directories that are read ----

DIR* __wrap_fdopendir(int fd)
{
    Kernel* const kernel = Kernel::running();
    require(kernel != nullptr, "fdopendir() is the module's");
    const MemoryIsThere guard;
    if (const int error = kernel->fault({ENOMEM})) return (void)fail_with(error), nullptr;
    auto directory = std::make_unique<Directory>();
    directory->fd = fd;
    return reinterpret_cast<DIR*>(directory.release());
}

DIR* __real_opendir(const char*);
DIR* __wrap_opendir(const char* path)
{
    Kernel* const kernel = Kernel::running();
    if (kernel == nullptr) return __real_opendir(path);
    const MemoryIsThere guard;
    if (const int error = kernel->fault({EMFILE, ENOMEM, EACCES})) return (void)fail_with(error), nullptr;
    const int fd = open_node(*kernel, path, O_DIRECTORY);
    if (fd < 0) return nullptr;
    auto directory = std::make_unique<Directory>();
    directory->fd = fd;
    return reinterpret_cast<DIR*>(directory.release());
}

dirent* __real_readdir(DIR*);
dirent* __wrap_readdir(DIR* stream)
{
    Kernel* const kernel = Kernel::running();
    if (kernel == nullptr) return __real_readdir(stream);
    const MemoryIsThere guard;
    if (const int error = kernel->fault({EIO, ENOENT})) return (void)fail_with(error), nullptr;
    auto* const directory = reinterpret_cast<Directory*>(stream);
    const Descriptor* const open = kernel->find(directory->fd);
    require(open != nullptr, "an open directory is read");
    const auto& names = open->node.names;
    if (directory->next >= names.size()) return nullptr;
    const std::string& name = names[directory->next++];
    require(name.size() < sizeof directory->entry.d_name, "a name fits");
    std::memcpy(directory->entry.d_name, name.c_str(), name.size() + 1);
    return &directory->entry;
}

int __real_closedir(DIR*);
int __wrap_closedir(DIR* stream)
{
    Kernel* const kernel = Kernel::running();
    if (kernel == nullptr) return __real_closedir(stream);
    const MemoryIsThere guard;
    const std::unique_ptr<Directory> directory(reinterpret_cast<Directory*>(stream));
    kernel->close(directory->fd);
    return 0;
}

int __wrap_dirfd(DIR* stream)
{
    return reinterpret_cast<Directory*>(stream)->fd;
}

void __wrap_rewinddir(DIR* stream)
{
    const MemoryIsThere guard;
    Kernel* const kernel = Kernel::running();
    auto* const directory = reinterpret_cast<Directory*>(stream);
    directory->next = 0;
    if (auto now = kernel->look_up(kernel->find(directory->fd)->path)) kernel->find(directory->fd)->node.names = now->names;
}
}
