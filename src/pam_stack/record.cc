// SPDX-License-Identifier: GPL-2.0-or-later
#include "pam_stack/record.h"

#include <algorithm>
#include <utility>

#include "slurm_adopt/text.h"

namespace slurm_adopt::pam_stack {
namespace {

constexpr std::string_view blanks = " \t\n";

std::string_view without_blanks_at_the_end(std::string_view text)
{
    const std::size_t last = text.find_last_not_of(" \t");
    return last == std::string_view::npos ? std::string_view{} : text.substr(0, last + 1);
}

// The end of a "[...]" that begins at `start`: the place of its ']'.
std::size_t closing_bracket(std::string_view text, std::size_t start)
{
    for (std::size_t at = start + 1; at < text.size(); ++at) {
        if (text[at] == ']') return at;
        if (text[at] == '\\' && at + 1 < text.size() && text[at + 1] == ']') ++at;
    }
    return std::string_view::npos;
}

}  // namespace

Result<std::vector<Record>> cut_into_records(std::string_view text, const std::string& name)
{
    std::vector<Record> records;
    Record record;
    bool continued = false;
    unsigned number = 0;
    const auto lines = split(text, '\n');
    for (const std::string_view line : lines) {
        ++number;
        const std::size_t start = line.find_first_not_of(" \t");
        if (start == std::string_view::npos || line[start] == '#') continue;
        const std::size_t comment = line.find('#', start);
        std::string_view said = line.substr(continued ? start : 0,
                                            comment == std::string_view::npos ? comment : comment - (continued ? start : 0));
        bool goes_on = false;
        if (comment == std::string_view::npos) {
            said = without_blanks_at_the_end(said);
            goes_on = !said.empty() && said.back() == '\\';
            if (goes_on) said.remove_suffix(1);
        }
        if (!continued) record.first_line = number;
        record.last_line = number;
        record.text += said;
        continued = goes_on;
        if (goes_on)
            record.text += ' ';
        else
            records.push_back(std::exchange(record, {}));
    }
    if (continued)
        return Error{ErrorCode::malformed, 0,
                     name + ':' + std::to_string(record.last_line) +
                         ": the last line ends in a backslash, and nothing follows"};
    return records;
}

Result<std::vector<std::string>> cut_into_words(std::string_view text)
{
    std::vector<std::string> words;
    for (std::size_t at = 0; (at = text.find_first_not_of(blanks, at)) != std::string_view::npos;) {
        std::size_t end = std::min(text.find_first_of(blanks, at), text.size());
        if (text[at] == '[') {
            end = closing_bracket(text, at);
            if (end == std::string_view::npos) return Error{ErrorCode::malformed, 0, "a '[' without its ']'"};
            ++end;
        }
        words.emplace_back(text.substr(at, end - at));
        at = end;
    }
    return words;
}

std::string unbracketed(std::string_view word)
{
    if (word.size() < 2 || word.front() != '[' || word.back() != ']') return std::string(word);
    std::string argument;
    for (std::size_t at = 1; at + 1 < word.size(); ++at) {
        if (word[at] == '\\' && at + 2 < word.size() && word[at + 1] == ']') ++at;
        argument += word[at];
    }
    return argument;
}

Result<std::string> as_word(std::string_view argument)
{
    std::string word(argument);
    if (argument.find_first_of(" \t") != std::string_view::npos || (!argument.empty() && argument.front() == '[')) {
        word = "[";
        for (const char c : argument) {
            if (c == ']') word += '\\';
            word += c;
        }
        word += ']';
    }
    const auto back = cut_into_words(word);
    const bool kept = back.ok() && back.value().size() == 1 && unbracketed(back.value().front()) == argument;
    // A comment begins wherever it stands, and a backslash at the end takes in the next line.
    if (!kept || !is_printable(argument) || word.find('#') != std::string::npos || word.back() == '\\')
        return Error{ErrorCode::malformed, 0, "'" + printable(argument) + "' cannot be written in a PAM line"};
    return word;
}

}  // namespace slurm_adopt::pam_stack
