// SPDX-License-Identifier: GPL-2.0-or-later
// slurm-adopt check: what it says of slurm.conf, of other nodes, and of sshd's configuration.
#include <netinet/in.h>
#include <sys/socket.h>

#include "check/check_command.h"
#include "check/match_blocks.h"
#include "misconfiguration.h"

namespace slurm_adopt::tool {
namespace {

// A slurm.conf with that changed; its fix is to change it back.
std::function<void(FakeNode&)> set(const std::function<void(SlurmConfig&)>& change)
{
    return [change](FakeNode& node) { change(node.config); };
}

void set_right(FakeNode& node, const Finding&)
{
    node.set_up_slurm();
    node.slurm_conf_is_there = true;
}

std::vector<Seed> slurm_seeds()
{
    return {
        {"NoSlurmConf", "slurm.conf", Status::warn, "could not read slurm.conf",
         [](FakeNode& node) { node.slurm_conf_is_there = false; }, "slurm_conf=", set_right},
        {"NoContain", "slurm.prolog-flags", Status::fail, "no extern step", set([](SlurmConfig& c) { c.contain = false; }),
         "PrologFlags=contain", set_right},
        {"LinuxProc", "slurm.proctrack", Status::fail, "ProctrackType=proctrack/linuxproc",
         set([](SlurmConfig& c) { c.proctrack_type = "proctrack/linuxproc"; }), "ProctrackType=proctrack/cgroup", set_right},
        {"NoTaskCgroup", "slurm.task-plugin", Status::warn, "TaskPlugin=task/affinity without",
         set([](SlurmConfig& c) { c.task_plugin = "task/affinity"; }), "TaskPlugin=task/affinity,task/cgroup into", set_right},
        {"NoTaskPlugin", "slurm.task-plugin", Status::warn, "TaskPlugin=(none)", set([](SlurmConfig& c) { c.task_plugin = ""; }),
         "TaskPlugin=task/cgroup into", set_right},
        {"NamespacesNotJoined", "slurm.job-container", Status::warn, "another /tmp",
         [](FakeNode& node) {
             node.config.job_container = "job_container/tmpfs";
             node.enable({{"strict", "join_container=false"}});
         },
         "join_container=", [](FakeNode& node, const Finding&) { node.enable({{"strict"}}); }},
        {"ConfigOverrides", "slurm.slurmd-parameters", Status::warn, "config_overrides",
         set([](SlurmConfig& c) { c.slurmd_parameters = "l3cache_as_socket,config_overrides"; }), "take config_overrides out",
         set_right},
        {"TasksAskTheModule", "slurm.use-pam", Status::fail, "tasks of jobs themselves",
         [](FakeNode& node) {
             node.config.use_pam = true;
             node.root.write("pam.d/slurm", "account required pam_unix.so\naccount required pam_slurm_adopt.so strict service=*\n"
                                            "session required pam_unix.so\n");
         },
         "out of service=",
         [](FakeNode& node, const Finding&) { node.replace("service=*", "service=sshd", "pam.d/slurm"); }},
        {"TasksMovedBySystemd", "slurm.use-pam", Status::warn, "moves tasks out",
         [](FakeNode& node) {
             node.config.use_pam = true;
             node.root.write("pam.d/slurm", "account required pam_unix.so\nsession required pam_unix.so\nsession optional pam_systemd.so\n");
         },
         "pam_systemd", [](FakeNode& node, const Finding&) { node.replace("session optional pam_systemd.so\n", "", "pam.d/slurm"); }},
        {"NotInSlurmConf", "slurm.node", Status::warn, "no node with this host's name", set([](SlurmConfig& c) { c.own.reset(); }),
         "NodeName=", set_right},
        {"NodenameNotInSlurmConf", "slurm.node", Status::fail, "no such node",
         [](FakeNode& node) {
             node.config.own.reset();
             node.enable({{"strict", "nodename=n7"}});
         },
         "leave nodename= out",
         [](FakeNode& node, const Finding& finding) {
             node.enable({{"strict"}});
             set_right(node, finding);
         }},
        {"AnotherSpoolDirectory", "slurm.spool-dir", Status::fail, "SlurmdSpoolDir=/var/spool/n1, but spool_dir=",
         [](FakeNode& node) {
             node.config.spool_dir = "/var/spool/%n";
             node.enable({{"strict", "spool_dir=" + node.root / "spool"}});
         },
         "write spool_dir=/var/spool/n1", [](FakeNode& node, const Finding&) {
             node.enable({{"strict", "spool_dir=/var/spool/n1"}});
         }},
        {"NothingListens", "slurm.slurmd-port", Status::warn, "nothing listens on port 6818",
         [](FakeNode& node) { node.listen_on("0100A8C0:1AA3"); }, "start slurmd",
         [](FakeNode& node, const Finding&) { node.listen_on("00000000:1AA2"); }},
        {"LoopbackOnly", "slurm.slurmd-port", Status::warn, "loopback only",
         [](FakeNode& node) {
             node.config.nodes = 2;
             node.listen_on("0101007F:1AA2");
         },
         "NodeAddr", [](FakeNode& node, const Finding&) { node.listen_on("7F00000A:1AA2"); }},
        {"PeersAreDown", "slurm.peers", Status::warn, "n3 (127.0.0.9 port 1): nothing listens",
         set([](SlurmConfig& c) {
             c.peers = {{"n3", "127.0.0.9", 1}, {"n4", "no-such-name.invalid", 1}};
         }),
         "port 1 of every node", set_right},
    };
}

constexpr const char* good_sshd = "usepam yes\nauthenticationmethods any\nkbdinteractiveauthentication yes\n";

// sshd -T, and with -C for that user.
void answer_of_sshd(FakeNode& node, const std::string& user, const std::string& for_user)
{
    const std::string script = node.root.write("sshd.sh", "case \"$3\" in *user=" + user + "*) cat " + node.root.write("sshd-user", for_user) +
                                                              " ;; *) cat " + node.root.write("sshd-T", good_sshd) + " ;; esac\n");
    node.roots.sshd = {"/bin/sh", script, "-T"};
}

void set_sshd_right(FakeNode& node, const Finding&)
{
    node.root.write("sshd-T", good_sshd);
    node.root.write("sshd-user", good_sshd);
    node.root.write("sshd_config", "UsePAM yes\n");
}

std::vector<Seed> sshd_seeds()
{
    return {
        {"OtherService", "sshd.methods", Status::fail, "PAMServiceName ssh-jobs",
         [](FakeNode& node) { node.root.write("sshd-T", std::string(good_sshd) + "pamservicename ssh-jobs\n"); },
         "enable and check --service ssh-jobs", set_sshd_right},
        {"MethodSwitchedOff", "sshd.methods", Status::warn, "kbdinteractiveauthentication no: nobody can log in",
         [](FakeNode& node) {
             node.root.write("sshd-T", "usepam yes\nkbdinteractiveauthentication no\n"
                                       "authenticationmethods publickey,keyboard-interactive:pam\n");
         },
         "switch that method on", set_sshd_right},
        {"MethodSwitchedOffAsOpenSsh10Says", "sshd.methods", Status::warn, "kbdinteractiveauthentication no: nobody can log in",
         [](FakeNode& node) {
             node.root.write("sshd-T", "UsePAM yes\nKbdInteractiveAuthentication no\n"
                                       "AuthenticationMethods publickey,keyboard-interactive:pam\n");
         },
         "switch that method on", set_sshd_right},
        {"MatchWithoutProof", "sshd.match", Status::fail, "/sshd_config:2 (Match user guest): AuthenticationMethods none",
         [](FakeNode& node) {
             node.root.write("sshd_config", "UsePAM yes\nMatch user guest\n AuthenticationMethods none\n");
             answer_of_sshd(node, "guest", "usepam yes\nauthenticationmethods none\n");
         },
         "remove AuthenticationMethods from", set_sshd_right},
        // No connection can be told that fits the pattern: what the block says counts.
        {"MatchByPattern", "sshd.match", Status::fail, "10-jobs.conf:1 (Match User *-svc): PAMServiceName other",
         [](FakeNode& node) {
             node.root.write("sshd_config", "Include conf.d/*.conf\nUsePAM yes\n");
             node.root.write("conf.d/10-jobs.conf", "Match User *-svc\n  PAMServiceName=other\n");
         },
         "remove PAMServiceName", set_sshd_right},
        {"MatchWithAMethodSwitchedOff", "sshd.match", Status::warn, "passwordauthentication no: nobody",
         [](FakeNode& node) {
             node.root.write("sshd_config", "Match Address 10.0.0.0/8,!10.1.0.0/16\n AuthenticationMethods \"password\"\n");
             node.root.write("sshd-T", std::string(good_sshd) + "passwordauthentication no\n");
         },
         "switch that method on", set_sshd_right},
    };
}

INSTANTIATE_TEST_SUITE_P(Slurm, Misconfiguration, ::testing::ValuesIn(slurm_seeds()), name_of_seed);
INSTANTIATE_TEST_SUITE_P(Sshd, Misconfiguration, ::testing::ValuesIn(sshd_seeds()), name_of_seed);

TEST(Check, TheHelperIsAskedOnceWithTheOptionsOfTheLines)
{
    FakeNode node;
    node.enable({{"strict", "nodename=n1", "slurm_conf=/etc/x/slurm.conf", "helper=/opt/h"}});
    unsigned times = 0;
    const auto ask = node.roots.ask_slurm_config;
    node.roots.ask_slurm_config = [&](const HelperSettings& settings, const std::string& name) {
        ++times;
        return ask(settings, name);
    };
    (void)run_checks(look_at(node.roots, "sshd"), Output{});
    EXPECT_EQ(times, 1U);
    EXPECT_EQ(node.asked.slurm_conf, "/etc/x/slurm.conf");
    EXPECT_EQ(node.asked.program, "/opt/h");
    EXPECT_EQ(node.asked_node, "n1");
}

TEST(Check, WithoutSlurmConfNothingElseIsSaidOfIt)
{
    FakeNode node;
    node.slurm_conf_is_there = false;
    for (const char* name : {"slurm.prolog-flags", "slurm.proctrack", "slurm.node", "slurm.peers", "slurm.slurmd-port"})
        EXPECT_FALSE(node.look(name).has_value()) << name;
}

TEST(Check, PeersAreReached)
{
    FakeNode node;
    const Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    ASSERT_EQ(::listen(listener.get(), 4), 0);
    ASSERT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    const std::uint16_t port = ntohs(address.sin_port);
    node.config.peers = {{"n2", "127.0.0.1", port}, {"n3", "localhost", port}};
    const Found good = node.look("slurm.peers");
    EXPECT_EQ(good->status, Status::ok) << good->seen;
    EXPECT_NE(good->seen.find("2 other nodes"), std::string::npos) << good->seen;
}

TEST(Check, MatchBlocksOnlyWhereTheyCount)
{
    FakeNode node;
    EXPECT_EQ(node.look("sshd.match")->seen, "no Match block sets how users prove who they are");
    node.root.write("sshd_config", "Match User alice # remark\n PasswordAuthentication no\nMatch all\n Banner none\n");
    const Found found = node.look("sshd.match");
    EXPECT_EQ(found->status, Status::ok);
    EXPECT_NE(found->seen.find("sshd_config:1 (Match User alice): AuthenticationMethods any"), std::string::npos) << found->seen;
    EXPECT_EQ(connection_that_fits("User alice,bob Address=10.0.0.0/8"), "addr=10.0.0.0,host=localhost,laddr=127.0.0.1,lport=22,user=alice");
    EXPECT_EQ(connection_that_fits("User a*"), "");
    EXPECT_EQ(connection_that_fits("User !x,y"), "addr=127.0.0.1,host=localhost,laddr=127.0.0.1,lport=22,user=y");
}

}  // namespace
}  // namespace slurm_adopt::tool
