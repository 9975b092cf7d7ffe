// SPDX-License-Identifier: GPL-2.0-or-later
#include "enable/edit.h"

#include <algorithm>
#include <string_view>

#include "enable/marked_lines.h"
#include "enable/placement.h"
#include "pam_stack/record.h"
#include "slurm_adopt/options.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt::tool {
namespace {

using pam_stack::Directories;
using pam_stack::Module;
using pam_stack::Stack;
using pam_stack::Type;

// libpam before 1.6 takes at most 1023 bytes for a line, and what follows them for the next: of the comment before ours too.
constexpr std::size_t longest_line = 900;

Error refused(std::string text)
{
    return Error{ErrorCode::malformed, 0, std::move(text)};
}

Result<Done> check_options(const EnableRequest& request, const std::vector<std::string>& options)
{
    const std::vector<std::string_view> words(options.begin(), options.end());
    const ParsedOptions parsed = parse_options(words);
    if (!parsed.errors.empty()) return refused(parsed.errors.front());
    const auto& services = parsed.options.service;
    if (std::find(services.begin(), services.end(), "*") == services.end() &&
        std::find(services.begin(), services.end(), request.service) == services.end())
        return refused("with these options the module passes over service '" + request.service +
                       "': add service=" + request.service + " to --options");
    return Done{};
}

Result<std::string> line_of(Type type, const std::string& module, const std::vector<std::string>& options)
{
    std::string line = std::string(type_name(type)) + " required";
    std::vector<std::string> words{module};
    words.insert(words.end(), options.begin(), options.end());
    for (const std::string& word : words) {
        const auto written = pam_stack::as_word(word);
        if (!written.ok()) return written.error();
        line += ' ' + written.value();
    }
    if (line.size() > longest_line)
        return refused("the options are too long: libpam before 1.6 reads no line of more than 1023 bytes; leave out what "
                       "is the default, or name groups in place of users");
    return line;
}

std::string edited(const std::string& file, const MarkedLine& line)
{
    return file + ':' + std::to_string(line.first_line) + ": slurm-adopt's line was edited since; it was '" +
           printable(line.said) + "'";
}

// What the marked lines have, where there are any: an enable without --options changes none.
Edit as_present(const Unmarked& unmarked)
{
    if (unmarked.removed.empty()) return {unmarked.text, module_file_name, {"strict"}};
    const auto lines = pam_stack::parse_service_file(unmarked.removed.front().said, "");
    if (!lines.ok() || lines.value().size() != 1) return {unmarked.text, module_file_name, {"strict"}};
    return {unmarked.text, lines.value().front().target, lines.value().front().arguments};
}

bool names_the_module(const std::string& module)
{
    return module == module_file_name || (module.starts_with('/') && module.ends_with('/' + std::string(module_file_name)));
}

Result<Done> check_not_loaded(const Stack& stack)
{
    const auto found = find_modules(stack, module_file_name);
    if (found.empty()) return Done{};
    const pam_stack::Line& line = found.front().line;
    return refused(line.place.text() + ": '" + line.text() + "' loads the module already; remove that line, then enable");
}

std::vector<std::string> texts_without_ours(const Stack& stack)
{
    std::vector<std::string> texts;
    for (const Module& module : stack.modules)
        if (module_name(module.line) != module_file_name)
            texts.push_back(std::to_string(module.substack) + ' ' + module.line.text());
    return texts;
}

struct Insertion {
    Type type = Type::account;
    unsigned after = 0;  // line number
    std::string line;
    Stack before;
};

// Where the line of that type goes in edit.text, which has none of ours.
Result<Insertion> insertion_of(const Directories& directories, const std::string& file, const Edit& edit, Type type)
{
    auto stack = pam_stack::resolve_stack(directories, file, edit.text, type);
    if (!stack.ok()) return stack.error();
    if (auto free = check_not_loaded(stack.value()); !free.ok()) return free.error();
    const auto place = type == Type::account ? place_account_line(stack.value()) : place_session_line(stack.value());
    if (!place.ok()) return place.error();
    const auto line = line_of(type, edit.module, edit.options);
    if (!line.ok()) return line.error();
    return Insertion{type, place.value(), line.value(), std::move(stack).value()};
}

// That libpam will read what was meant: our line once with its options, and all others as they were.
Result<Done> check_result(const Directories& directories, const std::string& file, const Edit& edit,
                          const Insertion& insertion)
{
    const auto after = pam_stack::resolve_stack(directories, file, edit.text, insertion.type);
    if (!after.ok()) return after.error();
    const auto ours = find_modules(after.value(), module_file_name);
    if (ours.size() != 1 || ours.front().line.arguments != edit.options ||
        texts_without_ours(after.value()) != texts_without_ours(insertion.before))
        return refused(file + ": the new " + std::string(type_name(insertion.type)) +
                       " stack does not read as meant; nothing was changed");
    return Done{};
}

}  // namespace

Result<Edit> enabled(const Directories& directories, const std::string& file, const std::string& text,
                     const EnableRequest& request)
{
    const auto unmarked = without_marked_lines(text, file);
    if (!unmarked.ok()) return unmarked.error();
    for (const MarkedLine& line : unmarked.value().removed)
        if (!line.intact) return refused(edited(file, line) + "; put it back, or run 'slurm-adopt disable --force' first");
    Edit edit = as_present(unmarked.value());
    if (request.module) edit.module = *request.module;
    if (request.options) edit.options = *request.options;
    if (!names_the_module(edit.module))
        return refused("'" + edit.module + "' is neither pam_slurm_adopt.so nor an absolute path to it");
    if (auto good = check_options(request, edit.options); !good.ok()) return good.error();

    std::vector<Insertion> insertions;
    for (const Type type : {Type::session, Type::account}) {
        auto insertion = insertion_of(directories, file, edit, type);
        if (!insertion.ok()) return insertion.error();
        insertions.push_back(std::move(insertion).value());
    }
    // From the end of the file, so that the line numbers above still hold.
    std::stable_sort(insertions.begin(), insertions.end(),
                     [](const Insertion& a, const Insertion& b) { return a.after > b.after; });
    for (const Insertion& insertion : insertions) edit.text = with_marked_line(edit.text, insertion.after, insertion.line);
    for (const Insertion& insertion : insertions)
        if (auto good = check_result(directories, file, edit, insertion); !good.ok()) return good.error();
    return edit;
}

Result<std::string> disabled(const std::string& file, const std::string& text, bool force)
{
    const auto unmarked = without_marked_lines(text, file);
    if (!unmarked.ok()) return unmarked.error();
    for (const MarkedLine& line : unmarked.value().removed)
        if (!line.intact && !force)
            return refused(edited(file, line) + "; put it back, or say --force to remove what stands there now");
    return unmarked.value().text;
}

}  // namespace slurm_adopt::tool
