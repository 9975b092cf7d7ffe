// SPDX-License-Identifier: GPL-2.0-or-later
// deny_message_file=: a text of the site's after ours.
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <filesystem>

#include "node_test.h"

namespace slurm_adopt::test {
namespace {

class SiteMessage : public NodeTest {
protected:
    [[nodiscard]] std::string file(const std::string& text, unsigned mode = 0644) const
    {
        const std::string path = spool_.write("denied", text);
        EXPECT_EQ(::chmod(path.c_str(), mode), 0);
        return path;
    }
    [[nodiscard]] static std::vector<std::string> with(const std::string& path) { return {"strict", "deny_message_file=" + path}; }
};

TEST_F(SiteMessage, FollowsARefusal)
{
    const auto options = with(file("Help for %u on %h, job %j: 100%% free\n\nhttps://example.org\n"));
    const Outcome refused = log_in({.options = options});
    expect("no job", refused,
           {"perm_denied",
            {decided("notice deny no_jobs", 0, 0, "-", "closed")},
            {no_job_message, "error Help for alice on HOST, job -: 100% free", "error ", "error https://example.org"}});
    (void)start(7, {.adopt_result = -1, .moves = false});
    const Outcome failed = log_in({.options = options});
    EXPECT_EQ(failed.code, "perm_denied");
    ASSERT_EQ(failed.told.size(), 4U);
    EXPECT_EQ(failed.told[1], "error Help for alice on HOST, job 7: 100% free");
    const Outcome session = log_in({.options = options, .phases = Phases::session});
    EXPECT_EQ(session.code, "perm_denied");
    EXPECT_EQ(session.told.size(), 4U);
}

TEST_F(SiteMessage, AndNothingElse)
{
    const std::string path = file("help\n");
    const auto untold = [&](const char* what, Login login) {
        login.options.push_back("deny_message_file=" + path);
        const Outcome outcome = log_in(login);
        for (const std::string& line : outcome.told) EXPECT_EQ(line.find("help"), std::string::npos) << what;
        EXPECT_EQ(outcome.complaints, "") << what;
    };
    untold("quiet", {.options = {"strict", "quiet"}});
    untold("PAM_SILENT", {.options = {"strict"}, .flags = static_cast<int>(PAM_SILENT)});
    untold("a stranger", {.user = "ghost", .options = {"strict"}});
    untold("ignored", {.options = {"strict", "action_no_jobs=ignore"}});
    untold("exempt", {.options = {"strict", "exempt_users=alice"}});
    untold("root", {.user = "root", .options = {"strict"}});
    untold("wrong options", {.options = {"strict=x"}});
    (void)start(7);
    untold("adopted", {.options = {"strict"}});
}

TEST_F(SiteMessage, AFileThatCannotBeTrustedIsLeftOut)
{
    const std::string path = spool_ / "denied";
    struct Case {
        const char* what;
        std::function<void()> prepare;
        const char* why;
    };
    const std::vector<Case> cases = {
        {"none", [] {}, "No such file or directory"},
        {"others write", [&] { (void)file("help", 0666); }, "others than root may write to it"},
        {"another owner", [&] { (void)file("help"); EXPECT_EQ(::chown(path.c_str(), alice, 0), 0); }, "does not belong to root"},
        {"a link", [&] { std::filesystem::create_symlink(spool_.write("target", "help"), path); }, "is a symbolic link: name the file itself"},
        {"a fifo", [&] { EXPECT_EQ(::mkfifo(path.c_str(), 0644), 0); }, "is no regular file"},
        {"too large", [&] { (void)file(std::string(4097, 'x')); }, "larger than expected"},
    };
    for (const Case& each : cases) {
        std::filesystem::remove_all(path);
        each.prepare();
        expect(each.what, log_in({.options = with(path)}),
               {"perm_denied",
                {decided("notice deny no_jobs", 0, 0, "-", "closed"), "error deny_message_file: " + path + ": " + each.why},
                {no_job_message}});
    }
    std::filesystem::remove_all(path);
    EXPECT_EQ(log_in({.options = with(file(std::string(4096, 'x')))}).told.back(), "error " + std::string(4096, 'x')) << "the largest";
}

}  // namespace
}  // namespace slurm_adopt::test
