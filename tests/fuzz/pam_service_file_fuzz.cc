// SPDX-License-Identifier: GPL-2.0-or-later
// The text of one PAM service file: what is read does not depend on how it is laid out, and is nothing but what is there.
#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "input.h"
#include "pam_stack/record.h"
#include "pam_stack/service_file.h"
#include "require.h"
#include "slurm_adopt/text.h"

using namespace slurm_adopt;
using namespace slurm_adopt::pam_stack;
using fuzz::require;

namespace {

const std::string name = "f";

void check_records(std::string_view text)
{
    const auto records = cut_into_records(text, name);
    if (!records) return;
    const auto lines = split(text, '\n');
    unsigned last = 0;
    for (const Record& record : records.value()) {
        require(record.first_line > last && record.first_line <= record.last_line, "records follow each other");
        last = record.last_line;
        require(last <= lines.size(), "a record is of lines that are there");
        require(record.text.find_first_of("#\n") == std::string::npos, "there is no comment in a record, and no end of a line");
        if (record.first_line == last) require(lines[last - 1].find(record.text) != std::string_view::npos, "a record is what its line says");
    }
}

// A record's words by other means; none where a bracket is not closed.
std::optional<std::vector<std::string>> words_of(const std::string& record)
{
    std::vector<std::string> words;
    bool in_word = false;
    bool in_brackets = false;
    char before = ' ';
    for (const char c : record) {
        const bool is_blank = !in_brackets && (c == ' ' || c == '\t');
        if (!in_word && !is_blank) {
            words.emplace_back();
            in_brackets = c == '[';
        }
        if (!is_blank) words.back() += c;
        const bool closes = in_brackets && c == ']' && before != '\\';
        in_word = !is_blank && !closes;
        if (closes) in_brackets = false;
        before = c;
    }
    return in_brackets ? std::nullopt : std::optional(words);
}

void check_words(std::string_view text, const std::vector<Line>& lines)
{
    const auto records = cut_into_records(text, name);
    auto line = lines.begin();
    for (const Record& record : records.value()) {
        const auto words = words_of(record.text);
        require(words.has_value(), "a bracket that is not closed is an error");
        if (words->empty()) continue;
        require(line != lines.end(), "every record is a line");
        const bool has_type = line->kind != LineKind::at_include;
        require(words->size() >= (has_type ? 3U : 2U) && line->target == (*words)[has_type ? 2 : 1], "a line names what its words say");
        require(line->silent == (words->front().front() == '-'), "a dash makes a line silent");
        const std::string type = has_type ? (line->silent ? "-" : "") + std::string(type_name(*line->type)) : "@include";
        require(lower_case(words->front()) == type, "the first word is the type");
        if (line->kind == LineKind::module) require(line->arguments.size() == words->size() - 3, "the other words are arguments");
        ++line;
    }
    require(line == lines.end(), "every line is a record");
}

// A control in brackets, read by other means.
std::map<std::string, std::string> choices_of(const std::string& control)
{
    std::string text = lower_case(control.substr(1, control.size() - 2));
    std::replace(text.begin(), text.end(), '\t', ' ');
    for (const char* const blank : {" =", "= "})
        for (std::size_t at; (at = text.find(blank)) != std::string::npos;) text.replace(at, 2, "=");
    std::map<std::string, std::string> choices;
    std::istringstream words(text);
    for (std::string word; words >> word;) choices[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
    return choices;
}

std::string written(ControlAction action)
{
    switch (action.kind) {
    case ActionKind::ignore: return "ignore";
    case ActionKind::ok: return "ok";
    case ActionKind::done: return "done";
    case ActionKind::bad: return "bad";
    case ActionKind::die: return "die";
    case ActionKind::reset: return "reset";
    case ActionKind::jump: return std::to_string(action.jump);
    }
    return {};
}

void check_control(const Control& control)
{
    const auto again = Control::parse(control.text());
    require(again.ok() && again.value().text() == control.text(), "a control read again is the same");
    std::map<std::string, std::string> choices;
    if (control.text().front() == '[') {
        choices = choices_of(control.text());
    } else {
        const std::string keyword = lower_case(control.text());
        const bool binds = keyword == "required" || keyword == "requisite";
        choices["success"] = choices["new_authtok_reqd"] = keyword == "sufficient" ? "done" : "ok";
        choices["default"] = keyword == "required" ? "bad" : keyword == "requisite" ? "die" : "ignore";
        if (binds) choices["ignore"] = "ignore";
    }
    const std::string otherwise = choices.contains("default") ? choices["default"] : "bad";
    for (const char* const value : {"success", "new_authtok_reqd", "ignore", "perm_denied", "user_unknown", "default", "incomplete"}) {
        const ControlAction action = control.action(value);
        const std::string expected = choices.contains(value) ? choices[value] : otherwise;
        const std::size_t zeros = std::min(expected.find_first_not_of('0'), expected.size());
        require(expected.substr(zeros) == written(action), "an answer does what the control says");
        require((action.kind == ActionKind::jump) == (action.jump > 0), "a jump leads somewhere");
        require(action.jump <= control.longest_jump(), "no jump is longer than the longest");
    }
}

bool same(const Line& a, const Line& b)
{
    return a.kind == b.kind && a.type == b.type && a.silent == b.silent && a.control.text() == b.control.text() &&
           a.target == b.target && a.arguments == b.arguments;
}

std::optional<std::string> written(const Line& line)
{
    if (line.kind == LineKind::at_include) return "@include " + line.target + " #\n";
    std::string text = (line.silent ? "-" : "") + std::string(type_name(*line.type)) + ' ';
    if (line.kind == LineKind::module) text += line.control.text();
    if (line.kind == LineKind::include) text += "include";
    if (line.kind == LineKind::substack) text += "substack";
    text += ' ' + line.target;
    for (const std::string& argument : line.arguments) {
        const auto word = as_word(argument);
        if (!word) return std::nullopt;
        text += ' ' + word.value();
    }
    return text + " #\n";
}

void check_line(const Line& line)
{
    require(is_printable(line.text()), "what is shown of a line is plain");
    require(!line.target.empty() && module_name(line).find('/') == std::string_view::npos, "a line names something");
    require(line.type.has_value() == (line.kind != LineKind::at_include), "a line has a type, @include has none");
    if (line.kind == LineKind::module) check_control(line.control);
    const auto text = written(line);
    if (!text) return;
    const auto again = parse_service_file(*text, name);
    require(again.ok() && again.value().size() == 1 && same(again.value().front(), line), "written down again it is the same");
}

// Comments and blank lines before every line, also of those that are continued.
std::string with_comments(std::string_view text)
{
    std::string all;
    for (const std::string_view line : split(text, '\n')) {
        if (!all.empty()) all += '\n';
        all += "#x \\\n \t\n" + std::string(line);
    }
    return all;
}

// Every word on a line of its own.
std::string continued(std::string_view text)
{
    std::string all;
    const auto records = cut_into_records(text, name);
    for (const Record& record : records.value()) {
        const auto words = cut_into_words(record.text);
        for (std::size_t i = 0; i < words.value().size(); ++i)
            all += words.value()[i] + (i + 1 < words.value().size() ? "\\\n" : " # end\n");
    }
    return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text = fuzz::Input(data, size).rest();
    check_records(text);
    const auto lines = parse_service_file(text, name);
    const auto commented = parse_service_file(with_comments(text), name);
    require(lines.ok() == commented.ok(), "comments do not matter");
    if (!lines) {
        const std::string& context = lines.error().context;
        require(is_printable(context) && context.starts_with("f:"), "an error is one line of text with its place");
        return 0;
    }
    check_words(text, lines.value());
    const auto in_words = parse_service_file(continued(text), name);
    require(in_words.ok() && in_words.value().size() == lines.value().size(), "where a line is continued does not matter");
    require(commented.value().size() == lines.value().size(), "comments do not matter");
    for (std::size_t i = 0; i < lines.value().size(); ++i) {
        const Line& line = lines.value()[i];
        check_line(line);
        require(same(line, commented.value()[i]), "comments do not matter");
        require(same(line, in_words.value()[i]), "where a line is continued does not matter");
        require(commented.value()[i].place.line == 3 * line.place.line, "a line knows its place");
    }
    return 0;
}
