// SPDX-License-Identifier: GPL-2.0-or-later
#include "pam_stack/service_file.h"

#include <algorithm>
#include <strings.h>

#include <array>
#include <utility>

#include "pam_stack/record.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt::pam_stack {
namespace {

bool same(const std::string& a, const char* b)
{
    return ::strcasecmp(a.c_str(), b) == 0;
}

std::optional<Type> parse_type(const std::string& word)
{
    for (const Type type : {Type::auth, Type::account, Type::password, Type::session})
        if (same(word, std::string(type_name(type)).c_str())) return type;
    return std::nullopt;
}

Error wrong(const Line& line, const std::string& what)
{
    return Error{ErrorCode::malformed, 0, line.place.text() + ": " + what};
}

Result<Line> parse_at_include(Line line, const std::vector<std::string>& words)
{
    line.kind = LineKind::at_include;
    if (words.size() != 2) return wrong(line, "@include takes the name of one file");
    line.target = words[1];
    return line;
}

Result<Line> parse_typed(Line line, const std::vector<std::string>& words)
{
    std::string type = words[0];
    line.silent = type.front() == '-';
    if (line.silent) type.erase(0, 1);
    line.type = parse_type(type);
    if (!line.type) return wrong(line, "'" + printable(type) + "' is none of auth, account, password, session");
    if (words.size() < 2) return wrong(line, "no control field; expected: TYPE CONTROL MODULE [ARGUMENT ...]");
    if (words.size() < 3) return wrong(line, "no module; expected: TYPE CONTROL MODULE [ARGUMENT ...]");
    line.target = words[2];
    if (same(words[1], "include") || same(words[1], "substack")) {
        line.kind = same(words[1], "include") ? LineKind::include : LineKind::substack;
        return line;
    }
    auto control = Control::parse(words[1]);
    if (!control.ok()) return std::move(control).error().in(line.place.text());
    line.control = std::move(control).value();
    for (std::size_t i = 3; i < words.size(); ++i) line.arguments.push_back(unbracketed(words[i]));
    return line;
}

Result<Line> parse_record(const Record& record, const std::string& name)
{
    Line line;
    line.place = {name, record.first_line};
    line.last_line = record.last_line;
    if (record.text.find('\r') != std::string::npos || record.text.find('\0') != std::string::npos)
        return wrong(line, "a control character, perhaps of a file from another system; libpam takes it for part of a word");
    const auto words = cut_into_words(record.text);
    if (!words.ok()) return wrong(line, words.error().context);
    if (same(words.value().front(), "@include")) return parse_at_include(std::move(line), words.value());
    return parse_typed(std::move(line), words.value());
}

}  // namespace

bool is_service_name(std::string_view name)
{
    return !name.empty() && name.front() != '.' && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '+' || c == '@';
    });
}

std::string_view type_name(Type type)
{
    switch (type) {
    case Type::auth: return "auth";
    case Type::account: return "account";
    case Type::password: return "password";
    case Type::session: return "session";
    }
    return {};
}

std::string Line::text() const
{
    std::string text;
    const std::string typed = type ? (silent ? "-" : "") + std::string(type_name(*type)) + ' ' : "";
    switch (kind) {
    case LineKind::module: text = typed + control.text(); break;
    case LineKind::include: text = typed + "include"; break;
    case LineKind::substack: text = typed + "substack"; break;
    case LineKind::at_include: text = "@include"; break;
    }
    text += ' ' + target;
    for (const std::string& argument : arguments) text += ' ' + argument;
    return printable(text);
}

Result<std::vector<Line>> parse_service_file(std::string_view text, const std::string& name)
{
    const auto records = cut_into_records(text, name);
    if (!records.ok()) return records.error();
    std::vector<Line> lines;
    for (const Record& record : records.value()) {
        if (record.text.find_first_not_of(" \t\n") == std::string::npos) continue;
        auto line = parse_record(record, name);
        if (!line.ok()) return line.error();
        lines.push_back(std::move(line).value());
    }
    return lines;
}

std::string_view module_name(const Line& line)
{
    const std::string_view path = line.target;
    return path.substr(path.find_last_of('/') + 1);
}

}  // namespace slurm_adopt::pam_stack
