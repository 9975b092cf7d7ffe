// SPDX-License-Identifier: GPL-2.0-or-later
#include "host_login.h"

#include <sched.h>
#include <security/pam_appl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

namespace slurm_adopt::test {

double HostOutcome::longest() const
{
    double most = 0;
    for (const HostCall& call : calls) most = std::max(most, call.milliseconds);
    return most;
}

double HostOutcome::sum() const
{
    double all = 0;
    for (const HostCall& call : calls) all += call.milliseconds;
    return all;
}

bool HostOutcome::adopted() const
{
    return trouble.empty() && !calls.empty() && std::all_of(calls.begin(), calls.end(), [](const HostCall& call) {
               return call.code == PAM_SUCCESS && call.inside;
           });
}

std::string HostOutcome::text() const
{
    std::ostringstream text;
    text << trouble;
    for (const HostCall& call : calls)
        text << ' ' << call.phase << '=' << call.code << (call.inside ? " inside " : " outside ") << call.milliseconds
             << " ms";
    return text.str();
}

HostOutcome log_in_on_host(const HostLogin& login)
{
    const TempDirectory directory;
    std::string module = MODULE_PATH;
    for (const std::string& option : login.options) module += ' ' + option;
    std::string stack;
    for (const char* phase : {"account", "session"})
        for (const std::string& line : std::vector<std::string>{"optional " MARKS_PATH " begin", "required " + module,
                                                                "optional " MARKS_PATH " end", "required pam_permit.so"})
            stack += std::string(phase) + ' ' + line + '\n';
    (void)directory.write("sshd", stack);

    Program program{.arguments = {SYSTEM_LOGIN_PATH, directory.path(), login.user, login.mode},
                    .environment = login.environment,
                    .prepare = login.prepare,
                    .on_call = login.on_call};
    if (!login.environment.empty()) program.environment.emplace_back("LD_PRELOAD=" PRELOAD_PATH);
    const ProgramEnd end = run_program(program);

    HostOutcome outcome;
    outcome.trouble = end.trouble;
    outcome.system_calls = end.calls;
    outcome.child_calls = end.child_calls;
    std::istringstream lines(end.output);
    for (HostCall call; lines >> call.phase >> call.code >> call.inside >> call.milliseconds;) {
        if (call.phase == "failed-mallocs")
            outcome.failed_mallocs = call.code;
        else
            outcome.calls.push_back(call);
    }
    if (outcome.calls.empty() && outcome.trouble.empty()) outcome.trouble = "no call came to its end";
    return outcome;
}

void private_mounts()
{
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) ::_exit(124);
}

void private_run()
{
    private_mounts();
    if (::mount("tmpfs", "/run", "tmpfs", 0, "mode=0755") != 0) ::_exit(124);
}

void expect_adopted_without_faults(HostLogin login)
{
    std::erase_if(login.options, [](const std::string& option) { return option.starts_with("timeout="); });
    login.environment.clear();
    login.on_call = {};
    const HostOutcome outcome = log_in_on_host(login);
    EXPECT_TRUE(outcome.adopted()) << outcome.text();
}

void expect_safe(const std::string& what, const HostOutcome& outcome, double bound_ms)
{
    EXPECT_EQ(outcome.trouble, "") << what;
    for (const HostCall& call : outcome.calls) {
        if (call.phase == "close" || call.phase == "parent") continue;  // let nobody in
        EXPECT_TRUE(call.code != PAM_SUCCESS || call.inside) << what << ':' << outcome.text();
    }
    EXPECT_LE(outcome.longest(), bound_ms) << what << ':' << outcome.text();
}

}  // namespace slurm_adopt::test
