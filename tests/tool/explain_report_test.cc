// SPDX-License-Identifier: GPL-2.0-or-later
// explain as a whole: the stack, the options, the text and the document.
#include "explain/explain.h"

#include <nlohmann/json.hpp>
#include <thread>

#include "node_test.h"

namespace slurm_adopt::tool {
namespace {

using namespace std::chrono_literals;

class ExplainReport : public testing::Test {
protected:
    Explanation explained(const std::string& user = "alice", const std::string& service = "sshd")
    {
        ExplainRequest request;
        request.user = user;
        request.service = service;
        request.source = source_of_session(nullptr);
        request.directories.paths = {directory_.path()};
        auto result = explain(request);
        if (!result) throw std::runtime_error(result.error().context);
        return std::move(result).value();
    }
    static std::string text(const Explanation& explanation)
    {
        std::string all;
        for (const std::string& line : text_of(explanation, Output{})) all += line + '\n';
        return all;
    }
    static void expect_in(const std::string& all, std::initializer_list<const char*> parts)
    {
        for (const char* part : parts) EXPECT_NE(all.find(part), std::string::npos) << part << "\nis not in\n" << all;
    }

    test::TempDirectory directory_;
    test::Node node_;
};

TEST_F(ExplainReport, OptionsAndWhereTheyComeFrom)
{
    (void)directory_.write("sshd", "@include account\n");
    (void)directory_.write("account", "\naccount required pam_slurm_adopt.so strict timeout=3\n");
    const Explanation explanation = explained();
    expect_in(text(explanation), {"/account:2: account required pam_slurm_adopt.so strict timeout=3", "strict=1 timeout=3",
                                  "action_no_jobs=deny", "would be refused: the user has no job on this node.",
                                  "deny no_jobs", "not asked: no --from", "Access denied: you have no job running on "});
    const auto json = json_of(explanation);
    EXPECT_EQ(json["options"]["timeout"]["value"], "3");
    EXPECT_EQ(json["options"]["timeout"]["from"], "line");
    EXPECT_EQ(json["options"]["callerid_timeout"]["from"], "default");
    EXPECT_EQ(json["stack"]["lines"][0]["line"], 2);
    EXPECT_EQ(json["decision"], "deny");
    EXPECT_EQ(json["reason"], "no_jobs");
    EXPECT_EQ(json["let_in"], false);
}

TEST_F(ExplainReport, WithoutALineItSaysSoAndTakesTheDefaults)
{
    (void)directory_.write("sshd", "account required pam_unix.so\n");
    expect_in(text(explained()), {"no account line of ", "by its defaults", "all are the defaults"});
    expect_in(text(explained("alice", "login")), {"there is no such file"});
    (void)directory_.write("other", "account required pam_slurm_adopt.so strict\n");
    expect_in(text(explained("alice", "login")), {"login has no file of its own", "service= does not name this service"});
    (void)directory_.write("sshd", "account required pam_slurm_adopt.so\naccount required pam_slurm_adopt.so strict\n");
    expect_in(text(explained()), {"2 account lines load", "sshd:2"});
}

TEST_F(ExplainReport, AWrongOptionIsNamed)
{
    (void)directory_.write("sshd", "account required pam_slurm_adopt.so action_no_jobs=denyx\n");
    expect_in(text(explained()), {"'action_no_jobs=denyx' has no valid value", "deny bad_option", "would be refused"});
}

TEST_F(ExplainReport, JobsChoiceAndOthers)
{
    (void)directory_.write("sshd", "account required pam_slurm_adopt.so strict\n");
    (void)node_.start(8);
    std::this_thread::sleep_for(20ms);
    (void)node_.start(7);
    (void)node_.start(9, {.uid = test::bob});
    const Explanation explanation = explained();
    expect_in(text(explanation), {"2 of alice on this node", "its cgroup says uid 41001", "Slurm 22.05", "step_extern",
                                  "(newest_job): it is the job that began last", "(newest_job): should those before it fail",
                                  "job 7 would be asked to adopt; not asked now", "job 9 of 41002, by its cgroup",
                                  "adopt newest_job", "would be let in, into job 7"});
    const auto json = json_of(explanation);
    EXPECT_EQ(json["steps"][2]["candidates"][0]["job"], 7);
    EXPECT_EQ(json["steps"][2]["candidates"][1]["job"], 8);
    EXPECT_EQ(json["steps"][3]["would_be_asked"], true);
    EXPECT_EQ(json["jobs_on_node"].size(), 3U);
    EXPECT_EQ(json["let_in"], true);
    for (const test::FakeStepd& stepd : node_.stepds) EXPECT_EQ(stepd.seen().adopt, 0);
}

}  // namespace
}  // namespace slurm_adopt::tool
