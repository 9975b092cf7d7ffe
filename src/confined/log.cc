// SPDX-License-Identifier: GPL-2.0-or-later
#include "log.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/syslog_sink.h>
#include <syslog.h>

#include <cerrno>
#include <memory>
#include <string>

namespace slurm_adopt::helper {
namespace {

using spdlog::level::level_enum;

// The levels of Slurm's log: quiet, fatal, error, info, verbose, debug, debug2 ... debug5.
level_enum level_of(std::uint32_t log_level)
{
    switch (log_level) {
    case 0: return level_enum::off;
    case 1: return level_enum::critical;
    case 2: return level_enum::err;
    case 3:
    case 4: return level_enum::info;
    default: return level_enum::debug;
    }
}

// Never destroyed: libslurm may end the process at any point, and its last words are logged while it ends.
spdlog::logger& logger()
{
    static auto* const instance = [] {
        auto sink = std::make_shared<spdlog::sinks::syslog_sink_mt>(program_invocation_short_name, LOG_PID, LOG_AUTHPRIV, true);
        auto* made = new spdlog::logger(program_invocation_short_name, std::move(sink));
        // spdlog's own handler prints to stderr.
        made->set_error_handler([](const std::string&) {});
        return made;
    }();
    return *instance;
}

}  // namespace

void set_up_log(pid_t module_pid, std::uint32_t level)
{
    // No end of line: syslog has its own.
    logger().set_formatter(std::make_unique<spdlog::pattern_formatter>(
        "module_pid=" + std::to_string(module_pid) + " %v", spdlog::pattern_time_type::local, std::string()));
    logger().set_level(level_of(level));
}

void log_error(std::string_view text)
{
    logger().error(text);
}

void log_info(std::string_view text)
{
    logger().info(text);
}

void log_debug(std::string_view text)
{
    logger().debug(text);
}

}  // namespace slurm_adopt::helper
