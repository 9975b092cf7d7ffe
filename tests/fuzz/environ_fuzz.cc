// SPDX-License-Identifier: GPL-2.0-or-later
// What a user's process has as its environ, against what a session may get of it.
#include <algorithm>
#include <string>

#include "input.h"
#include "require.h"
#include "slurm_adopt/environment_import.h"
#include "slurm_adopt/text.h"

using namespace slurm_adopt;
using fuzz::require;

namespace {

// Without the table, as a second opinion.
bool is_dangerous(std::string_view name)
{
    return name.starts_with("LD_") || name.starts_with("PYTHON") || name.starts_with("BASH") || name.starts_with("SSH_") || name == "PATH" ||
           name == "IFS" || name == "ENV" || name == "HOME";
}

// What getenv(3) does in a program: an entry at a time.
std::optional<std::string_view> first_of(std::string_view block, std::string_view name)
{
    while (block.find('\0') != std::string_view::npos) {
        const std::string_view entry = block.substr(0, block.find('\0'));
        block.remove_prefix(entry.size() + 1);
        if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=') return entry.substr(name.size() + 1);
    }
    return std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::Input input(data, size);
    std::vector<std::string> patterns = {std::string(input.text()), std::string(input.text())};
    // Others are refused by the options (options_fuzz.cc).
    std::erase_if(patterns, [](const std::string& pattern) {
        return !is_variable_name(pattern.ends_with('*') ? std::string_view(pattern).substr(0, pattern.size() - 1) : pattern);
    });
    patterns.emplace_back("SLURM_*");
    const std::string block(input.rest());

    const Import found = choose_variables(block, patterns);
    std::size_t total = 0;
    for (const Variable& variable : found.variables) {
        total += variable.name.size() + variable.value.size() + 2;
        require(is_variable_name(variable.name) && !is_dangerous(variable.name), "a name that may be set");
        require(variable.value.find_first_of(std::string_view("\0\n\r\x1b\x7f", 5)) == std::string_view::npos, "no control character in a value");
        require(is_plain_text(variable.value), "a value is text");
        require(std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) { return matches(pattern, variable.name); }),
                "only what was asked for");
        require(first_of(block, variable.name) == variable.value, "what getenv() says");
        require(value_in(block, variable.name) == variable.value, "and so do we");
        require(std::count_if(found.variables.begin(), found.variables.end(), [&](const Variable& other) { return other.name == variable.name; }) == 1,
                "each name once");
    }
    require(found.variables.size() <= most_variables && total <= most_imported, "the caps hold");
    return 0;
}
