// SPDX-License-Identifier: GPL-2.0-or-later
#include "enable/marked_lines.h"

#include <utility>

#include "slurm_adopt/text.h"

namespace slurm_adopt::tool {
namespace {

constexpr std::string_view begin_comment = "# Begin slurm-adopt (remove with \"slurm-adopt disable\"): ";
constexpr std::string_view end_comment = "# End slurm-adopt";

Error unpaired(const std::string& name, std::size_t line, std::string_view what)
{
    return Error{ErrorCode::malformed, 0,
                 name + ':' + std::to_string(line) + ": " + std::string(what) +
                     "; remove what is left of slurm-adopt's lines by hand"};
}

// The index of the end comment that belongs to the begin comment at `begin`; 0 where there is none.
std::size_t end_of(const std::vector<std::string_view>& lines, std::size_t begin)
{
    for (std::size_t i = begin + 1; i < lines.size(); ++i) {
        if (lines[i] == end_comment) return i;
        if (lines[i].starts_with(begin_comment)) return 0;
    }
    return 0;
}

}  // namespace

Result<Unmarked> without_marked_lines(std::string_view text, const std::string& name)
{
    Unmarked unmarked;
    std::vector<std::string_view> kept;
    const auto lines = split(text, '\n');
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (lines[i] == end_comment) return unpaired(name, i + 1, "\"# End slurm-adopt\" without its begin");
        if (!lines[i].starts_with(begin_comment)) {
            kept.push_back(lines[i]);
            continue;
        }
        const std::size_t end = end_of(lines, i);
        if (end == 0) return unpaired(name, i + 1, "\"# Begin slurm-adopt\" without its end");
        const std::string_view said = lines[i].substr(begin_comment.size());
        unmarked.removed.push_back({static_cast<unsigned>(i + 1), std::string(said), end == i + 2 && lines[i + 1] == said});
        i = end;
    }
    for (std::size_t i = 0; i < kept.size(); ++i) {
        if (i != 0) unmarked.text += '\n';
        unmarked.text += kept[i];
    }
    return unmarked;
}

std::string with_marked_line(std::string_view text, unsigned after, std::string_view line)
{
    std::string result;
    const auto lines = split(text, '\n');
    const std::string block =
        std::string(begin_comment) + std::string(line) + '\n' + std::string(line) + '\n' + std::string(end_comment);
    for (std::size_t i = 0; i <= lines.size(); ++i) {
        if (i == after) result += (i == 0 ? "" : "\n") + block;
        if (i == lines.size()) break;
        if (i != 0 || after == 0) result += '\n';
        result += lines[i];
    }
    return result;
}

}  // namespace slurm_adopt::tool
