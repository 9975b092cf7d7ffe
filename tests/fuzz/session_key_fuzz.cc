// SPDX-License-Identifier: GPL-2.0-or-later
// /proc/<pid>/stat, in which the name is the process's own choice, and the names of files in the registry of sessions.
#include <string>

#include "input.h"
#include "require.h"
#include "slurm_adopt/session_registry.h"

using namespace slurm_adopt;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text = fuzz::Input(data, size).rest();
    if (session_pid(text)) require(text.find_first_not_of("0123456789.") == std::string_view::npos, "a key is two numbers");
    const auto key = parse_session_key(text);
    if (!key || !key.value()) return 0;
    const auto pid = session_pid(*key.value());
    require(pid.has_value(), "what is made is read again");
    require(text.starts_with(std::to_string(*pid)) || text.starts_with('0'), "the pid stands first");
    require(key.value()->find_first_of("/ \n") == std::string::npos, "a key is a file's name");
    // A process that calls itself something else is the same process.
    const std::string renamed = std::to_string(*pid) + " (x) S 1 (2) " + std::string(text.substr(text.rfind(") ")));
    const auto again = parse_session_key(renamed);
    require(again && again.value() == key.value(), "the name does not matter");
    return 0;
}
