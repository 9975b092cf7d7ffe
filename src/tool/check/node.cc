// SPDX-License-Identifier: GPL-2.0-or-later
#include "check/node.h"

#include <unistd.h>

#include <chrono>
#include <utility>

#include "asking.h"

namespace slurm_adopt::tool {
namespace {

using namespace std::chrono_literals;

constexpr const char* module_name_of_ours = "pam_slurm_adopt.so";
// Without a slurm.conf libslurm looks for a controller that has one.
constexpr auto longest_question = 10s;

OurStack read(const CheckRoots& roots, const std::string& service, pam_stack::Type type)
{
    OurStack ours{pam_stack::read_stack(roots.pam, service, type), {}};
    if (!ours.stack.ok()) return ours;
    const auto& modules = ours.stack.value().modules;
    for (std::size_t i = 0; i < modules.size(); ++i) {
        if (module_name(modules[i].line) != module_name_of_ours) continue;
        const std::vector<std::string_view> words(modules[i].line.arguments.begin(), modules[i].line.arguments.end());
        ours.lines.push_back({i, modules[i].line, parse_options(words)});
    }
    return ours;
}

}  // namespace

CheckRoots CheckRoots::of_this_machine()
{
    CheckRoots roots;
    // Ours first; then where Debian's libpam looks besides, and where libpam of other builds does.
    roots.module_directories = {SLURM_ADOPT_PAM_DIR, "/lib/security", "/usr/lib64/security", "/lib64/security",
                                "/usr/lib/security"};
    roots.helper = SLURM_ADOPT_HELPER_PATH;
    roots.ask_slurm_config = [](const HelperSettings& settings, const std::string& node) {
        return slurm_adopt::ask_slurm_config(settings, node, Deadline::after(longest_question));
    };
    roots.ask_controller = [](const Options& options) {
        return slurm_adopt::ask_controller(helper_settings_of(options), controller_question(options, std::nullopt),
                                           Deadline::after(options.controller_timeout));
    };
    return roots;
}

const Options& Node::options() const
{
    static const Options defaults;
    if (!account.lines.empty()) return account.lines.front().options.options;
    return session.lines.empty() ? defaults : session.lines.front().options.options;
}

const Result<SlurmConfig>& Node::slurm_config() const
{
    if (!*asked_config) {
        const Options& set = options();
        const HelperSettings settings{set.helper.empty() ? roots.helper : set.helper, set.slurm_conf, LogLevel::error};
        *asked_config = roots.ask_slurm_config(settings, set.nodename);
    }
    return **asked_config;
}

std::string Node::module_as_written() const
{
    if (!account.lines.empty()) return account.lines.front().line.target;
    return session.lines.empty() ? module_name_of_ours : session.lines.front().line.target;
}

std::optional<std::string> Node::module_file() const
{
    const std::string written = module_as_written();
    if (written.starts_with('/')) return ::access(written.c_str(), F_OK) == 0 ? std::optional(written) : std::nullopt;
    for (const std::string& directory : roots.module_directories) {
        std::string file = directory;
        file.append("/").append(written);
        if (::access(file.c_str(), F_OK) == 0) return file;
    }
    return std::nullopt;
}

Node look_at(CheckRoots roots, std::string service)
{
    OurStack account = read(roots, service, pam_stack::Type::account);
    OurStack session = read(roots, service, pam_stack::Type::session);
    Node node{std::move(roots), std::move(service), std::move(account), std::move(session)};
    return node;
}

}  // namespace slurm_adopt::tool
