// SPDX-License-Identifier: GPL-2.0-or-later
#include "login.h"

#include <security/pam_appl.h>

#include <filesystem>
#include <sstream>

#include "cluster.h"
#include "foretold.h"
#include "job.h"

namespace slurm_adopt::e2e {

const std::vector<std::string> without_netlink = {"env", "NO_NETLINK=1"};
const std::vector<std::string> without_proc_net = {
    "unshare", "--mount", "sh", "-c", "mount -t proc -o subset=pid proc /proc || exit 99; exec \"$@\"", "sh"};
const std::vector<std::string> without_socket_lists = {
    "unshare", "--mount", "sh", "-c", "mount -t proc -o subset=pid proc /proc || exit 99; NO_NETLINK=1 exec \"$@\"", "sh"};

Stack::Stack(const std::string& name, const std::vector<std::string>& lines) : path_("/etc/pam.d/" + name)
{
    existed_ = std::filesystem::exists(path_);
    if (existed_) before_ = read_whole(path_);
    std::string text;
    for (const std::string& line : lines) text += line + '\n';
    write_whole(path_, text);
}

Stack::~Stack()
{
    if (existed_) {
        write_whole(path_, before_);
    } else {
        std::filesystem::remove(path_);
    }
}

std::string account_line(const std::string& options, const std::string& module, const std::string& control)
{
    return "account " + control + ' ' + (module.empty() ? cluster().module : module) + ' ' + options;
}

std::vector<std::string> sshd_stack(const std::vector<std::string>& account)
{
    std::vector<std::string> lines = {"auth required pam_unix.so", "account required pam_unix.so"};
    lines.insert(lines.end(), account.begin(), account.end());
    lines.insert(lines.end(), {"session required pam_env.so", "session required pam_unix.so"});
    return lines;
}

std::vector<std::string> transparent_stack(const std::string& options, const std::string& module)
{
    // libpam tells nobody that a module ignored: a jump to a result that no module here has does (see login_of).
    return {
        account_line(options, module, "[success=1 ignore=2 default=die]"),
        "account requisite pam_debug.so acct=abort",
        "account [default=done] pam_debug.so acct=success",
        "account [default=die] pam_debug.so acct=authinfo_unavail",
    };
}

Command login_command(const std::string& service, const std::string& user, const std::vector<std::string>& wrapper, const std::string& then)
{
    std::vector<std::string> argv = wrapper;
    argv.insert(argv.end(), {cluster().login_program, service, user});
    if (!then.empty()) argv.push_back(then);
    return {.argv = std::move(argv), .environment = {}, .timeout = std::chrono::seconds{60}};
}

namespace {

// What transparent stacks make of PAM_IGNORE.
int told_result(const std::string& number)
{
    const int result = std::stoi(number);
    return result == PAM_AUTHINFO_UNAVAIL ? PAM_IGNORE : result;
}

}  // namespace

Login login_of(const Finished& finished)
{
    Login login;
    login.took = finished.took;
    login.error = finished.err;
    std::istringstream lines(finished.out);
    std::string line;
    while (std::getline(lines, line)) {
        const std::size_t colon = line.find(':');
        const std::string key = line.substr(0, colon);
        const std::string value = colon == std::string::npos ? "" : line.substr(colon + 1);
        if (key == "result") login.result = told_result(value);
        if (key == "session") login.session = told_result(value);
        if (key == "message") login.messages += value + '\n';
        if (key == "microseconds") login.account_took = std::chrono::microseconds{std::stoll(value)};
        if (key == "cgroup") login.cgroup += value + '\n';
        if (key == "cgroup" && login.job == 0) login.job = job_in(value);
        if (key == "environment") login.environment[value.substr(0, value.find('='))] = value.substr(value.find('=') + 1);
        if (key == "output") break;
    }
    login.output.assign(std::istreambuf_iterator<char>(lines), {});
    return login;
}

Login pam_login_by(const std::string& service, const std::string& user, const std::vector<std::string>& wrapper, const std::string& then)
{
#ifdef SLURM_ADOPT_TOOL
    const Foretold foretold(service, user, wrapper);
#endif
    Login login = login_of(run(login_command(service, user, wrapper, then)));
#ifdef SLURM_ADOPT_TOOL
    foretold.expect(login);
#endif
    return login;
}

Login pam_login(const std::string& user, const std::string& options, const std::string& then)
{
    const Stack stack(transparent_stack("service=* " + options));
    return pam_login_by("e2e", user, {}, then);
}

Command ssh_command(const std::string& user, const std::string& command, const std::vector<std::string>& options)
{
    std::vector<std::string> argv = {"ssh", "-oBatchMode=yes"};
    argv.insert(argv.end(), options.begin(), options.end());
    argv.insert(argv.end(), {user + "@node", command});
    return {.argv = std::move(argv), .environment = {}, .timeout = std::chrono::seconds{30}};
}

Finished ssh(const std::string& user, const std::string& command, const std::vector<std::string>& options)
{
    return run(ssh_command(user, command, options));
}

int ssh_job(const std::string& user)
{
#ifdef SLURM_ADOPT_TOOL
    const Foretold foretold("sshd", user, {});
#endif
    const Finished session = ssh(user, "cat /proc/self/cgroup");
    const int job = session.ok() ? static_cast<int>(job_in(session.out)) : -1;
#ifdef SLURM_ADOPT_TOOL
    foretold.expect_session(job);
#endif
    return job;
}

}  // namespace slurm_adopt::e2e
