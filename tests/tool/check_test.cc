// SPDX-License-Identifier: GPL-2.0-or-later
// slurm-adopt check on a node that is set up right, and with one thing wrong at a time: found, and OK again once its fix is
// followed. The node is a directory; only the module is real.
#include "check/check_command.h"
#include "misconfiguration.h"

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

constexpr const char* account_line = "account required pam_slurm_adopt.so strict";
constexpr const char* session_line = "session required pam_slurm_adopt.so strict";

void copy_module(FakeNode& node, const Finding&)
{
    std::filesystem::remove(node.module());
    std::filesystem::copy(MODULE_PATH, node.module());
}

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

// A file in the node's root with this text and mode, named at the end of `option`.
std::function<void(FakeNode&)> name_file(const std::string& option, const std::string& name, const std::string& text, mode_t mode)
{
    return [=](FakeNode& node) {
        const std::string file = node.root.write(name, text);
        EXPECT_EQ(::chmod(file.c_str(), mode), 0);
        node.replace("adopt.so strict", "adopt.so strict " + option + file);
    };
}

std::function<void(FakeNode&, const Finding&)> close_to_others(const std::string& name)
{
    return [name](FakeNode& node, const Finding&) { EXPECT_EQ(::chmod((node.root / name).c_str(), 0644), 0); };
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
        {"PamFileWritable", "pam.owner", Status::fail, "writable by others",
         [](FakeNode& node) { ASSERT_EQ(::chmod(node.sshd().c_str(), 0666), 0); }, "chmod go-w", run_fix},
        {"IncludedFileOfSomebodyElse", "pam.owner", Status::fail, "common-account: not owned by root",
         [](FakeNode& node) { ASSERT_EQ(::chown((node.root / "pam.d/common-account").c_str(), 12, 0), 0); }, "chown root", run_fix},
        {"PamDirectoryWritable", "pam.owner", Status::fail, "/pam.d: writable",
         [](FakeNode& node) { ASSERT_EQ(::chmod((node.root / "pam.d").c_str(), 0777), 0); }, "chmod go-w", run_fix},
        {"AuthLine", "pam.phases", Status::fail, "an 'auth' line loads the module",
         [](FakeNode& node) { node.replace("@include common-auth\n", "@include common-auth\nauth required pam_slurm_adopt.so\n"); },
         "remove that line", [](FakeNode& node, const Finding&) { node.replace("auth required pam_slurm_adopt.so\n", ""); }},
        {"SufficientAboveThoseWhoLetEverybodyIn", "pam.account.control", Status::fail, "gets in all the same, by 'account required pam_unix.so'",
         [](FakeNode& node) {
             write_lines(node, "account sufficient pam_slurm_adopt.so strict\naccount required pam_unix.so\nsession "
                               "required pam_unix.so\n");
         },
         "'required'", [](FakeNode& node, const Finding&) { node.replace("sufficient", "required"); }},
        {"DenyAbove", "pam.account.reached", Status::fail, "refuses everybody, root too",
         [](FakeNode& node) { node.replace("required     pam_nologin.so", "required     pam_deny.so"); }, "remove that line",
         [](FakeNode& node, const Finding&) { node.replace("required     pam_deny.so", "required     pam_nologin.so"); }},
        {"NobodyKnowsTheGroup", "pam.lists", Status::warn, "no group 'admnis' is known here",
         [](FakeNode& node) { node.replace("adopt.so strict", "adopt.so strict exempt_groups=admnis"); }, "correct it",
         [](FakeNode& node, const Finding&) { node.replace("exempt_groups=admnis", "exempt_groups=daemon"); }},
        {"ImportsWhatIsNeverImported", "pam.options", Status::warn, "no session gets 'LD_*'",
         [](FakeNode& node) { node.replace("adopt.so strict", "adopt.so strict import_env=SLURM_*,LD_*"); }, "remove it",
         [](FakeNode& node, const Finding&) { node.replace(",LD_*", ""); }},
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
        {"JumpsWhereAdopted", "pam.account.control", Status::warn, "is asked about below: 'account required pam_access.so'",
         [](FakeNode& node) {
             write_lines(node, "account [success=1 default=ignore] pam_slurm_adopt.so strict\naccount required pam_access.so\n"
                               "@include common-account\nsession required pam_unix.so\n");
         },
         "'required'", [](FakeNode& node, const Finding&) { node.replace("[success=1 default=ignore]", "required"); }},
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
         [](FakeNode& node) { node.replace(account_line, std::string(account_line) + " exempt_users=daemon"); },
         "the same options",
         [](FakeNode& node, const Finding&) {
             node.replace(session_line, std::string(session_line) + " exempt_users=daemon");
         }},
        {"AListThatOthersWriteTo", "pam.lists", Status::fail, "others than root may write to it: nobody is exempt by it",
         name_file("exempt_users=@", "exempt", "admin\n", 0646), "chmod 0644", close_to_others("exempt")},
        {"AListWithALineThatIsNoName", "pam.lists", Status::fail, "line 2 is not one name: 'b c'",
         name_file("exempt_groups=daemon,@", "exempt", "a\nb c\n", 0644), "one name a line",
         [](FakeNode& node, const Finding&) { node.root.write("exempt", "a\nb\n"); }},
        {"ATextThatOthersWriteTo", "pam.options", Status::warn, "others than root may write to it: nobody is told its text",
         name_file("deny_message_file=", "denied", "Ask us.\n", 0646), "chmod 0644", close_to_others("denied")},
        {"NobodyWhoIsExemptToAdopt", "pam.options", Status::warn, "exempt_adopt=1, but nobody is exempt",
         [](FakeNode& node) { node.replace("adopt.so strict", "adopt.so strict exempt_adopt=1"); }, "exempt_groups=",
         [](FakeNode& node, const Finding&) { node.replace("exempt_adopt=1", "exempt_adopt=1 exempt_groups=daemon"); }},
        {"ThereIsAlwaysANewest", "pam.options", Status::warn, "action_unknown= never applies",
         [](FakeNode& node) { node.replace("adopt.so strict", "adopt.so strict choose=callerid,newest action_unknown=deny"); },
         "remove newest from choose=", [](FakeNode& node, const Finding&) { node.replace(",newest", ""); }},
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
        {"ModuleIsCutOff", "module.ours", Status::fail, "only a part of it is there",
         [](FakeNode& node) { std::filesystem::resize_file(node.module(), 5000); }, "install", copy_module},
        {"ModuleIsAPipe", "module.ours", Status::fail, "no regular file",
         [](FakeNode& node) {
             std::filesystem::remove(node.module());
             ASSERT_EQ(::mkfifo(node.module().c_str(), 0644), 0);
         },
         "install", copy_module},
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

INSTANTIATE_TEST_SUITE_P(Pam, Misconfiguration, ::testing::ValuesIn(pam_seeds()), name_of_seed);
INSTANTIATE_TEST_SUITE_P(Node, Misconfiguration, ::testing::ValuesIn(other_seeds()), name_of_seed);

TEST(Check, ThePlainExamplesAreOkInEverything)
{
    for (const auto& [layout, example] : {std::pair{"debian12", "sshd"}, {"redhat9", "sshd-redhat"}}) {
        FakeNode node;
        node.use_layout(layout);
        write_lines(node, contents(std::string(PAM_LAYOUTS) + "/../../../contrib/pam/" + example));
        EXPECT_EQ(run_checks(look_at(node.roots, "sshd"), Output{}), Exit::yes) << example;
        for (const Check& check : all_checks()) {
            const Found found = check.look(look_at(node.roots, "sshd"));
            EXPECT_TRUE(!found || found->status == Status::ok) << example << ' ' << check.name << ": " << found->seen;
        }
    }
}

TEST(Check, AUsersSocketNamedLikeAStepDoesNotCount)
{
    FakeNode node;
    node.list_step("n1_9.0");
    ASSERT_EQ(::chown((node.root / "spool/n1_9.0").c_str(), 12, 0), 0);
    EXPECT_EQ(node.look("steps.extern")->status, Status::ok);
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
