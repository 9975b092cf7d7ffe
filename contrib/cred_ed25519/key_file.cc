// SPDX-License-Identifier: GPL-2.0-or-later
#include "key_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "slurm_adopt/fd.h"
#include "slurm_adopt/interrupted.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt::cred_ed25519 {
namespace {

Refused refused_by_system(Refusal why)
{
    return Refused{why, system_error("errno", errno).context};
}

std::string octal(mode_t mode)
{
    std::array<char, 16> text{};
    (void)std::snprintf(text.data(), text.size(), "mode %04o", mode & 07777U);
    return text.data();
}

OrRefused<Fd> open_key_file(const char* path)
{
    if (path == nullptr || *path == '\0') return Refused{Refusal::no_path, ""};
    // O_NONBLOCK: a FIFO must not make a daemon wait for somebody to write.
    Fd fd(::open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK));
    if (fd) return fd;
    if (errno == ELOOP) return Refused{Refusal::symbolic_link, ""};
    return refused_by_system(Refusal::cannot_open);
}

// Access control lists are in the mode too: the mask of the list stands for the group.
std::variant<std::monostate, Refused> check(const Fd& fd, KeyKind kind, uid_t slurm_user)
{
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return refused_by_system(Refusal::cannot_read);
    if (!S_ISREG(status.st_mode)) return Refused{Refusal::no_regular_file, ""};
    if (status.st_uid != 0 && status.st_uid != slurm_user)
        return Refused{Refusal::wrong_owner,
                       "owner " + std::to_string(status.st_uid) + ", SlurmUser " + std::to_string(slurm_user)};
    if (kind == KeyKind::private_key && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return Refused{Refusal::private_exposed, octal(status.st_mode)};
    if (kind == KeyKind::public_key && (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return Refused{Refusal::public_writable, octal(status.st_mode)};
    return std::monostate{};
}

OrRefused<Secret> read_all(const Fd& fd)
{
    // One byte more than allowed, so that a file that is too large shows.
    Result<Secret> content = Secret::of_size(largest_key_file + 1);
    if (!content) return Refused{Refusal::out_of_memory, ""};
    const auto room = content.value().bytes();
    std::size_t length = 0;
    while (length < room.size()) {
        const ssize_t got = uninterrupted([&] { return ::read(fd.get(), room.data() + length, room.size() - length); });
        if (got < 0) return refused_by_system(Refusal::cannot_read);
        if (got == 0) break;
        length += static_cast<std::size_t>(got);
    }
    if (length == 0) return Refused{Refusal::empty_file, ""};
    if (length > largest_key_file) return Refused{Refusal::too_large, ""};
    content.value().shrink(length);
    return std::move(content).value();
}

}  // namespace

OrRefused<Secret> read_key_file(const char* path, KeyKind kind, uid_t slurm_user)
{
    OrRefused<Fd> opened = open_key_file(path);
    if (auto* refused = std::get_if<Refused>(&opened)) return std::move(*refused);
    const Fd& fd = std::get<Fd>(opened);
    auto checked = check(fd, kind, slurm_user);
    if (auto* refused = std::get_if<Refused>(&checked)) return std::move(*refused);
    return read_all(fd);
}

}  // namespace slurm_adopt::cred_ed25519
