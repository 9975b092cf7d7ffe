// SPDX-License-Identifier: GPL-2.0-or-later
// The text of /proc/net/unix, in which anybody on the node can have lines. Held against a reader that goes line by line.
#include <algorithm>
#include <string>
#include <vector>

#include "input.h"
#include "require.h"
#include "slurm_adopt/step_socket.h"
#include "slurm_adopt/text.h"

using namespace slurm_adopt;
using fuzz::require;

namespace {

// "ffff8a: 00000002 00000000 00010000 0001 01 27334 /path", fields set apart by any number of spaces.
void read_line(std::string_view line, std::vector<std::string>& paths)
{
    constexpr int fields = 7;
    std::string flags;
    std::size_t at = 0;
    for (int i = 0; i < fields; ++i) {
        while (at < line.size() && line[at] == ' ') ++at;
        std::size_t end = at;
        while (end < line.size() && line[end] != ' ') ++end;
        if (i == 3) flags = line.substr(at, end - at);
        at = end;
    }
    flags.erase(0, std::min(flags.find_first_not_of('0'), flags.size()));
    if (flags.empty() || flags.size() > 16 || flags.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) return;
    if ((std::stoull(flags, nullptr, 16) & 0x10000) == 0) return;
    if (at + 1 < line.size() && line[at + 1] == '/') paths.emplace_back(line.substr(at + 1));
}

// As the module puts a path together; "/x" and "//x" are the same file.
std::string path_of(const StepSocketPath& socket)
{
    return socket.directory + '/' + socket.file_name;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text = fuzz::Input(data, size).rest();
    std::vector<std::string> found;
    for (const StepSocketPath& socket : parse_listening_extern_sockets(text)) {
        require(socket.directory.starts_with('/') && socket.job_id != 0 && !socket.node.empty(), "a socket has all its parts");
        require(socket.file_name.find('/') == std::string::npos, "a file name is one");
        found.push_back(path_of(socket));
    }
    std::vector<std::string> expected;
    for (const std::string_view line : split(text, '\n')) read_line(line, expected);
    std::erase_if(expected, [](const std::string& path) { return !parse_extern_socket_path(path); });
    for (std::string& path : expected) path = path_of(own(*parse_extern_socket_path(path)));
    std::sort(expected.begin(), expected.end());
    expected.erase(std::unique(expected.begin(), expected.end()), expected.end());
    std::sort(found.begin(), found.end());
    require(found == expected, "what a reader of lines finds");
    return 0;
}
