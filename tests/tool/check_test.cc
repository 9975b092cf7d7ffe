// SPDX-License-Identifier: GPL-2.0-or-later
// slurm-adopt check on a node that is set up right, and with one thing wrong at a time: found, and OK again once its fix is
// followed. The node is a directory; only the module is real.
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdlib>
#include <functional>

#include "check/check_command.h"
#include "check/match_blocks.h"
#include "fake_node.h"

namespace slurm_adopt::tool {
namespace {

TEST(Check, ANodeThatIsSetUpRightIsOkInEverything)
{
    for (const char* layout : {"debian12", "debian13", "debian14", "redhat9"}) {
        FakeNode node;
        node.use_layout(layout);
        for (const Check& check : all_checks()) {
            const Found found = check.look(look_at(node.roots, "sshd"));
            EXPECT_TRUE(!found || found->status == Status::ok) << layout << ' ' << check.name << ": " << found->seen;
        }
        EXPECT_EQ(run_checks(look_at(node.roots, "sshd"), Output{}), Exit::yes);
    }
}

struct Seed {
    const char* name;
    const char* check;
    Status status;
    const char* seen;  // a part of it
    std::function<void(FakeNode&)> break_it;
    const char* fix;  // a part of it
    std::function<void(FakeNode&, const Finding&)> follow;
};

void run_fix(FakeNode&, const Finding& finding)
{
    EXPECT_EQ(std::system(finding.fix.c_str()), 0) << finding.fix;  // NOLINT(cert-env33-c): the fix is a command
}

constexpr const char* account_line = "account required pam_slurm_adopt.so strict";
constexpr const char* session_line = "session required pam_slurm_adopt.so strict";

// "enable" once more, of lines that were taken out.
void enable_again(FakeNode& node, const Finding&)
{
    node.disable();
    node.enable();
}

void write_lines(FakeNode& node, const std::string& lines)
{
    node.root.write("pam.d/sshd", lines);
}

std::function<void(FakeNode&, const Finding&)> write(const std::string& lines)
{
    return [lines](FakeNode& node, const Finding&) { write_lines(node, lines); };
}

std::vector<Seed> pam_seeds()
{
    const std::string account = std::string(account_line) + '\n';
    const std::string session = std::string(session_line) + '\n';
    return {
        {"NothingLoadsIt", "pam.account.line", Status::fail, "everybody gets in", [](FakeNode& node) { node.disable(); },
         "slurm-adopt enable", [](FakeNode& node, const Finding&) { node.enable(); }},
        {"AFileIsMissing", "pam.files", Status::fail, "/sshd:1: includes 'gone'",
         [](FakeNode& node) { write_lines(node, "account include gone\n"); }, "correct that line",
         [](FakeNode& node, const Finding&) { node.use_layout("debian12"); }},
        {"Optional", "pam.account.control", Status::fail, "gets in all the same",
         [](FakeNode& node) { node.replace(account_line, "account optional pam_slurm_adopt.so strict"); }, "'required'",
         [](FakeNode& node, const Finding&) { node.replace("account optional", "account required"); }},
        {"RootIsNotIgnored", "pam.account.control", Status::fail, "root is refused",
         [](FakeNode& node) { node.replace(account_line, "account [success=ok default=bad] pam_slurm_adopt.so strict"); },
         "'required'", [](FakeNode& node, const Finding&) { node.replace("[success=ok default=bad]", "required"); }},
        {"Sufficient", "pam.account.control", Status::warn, "pam_access.so",
         [](FakeNode& node) {
             write_lines(node, "account sufficient pam_slurm_adopt.so strict\naccount required pam_access.so\nsession "
                               "required pam_unix.so\n");
         },
         "'required'", [](FakeNode& node, const Finding&) { node.replace("sufficient", "required"); }},
        {"BelowPamLocaluser", "pam.account.reached", Status::fail, "pam_localuser.so' ends the account phase",
         [account](FakeNode& node) {
             node.use_layout("redhat9");
             node.disable();
             write_lines(node, contents(node.sshd()) + account);
         },
         "above",
         [account](FakeNode& node, const Finding&) {
             node.replace(account, "");
             node.replace("account    include      password-auth\n", account + "account    include      password-auth\n");
         }},
        {"BelowDebiansCommonAccount", "pam.account.reached", Status::fail, "where the password has expired",
         [account](FakeNode& node) {
             node.replace('\n' + account, "\n");
             node.replace("@include common-account\n", "@include common-account\n" + account);
         },
         "move our account line above",
         [account](FakeNode& node, const Finding&) {
             node.replace("@include common-account\n" + account, account + "@include common-account\n");
         }},
        {"BelowASufficientLineOfTheFile", "pam.account.reached", Status::warn, "pam_listfile.so",
         [account](FakeNode& node) {
             write_lines(node, "account sufficient pam_listfile.so\n" + account + "session required pam_unix.so\n");
         },
         "put our line above", write(account + "account sufficient pam_listfile.so\nsession required pam_unix.so\n")},
        {"JumpedOver", "pam.session.reached", Status::warn, "jumps over",
         [account, session](FakeNode& node) {
             write_lines(node, account + "account required pam_unix.so\nsession [success=1 default=ignore] pam_access.so\n" +
                                   session);
         },
         "above it",
         write(account + session + "session [success=1 default=ignore] pam_access.so\nsession required pam_unix.so\n")},
        {"Alone", "pam.account.not-alone", Status::fail, "root is refused",
         [account, session](FakeNode& node) { write_lines(node, account + session); }, "account required pam_unix.so",
         write("account required pam_unix.so\n" + account + session)},
        {"NoSessionLine", "pam.session.line", Status::fail, "pam_systemd.so",
         [session](FakeNode& node) { node.replace('\n' + session, "\n"); }, "session required pam_slurm_adopt.so",
         enable_again},
        {"AbovePamSystemd", "pam.session.order", Status::fail, "below our session line",
         [session](FakeNode& node) {
             node.disable();
             node.replace("@include common-session\n", session + "@include common-session\n");
         },
         "@include common-session",
         [session](FakeNode& node, const Finding&) {
             node.replace(session + "@include common-session\n", "@include common-session\n" + session);
         }},
        {"SessionOptional", "pam.session.control", Status::fail, "not confined",
         [](FakeNode& node) { node.replace(session_line, "session optional pam_slurm_adopt.so strict"); }, "'required'",
         [](FakeNode& node, const Finding&) { node.replace("session optional pam_slurm", "session required pam_slurm"); }},
        {"ATypo", "pam.options", Status::fail, "unknown option 'stric'",
         [](FakeNode& node) { node.replace("adopt.so strict", "adopt.so stric"); }, "correct or remove",
         [](FakeNode& node, const Finding&) { node.replace("adopt.so stric", "adopt.so strict"); }},
        {"NotStrict", "pam.strict", Status::warn, "not confined",
         [](FakeNode& node) { node.replace("adopt.so strict", "adopt.so"); }, "add strict",
         [](FakeNode& node, const Finding&) {
             node.replace("required pam_slurm_adopt.so", "required pam_slurm_adopt.so strict");
         }},
        {"AnotherService", "pam.service", Status::fail, "passes over service 'sshd'",
         [](FakeNode& node) { node.replace("adopt.so strict", "adopt.so strict service=login"); }, "service=sshd",
         [](FakeNode& node, const Finding&) { node.replace("service=login", "service=login,sshd"); }},
        {"DifferentOptions", "pam.same-options", Status::warn, "different options",
         [](FakeNode& node) { node.replace(account_line, std::string(account_line) + " exempt_users=admin"); },
         "the same options",
         [](FakeNode& node, const Finding&) {
             node.replace(session_line, std::string(session_line) + " exempt_users=admin");
         }},
        {"ADash", "pam.dash", Status::warn, "leading '-'",
         [account](FakeNode& node) { node.replace('\n' + account, "\n-" + account); }, "remove the '-'",
         [](FakeNode& node, const Finding&) { node.replace("\n-account", "\naccount"); }},
        {"AnotherServiceWithoutSessionLine", "pam.other-services", Status::warn, "service 'su'",
         [](FakeNode& node) {
             node.root.write("pam.d/su",
                             "account required pam_unix.so\naccount required pam_slurm_adopt.so strict service=su\n"
                             "session required pam_unix.so\n");
         },
         "check --service su",
         [](FakeNode& node, const Finding&) {
             node.root.write("pam.d/su",
                             contents(node.root / "pam.d/su") + "session required pam_slurm_adopt.so strict service=su\n");
         }},
        {"ATypoInAnotherService", "pam.other-services", Status::fail, "service 'login'",
         [](FakeNode& node) { node.root.write("pam.d/login", "account required pam_slurm_adopt.so stric\n"); },
         "correct or remove",
         [](FakeNode& node, const Finding&) {
             node.root.write("pam.d/login", "account required pam_slurm_adopt.so strict\n");
         }},
        {"Twice", "pam.once", Status::warn, "common-account",
         [account](FakeNode& node) { node.root.write("pam.d/common-account", "account required pam_unix.so\n" + account); },
         "keep one of", [account](FakeNode& node, const Finding&) { node.replace(account, "", "pam.d/common-account"); }},
    };
}

std::vector<Seed> other_seeds()
{
    return {
        {"NoModule", "module.file", Status::fail, "no such file",
         [](FakeNode& node) { std::filesystem::remove(node.module()); }, "install",
         [](FakeNode& node, const Finding&) { std::filesystem::copy(MODULE_PATH, node.module()); }},
        {"ModuleOfSomebodyElse", "module.owner", Status::fail, "not owned by root",
         [](FakeNode& node) { ASSERT_EQ(::chown(node.module().c_str(), 12, 0), 0); }, "chown root", run_fix},
        {"ModuleWritable", "module.owner", Status::fail, "writable",
         [](FakeNode& node) { ASSERT_EQ(::chmod(node.module().c_str(), 0666), 0); }, "chmod go-w", run_fix},
        {"ModuleDirectoryWritable", "module.owner", Status::fail, "writable",
         [](FakeNode& node) { ASSERT_EQ(::chmod((node.root / "security").c_str(), 0777), 0); }, "chmod go-w", run_fix},
        {"ModuleIsNoModule", "module.ours", Status::fail, "cannot be loaded",
         [](FakeNode& node) { node.root.write("security/pam_slurm_adopt.so", "text"); }, "install",
         [](FakeNode& node, const Finding&) {
             std::filesystem::copy(MODULE_PATH, node.module(), std::filesystem::copy_options::overwrite_existing);
         }},
        {"ModuleHasNoSessionPhase", "module.ours", Status::fail, "no session phase",
         [](FakeNode& node) {
             std::filesystem::copy(ACCOUNT_ONLY_MODULE, node.module(), std::filesystem::copy_options::overwrite_existing);
         },
         "install",
         [](FakeNode& node, const Finding&) {
             std::filesystem::remove(node.module());
             std::filesystem::copy(MODULE_PATH, node.module());
         }},
        {"UsePamNo", "sshd.use-pam", Status::fail, "UsePAM no",
         [](FakeNode& node) { node.replace("usepam yes", "usepam no", "sshd-T"); }, "UsePAM yes",
         [](FakeNode& node, const Finding&) { node.replace("usepam no", "usepam yes", "sshd-T"); }},
        {"SshdFails", "sshd.use-pam", Status::warn, "No such file",
         [](FakeNode& node) { std::filesystem::rename(node.root / "sshd-T", node.root / "away"); }, "sshd -T",
         [](FakeNode& node, const Finding&) { std::filesystem::rename(node.root / "away", node.root / "sshd-T"); }},
        {"NoAuthentication", "sshd.methods", Status::fail, "without proof",
         [](FakeNode& node) { node.replace("methods any", "methods none", "sshd-T"); }, "remove AuthenticationMethods",
         [](FakeNode& node, const Finding&) { node.replace("authenticationmethods none\n", "", "sshd-T"); }},
        {"NoCgroups", "cgroup.mounted", Status::fail, "neither cgroup v2",
         [](FakeNode& node) { node.root.write("proc/self/mountinfo", "22 1 0:20 / / rw - ext4 /dev/sda rw\n"); },
         "mount -t cgroup2",
         [](FakeNode& node, const Finding&) {
             node.root.write("proc/self/mountinfo", "31 22 0:27 / /sys/fs/cgroup/freezer rw - cgroup none rw,freezer\n");
         }},
        {"UserManager", "systemd.user-manager", Status::warn, "systemd-run --user",
         [](FakeNode& node) { std::filesystem::remove(node.root / "etc/systemd/system/user@.service"); },
         "systemctl mask user@.service", [](FakeNode& node, const Finding&) { node.mask_user_manager(); }},
        {"NoHelper", "helper.file", Status::warn, "No such file",
         [](FakeNode& node) { std::filesystem::rename(node.roots.helper, node.root / "helper"); }, "install",
         [](FakeNode& node, const Finding&) { std::filesystem::rename(node.root / "helper", node.roots.helper); }},
        {"HelperWritable", "helper.file", Status::warn, "writable",
         [](FakeNode& node) { ASSERT_EQ(::chmod(node.roots.helper.c_str(), 0777), 0); }, "chmod go-w", run_fix},
        {"HelperOfSomebodyElse", "helper.file", Status::warn, "not owned",
         [](FakeNode& node) { ASSERT_EQ(::chown(node.roots.helper.c_str(), 12, 0), 0); }, "chown root", run_fix},
        {"NoMunge", "munge.socket", Status::warn, "munge.socket.2", [](FakeNode& node) { node.stop_munge(); },
         "start munged", [](FakeNode& node, const Finding&) { node.start_munge(); }},
        {"NoSlurmd", "slurm.slurmd", Status::warn, "no slurmd",
         [](FakeNode& node) { node.root.write("proc/4711/comm", "slurmctld\n"); }, "systemctl enable --now slurmd",
         [](FakeNode& node, const Finding&) { node.root.write("proc/4711/comm", "slurmd\n"); }},
        {"AJobWithoutExternStep", "steps.extern", Status::fail, "without an extern step: n1_8",
         [](FakeNode& node) { node.list_step("n1_8.4294967291"); }, "PrologFlags=contain",
         [](FakeNode& node, const Finding&) { node.list_step("n1_8.4294967292"); }},
        {"AnotherNodesName", "steps.node-name", Status::fail, "those of n1",
         [](FakeNode& node) {
             node.enable({{"strict", "nodename=n2"}});
         },
         "nodename=n1",
         [](FakeNode& node, const Finding&) {
             node.enable({{"strict", "nodename=n1"}});
         }},
        {"NoSpoolDirectory", "steps.spool-dir", Status::fail, "no such directory",
         [](FakeNode& node) {
             node.enable({{"strict", "spool_dir=" + node.root / "nowhere"}});
         },
         "SlurmdSpoolDir",
         [](FakeNode& node, const Finding&) {
             node.enable({{"strict", "spool_dir=" + node.root / "spool"}});
         }},
        {"SelinuxEnforces", "selinux.state", Status::warn, "enforcing",
         [](FakeNode& node) { node.root.write("sys/fs/selinux/enforce", "1"); }, "ausearch",
         [](FakeNode& node, const Finding&) {
             node.root.make_directory("var/lib/selinux/targeted/active/modules/400/slurm_adopt");
         }},
    };
}

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

class Misconfiguration : public ::testing::TestWithParam<Seed> {};

TEST_P(Misconfiguration, IsFoundAndItsFixHelps)
{
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    const Seed& seed = GetParam();
    FakeNode node;
    seed.break_it(node);
    const Found broken = node.look(seed.check);
    ASSERT_TRUE(broken.has_value());
    EXPECT_EQ(broken->status, seed.status) << broken->seen;
    EXPECT_NE(broken->seen.find(seed.seen), std::string::npos) << broken->seen;
    EXPECT_NE(broken->fix.find(seed.fix), std::string::npos) << broken->fix;
    EXPECT_EQ(run_checks(look_at(node.roots, "sshd"), Output{}), seed.status == Status::fail ? Exit::no : Exit::yes);
    seed.follow(node, *broken);
    const Found repaired = node.look(seed.check);
    ASSERT_TRUE(repaired.has_value());
    EXPECT_EQ(repaired->status, Status::ok) << repaired->seen;
}

std::string name_of_seed(const ::testing::TestParamInfo<Seed>& info)
{
    return info.param.name;
}

void PrintTo(const Seed& seed, std::ostream* stream)
{
    *stream << seed.name;
}

INSTANTIATE_TEST_SUITE_P(Pam, Misconfiguration, ::testing::ValuesIn(pam_seeds()), name_of_seed);
INSTANTIATE_TEST_SUITE_P(Node, Misconfiguration, ::testing::ValuesIn(other_seeds()), name_of_seed);
INSTANTIATE_TEST_SUITE_P(Slurm, Misconfiguration, ::testing::ValuesIn(slurm_seeds()), name_of_seed);
INSTANTIATE_TEST_SUITE_P(Sshd, Misconfiguration, ::testing::ValuesIn(sshd_seeds()), name_of_seed);

TEST(Check, AUsersSocketNamedLikeAStepDoesNotCount)
{
    FakeNode node;
    node.list_step("n1_9.0");
    ASSERT_EQ(::chown((node.root / "spool/n1_9.0").c_str(), 12, 0), 0);
    EXPECT_EQ(node.look("steps.extern")->status, Status::ok);
}

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

TEST(Check, JsonHasEveryCheck)
{
    FakeNode node;
    node.disable();
    ::testing::internal::CaptureStdout();
    Output output;
    output.json = true;
    EXPECT_EQ(run_checks(look_at(node.roots, "sshd"), output), Exit::no);
    const std::string text = ::testing::internal::GetCapturedStdout();
    EXPECT_NE(text.find("\"name\": \"pam.account.line\""), std::string::npos) << text;
    EXPECT_NE(text.find("\"status\": \"FAIL\""), std::string::npos);
    EXPECT_NE(text.find("\"failures\": 2"), std::string::npos);
}

TEST(Check, TheProgramChangesNothing)
{
    const FakeNode node;
    const std::string before = contents(node.sshd());
    const test::Ran ran = test::run_tool({"check", "--confdir", node.roots.pam.paths.front()});
    EXPECT_TRUE(ran.status == 0 || ran.status == 1) << ran.err;
    EXPECT_NE(ran.out.find("OK    pam.account.line"), std::string::npos) << ran.out;
    EXPECT_EQ(contents(node.sshd()), before);
}

}  // namespace
}  // namespace slurm_adopt::tool
