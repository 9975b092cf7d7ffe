// SPDX-License-Identifier: GPL-2.0-or-later
// slurm-adopt: what administrators and users ask the node about logins. Exit codes: command.h.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "check/check_command.h"
#include "command.h"
#include "enable/enable_command.h"
#include "explain/explain_command.h"
#include "list/list_command.h"
#include "token/token_command.h"
#include "use/use_command.h"

namespace {

using namespace slurm_adopt::tool;

int run(int argc, char** argv)
{
    CLI::App app{"Logins that Slurm jobs adopt: why one was refused, and whether this node is set up right", "slurm-adopt"};
    Context context;
    context.output.colours = colours_wanted();
    app.require_subcommand(1);
    app.fallthrough();
    app.set_version_flag("--version", "slurm-adopt " SLURM_ADOPT_VERSION);
    app.add_flag("--json", context.output.json, "One JSON document instead of text");
    add_explain_command(app, context);
    add_list_command(app, context);
    add_token_command(app, context);
    add_check_command(app, context);
    add_enable_command(app, context);
    add_use_command(app, context);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : static_cast<int>(Exit::usage);
    }
    // An answer that went to a full disk or a closed descriptor did not reach anybody.
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
        context.output.error(slurm_adopt::system_error("stdout").context);
        return static_cast<int>(Exit::impossible);
    }
    return static_cast<int>(context.exit);
}

}  // namespace

int main(int argc, char** argv)
{
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        (void)std::fprintf(stderr, "slurm-adopt: %s\n", error.what());
        return static_cast<int>(Exit::impossible);
    }
}
