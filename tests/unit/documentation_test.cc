// SPDX-License-Identifier: GPL-2.0-or-later
// The option table, the man page and the README say the same: every option, its values, its default, and no other.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "slurm_adopt/options.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt {
namespace {

constexpr const char* man_page = "pam/pam_slurm_adopt.8";
constexpr const char* readme = "README.md";

std::string read(const char* name)
{
    std::ifstream file(std::string(SOURCE_DIRECTORY) + '/' + name);
    return {std::istreambuf_iterator<char>(file), {}};
}

bool is_word_character(char c)
{
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

std::string leading_name(std::string_view text)
{
    const auto end = std::find_if_not(text.begin(), text.end(), is_word_character);
    return {text.begin(), end};
}

std::size_t find_word(const std::string& text, const std::string& word, std::size_t from = 0)
{
    for (std::size_t at = text.find(word, from); at != std::string::npos; at = text.find(word, at + 1)) {
        const std::size_t end = at + word.size();
        if ((at == 0 || !is_word_character(text[at - 1])) && (end == text.size() || !is_word_character(text[end])))
            return at;
    }
    return std::string::npos;
}

// Options by name, with all the text that documents each.
using Documented = std::map<std::string, std::string>;

std::string without_roff(std::string line)
{
    for (const std::string_view escape : {"\\fB", "\\fI", "\\fR", "\\fP", "\\&", "\\,", "\\/", "\\:", "\\%", "\"", "\\c"})
        for (std::size_t at; (at = line.find(escape)) != std::string::npos;) line.erase(at, escape.size());
    for (std::size_t at; (at = line.find("\\-")) != std::string::npos;) line.replace(at, 2, "-");
    for (std::size_t at; (at = line.find("\\(bv")) != std::string::npos;) line.replace(at, 4, "|");
    return line;
}

// A macro and its text: ".BR name= word" gives ".BR" and "name= word".
std::pair<std::string, std::string> macro(const std::string& line)
{
    if (!line.starts_with('.')) return {"", line};
    const std::size_t space = line.find(' ');
    if (space == std::string::npos) return {line, ""};
    const std::size_t text = line.find_first_not_of(' ', space);
    return {line.substr(0, space), text == std::string::npos ? "" : line.substr(text)};
}

Documented in_man_page()
{
    Documented documented;
    std::istringstream lines(read(man_page));
    bool options = false;
    bool tag_next = false;
    std::string current;
    for (std::string line; std::getline(lines, line);) {
        const auto [name, text] = macro(without_roff(line));
        if (name == ".SH") options = text.find("OPTIONS") != std::string::npos;
        if (!options || name == ".\\") continue;
        if (name == ".SH" || name == ".SS") current.clear();
        if (name == ".TP" || name == ".TQ") {
            tag_next = true;
            continue;
        }
        if (tag_next && !text.empty()) {
            current = leading_name(text);
            tag_next = false;
        }
        if (!current.empty()) documented[current] += text + ' ';
    }
    return documented;
}

Documented in_readme()
{
    // A table of options is one in which an option heads a row; the README may have others.
    const auto is_option = [](const std::string& name) {
        const auto table = option_table();
        return std::any_of(table.begin(), table.end(), [&](const OptionSpec& spec) { return spec.name == name; });
    };
    Documented documented;
    Documented block;
    const auto end_of_block = [&] {
        if (std::any_of(block.begin(), block.end(), [&](const auto& row) { return is_option(row.first); }))
            for (const auto& [name, row] : block) documented[name] += row;
        block.clear();
    };
    std::istringstream lines(read(readme));
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("|")) end_of_block();
        if (line.starts_with("| `")) block[leading_name(std::string_view(line).substr(3))] += line;
    }
    end_of_block();
    return documented;
}

// The words of which each has to be in an option's text.
std::vector<std::string> words_of(const OptionSpec& spec)
{
    switch (spec.type) {
    case OptionType::choice:
    case OptionType::boolean:
    case OptionType::flag: {
        const auto words = split(spec.allowed, '|');
        return {words.begin(), words.end()};
    }
    case OptionType::level: {
        const auto words = split(spec.allowed.substr(0, spec.allowed.find(' ')), '|');
        return {words.begin(), words.end()};
    }
    case OptionType::number: return {std::to_string(spec.least), std::to_string(spec.most)};
    case OptionType::path: return {"absolute"};
    case OptionType::name: return {"node"};
    case OptionType::user: return {"user"};
    case OptionType::url: return {"http", "https", "unix"};
    case OptionType::names:
    case OptionType::services:
    case OptionType::patterns: return {"comma"};
    case OptionType::order: return {"comma", "callerid", "file", "newest", "last"};
    }
    return {};
}

// As it would be written: 0 and false are the same.
std::vector<std::string> spellings(std::string_view value)
{
    if (value == "0" || value == "false") return {"0", "false"};
    if (value == "1" || value == "true") return {"1", "true"};
    return {std::string(value)};
}

// "Default: deny", "the default is \fBdeny\fR", "deny (the default)".
bool names_default(const std::string& text, const std::string& value)
{
    std::string lower = text;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    for (std::size_t at = lower.find("default"); at != std::string::npos; at = lower.find("default", at + 1)) {
        const std::size_t after = find_word(text, value, at);
        if (after != std::string::npos && after - at < 40) return true;
        const std::size_t from = at < 24 ? 0 : at - 24;
        const std::size_t before = find_word(text, value, from);
        if (before != std::string::npos && before < at) return true;
    }
    return false;
}

bool has_cell(const std::string& row, const std::string& value)
{
    for (std::string_view cell : split(row, '|')) {
        std::string plain(cell);
        std::erase_if(plain, [](char c) { return c == '`' || c == ' ' || c == '*' || c == '\\'; });
        if (plain == value) return true;
    }
    return false;
}

void expect_complete(const Documented& documented, const char* where)
{
    ASSERT_FALSE(documented.empty()) << where << " has no options at all";
    std::vector<std::string> known;
    for (const OptionSpec& spec : option_table()) {
        const std::string name(spec.name);
        known.push_back(name);
        const auto entry = documented.find(name);
        if (entry == documented.end()) {
            ADD_FAILURE() << where << ": option '" << name << "' of the table is not documented";
            continue;
        }
        for (const std::string& word : words_of(spec))
            EXPECT_NE(word == "comma" ? entry->second.find(word) : find_word(entry->second, word), std::string::npos)
                << where << ": the text of '" << name << "' does not name '" << word << "' (allowed: " << spec.allowed
                << ")";
    }
    for (const auto& [name, text] : documented)
        EXPECT_NE(std::find(known.begin(), known.end(), name), known.end())
            << where << ": documents '" << name << "', which is no option of the table";
}

TEST(Documentation, TheManPageHasEveryOptionAndNoOther)
{
    expect_complete(in_man_page(), man_page);
}

TEST(Documentation, TheReadmeHasEveryOptionAndNoOther)
{
    expect_complete(in_readme(), readme);
}

TEST(Documentation, TheDefaultsOfTheManPage)
{
    Documented documented = in_man_page();
    for (const OptionSpec& spec : option_table()) {
        if (spec.default_value.empty()) continue;
        const std::string& text = documented[std::string(spec.name)];
        const auto values = spellings(spec.default_value);
        EXPECT_TRUE(
            std::any_of(values.begin(), values.end(), [&](const std::string& value) { return names_default(text, value); }))
            << man_page << ": '" << spec.name << "' does not say near the word \"default\" that it is "
            << spec.default_value;
    }
}

TEST(Documentation, TheDefaultsOfTheReadme)
{
    Documented documented = in_readme();
    for (const OptionSpec& spec : option_table()) {
        if (spec.default_value.empty()) continue;
        const std::string& row = documented[std::string(spec.name)];
        const auto values = spellings(spec.default_value);
        EXPECT_TRUE(std::any_of(values.begin(), values.end(),
                                [&](const std::string& value) { return has_cell(row, value) || names_default(row, value); }))
            << readme << ": no cell of the row of '" << spec.name << "' is its default, " << spec.default_value;
    }
}

}  // namespace
}  // namespace slurm_adopt
