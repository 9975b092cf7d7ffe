// SPDX-License-Identifier: GPL-2.0-or-later
#include "enable/replace_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "slurm_adopt/file.h"
#include "write_all.h"

namespace slurm_adopt::tool {
namespace {

constexpr std::size_t largest_file = std::size_t{1024} * 1024;
constexpr unsigned most_backups = 100;

Error refused(std::string text)
{
    return Error{ErrorCode::untrusted, 0, std::move(text)};
}

Result<Done> check_root_only(const std::string& path, const struct stat& status)
{
    if (status.st_uid != 0) return refused(path + ": not owned by root; chown root first");
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return refused(path + ": writable by others than root; chmod go-w first");
    return Done{};
}

Result<Fd> lock_directory(const std::string& directory)
{
    Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return system_error(directory);
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return system_error(directory);
    if (auto good = check_root_only(directory, status); !good.ok()) return good.error();
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return refused(directory + ": another slurm-adopt edits it now; try again when it is done");
        return system_error(directory);
    }
    return fd;
}

Result<Done> check_file(const std::string& path, const struct stat& status)
{
    if (!S_ISREG(status.st_mode)) return refused(path + ": not a regular file");
    if (status.st_nlink != 1)
        return refused(path + ": has other hard links, which an edit would part from it; replace it by a copy first");
    return check_root_only(path, status);
}

bool same_file(const struct stat& a, const struct stat& b)
{
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size && a.st_mode == b.st_mode &&
           a.st_uid == b.st_uid && a.st_ctim.tv_sec == b.st_ctim.tv_sec && a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

}  // namespace

EditedFile::EditedFile(std::string path, Fd directory, Fd file, const struct stat& status, std::string text)
    : path_(std::move(path)),
      directory_(std::move(directory)),
      file_(std::move(file)),
      status_(status),
      text_(std::move(text))
{
}

Result<EditedFile> EditedFile::open(const std::string& path)
{
    auto directory = lock_directory(path.substr(0, path.rfind('/')));
    if (!directory.ok()) return directory.error();
    Fd file(::openat(directory.value().get(), path.substr(path.rfind('/') + 1).c_str(),
                     O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!file && errno == ELOOP)
        return refused(path + ": a symbolic link: the file it points to belongs to somebody else; edit that one by hand, or "
                              "put a copy in the link's place");
    if (!file) return system_error(path);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return system_error(path);
    if (auto good = check_file(path, status); !good.ok()) return good.error();
    auto text = read_open_file(file, path, largest_file);
    if (!text.ok()) return text.error();
    return EditedFile(path, std::move(directory).value(), std::move(file), status, std::move(text).value());
}

std::string EditedFile::backup_name(unsigned number) const
{
    return name() + ".slurm-adopt-backup" + (number == 0 ? "" : "." + std::to_string(number));
}

Result<Done> EditedFile::copy_attributes(const Fd& to) const
{
    // A chown takes set-id bits away, so the mode comes after it.
    if (::fchown(to.get(), status_.st_uid, status_.st_gid) != 0 || ::fchmod(to.get(), status_.st_mode & 07777) != 0)
        return system_error(path_);
    ssize_t size = ::flistxattr(file_.get(), nullptr, 0);
    if (size < 0)
        return errno == ENOTSUP ? Result<Done>(Done{}) : Result<Done>(system_error(path_ + ": extended attributes"));
    std::vector<char> names(static_cast<std::size_t>(size));
    size = ::flistxattr(file_.get(), names.data(), names.size());
    if (size < 0) return system_error(path_ + ": extended attributes");
    for (const char* name = names.data(); name < names.data() + size; name += std::strlen(name) + 1) {
        // Checksums of the old content; the kernel makes its own.
        if (std::string_view(name) == "security.ima" || std::string_view(name) == "security.evm") continue;
        std::vector<char> value(std::size_t{64} * 1024);  // XATTR_SIZE_MAX
        const ssize_t length = ::fgetxattr(file_.get(), name, value.data(), value.size());
        if (length < 0 || ::fsetxattr(to.get(), name, value.data(), static_cast<std::size_t>(length), 0) != 0)
            return system_error(path_ + ": extended attribute " + name);
    }
    return Done{};
}

Result<Done> EditedFile::write_new(const std::string& text) const
{
    const std::string shown = EditedFile::directory() + '/' + new_name();
    // One that a killed run has left; the lock says that nobody else writes it.
    if (::unlinkat(directory_.get(), new_name().c_str(), 0) != 0 && errno != ENOENT) return system_error(shown);
    const Fd fd(::openat(directory_.get(), new_name().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) return system_error(shown);
    Result<Done> done = write_all(fd.get(), text, shown);
    if (done.ok()) done = copy_attributes(fd);
    if (done.ok() && ::fsync(fd.get()) != 0) done = system_error(shown);
    if (!done.ok()) (void)::unlinkat(directory_.get(), new_name().c_str(), 0);
    return done;
}

Result<Done> EditedFile::replace(const std::string& text) const
{
    if (auto done = write_new(text); !done.ok()) return done;
    struct stat now {};
    const bool is_there = ::fstatat(directory_.get(), name().c_str(), &now, AT_SYMLINK_NOFOLLOW) == 0;
    Result<Done> done = Done{};
    if (is_there && !same_file(now, status_))
        done = refused(path_ + ": somebody has changed it meanwhile; try again");
    else if (!is_there || ::renameat(directory_.get(), new_name().c_str(), directory_.get(), name().c_str()) != 0)
        done = system_error(path_);
    if (!done.ok()) {
        (void)::unlinkat(directory_.get(), new_name().c_str(), 0);
        return done;
    }
    // The rename has happened; only whether it outlives a power failure at this moment is open.
    (void)::fsync(directory_.get());
    return Done{};
}

Result<std::string> EditedFile::back_up() const
{
    for (unsigned number = 0; number < most_backups; ++number) {
        const std::string path = EditedFile::directory() + '/' + backup_name(number);
        if (const auto there = read_file(path, largest_file); there.ok() && there.value() == text_) return path;
        if (::faccessat(directory_.get(), backup_name(number).c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) continue;
        if (auto done = write_new(text_); !done.ok()) return done.error();
        // link(2) never replaces a file.
        const bool linked =
            ::linkat(directory_.get(), new_name().c_str(), directory_.get(), backup_name(number).c_str(), 0) == 0;
        const int failure = errno;
        (void)::unlinkat(directory_.get(), new_name().c_str(), 0);
        if (!linked) return system_error(path, failure);
        return path;
    }
    return refused(path_ + ": has " + std::to_string(most_backups) + " backups beside it; remove those of " +
                   backup_name(0) + ".* that you do not need");
}

unsigned EditedFile::remove_backups(const std::string& text) const
{
    unsigned removed = 0;
    for (unsigned number = 0; number < most_backups; ++number) {
        const auto there = read_file(EditedFile::directory() + '/' + backup_name(number), largest_file);
        if (there.ok() && there.value() == text && ::unlinkat(directory_.get(), backup_name(number).c_str(), 0) == 0)
            ++removed;
    }
    return removed;
}

std::vector<std::string> EditedFile::backups() const
{
    std::vector<std::string> there;
    for (unsigned number = 0; number < most_backups; ++number) {
        if (::faccessat(directory_.get(), backup_name(number).c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0)
            there.push_back(EditedFile::directory() + '/' + backup_name(number));
    }
    return there;
}

}  // namespace slurm_adopt::tool
