// SPDX-License-Identifier: GPL-2.0-or-later
#include "token/token_input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "jwt/parse.h"
#include "slurm_adopt/fd.h"
#include "slurm_adopt/interrupted.h"

namespace slurm_adopt::tool {
namespace {

constexpr std::string_view variable = "SLURM_JWT";
// Room for the name in front and the line's end behind.
constexpr std::size_t longest_input = jwt::longest_token + 64;

Result<std::string> read_all(int fd, const std::string& name)
{
    std::string text(longest_input + 1, '\0');
    std::size_t length = 0;
    while (length < text.size()) {
        const ssize_t got = uninterrupted([&] { return ::read(fd, text.data() + length, text.size() - length); });
        if (got < 0) return system_error(name);
        if (got == 0) break;
        length += static_cast<std::size_t>(got);
    }
    if (length > longest_input) return Error{ErrorCode::too_large, 0, name + ": too long for a token"};
    text.resize(length);
    return text;
}

Result<std::string> read_token_file(const std::string& path)
{
    if (looks_like_token(path))
        return Error{ErrorCode::malformed, 0,
                     "that is a token, not a file; on a command line everybody on this machine can read it: put it into a "
                     "file of mode 0600, into SLURM_JWT, or into a pipe and give - for it"};
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!fd) return system_error("token file " + path);
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return system_error("token file " + path);
    if (!S_ISREG(status.st_mode))
        return Error{ErrorCode::malformed, 0, "token file " + path + ": is no regular file; give - for a pipe"};
    return read_all(fd.get(), "token file " + path);
}

// The token itself, out of what may be a whole line of scontrol's.
std::string_view stripped(std::string_view text)
{
    constexpr std::string_view blanks = " \t\r\n";
    const auto begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return {};
    text = text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
    if (text.starts_with(variable) && text.substr(variable.size()).starts_with('=')) text.remove_prefix(variable.size() + 1);
    return text;
}

}  // namespace

bool looks_like_token(std::string_view text)
{
    text = stripped(text);
    // {" in Base64, as every header begins.
    return text.starts_with("ey") && std::count(text.begin(), text.end(), '.') >= 2;
}

Result<std::string> read_token(const std::string& input)
{
    Result<std::string> text = std::string();
    if (input == "-") {
        text = read_all(STDIN_FILENO, "stdin");
    } else if (!input.empty()) {
        text = read_token_file(input);
    } else {
        const char* const value = std::getenv(std::string(variable).c_str());
        if (value == nullptr)
            return Error{ErrorCode::malformed, 0, "there is no token: name a file, give - for stdin, or set SLURM_JWT"};
        text = std::string(value);
    }
    if (!text) return text;
    std::string token(stripped(text.value()));
    if (token.empty()) return Error{ErrorCode::malformed, 0, "there is no token: what was given for it is empty"};
    return token;
}

}  // namespace slurm_adopt::tool
