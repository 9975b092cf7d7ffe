// SPDX-License-Identifier: GPL-2.0-or-later
#include "sshd.h"

#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <stdexcept>

#include "cluster.h"

namespace slurm_adopt::e2e {
namespace {

const std::string right_code = "246810";

std::string write_script(const std::string& name, const std::string& text)
{
    const std::string path = cluster().directory + '/' + name;
    write_whole(path, "#!/bin/sh\n" + text);
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
}

const std::string& askpass()
{
    static const std::string path = write_script("askpass", "case $1 in\n"
                                                            "*assword*) echo alice-password ;;\n"
                                                            "*Code*) echo \"$PROMPTED_CODE\" ;;\n"
                                                            "*) exit 1 ;;\n"
                                                            "esac\n");
    return path;
}

// The cluster's sshd_config, but for the settings that are replaced: sshd takes the first of most, and all ports.
std::string configuration(std::vector<std::pair<std::string, std::string>> settings, std::uint16_t port,
                          const std::string& pid_file)
{
    settings.insert(settings.end(), {{"Port", std::to_string(port)},
                                     {"PidFile", pid_file},
                                     {"Subsystem", "sftp /usr/lib/openssh/sftp-server"}});  // a program of its own
    std::string text;
    for (const auto& [key, value] : settings) text += key + ' ' + value + '\n';
    std::istringstream lines(read_whole(cluster().directory + "/conf/sshd_config"));
    for (std::string line; std::getline(lines, line);) {
        const std::string key = line.substr(0, line.find(' '));
        if (std::none_of(settings.begin(), settings.end(), [&](const auto& setting) { return setting.first == key; }))
            text += line + '\n';
    }
    return text;
}

}  // namespace

const std::vector<Method>& methods()
{
    static const std::string unix_auth = "auth required pam_unix.so";
    static const std::string prompting =
        std::string("auth required ") + PROMPTING_MODULE + " Password=alice-password Code=" + right_code;
    static const std::vector<Method> all = {
        {.name = "publickey",
         .server = {{"AuthenticationMethods", "publickey"}},
         .client = {"PreferredAuthentications=publickey"},
         .auth = {unix_auth}},
        {.name = "password",
         .server = {{"AuthenticationMethods", "password"},
                    {"PubkeyAuthentication", "no"},
                    {"KbdInteractiveAuthentication", "no"}},
         .client = {"PreferredAuthentications=password", "PubkeyAuthentication=no"},
         .auth = {unix_auth}},
        {.name = "keyboard_interactive",
         .server = {{"AuthenticationMethods", "keyboard-interactive"},
                    {"PubkeyAuthentication", "no"},
                    {"PasswordAuthentication", "no"}},
         .client = {"PreferredAuthentications=keyboard-interactive", "PubkeyAuthentication=no"},
         .auth = {prompting}},
        {.name = "publickey_and_keyboard_interactive",
         .server = {{"AuthenticationMethods", "publickey,keyboard-interactive"}, {"PasswordAuthentication", "no"}},
         .client = {"PreferredAuthentications=publickey,keyboard-interactive"},
         .auth = {prompting}},
    };
    return all;
}

const Method& method(const std::string& name)
{
    const auto found = std::find_if(methods().begin(), methods().end(), [&](const Method& one) { return one.name == name; });
    if (found == methods().end()) throw std::runtime_error("no method " + name);
    return *found;
}

Sshd::Sshd(const Method& method) : method_(method)
{
    static std::uint16_t last_port = 2300;
    port_ = ++last_port;
    const std::string base = cluster().directory + "/conf/sshd." + std::to_string(port_);
    std::filesystem::remove(base + ".pid");
    write_whole(base, configuration(method.server, port_, base + ".pid"));
    listener_ = std::make_unique<Background>(Command{.argv = {"/usr/sbin/sshd", "-D", "-f", base}});
    // It listens before it writes this.
    if (!eventually([&] { return !read_whole(base + ".pid").empty() || !listener_->running(); }) || !listener_->running())
        throw std::runtime_error("sshd for " + method.name + ": " + listener_->wait(std::chrono::seconds{1}).err);
}

Sshd::~Sshd()
{
    // Each connection is a session of its own, which outlives the listener.
    for (const Process& process : connections()) (void)::kill(process.pid, SIGKILL);
}

bool Sshd::wait_until_idle() const
{
    return eventually([&] { return connections().empty(); });
}

Command Sshd::client(const std::string& program, const std::vector<std::string>& arguments) const
{
    Command command{.argv = {program, "-oBatchMode=no", "-oNumberOfPasswordPrompts=1", "-oPort=" + std::to_string(port_)}};
    for (const std::string& option : method_.client) command.argv.push_back("-o" + option);
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    answer_prompts(command, right_code);
    return command;
}

void answer_prompts(Command& command, const std::string& code)
{
    command.environment.insert(command.environment.end(),
                               {{"SSH_ASKPASS", askpass()}, {"SSH_ASKPASS_REQUIRE", "force"}, {"PROMPTED_CODE", code}});
}

}  // namespace slurm_adopt::e2e
