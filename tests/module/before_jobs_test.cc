// SPDX-License-Identifier: GPL-2.0-or-later
// What is decided before any job is looked at: options, service, exempt users and groups, users who do not exist.
#include <algorithm>

#include "node_test.h"

namespace slurm_adopt::test {
namespace {

class BeforeJobs : public NodeTest {};

struct Case {
    const char* what;
    Login login;
    Expected expected;
};

void run(const std::vector<Case>& cases)
{
    for (const Case& each : cases) expect(each.what, log_in(each.login), each.expected);
}

std::string passed_over(const char* reason, const Who& who)
{
    return decided(std::string("debug ignore ") + reason, 0, 0, "-", "open", who);
}

TEST_F(BeforeJobs, PassedOverSilently)
{
    FakeStepd& stepd = start(7);
    const Who at_login = {.user = "alice", .uid = "41001", .service = "login"};
    run({
        {"other service", {.service = "login"}, {"ignore", {}}},
        {"other service, debug",
         {.options = {"log_level=debug"}, .service = "login"},
         {"ignore", {passed_over("service", at_login)}}},
        {"no service",
         {.options = {"log_level=debug"}, .service = ""},
         {"ignore", {passed_over("service", {.user = "alice", .uid = "41001", .service = "-"})}}},
        {"exempt user", {.options = {"exempt_users=bob,alice"}}, {"ignore", {}}},
        {"exempt user, debug",
         {.options = {"exempt_users=alice", "log_level=debug"}},
         {"ignore", {passed_over("exempt_user", {})}}},
        {"exempt primary group",
         {.user = "carol", .options = {"exempt_groups=admins", "log_level=debug"}},
         {"ignore", {passed_over("exempt_group", {.user = "carol", .uid = "41003", .service = "sshd"})}}},
        {"exempt supplementary group", {.user = "dave", .options = {"exempt_groups=wheel,admins"}}, {"ignore", {}}},
        {"the last of many groups", {.user = "many", .options = {"exempt_groups=admins"}}, {"ignore", {}}},
        {"unknown user, exempt by name", {.user = "ghost", .options = {"exempt_users=ghost"}}, {"ignore", {}}},
        {"unknown user, other service", {.user = "ghost", .service = "login"}, {"ignore", {}}},
        {"strict changes nothing", {.options = {"exempt_users=alice", "strict"}}, {"ignore", {}}},
    });
    EXPECT_EQ(stepd.seen().connections, 0);
}

TEST_F(BeforeJobs, NotPassedOver)
{
    const std::vector<std::string> refused = {decided("notice deny no_jobs", 0, 0, "-", "open")};
    const Who carol = {.user = "carol", .uid = "41003", .service = "sshd"};
    run({
        {"service=*",
         {.options = {"service=*"}, .service = "anything"},
         {"perm_denied",
          {decided("notice deny no_jobs", 0, 0, "-", "open", {.user = "alice", .uid = "41001", .service = "anything"})},
          {no_job_message}}},
        {"another is exempt", {.options = {"exempt_users=bob"}}, {"perm_denied", refused, {no_job_message}}},
        {"not a member", {.options = {"exempt_groups=admins"}}, {"perm_denied", refused, {no_job_message}}},
        {"no such group", {.options = {"exempt_groups=nobody-is-in"}}, {"perm_denied", refused, {no_job_message}}},
        {"a group that cannot be looked up",
         {.user = "carol", .options = {"exempt_groups=broken-group,admins"}},
         {"perm_denied",
          {"error exempt_groups: getgrnam: Input/output error", decided("notice deny no_jobs", 0, 0, "-", "open", carol)},
          {no_job_message}}},
    });
}

TEST_F(BeforeJobs, UsersWhoDoNotExist)
{
    const auto line = [](const char* user, const char* on_failure) {
        return decided("notice deny unknown_user", 0, 0, "-", on_failure, {.user = user, .uid = "-", .service = "sshd"});
    };
    run({
        {"unknown", {.user = "ghost"}, {"user_unknown", {line("ghost", "open")}}},
        {"strict", {.user = "ghost", .options = {"strict"}}, {"user_unknown", {line("ghost", "closed")}}},
        {"whatever is allowed",
         {.user = "ghost", .options = {"action_no_jobs=ignore", "action_generic_failure=allow"}},
         {"user_unknown", {line("ghost", "open")}}},
        {"PAM_USER missing", {.user = std::nullopt}, {"user_unknown", {line("-", "open")}}},
        {"PAM_USER empty", {.user = ""}, {"user_unknown", {line("-", "open")}}},
        {"a hostile name", {.user = "gh\nost =\x1b[2J\xc3\xa9"}, {"user_unknown", {line("gh?ost???[2J??", "open")}}},
    });
}

TEST_F(BeforeJobs, AUserDatabaseThatFails)
{
    const auto line = [](const char* verdict, const char* user, const char* on_failure) {
        return decided(std::string(verdict) + " user_lookup", 0, 0, "-", on_failure,
                       {.user = user, .uid = "-", .service = "sshd"});
    };
    const std::string error = "error getpwnam: Input/output error";
    const std::string told = "error Access denied: job access control on HOST does not work (user_lookup). Please tell your "
                             "administrator this line.";
    run({
        {"default", {.user = "broken"}, {"ignore", {error, line("warning ignore", "broken", "open")}}},
        {"strict",
         {.user = "broken", .options = {"strict"}},
         {"perm_denied", {error, line("notice deny", "broken", "closed")}, {told}}},
        {"deny",
         {.user = "broken", .options = {"action_generic_failure=deny"}},
         {"perm_denied", {error, line("notice deny", "broken", "open")}, {told}}},
        {"allow",
         {.user = "broken", .options = {"action_generic_failure=allow"}},
         {"success", {error, line("warning allow", "broken", "open")}}},
        {"an entry without end",
         {.user = "endless", .options = {"strict"}},
         {"perm_denied",
          {"error getpwnam: Numerical result out of range", line("notice deny", "endless", "closed")},
          {told}}},
    });
    expect("a large entry", log_in({.user = "large"}),
           {"perm_denied",
            {decided("notice deny no_jobs", 0, 0, "-", "open", {.user = "large", .uid = "41001", .service = "sshd"})},
            {no_job_message}});
    EXPECT_EQ(log_in({.user = "interrupted"}).code, "user_unknown");
}

TEST_F(BeforeJobs, WrongOptionsRefuseEverybody)
{
    FakeStepd& stepd = start(7);
    const std::string told = "error Access denied: job access control on HOST is misconfigured (bad_option). Please tell "
                             "your administrator this line.";
    const auto names_allowed = [](const char* argument, const char* option, const char* allowed) {
        return std::string("error PAM line: option '") + argument + "' has no valid value for '" + option +
               "'; allowed: " + allowed;
    };
    const std::string deny = decided("notice deny bad_option", 0, 0, "-", "open");
    run({
        {"prefix",
         {.options = {"action_no_jobs=denyx"}},
         {"perm_denied", {names_allowed("action_no_jobs=denyx", "action_no_jobs", "deny|ignore"), deny}, {told}}},
        {"10",
         {.options = {"disable_x11=10"}},
         {"perm_denied", {names_allowed("disable_x11=10", "disable_x11", "0|1|false|true"), deny}, {told}}},
        {"empty",
         {.options = {"spool_dir="}},
         {"perm_denied", {names_allowed("spool_dir=", "spool_dir", "an absolute path"), deny}, {told}}},
        {"bare",
         {.options = {"timeout"}},
         {"perm_denied", {names_allowed("timeout", "timeout", "seconds, 1 to 120"), deny}, {told}}},
        {"range",
         {.options = {"timeout=121"}},
         {"perm_denied", {names_allowed("timeout=121", "timeout", "seconds, 1 to 120"), deny}, {told}}},
        {"twice",
         {.options = {"strict", "strict=0"}},
         {"perm_denied",
          {"error PAM line: option 'strict' is given twice: 'strict=0'; keep one of them (allowed: 0|1|false|true)",
           decided("notice deny bad_option", 0, 0, "-", "closed")},
          {told}}},
        {"quiet is still quiet",
         {.options = {"timeout=0", "quiet"}},
         {"perm_denied", {names_allowed("timeout=0", "timeout", "seconds, 1 to 120"), deny}}},
        {"log_level=quiet hides no typo",
         {.options = {"timeout=0", "log_level=quiet"}},
         {"perm_denied", {names_allowed("timeout=0", "timeout", "seconds, 1 to 120")}, {told}}},
        {"before the service",
         {.options = {"timeout=0"}, .service = "login"},
         {"perm_denied",
          {names_allowed("timeout=0", "timeout", "seconds, 1 to 120"),
           decided("notice deny bad_option", 0, 0, "-", "open", {.user = "alice", .uid = "41001", .service = "login"})},
          {told}}},
        {"before exempt users",
         {.options = {"timeout=0", "exempt_users=alice"}},
         {"perm_denied", {names_allowed("timeout=0", "timeout", "seconds, 1 to 120"), deny}, {told}}},
        {"whatever is allowed",
         {.options = {"timeout=0", "action_no_jobs=ignore", "action_generic_failure=allow"}},
         {"perm_denied", {names_allowed("timeout=0", "timeout", "seconds, 1 to 120"), deny}, {told}}},
    });
    EXPECT_EQ(stepd.seen().connections, 0);

    const Outcome unknown = log_in({.options = {"nonsense", "Strict"}});
    EXPECT_EQ(unknown.code, "perm_denied");
    ASSERT_EQ(unknown.log.size(), 3U);
    EXPECT_TRUE(unknown.log[0].starts_with("error PAM line: unknown option 'nonsense'; known are: action_no_jobs "))
        << unknown.log[0];
    EXPECT_TRUE(unknown.log[1].starts_with("error PAM line: unknown option 'Strict'; ")) << unknown.log[1];
}

TEST_F(BeforeJobs, NobodyCanListTheSteps)
{
    (void)start(7);
    Roots nowhere;
    nowhere.proc = spool_ / "nowhere";
    const std::string error = "error cannot list the extern steps: " + nowhere.proc + "/net/unix: No such file or directory";
    const std::string told = "error Access denied: job access control on HOST does not work (sockets_unreadable). Please "
                             "tell your administrator this line.";
    run({
        {"default",
         {.roots = nowhere},
         {"ignore", {error, decided("warning ignore sockets_unreadable", 0, 0, "-", "open")}}},
        {"strict",
         {.options = {"strict"}, .roots = nowhere},
         {"perm_denied", {error, decided("notice deny sockets_unreadable", 0, 0, "-", "closed")}, {told}}},
        {"allow",
         {.options = {"action_generic_failure=allow"}, .roots = nowhere},
         {"success", {error, decided("warning allow sockets_unreadable", 0, 0, "-", "open")}}},
        {"action_no_jobs does not count",
         {.options = {"strict", "action_no_jobs=ignore"}, .roots = nowhere},
         {"perm_denied", {error, decided("notice deny sockets_unreadable", 0, 0, "-", "closed")}, {told}}},
    });
}

}  // namespace
}  // namespace slurm_adopt::test
