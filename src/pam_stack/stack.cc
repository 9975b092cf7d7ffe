// SPDX-License-Identifier: GPL-2.0-or-later
#include "pam_stack/stack.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "slurm_adopt/file.h"

namespace slurm_adopt::pam_stack {
namespace {

constexpr std::size_t most_levels = 16;  // PAM_SUBSTACK_MAX_LEVEL
constexpr std::size_t largest_file = std::size_t{1024} * 1024;

class Resolver {
public:
    Resolver(const Directories& directories, Type type) : directories_(directories), type_(type) {}

    [[nodiscard]] Result<Stack> run(const std::string& file, std::string_view text)
    {
        chain_.push_back(file);
        stack_.files.push_back(file);
        auto lines = parse_service_file(text, file);
        if (!lines.ok()) return lines.error();
        for (Line& line : lines.value()) {
            if (line.type && line.type != type_) continue;
            stack_.own.push_back(std::move(line));
            top_ = stack_.own.size() - 1;
            if (auto taken = take(stack_.own.back(), 0); !taken.ok()) return taken.error();
        }
        return std::move(stack_);
    }

private:
    [[nodiscard]] Result<Done> take(const Line& line, unsigned substack)
    {
        if (line.type && line.type != type_) return Done{};
        if (++lines_ > most_lines)
            return Error{ErrorCode::malformed, 0,
                         line.place.text() + ": the stack has more lines than " + std::to_string(most_lines)};
        if (line.kind == LineKind::module) {
            stack_.modules.push_back({line, substack, includes_, top_, substack == 0 ? positions_++ : positions_ - 1});
            return Done{};
        }
        if (line.kind == LineKind::substack && substack == 0) ++positions_;
        includes_.push_back(line);
        auto included = include(line, line.kind == LineKind::substack ? substack + 1 : substack);
        includes_.pop_back();
        return included;
    }

    [[nodiscard]] Result<Done> include(const Line& line, unsigned substack)
    {
        const auto file = find_service_file(directories_, line.target);
        if (!file.ok()) return Error(file.error()).in(line.place.text() + ": includes '" + line.target + "'");
        if (std::find(chain_.begin(), chain_.end(), file.value()) != chain_.end())
            return Error{ErrorCode::malformed, 0,
                         line.place.text() + ": includes " + file.value() + ", which includes this file: a loop"};
        if (chain_.size() >= most_levels)
            return Error{ErrorCode::malformed, 0,
                         line.place.text() + ": includes are nested deeper than libpam allows (" +
                             std::to_string(most_levels) + ")"};
        const auto text = read_file(file.value(), largest_file);
        if (!text.ok()) return Error(text.error()).in(line.place.text() + ": includes a file that cannot be read");
        if (std::find(stack_.files.begin(), stack_.files.end(), file.value()) == stack_.files.end())
            stack_.files.push_back(file.value());
        const auto lines = parse_service_file(text.value(), file.value());
        if (!lines.ok()) return lines.error();
        chain_.push_back(file.value());
        for (const Line& below : lines.value())
            if (auto taken = take(below, substack); !taken.ok()) return taken;
        chain_.pop_back();
        return Done{};
    }

    const Directories& directories_;
    Type type_;
    Stack stack_;
    std::size_t top_ = 0;
    std::size_t positions_ = 0;
    std::size_t lines_ = 0;  // those that count for the type, includes too
    std::vector<std::string> chain_;  // the files that are being read, outermost first
    std::vector<Line> includes_;
};

}  // namespace

Result<std::string> find_service_file(const Directories& directories, const std::string& name)
{
    if (name.empty()) return Error{ErrorCode::malformed, 0, "an empty name"};
    if (name.front() == '/') return name;
    std::string tried;
    for (const std::string& directory : directories.paths) {
        std::string path = directory;
        path.append("/").append(name);
        struct stat status {};
        if (::stat(path.c_str(), &status) == 0) return path;
        if (errno != ENOENT) return system_error(path);
        tried += (tried.empty() ? "" : ", ") + path;
    }
    return system_error(tried, ENOENT);
}

Result<Stack> resolve_stack(const Directories& directories, const std::string& file, std::string_view text, Type type)
{
    return Resolver(directories, type).run(file, text);
}

Result<Stack> read_stack(const Directories& directories, const std::string& service, Type type)
{
    const auto file = find_service_file(directories, service);
    if (!file.ok()) return file.error();
    const auto text = read_file(file.value(), largest_file);
    if (!text.ok()) return text.error();
    return resolve_stack(directories, file.value(), text.value(), type);
}

std::vector<Module> find_modules(const Stack& stack, std::string_view name)
{
    std::vector<Module> found;
    std::copy_if(stack.modules.begin(), stack.modules.end(), std::back_inserter(found),
                 [name](const Module& module) { return module_name(module.line) == name; });
    return found;
}

}  // namespace slurm_adopt::pam_stack
