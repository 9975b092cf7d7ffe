// SPDX-License-Identifier: GPL-2.0-or-later
// A whole login: account phase, session phase and the session's end, in the world of world.h. Libpam is that of the module
// tests (fake_pam.cc), memory runs out where the input says so.
#include <security/pam_modules.h>

#include <string>

#include "failing_memory.h"
#include "fake_pam.h"
#include "oracle.h"
#include "phases.h"
#include "slurm_adopt/options.h"
#include "slurm_adopt/policy.h"
#include "slurm_adopt/text.h"

using namespace slurm_adopt;
using namespace slurm_adopt::fuzz;

namespace {

struct Phase {
    const char* user = nullptr;
    const std::vector<std::string>& arguments;
    bool is_session = false;
    bool memory_fails = false;
};

// The last decision line, if the log level lets it through.
struct Logged {
    std::string decision;
    std::optional<Reason> reason;
    bool is_verified = false;
};

Logged logged_by(const pam_handle& handle, std::size_t first)
{
    Logged logged;
    for (std::size_t i = first; i < handle.log.size(); ++i) {
        const std::string& line = handle.log[i];
        require(is_printable(line) && line.find("?? ") != 0, "a log line is one line of a known priority");
        const auto words = split(line, ' ');
        if (words.size() < 3 || !words[1].starts_with("decision=")) continue;
        logged.decision = words[1].substr(9);
        for (int reason = 0; reason <= static_cast<int>(Reason::unknown_user); ++reason)
            if (words[2] == "reason=" + std::string(reason_code(static_cast<Reason>(reason)))) logged.reason = static_cast<Reason>(reason);
        require(logged.reason.has_value(), "a reason is one of the list");
        logged.is_verified = line.find(" verified=yes ") != std::string::npos;
    }
    return logged;
}

uid_t uid_of(std::string_view user)
{
    return user == "alice" ? alice : user == "bob" ? bob : user == "dave" ? 41004 : user == "root" || user == "toor" ? 0 : 4294967294U;
}

bool contains(const std::vector<std::string>& list, std::string_view entry)
{
    return std::find(list.begin(), list.end(), entry) != list.end();
}

// Who may be passed over: every list is read well, and a line of what the input has for a list is any part of it.
bool is_passed_over(const Options& options, std::string_view user, const World& world)
{
    const bool in_group = user == "dave" && (contains(options.exempt_groups, "admins") || contains(options.exempt_group_files, "/lists/good"));
    const bool is_listed = ((user == "alice" || user == "dave") && contains(options.exempt_user_files, "/lists/good")) ||
                           (contains(options.exempt_user_files, "/lists/raw") && world.raw.find(user) != std::string::npos);
    return pass_over(options, Subject{world.login.service, user, in_group, is_listed}).has_value();
}

bool option_lets_in(const Options& options, Reason reason, bool ignored)
{
    const Action wanted = ignored ? Action::ignore : Action::allow;
    switch (failure_class(reason)) {
    case FailureClass::no_jobs: return options.action_no_jobs == wanted;
    case FailureClass::unknown_job: return options.action_unknown == wanted;
    case FailureClass::adopt_failure: return !options.strict && options.action_adopt_failure == wanted;
    case FailureClass::generic_failure: return !options.strict && options.action_generic_failure == wanted;
    case FailureClass::bad_config:
    case FailureClass::unknown_user:
    case FailureClass::none: return false;
    }
    return false;
}

void check_success(const Kernel& kernel, const Options& options, const Phase& phase, const Logged& logged)
{
    const Adopted adopted = outcome_of(kernel, uid_of(phase.user));
    const bool may_be_adopted = adopted == Adopted::by_kernel || (adopted == Adopted::by_word && !options.strict);
    const bool option_allows = options.action_unknown == Action::allow ||
                               (!options.strict && (options.action_adopt_failure == Action::allow || options.action_generic_failure == Action::allow));
    require(may_be_adopted || option_allows, "nobody is let in who is neither in a job of his nor allowed to by an option");
    if (logged.decision == "adopt") {
        require(may_be_adopted, "an adoption is one by the kernel's view");
        require(!logged.is_verified || adopted == Adopted::by_kernel, "verified is what the kernel has shown");
    }
    if (logged.decision == "allow") require(option_lets_in(options, *logged.reason, false), "an option allows it");
    require(logged.decision != "deny" && logged.decision != "ignore", "the log says what was done");
    if (kernel.joined > 0) require(may_be_adopted, "in the namespaces of a job nobody is let in without an adoption");
    if (kernel.joined > 0 && kernel.join_has_failed && !phase.is_session)
        require(phase.memory_fails, "in some of the namespaces of a job nobody is let in");
}

void check_ignore(const Kernel& kernel, const Options& options, const Phase& phase, const Logged& logged)
{
    if (is_passed_over(options, phase.user, kernel.world)) return;
    const bool generic = option_lets_in(options, Reason::internal_error, true);
    require(generic || options.action_no_jobs == Action::ignore || phase.is_session, "nobody is passed over but by an option");
    const bool has_no_job = logged.reason && failure_class(*logged.reason) == FailureClass::no_jobs;
    if (logged.reason && !has_no_job) require(option_lets_in(options, *logged.reason, true), "an option passes him over");
    if (has_no_job)
        require(phase.is_session || options.action_no_jobs == Action::ignore, "without a job nobody is passed over but by an option");
    require(logged.decision.empty() || logged.decision == "ignore", "the log says what was done");
    require(kernel.joined == 0 || phase.memory_fails, "in the namespaces of a job nobody is passed over");
}

// What the handle held before the phase.
struct Before {
    std::size_t lines = 0;
    std::size_t messages = 0;
};

void check(const Kernel& kernel, const Phase& phase, int code, const pam_handle& handle, const Before& before)
{
    const std::vector<std::string_view> arguments(phase.arguments.begin(), phase.arguments.end());
    const ParsedOptions parsed = parse_options(arguments);
    const Login& login = kernel.world.login;
    const Logged logged = logged_by(handle, before.lines);
    require(code == PAM_SUCCESS || code == PAM_IGNORE || code == PAM_PERM_DENIED || code == PAM_USER_UNKNOWN ||
                (code == PAM_BUF_ERR && phase.memory_fails),
            "a code that PAM stacks are written for");
    if (std::string_view(phase.user) == "root") {
        const bool adopted = !parsed.options.ignore_root && parsed.errors.empty() && code == PAM_SUCCESS && logged.decision != "allow" &&
                             outcome_of(kernel, 0) != Adopted::no;
        require(code == PAM_IGNORE || adopted, "root is never refused, and only adopted where that is asked for");
        return;
    }
    const bool is_root_by_uid = uid_of(phase.user) == 0;
    if (!parsed.errors.empty()) {
        require(code == PAM_PERM_DENIED || (code == PAM_BUF_ERR && phase.memory_fails) || (is_root_by_uid && code == PAM_IGNORE),
                "with a wrong option nobody but root is let in");
        return;
    }
    if (code == PAM_SUCCESS) check_success(kernel, parsed.options, phase, logged);
    if (code == PAM_IGNORE && !is_root_by_uid) check_ignore(kernel, parsed.options, phase, logged);
    if (code == PAM_PERM_DENIED) require(logged.decision.empty() || logged.decision == "deny", "the log says what was done");
    if (contains(parsed.options.exempt_users, phase.user) && !parsed.options.exempt_adopt)
        require(code == PAM_IGNORE || phase.memory_fails, "who is exempt is left alone");
    if (parsed.options.quiet || login.flags != 0) require(handle.told.size() == before.messages, "who wants silence has it");
}

int run(Kernel& kernel, const Phase& phase, pam_handle& handle)
{
    handle.items[PAM_USER] = phase.user == nullptr ? "" : phase.user;
    if (phase.user == nullptr) handle.items.erase(PAM_USER);
    std::vector<const char*> arguments;
    for (const std::string& argument : phase.arguments) arguments.push_back(argument.c_str());
    arguments.push_back(nullptr);
    const int count = static_cast<int>(arguments.size()) - 1;
    const Before before{handle.log.size(), handle.told.size()};
    const Phase named{phase.user == nullptr ? "" : phase.user, phase.arguments, phase.is_session, phase.memory_fails};
    kernel.subject = uid_of(named.user);
    const auto began = kernel.now();

    if (phase.memory_fails) test::fail_memory_after(kernel.world.login.memory - 1);
    const int code = phase.is_session ? open_session_phase(&handle, kernel.world.login.flags, count, arguments.data())
                                      : account_phase(&handle, kernel.world.login.flags, count, arguments.data());
    if (phase.memory_fails) (void)test::stop_failing_memory();

    if (std::getenv("SLURM_ADOPT_FUZZ_LOG") != nullptr) {  // to see what an input is about
        (void)std::fprintf(stderr, "%s phase: %d\n", phase.is_session ? "session" : "account", code);
        for (const std::string& line : handle.log) (void)std::fprintf(stderr, "  %s\n", line.c_str());
    }
    check(kernel, named, code, handle, before);
    check_processes(kernel);
    const std::vector<std::string_view> views(phase.arguments.begin(), phase.arguments.end());
    // The helper's dying, a look around and the runtime directory's lock come on top.
    const Options options = parse_options(views).options;
    const auto bound = options.timeout + options.wait_for_job + std::chrono::milliseconds(phase.is_session ? 2500 : 600);
    require(kernel.now() - began <= bound, "the time of a login has an end");
    for (const std::string& line : handle.told) require(is_printable(line), "what a user is told is one line");
    for (const std::string& variable : handle.environment) require(is_printable(variable), "a variable of the session is text");
    return code;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    Input input(data, size);
    const World world = world_of(input);
    const Login& login = world.login;
    Kernel kernel(world);
    {
        pam_handle handle;
        handle.items[PAM_SERVICE] = login.service;
        handle.items[PAM_RHOST] = login.rhost;
        handle.environment = login.environment;
        if (login.putenv_fails) handle.putenv_result = PAM_BUF_ERR;
        if (login.set_data_fails) handle.set_data_result = PAM_BUF_ERR;

        const int code = run(kernel, {user_name_of(login.user), login.options, false, login.memory != 0}, handle);
        // Who was refused in a job's namespaces has no session; elsewhere another module may have let in.
        const bool may_begin = code == PAM_SUCCESS || code == PAM_IGNORE || kernel.joined == 0;
        if (login.is_moved_out) kernel.own_step = -1;
        if (login.is_forked) kernel.pid = Kernel::own_pid + 1;
        kernel.steps_have_ended = login.steps_end;
        if (login.with_session && may_begin) (void)run(kernel, {user_name_of(login.session_user), login.session_options, true, false}, handle);
        if (login.with_close) {
            std::vector<const char*> arguments;
            for (const std::string& argument : login.session_options) arguments.push_back(argument.c_str());
            require(close_session_phase(&handle, login.flags, static_cast<int>(arguments.size()), arguments.data()) == PAM_IGNORE,
                    "the end of a session is nobody's business but ours");
        }
    }
    check_descriptors(kernel);
    return 0;
}
