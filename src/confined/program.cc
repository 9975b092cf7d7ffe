// SPDX-License-Identifier: GPL-2.0-or-later
#include "program.h"

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <vector>

#include "exchange.h"
#include "log.h"

namespace slurm_adopt::helper {
namespace {

// Of the option log_level: what is said before the module's own level is known.
constexpr std::uint32_t level_error = 2;

int serve(const Program& program, const Module& module)
{
    const Deadline deadline = Deadline::after(patience_with_module);
    const auto header = read_header(module.socket, deadline);
    if (!header) {
        log_error("request: " + header.error().context);
        return exit_failed;
    }
    set_up_log(header.value().module_pid, header.value().log_level);
    return program.serve(module, header.value(), deadline);
}

int run(const Program& program, const std::vector<std::string>& arguments)
{
    if (arguments.size() == 1 && arguments.front() == "--version") {
        std::printf("%s %s\n", program.name, program.version().c_str());
        return std::fflush(stdout) == 0 ? exit_done : exit_failed;
    }
    if (!arguments.empty()) {
        (void)std::fprintf(stderr, "%s: takes no arguments but --version; pam_slurm_adopt.so starts it\n", program.name);
        return exit_usage;
    }
    const auto module = find_module();
    if (!module) {
        (void)std::fprintf(stderr, "%s: %s pam_slurm_adopt.so, which starts it; not to be run by hand (%s)\n", program.name,
                           program.purpose, module.error().context.c_str());
        return exit_usage;
    }
    set_up_log(::getppid(), level_error);
    if (const auto confined = confine(module.value().pid); !confined) {
        log_error(confined.error().context);
        return exit_failed;
    }
    return serve(program, module.value());
}

}  // namespace

void run_program(const Program& program, int argc, char** argv)
{
    int status = exit_failed;
    try {
        status = run(program, {argv + (argc > 0 ? 1 : 0), argv + argc});
    } catch (const std::exception& error) {
        try {
            log_error(error.what());
        } catch (...) {  // NOLINT(bugprone-empty-catch): there is nobody left to tell
        }
    } catch (...) {  // NOLINT(bugprone-empty-catch)
    }
    ::_exit(status);
}

}  // namespace slurm_adopt::helper
