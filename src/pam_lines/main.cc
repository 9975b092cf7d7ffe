// SPDX-License-Identifier: GPL-2.0-or-later
// slurm-adopt-lines: what a package's scripts ask about /etc/pam.d. Changes nothing. It needs libc only, because the first
// question comes before anything that the package depends on has to be there.
//
//   slurm-adopt-lines options [--confdir DIR]      lines with an option that the module refuses
//   slurm-adopt-lines without FILE [--other FILE] [--confdir DIR]
//                                                  lines that would refuse everybody without the module's file FILE, where
//                                                  libpam then finds the other one, or none
//
// Exit codes: 0 none, 1 there are some (on stdout, each with its fix), 2 the command line is wrong, 3 could not be found
// out.
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include "pam_lines/loaded_lines.h"

namespace {

using namespace slurm_adopt;

enum class Exit : int { none = 0, some = 1, usage = 2, impossible = 3 };

struct Arguments {
    std::string question;
    std::string file;
    std::string other;
    pam_stack::Directories directories;
};

std::optional<Arguments> arguments_of(int argc, char** argv)
{
    Arguments arguments;
    int next = 1;
    if (next < argc) arguments.question = argv[next++];
    if (arguments.question == "without" && next < argc) arguments.file = argv[next++];
    for (; next + 1 < argc; next += 2) {
        const std::string_view name = argv[next];
        if (name == "--confdir")
            arguments.directories.paths = {argv[next + 1]};
        else if (name == "--other" && arguments.question == "without")
            arguments.other = argv[next + 1];
        else
            return std::nullopt;
    }
    const bool complete = arguments.question == "options" || (arguments.question == "without" && !arguments.file.empty());
    return next == argc && complete ? std::optional(arguments) : std::nullopt;
}

void print(const pam_stack::Line& line, const std::string& what, const std::string& fix)
{
    (void)std::printf("%s: %s\n    %s\n    fix: %s\n", line.place.text().c_str(), line.text().c_str(), what.c_str(),
                      fix.c_str());
}

// What the module's own parser of options refuses.
bool print_refused(const pam_lines::LoadedLines& loaded)
{
    bool any = false;
    for (const auto& [line, wrong_options] : loaded.lines)
        for (const std::string& wrong : wrong_options) {
            print(line, "everybody but root would be refused: " + wrong,
                  "correct or remove that option in " + line.place.text());
            any = true;
        }
    return any;
}

bool print_left(const pam_lines::LoadedLines& loaded, const std::string& file, const std::string& other)
{
    bool any = false;
    for (const auto& left : pam_lines::lines_without(loaded, file, other)) {
        print(left.line, "everybody would be refused, root too: there would be no module that has this phase",
              "remove the line");
        any = true;
    }
    return any;
}

Exit answer(const Arguments& arguments)
{
    const pam_lines::LoadedLines loaded = pam_lines::find_loaded_lines(arguments.directories);
    const bool any =
        arguments.question == "options" ? print_refused(loaded) : print_left(loaded, arguments.file, arguments.other);
    for (const std::string& unreadable : loaded.unreadable)
        (void)std::printf("%s\n    a service that loads the module cannot be read\n    fix: mend that line\n",
                          unreadable.c_str());
    return any || !loaded.unreadable.empty() ? Exit::some : Exit::none;
}

}  // namespace

int main(int argc, char** argv)
{
    try {
        const auto arguments = arguments_of(argc, argv);
        if (!arguments) {
            (void)std::fputs("usage: slurm-adopt-lines options [--confdir DIR]\n"
                             "       slurm-adopt-lines without FILE [--other FILE] [--confdir DIR]\n",
                             stderr);
            return static_cast<int>(Exit::usage);
        }
        return static_cast<int>(answer(*arguments));
    } catch (const std::exception& error) {
        (void)std::fprintf(stderr, "slurm-adopt-lines: %s\n", error.what());
        return static_cast<int>(Exit::impossible);
    }
}
