// SPDX-License-Identifier: GPL-2.0-or-later
#include "rest/rest_url.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>

#include "slurm_adopt/text.h"

namespace slurm_adopt::rest {
namespace {

Error malformed(std::string_view text, const char* why)
{
    return Error{ErrorCode::malformed, 0, "rest_url=" + printable(text) + ": " + why};
}

Error untrusted(const std::string& path, const char* why)
{
    return Error{ErrorCode::untrusted, 0, path + ": " + why};
}

bool is_plain(char c)
{
    constexpr std::string_view others = "-._~:[]/%";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || others.find(c) != std::string_view::npos;
}

struct Free {
    void operator()(char* text) const { std::free(text); }  // NOLINT(cppcoreguidelines-no-malloc): realpath(3)
};

bool only_they_write(const struct stat& status, uid_t owner)
{
    return (status.st_uid == 0 || status.st_uid == owner) && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

}  // namespace

Result<RestUrl> parse_rest_url(std::string_view text)
{
    constexpr std::string_view unix_scheme = "unix:";
    RestUrl url;
    if (text.starts_with(unix_scheme)) {
        url.socket_path = text.substr(unix_scheme.size());
        url.base = "http://localhost";
        const bool is_absolute = url.socket_path.starts_with('/') && is_printable(url.socket_path);
        if (!is_absolute) return malformed(text, "after unix: there has to be an absolute path");
        return url;
    }
    url.is_encrypted = text.starts_with("https://");
    if (!url.is_encrypted && !text.starts_with("http://")) return malformed(text, "is none of http://, https:// and unix:/");
    if (!std::all_of(text.begin(), text.end(), is_plain)) return malformed(text, "has more than a host and a port");
    while (text.ends_with('/')) text.remove_suffix(1);
    const std::string_view host = text.substr(std::min(text.size(), text.find(':') + 3));
    if (host.empty() || host.front() == ':' || host.front() == '/') return malformed(text, "names no host");
    url.base = text;
    return url;
}

Result<std::string> check_socket_path(const std::string& path)
{
    const std::unique_ptr<char, Free> resolved(::realpath(path.c_str(), nullptr));
    if (!resolved) return system_error(path);
    const std::string real = resolved.get();
    struct stat socket {};
    if (::lstat(real.c_str(), &socket) != 0) return system_error(path);
    if (!S_ISSOCK(socket.st_mode)) return untrusted(path, "is no socket");
    std::string directory = real;
    while (directory != "/") {
        directory.resize(std::max<std::size_t>(directory.rfind('/'), 1));
        struct stat status {};
        if (::lstat(directory.c_str(), &status) != 0) return system_error(directory);
        if (!only_they_write(status, socket.st_uid))
            return untrusted(path, ("others than root and its owner could replace it: see " + directory).c_str());
    }
    return real;
}

}  // namespace slurm_adopt::rest
