// SPDX-License-Identifier: GPL-2.0-or-later
#include "pam_stack.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "slurm_adopt/file.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt::tool {
namespace {

constexpr std::string_view module_name = "pam_slurm_adopt.so";
constexpr std::string_view spaces = " \t\r\n";
constexpr std::size_t longest_file = std::size_t{1024} * 1024;
constexpr int deepest_include = 32;  // libpam's own limit of substacks is half of it

std::string lower(std::string_view text)
{
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return result;
}

// The next word, and takes it off: a bracketed one may have spaces, and "\]" for a bracket. `bare`: without its brackets.
class Words {
public:
    explicit Words(std::string_view text) : text_(text) {}

    std::optional<std::string> next(bool bare)
    {
        const std::size_t begin = text_.find_first_not_of(spaces);
        if (begin == std::string_view::npos) return std::nullopt;
        text_.remove_prefix(begin);
        if (text_.front() == '[') return bracketed(bare);
        const std::size_t end = std::min(text_.find_first_of(spaces), text_.size());
        std::string word(text_.substr(0, end));
        text_.remove_prefix(end);
        return word;
    }

private:
    std::string bracketed(bool bare)
    {
        std::string word = bare ? "" : "[";
        std::size_t at = 1;
        for (; at < text_.size() && text_[at] != ']'; ++at) {
            if (text_[at] == '\\' && at + 1 < text_.size() && text_[at + 1] == ']') ++at;
            word += text_[at];
        }
        text_.remove_prefix(std::min(at + 1, text_.size()));
        if (!bare) word += ']';
        return word;
    }

    std::string_view text_;
};

bool loads_module(const PamLine& line)
{
    const std::size_t slash = line.module.rfind('/');
    return line.module.substr(slash == std::string::npos ? 0 : slash + 1) == module_name;
}

class Search {
public:
    explicit Search(const PamDirectories& directories) : directories_(directories) {}

    Result<Done> read(const std::string& file, int depth)
    {
        if (depth > deepest_include)
            return Error{ErrorCode::malformed, 0, file + ": files that include each other without end"};
        const auto text = read_file(file, longest_file);
        if (!text) return text.error();
        for (NumberedLine& numbered : parse_pam_file(text.value())) {
            const std::string control = lower(numbered.line.control);
            const bool is_account = numbered.line.type == "account";
            const bool includes =
                numbered.line.type == "@include" || (is_account && (control == "include" || control == "substack"));
            if (includes) {
                if (auto done = include(numbered.line.module, depth + 1); !done)
                    return std::move(done).error().in(file + ':' + std::to_string(numbered.number));
            } else if (is_account && loads_module(numbered.line)) {
                found.push_back({file, numbered.number, std::move(numbered.line)});
            }
        }
        return Done{};
    }

    // The first directory that has it; an error of the last where none has.
    Result<std::string> locate(const std::string& name) const
    {
        Error error{ErrorCode::system, ENOENT, name};
        for (const std::string& directory : directories_.list) {
            const std::string file = directory + '/' + name;
            const auto text = read_file(file, longest_file);
            if (text) return file;
            error = text.error();
            if (error.errno_value != ENOENT) break;  // there it is, and not for us
        }
        return error;
    }

    std::vector<FoundLine> found;

private:
    Result<Done> include(const std::string& name, int depth)
    {
        if (name.starts_with('/')) return read(name, depth);
        auto file = locate(name);
        if (!file) return std::move(file).error();
        return read(file.value(), depth);
    }

    const PamDirectories& directories_;
};

}  // namespace

std::optional<PamLine> parse_pam_line(std::string_view text)
{
    Words words(text.substr(0, text.find('#')));
    auto type = words.next(false);
    if (!type) return std::nullopt;
    PamLine line;
    line.type = lower(*type);
    if (line.type == "@include") {
        auto file = words.next(false);
        if (!file) return std::nullopt;
        line.module = *std::move(file);
        return line;
    }
    if (line.type.starts_with('-')) {
        line.optional_file = true;
        line.type.erase(0, 1);
    }
    auto control = words.next(false);
    auto module = control ? words.next(false) : std::nullopt;
    if (!module) return std::nullopt;
    line.control = *std::move(control);
    line.module = *std::move(module);
    while (auto argument = words.next(true)) line.arguments.push_back(*std::move(argument));
    return line;
}

std::vector<NumberedLine> parse_pam_file(std::string_view text)
{
    std::vector<NumberedLine> lines;
    std::string logical;
    std::size_t number = 0;
    std::size_t first = 0;
    for (std::string_view part : split(text, '\n')) {
        ++number;
        if (logical.empty()) first = number;
        // A comment ends its line before a backslash in it could go on.
        const bool continues = part.ends_with('\\') && part.find('#') == std::string_view::npos;
        logical += continues ? part.substr(0, part.size() - 1) : part;
        if (continues) {
            logical += ' ';
            continue;
        }
        if (auto line = parse_pam_line(logical)) lines.push_back({first, *std::move(line)});
        logical.clear();
    }
    if (auto line = parse_pam_line(logical)) lines.push_back({first, *std::move(line)});
    return lines;
}

Result<FoundStack> find_account_lines(const PamDirectories& directories, const std::string& service)
{
    Search search(directories);
    FoundStack stack;
    auto file = search.locate(lower(service));
    if (!file && file.error().errno_value == ENOENT) {
        stack.is_other = true;
        file = search.locate("other");
    }
    if (!file) return std::move(file).error();
    stack.file = file.value();
    if (auto done = search.read(stack.file, 0); !done) return std::move(done).error();
    stack.lines = std::move(search.found);
    return stack;
}

Result<FoundStack> find_account_lines_in(const PamDirectories& directories, const std::string& file)
{
    Search search(directories);
    if (auto done = search.read(file, 0); !done) return std::move(done).error();
    return FoundStack{file, false, std::move(search.found)};
}

}  // namespace slurm_adopt::tool
