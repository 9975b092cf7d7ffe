// SPDX-License-Identifier: GPL-2.0-or-later
#include "check/match_blocks.h"

#include <glob.h>
#include <grp.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "slurm_adopt/file.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt::tool {
namespace {

constexpr std::size_t largest_file = std::size_t{1024} * 1024;
constexpr unsigned most_levels = 16;  // as sshd

// Separated by blanks; "..." is one; the keyword may be followed by '='. A word that begins with '#' ends the line.
std::vector<std::string> words_of(std::string_view line)
{
    std::vector<std::string> words;
    for (;;) {
        const std::size_t begin = line.find_first_not_of(words.size() == 1 ? " \t\r=" : " \t\r");
        if (begin == std::string_view::npos || line[begin] == '#') return words;
        line.remove_prefix(begin);
        const bool quoted = line.front() == '"';
        if (quoted) line.remove_prefix(1);
        const std::size_t end = std::min(line.find_first_of(quoted ? "\"" : (words.empty() ? " \t\r=" : " \t\r")), line.size());
        words.emplace_back(line.substr(0, end));
        line.remove_prefix(std::min(end + (quoted ? 1 : 0), line.size()));
    }
}

std::string joined(const std::vector<std::string>& words)
{
    std::string text;
    for (std::size_t i = 1; i < words.size(); ++i) text += (i == 1 ? "" : " ") + words[i];
    return text;
}

class Reader {
public:
    [[nodiscard]] Result<Done> read(const std::string& file, unsigned level)
    {
        if (level > most_levels) return Error{ErrorCode::malformed, 0, file + ": included too deeply"};
        const auto text = read_file(file, largest_file);
        if (!text.ok()) return text.error();
        // A Match in an included file ends with the file.
        const auto around = block_;
        unsigned number = 0;
        for (const std::string_view line : split(text.value(), '\n')) {
            ++number;
            const auto words = words_of(line);
            if (words.size() < 2) continue;
            if (auto taken = take(words, file + ':' + std::to_string(number), file, level); !taken.ok()) return taken;
        }
        block_ = around;
        return Done{};
    }
    [[nodiscard]] std::vector<MatchBlock> blocks() && { return std::move(blocks_); }

private:
    [[nodiscard]] Result<Done> take(const std::vector<std::string>& words, std::string place, const std::string& file, unsigned level)
    {
        const std::string keyword = lower_case(words.front());
        if (keyword == "match") {
            block_ = blocks_.size();
            blocks_.push_back({std::move(place), joined(words), {}});
        } else if (keyword == "include") {
            for (std::size_t i = 1; i < words.size(); ++i)
                if (auto done = include(words[i], file, level); !done.ok()) return done;
        } else if (block_) {
            blocks_[*block_].settings.emplace(keyword, joined(words));
        }
        return Done{};
    }

    [[nodiscard]] Result<Done> include(const std::string& pattern, const std::string& file, unsigned level)
    {
        const std::string path = pattern.front() == '/' ? pattern : file.substr(0, file.rfind('/') + 1) + pattern;
        glob_t found{};
        const std::unique_ptr<glob_t, decltype(&::globfree)> freed(&found, &::globfree);
        if (::glob(path.c_str(), 0, nullptr, &found) != 0) return Done{};
        for (std::size_t i = 0; i < found.gl_pathc; ++i)
            if (auto done = read(found.gl_pathv[i], level + 1); !done.ok()) return done;
        return Done{};
    }

    std::vector<MatchBlock> blocks_;
    std::optional<std::size_t> block_;  // the one that lines belong to
};

// The first of a pattern list that stands for itself. Of "10.0.0.0/8" the address.
std::string literal_of(const std::string& patterns)
{
    for (const std::string_view pattern : split(patterns, ','))
        if (!pattern.empty() && pattern.find_first_of("*?!") == std::string_view::npos) return std::string(pattern.substr(0, pattern.find('/')));
    return {};
}

std::string member_of(const std::string& name)
{
    const group* const found = ::getgrnam(name.c_str());
    return found == nullptr || found->gr_mem[0] == nullptr ? "" : found->gr_mem[0];
}

}  // namespace

Result<std::vector<MatchBlock>> read_match_blocks(const std::string& file)
{
    Reader reader;
    if (auto done = reader.read(file, 0); !done.ok()) return done.error();
    return std::move(reader).blocks();
}

std::string connection_that_fits(const std::string& criteria)
{
    std::map<std::string, std::string> is{{"user", "root"}, {"host", "localhost"}, {"addr", "127.0.0.1"}, {"laddr", "127.0.0.1"}, {"lport", "22"}};
    std::string spaced = criteria;
    std::replace(spaced.begin(), spaced.end(), '=', ' ');
    const auto words = words_of("match " + spaced);
    for (std::size_t i = 1; i < words.size(); i += 2) {
        const std::string keyword = lower_case(words[i]);
        if (keyword == "all") continue;
        const std::string value = i + 1 < words.size() ? literal_of(words[i + 1]) : "";
        const std::map<std::string, std::string> keys{{"user", "user"}, {"group", "user"}, {"host", "host"}, {"address", "addr"},
                                                      {"localaddress", "laddr"}, {"localport", "lport"}};
        const auto key = keys.find(keyword);
        const std::string fits = keyword == "group" ? member_of(value) : value;
        if (key == keys.end() || fits.empty()) return {};
        is[key->second] = fits;
    }
    std::string connection;
    for (const auto& [key, value] : is) connection += (connection.empty() ? "" : ",") + key + '=' + value;
    return connection;
}

}  // namespace slurm_adopt::tool
