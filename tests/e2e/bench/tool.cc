// SPDX-License-Identifier: GPL-2.0-or-later
#include "tool.h"

namespace slurm_adopt::e2e {

std::vector<std::string> tool_command(const std::vector<std::string>& arguments)
{
    std::vector<std::string> argv = {"env", "-u", "SSH_CONNECTION", SLURM_ADOPT_TOOL};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return argv;
}

Finished tool(const std::vector<std::string>& arguments, const std::vector<std::string>& wrapper)
{
    std::vector<std::string> argv = wrapper;
    for (const std::string& word : tool_command(arguments)) argv.push_back(word);
    return run({.argv = std::move(argv), .environment = {}, .timeout = std::chrono::seconds{60}});
}

}  // namespace slurm_adopt::e2e
