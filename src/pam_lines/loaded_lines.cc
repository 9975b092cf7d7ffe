// SPDX-License-Identifier: GPL-2.0-or-later
#include "pam_lines/loaded_lines.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>

#include "slurm_adopt/file.h"
#include "slurm_adopt/options.h"

namespace slurm_adopt::pam_lines {
namespace {

using pam_stack::Directories;
using pam_stack::Line;
using pam_stack::Type;

constexpr std::string_view our_name = "pam_slurm_adopt.so";
constexpr std::size_t largest_file = std::size_t{1024} * 1024;

// What editors, dpkg, ucf and rpm leave beside a file.
bool is_left_over(const std::string& name)
{
    return name.front() == '.' || name.back() == '~' || name.find(".dpkg-") != std::string::npos ||
           name.find(".ucf-") != std::string::npos || name.ends_with(".rpmnew") || name.ends_with(".rpmsave") ||
           name.ends_with(".rpmorig");
}

// Where several directories have one of a name, libpam takes the first.
std::set<std::string> services_of(const Directories& directories)
{
    std::set<std::string> names;
    for (const std::string& directory : directories.paths) {
        std::error_code ignored;
        for (const auto& file : std::filesystem::directory_iterator(directory, ignored))
            if (const std::string name = file.path().filename(); !is_left_over(name)) names.insert(name);
    }
    return names;
}

bool names_the_module(const Directories& directories, const std::string& service)
{
    const auto file = pam_stack::find_service_file(directories, service);
    if (!file.ok()) return false;
    const auto text = read_file(file.value(), largest_file);
    return text.ok() && text.value().find(our_name) != std::string::npos;
}

class Finder {
public:
    explicit Finder(const Directories& directories) : directories_(directories) {}

    void look_at(const std::string& service)
    {
        std::set<std::string> wrong;  // most often the same for all types
        for (const Type type : {Type::auth, Type::account, Type::password, Type::session}) {
            const auto stack = pam_stack::read_stack(directories_, service, type);
            if (stack.ok())
                for (const auto& module : find_modules(stack.value(), our_name)) take(module.line);
            else
                wrong.insert(stack.error().context);
        }
        if (names_the_module(directories_, service))
            found_.unreadable.insert(found_.unreadable.end(), wrong.begin(), wrong.end());
    }

    [[nodiscard]] LoadedLines found() && { return std::move(found_); }

private:
    void take(const Line& line)
    {
        if (!seen_.emplace(line.place.file, line.place.line).second) return;
        const std::vector<std::string_view> words(line.arguments.begin(), line.arguments.end());
        found_.lines.push_back({line, parse_options(words).errors});
    }

    const Directories& directories_;
    std::set<std::pair<std::string, unsigned>> seen_;
    LoadedLines found_;
};

bool is_same_file(const std::string& a, const std::string& b)
{
    std::error_code ignored;
    return std::filesystem::equivalent(a, b, ignored);
}

}  // namespace

LoadedLines find_loaded_lines(const Directories& directories)
{
    Finder finder(directories);
    for (const std::string& service : services_of(directories)) finder.look_at(service);
    return std::move(finder).found();
}

std::vector<LoadedLine> lines_without(const LoadedLines& loaded, const std::string& ours, const std::string& other)
{
    const bool has_other = ::access(other.c_str(), F_OK) == 0;
    std::vector<LoadedLine> left;
    std::copy_if(loaded.lines.begin(), loaded.lines.end(), std::back_inserter(left), [&](const LoadedLine& loaded_line) {
        const Line& line = loaded_line.line;
        if (line.target.starts_with('/')) return is_same_file(line.target, ours);
        return !has_other || line.type != Type::account;
    });
    return left;
}

}  // namespace slurm_adopt::pam_lines
