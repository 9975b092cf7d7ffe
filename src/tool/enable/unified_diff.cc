// SPDX-License-Identifier: GPL-2.0-or-later
#include "enable/unified_diff.h"

#include <algorithm>

#include "slurm_adopt/text.h"

namespace slurm_adopt::tool {
namespace {

constexpr std::size_t context = 3;

struct Step {
    char sign = ' ';  // ' ' in both, '-' only before, '+' only after
    std::string_view line;
    bool no_newline = false;
};

struct Lines {
    std::vector<std::string_view> lines;
    bool newline_at_end = true;
};

Lines lines_of(std::string_view text)
{
    Lines all{split(text, '\n'), true};
    if (all.lines.back().empty())
        all.lines.pop_back();
    else
        all.newline_at_end = false;
    return all;
}

// The longest common subsequence, by the textbook's table: common[i][j] is its length from i and j on.
std::vector<Step> steps_between(const Lines& before, const Lines& after)
{
    const std::size_t n = before.lines.size();
    const std::size_t m = after.lines.size();
    const auto last_differs = [&](std::size_t i, std::size_t j) {
        return (!before.newline_at_end && i + 1 == n) != (!after.newline_at_end && j + 1 == m);
    };
    const auto same = [&](std::size_t i, std::size_t j) { return before.lines[i] == after.lines[j] && !last_differs(i, j); };
    std::vector<std::vector<std::size_t>> common(n + 1, std::vector<std::size_t>(m + 1, 0));
    for (std::size_t i = n; i-- > 0;)
        for (std::size_t j = m; j-- > 0;)
            common[i][j] = same(i, j) ? common[i + 1][j + 1] + 1 : std::max(common[i + 1][j], common[i][j + 1]);
    std::vector<Step> steps;
    for (std::size_t i = 0, j = 0; i < n || j < m;) {
        const bool before_ends = i < n && i + 1 == n && !before.newline_at_end;
        const bool after_ends = j < m && j + 1 == m && !after.newline_at_end;
        if (i < n && j < m && same(i, j)) {
            steps.push_back({' ', before.lines[i], before_ends});
            ++i;
            ++j;
        } else if (i < n && (j == m || common[i + 1][j] >= common[i][j + 1])) {
            steps.push_back({'-', before.lines[i++], before_ends});
        } else {
            steps.push_back({'+', after.lines[j++], after_ends});
        }
    }
    return steps;
}

// "START,COUNT" of a hunk's head; an empty side is said to start one line earlier (diff's own rule).
std::string range(std::size_t lines_above, std::size_t count)
{
    return std::to_string(count == 0 ? lines_above : lines_above + 1) + ',' + std::to_string(count);
}

}  // namespace

std::vector<std::string> unified_diff(std::string_view before, std::string_view after, const std::string& name)
{
    std::vector<std::string> shown;
    if (before == after) return shown;
    const Lines old_lines = lines_of(before);
    const Lines new_lines = lines_of(after);
    const auto steps = steps_between(old_lines, new_lines);
    const auto changed = [](const Step& step) { return step.sign != ' '; };
    shown = {"--- " + printable(name), "+++ " + printable(name)};
    std::size_t old_above = 0;
    std::size_t new_above = 0;
    for (std::size_t at = 0; at < steps.size();) {
        const auto first = static_cast<std::size_t>(
            std::find_if(steps.begin() + static_cast<std::ptrdiff_t>(at), steps.end(), changed) - steps.begin());
        if (first == steps.size()) break;
        const std::size_t begin = std::max(at, first - std::min(first, context));
        std::size_t end = first;  // one past the last line of the hunk
        for (std::size_t i = first; i < steps.size() && i < end + 2 * context + 1; ++i)
            if (changed(steps[i])) end = i + 1;
        end = std::min(steps.size(), end + context);
        old_above += begin - at;
        new_above += begin - at;
        std::size_t old_count = 0;
        std::size_t new_count = 0;
        std::vector<std::string> body;
        for (std::size_t i = begin; i < end; ++i) {
            if (steps[i].sign != '+') ++old_count;
            if (steps[i].sign != '-') ++new_count;
            body.push_back(steps[i].sign + std::string(steps[i].line));
            if (steps[i].no_newline) body.emplace_back("\\ No newline at end of file");
        }
        shown.push_back("@@ -" + range(old_above, old_count) + " +" + range(new_above, new_count) + " @@");
        shown.insert(shown.end(), body.begin(), body.end());
        old_above += old_count;
        new_above += new_count;
        at = end;
    }
    return shown;
}

}  // namespace slurm_adopt::tool
