// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#if __has_include(<linux/openat2.h>)
#include <linux/openat2.h>
#endif

#include <array>
#include <cerrno>

namespace slurm_adopt {
namespace {

constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

Error untrusted(const char* name, const char* why)
{
    return Error{ErrorCode::untrusted, 0, std::string(name) + ": " + why};
}

int open_on_same_mount(int parent, const char* name)
{
#if defined(SYS_openat2) && defined(RESOLVE_NO_XDEV)
    open_how how{};
    how.flags = static_cast<decltype(how.flags)>(directory_flags);
    how.resolve = RESOLVE_NO_XDEV;
    const long opened = ::syscall(SYS_openat2, parent, name, &how, sizeof how);
    // EPERM: a filter of system calls that does not know this one.
    if (opened >= 0 || (errno != ENOSYS && errno != EPERM)) return static_cast<int>(opened);
#endif
    Fd directory(::openat(parent, name, directory_flags));
    if (!directory) return -1;
    struct stat above {};
    struct stat status {};
    if (::fstat(parent, &above) != 0 || ::fstat(directory.get(), &status) != 0) return -1;
    if (above.st_dev != status.st_dev) {
        errno = EXDEV;
        return -1;
    }
    return directory.release();
}

}  // namespace

Result<Fd> open_own_directory(int parent, const char* name, mode_t mode)
{
    Fd directory(::openat(parent, name, directory_flags));
    if (!directory) {
        if (errno == ENOTDIR || errno == ELOOP) return untrusted(name, "not a directory");
        return system_error(name);
    }
    struct stat status {};
    if (::fstat(directory.get(), &status) != 0) return system_error(name);
    if (status.st_uid != 0) return untrusted(name, "not owned by root");
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) return untrusted(name, "writable by others than root");
    // The umask of who made it is not ours; and one who has made it may have been killed before this line.
    if ((status.st_mode & ~static_cast<mode_t>(S_IFMT)) != mode && ::fchmod(directory.get(), mode) != 0)
        return system_error(name);
    return directory;
}

Result<Fd> make_own_directory(int parent, const char* name, mode_t mode)
{
    auto there = open_own_directory(parent, name, mode);
    if (there || there.error().errno_value != ENOENT) return there;
    if (::mkdirat(parent, name, mode) != 0 && errno != EEXIST) return system_error(name);
    return open_own_directory(parent, name, mode);
}

std::vector<std::string> names_in(const Fd& directory, std::string_view prefix)
{
    std::vector<std::string> names;
    // getdents64(2): readdir(3) takes 32 KiB of memory, which the process has to get from the kernel and to give back.
    alignas(dirent64) std::array<char, 4096> buffer{};
    for (long got = 0; directory && (got = ::syscall(SYS_getdents64, directory.get(), buffer.data(), buffer.size())) > 0;)
        for (long at = 0; at < got;) {
            const auto* entry = reinterpret_cast<const dirent64*>(buffer.data() + at);
            if (std::string_view(entry->d_name).starts_with(prefix)) names.emplace_back(entry->d_name);
            at += entry->d_reclen;
        }
    return names;
}

Listing::Listing(int parent, const char* name)
{
    Fd directory(open_on_same_mount(parent, name));
    if (!directory) return;
    stream_ = ::fdopendir(directory.get());
    if (stream_ != nullptr) (void)directory.release();
}

Listing::~Listing()
{
    if (stream_ != nullptr) (void)::closedir(stream_);
}

const char* Listing::next()
{
    for (;;) {
        errno = 0;  // the end changes nothing of it (readdir(3))
        const dirent* entry = ::readdir(stream_);
        if (entry == nullptr) {
            failed_ = errno != 0;
            return nullptr;
        }
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") return entry->d_name;
    }
}

void Listing::rewind()
{
    ::rewinddir(stream_);
    failed_ = false;
}

}  // namespace slurm_adopt
