// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/result.h"

#include <cerrno>
#include <cstring>

namespace slurm_adopt {

Error Error::in(std::string_view what) &&
{
    std::string outer(what);
    outer += ": ";
    outer += context;
    context = std::move(outer);
    return std::move(*this);
}

Error system_error(std::string_view what, int errno_value)
{
    char buffer[128] = "";
    // The GNU strerror_r: thread-safe, and never touches the caller's locale data.
    const char* text = ::strerror_r(errno_value, buffer, sizeof buffer);
    std::string context(what);
    context += ": ";
    context += text;
    return Error{ErrorCode::system, errno_value, std::move(context)};
}

Error system_error(std::string_view what)
{
    return system_error(what, errno);
}

}  // namespace slurm_adopt
