// SPDX-License-Identifier: GPL-2.0-or-later
// slurm-adopt list on a real node: its jobs, and an ssh session in one of them.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cluster.h"
#include "job.h"
#include "login.h"
#include "tool.h"

namespace slurm_adopt::e2e {
namespace {

using Json = nlohmann::json;

Json listed()
{
    const Finished list = tool({"list", "--json"});
    EXPECT_EQ(list.code, 0) << list.err;
    return Json::parse(list.out, nullptr, false);
}

TEST(List, JobsAndTheirSessions)
{
    const Stack sshd("sshd", sshd_stack({account_line("strict")}));
    const Job own = Job::allocate("alice");
    const Job others = Job::batch("bob");
    Background session(ssh_command("alice", "echo u''p; cat"));
    ASSERT_TRUE(session.says("up")) << session.output();

    const Json list = listed();
    ASSERT_EQ(list["jobs"].size(), 2U) << list.dump(2);
    const Json& first = list["jobs"][0];
    EXPECT_EQ(first["job"], own.id());
    EXPECT_EQ(first["user"], "alice");
    EXPECT_EQ(first["owner_by"], "cgroup");
    EXPECT_EQ(first["start_by"], "cgroup");
    EXPECT_EQ(first["slurmstepd"], own.stepd());
    EXPECT_EQ(first["sessions"], 1) << first.dump(2);
    bool has_cat = false;
    for (const Json& process : first["processes"])
        if (process["command"] == "cat") has_cat = process["session"] != process["pid"];
    EXPECT_TRUE(has_cat) << first.dump(2);
    EXPECT_NE(first["step_extern"].dump().find("/job_" + own.id_text() + "/step_extern"), std::string::npos)
        << first.dump(2);
    EXPECT_EQ(list["jobs"][1]["user"], "bob");
    EXPECT_EQ(list["jobs"][1]["sessions"], 0) << list.dump(2);

    const Finished text = tool({"list"});
    EXPECT_NE(text.out.find("sshd: alice"), std::string::npos) << text.out;
    EXPECT_NE(text.out.find("login "), std::string::npos) << text.out;
}

TEST(List, WithoutJobs)
{
    EXPECT_EQ(listed()["jobs"].size(), 0U);
    EXPECT_EQ(tool({"list", "--spool-dir", "relative"}).code, 2);
    EXPECT_EQ(tool({"list", "--spool-dir", "/nowhere/at/all"}).code, 3);
}

}  // namespace
}  // namespace slurm_adopt::e2e
