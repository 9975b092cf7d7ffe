// SPDX-License-Identifier: GPL-2.0-or-later
#include "jwt/key_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "jwt/base64.h"
#include "slurm_adopt/fd.h"
#include "slurm_adopt/interrupted.h"
#include "slurm_adopt/users.h"

namespace slurm_adopt::jwt {
namespace {

Error untrusted(const std::string& path, const std::string& why)
{
    return Error{ErrorCode::untrusted, 0, "key file " + path + ": " + why};
}

Result<Fd> open_key_file(const std::string& path, uid_t owner)
{
    // O_NONBLOCK: a FIFO must not make us wait for somebody to write.
    Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK));
    if (!fd && errno == ELOOP) return untrusted(path, "is a symbolic link: name the file itself");
    if (!fd) return system_error("key file " + path);
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return system_error("key file " + path);
    if (!S_ISREG(status.st_mode)) return untrusted(path, "is no regular file");
    if (status.st_uid != 0 && status.st_uid != owner)
        return untrusted(path, "belongs to " + user_name(status.st_uid) + ", not to " + user_name(owner) +
                                   ": whoever owns it can sign as anybody");
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return untrusted(path,
                         "others than its owner have permissions: chmod 0400, and make a new key if they could read it");
    return fd;
}

Result<Secret> read_all(const Fd& fd, const std::string& path)
{
    // One byte more than allowed, so that a file that is too long shows.
    Result<Secret> content = Secret::of_size(longest_key_file + 1);
    if (!content) return content;
    const auto room = content.value().bytes();
    std::size_t length = 0;
    while (length < room.size()) {
        const ssize_t got = uninterrupted([&] { return ::read(fd.get(), room.data() + length, room.size() - length); });
        if (got < 0) return system_error("key file " + path);
        if (got == 0) break;
        length += static_cast<std::size_t>(got);
    }
    content.value().shrink(length);
    return content;
}

Error wrong_size(const std::string& path, std::size_t size)
{
    const ErrorCode code = size > longest_key ? ErrorCode::too_large : ErrorCode::malformed;
    if (size == 0) return Error{code, 0, "key file " + path + ": is empty"};
    return Error{code, 0,
                 "key file " + path + ": the key has " + std::to_string(size) + " bytes; HS256 needs " +
                     std::to_string(shortest_key) + " to " + std::to_string(longest_key)};
}

}  // namespace

Result<Secret> read_key_file(const std::string& path, KeyFormat format, uid_t owner)
{
    Result<Fd> fd = open_key_file(path, owner);
    if (!fd) return std::move(fd).error();
    Result<Secret> content = read_all(fd.value(), path);
    if (!content) return content;
    const std::size_t file_size = content.value().bytes().size();
    if (file_size > longest_key_file)
        return Error{ErrorCode::too_large, 0, "key file " + path + ": larger than any key; is it the right file?"};
    if (format == KeyFormat::base64 && file_size > 0) {
        content = decode_key_text(content.value());
        if (!content) return std::move(content).error().in("key file " + path);
    }
    const std::size_t size = content.value().bytes().size();
    if (size < shortest_key || size > longest_key) return wrong_size(path, size);
    return content;
}

}  // namespace slurm_adopt::jwt
