// SPDX-License-Identifier: GPL-2.0-or-later
// slurm-adopt check: what it says of controller= and wait_for_job=.
#include "misconfiguration.h"

namespace slurm_adopt::tool {
namespace {

constexpr const char* by_rest = "controller=rest";

std::function<void(FakeNode&)> with(const std::vector<std::string>& options)
{
    return [options](FakeNode& node) { node.enable(options); };
}

std::function<void(FakeNode&, const Finding&)> then_with(const std::vector<std::string>& options)
{
    return [options](FakeNode& node, const Finding&) {
        node.set_up_slurm();
        node.enable(options);
    };
}

std::vector<Seed> controller_seeds()
{
    const auto silent = [](const std::vector<std::string>& options) {
        return [options](FakeNode& node) {
            node.enable(options);
            node.roots.ask_controller = [](const Options&) -> Result<std::vector<helper_wire::ControllerJob>> {
                return Error{ErrorCode::refused, 0, "the controller does not answer"};
            };
        };
    };
    const std::vector<std::string> rest{"strict", by_rest, "rest_url=http://198.51.100.7:6820", "rest_key_file=/k"};
    return {
        {"ControllerSilent", "controller.answers", Status::warn, "slurmctld says nothing: the controller does not answer",
         silent({"strict", "controller=rpc"}), "munged and slurmctld run", then_with({"strict", "controller=rpc"})},
        {"RestSilent", "controller.answers", Status::warn, "slurmrestd says nothing", silent(rest), "rest_url=http://198.51.100.7:6820 is where",
         then_with(rest)},
        {"TokenInTheClear", "controller.secrecy", Status::warn, "the token for user root goes over the network", with(rest), "https://",
         then_with({"strict", by_rest, "rest_url=https://198.51.100.7:6820", "rest_key_file=/k"})},
        {"TokenInTheClearOfSomebody", "controller.secrecy", Status::warn, "for user slurm",
         with({"strict", by_rest, "rest_url=http://[2001:db8::1]", "rest_user=slurm", "rest_token_file=/t"}), "unix:",
         then_with({"strict", by_rest, "rest_url=unix:/run/slurmrestd/socket", "rest_token_file=/t"})},
        {"GraceTimeTooShort", "sshd.grace", Status::warn, "LoginGraceTime 60 s: sshd cuts off",
         [](FakeNode& node) {
             node.root.write("sshd-T", "usepam yes\nauthenticationmethods any\nlogingracetime 60\n");
             node.enable({{"strict", "wait_for_job=50"}});
         },
         "well above 60", then_with({"strict", "wait_for_job=30"})},
    };
}

INSTANTIATE_TEST_SUITE_P(Controller, Misconfiguration, ::testing::ValuesIn(controller_seeds()), name_of_seed);

TEST(CheckController, SaysNothingWhereNobodyIsAsked)
{
    FakeNode node;
    node.roots.ask_controller = [](const Options&) -> Result<std::vector<helper_wire::ControllerJob>> {
        ADD_FAILURE() << "asked";
        return Error{ErrorCode::refused, 0, ""};
    };
    for (const char* name : {"controller.answers", "controller.secrecy", "sshd.grace"}) EXPECT_FALSE(node.look(name).has_value()) << name;
    node.enable({{"strict", "wait_for_job=10"}});
    for (const char* name : {"controller.answers", "controller.secrecy"}) EXPECT_FALSE(node.look(name).has_value()) << name;
}

TEST(CheckController, SaysHowManyJobsItHas)
{
    FakeNode node;
    node.enable({{"strict", "controller=rpc", "nodename=n1"}});
    node.roots.ask_controller = [](const Options& options) -> Result<std::vector<helper_wire::ControllerJob>> {
        EXPECT_EQ(options.nodename, "n1");
        return std::vector<helper_wire::ControllerJob>(3);
    };
    const Found found = node.look("controller.answers");
    EXPECT_EQ(found->status, Status::ok);
    EXPECT_EQ(found->seen, "slurmctld has 3 job(s) on this node");
}

TEST(CheckController, NoTokenIsHeardOnTheLoopback)
{
    FakeNode node;
    for (const char* url : {"http://localhost:6820", "http://127.0.0.1", "http://[::1]:6820", "https://ctl.example", "unix:/run/s"}) {
        node.enable({{"strict", by_rest, std::string("rest_url=") + url, "rest_key_file=/k"}});
        EXPECT_EQ(node.look("controller.secrecy")->status, Status::ok) << url;
    }
    for (const char* url : {"http://localhost.example", "http://127.example", "http://ctl:80", "http://[::2]"}) {
        node.enable({{"strict", by_rest, std::string("rest_url=") + url, "rest_key_file=/k"}});
        EXPECT_EQ(node.look("controller.secrecy")->status, Status::warn) << url;
    }
}

TEST(CheckController, AGraceTimeWithoutEnd)
{
    FakeNode node;
    node.root.write("sshd-T", "usepam yes\nauthenticationmethods any\nlogingracetime 0\n");
    node.enable({{"strict", "wait_for_job=60"}});
    EXPECT_EQ(node.look("sshd.grace")->status, Status::ok);
}

}  // namespace
}  // namespace slurm_adopt::tool
