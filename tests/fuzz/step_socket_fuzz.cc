// SPDX-License-Identifier: GPL-2.0-or-later
// A socket's path, as anybody may bind one.
#include <string>

#include "input.h"
#include "require.h"
#include "slurm_adopt/step_socket.h"
#include "slurm_adopt/text.h"

using namespace slurm_adopt;
using fuzz::require;

namespace {

void check_name(std::string_view name, const StepSocketView& socket)
{
    require(socket.file_name == name && socket.job_id != 0 && !socket.node.empty(), "a name has a node and a job");
    const std::string_view behind = name.substr(socket.node.size());
    require(name.starts_with(socket.node) && behind.front() == '_', "the node stands first");
    const std::string_view job = behind.substr(1, behind.find('.') - 1);
    require(parse_number<std::uint32_t>(job) == socket.job_id, "then the job");
    std::string_view step = behind.substr(1 + job.size());
    require(step.starts_with(extern_step_suffix), "then the extern step");
    step.remove_prefix(extern_step_suffix.size());
    require(step.empty() || (step.front() == '.' && parse_number<std::uint32_t>(step.substr(1))), "then a component, if any");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text = fuzz::Input(data, size).rest();
    if (const auto socket = parse_extern_socket_name(text)) check_name(text, *socket);
    const auto socket = parse_extern_socket_path(text);
    if (!socket) return 0;
    check_name(text.substr(text.rfind('/') + 1), *socket);
    require(text.front() == '/', "a path is absolute");
    const StepSocketPath owned = own(*socket);
    const std::string path = owned.directory + '/' + owned.file_name;
    require(path == text || path == '/' + std::string(text), "put together it is the path; in / with one slash more");
    return 0;
}
