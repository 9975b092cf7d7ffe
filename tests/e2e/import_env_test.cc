// SPDX-License-Identifier: GPL-2.0-or-later
// import_env= with real jobs: what a session has of its job's variables.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "cluster.h"
#include "job.h"
#include "login.h"
#include "sshd.h"

namespace slurm_adopt::e2e {
namespace {

std::vector<std::string> lines_of(const std::string& text)
{
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

// A batch job whose process has this environ, to the byte; "%j" in an entry is the job's number. A file of entries is handed
// to a program that becomes sleep(1) with them: no shell can make such ones.
Job job_with_environ(std::vector<std::string> entries)
{
    static int count = 0;
    const std::string file = "/tmp/environ." + std::to_string(++count);
    std::string block;
    for (const std::string& entry : entries) block += entry + '\0';
    write_whole(file, block);
    write_whole("/tmp/environ.pl", "open(my $file, '<', $ARGV[0]) or die;\n"
                                   "local $/;\n"
                                   "my @environ = split(/\\0/, <$file>);\n"
                                   "s/%j/$ENV{SLURM_JOB_ID}/ for @environ;\n"
                                   "my $program = '/bin/sleep';\n"
                                   "syscall(" +
                                       std::to_string(SYS_execve) +
                                       ", $program, pack('p2J', 'sleep', '100000', 0),\n"
                                       "  pack('p' . @environ . 'J', @environ, 0));\n"
                                       "die $!;\n");
    Job job = Job::batch("alice", "exec perl /tmp/environ.pl " + file);
    block.clear();
    for (std::string& entry : entries) {
        if (const auto at = entry.find("%j"); at != std::string::npos) entry.replace(at, 2, job.id_text());
        block += entry + '\0';
    }
    const auto has_it = [&] {
        for (const auto& process : std::filesystem::directory_iterator("/proc"))
            if (read_whole(process.path() / "comm") == "sleep\n" && read_whole(process.path() / "environ") == block)
                return true;
        return false;
    };
    EXPECT_TRUE(eventually(has_it)) << "its process has not begun";
    return job;
}

// A batch job whose process has its environ in the pages of a file: a file system of the user's own could keep who reads
// them waiting. struct prctl_mm_map of prctl(2), PR_SET_MM_MAP; the fields of proc_pid_stat(5), from the third.
Job job_with_environ_in_a_file()
{
    const std::string ready = "/tmp/environ_in_a_file";
    std::filesystem::remove(ready);
    write_whole("/tmp/environ_in_a_file.pl", "my ($mmap, $brk, $prctl) = (" + std::to_string(SYS_mmap) + ", " +
                                                 std::to_string(SYS_brk) + ", " + std::to_string(SYS_prctl) + R"();
open(my $stat, '<', '/proc/self/stat') or die;
my @field = split(' ', (<$stat> =~ /.*\) (.*)/s)[0]);
my $block = "SLURM_JOB_ID=$ENV{SLURM_JOB_ID}\0OURS_A=1\0";
open(my $file, '+>', "/tmp/environ.$$") or die;
print $file $block;
$file->flush;
my $at = syscall($mmap, 0, length($block), 1, 1, fileno($file), 0);
my $map = pack('J12L2', @field[23, 24, 42, 43, 44], syscall($brk, 0), @field[25, 45, 46], $at, $at + length($block),
  0, 0, 0xffffffff);
syscall($prctl, 35, 14, $map, length($map), 0) == 0 or die $!;
mkdir($ARGV[0]);
sleep(100000);
)");
    Job job = Job::batch("alice", "exec perl /tmp/environ_in_a_file.pl " + ready);
    EXPECT_TRUE(eventually([&] { return std::filesystem::exists(ready); })) << "its process has not begun";
    return job;
}

// "env --null" of a session, without what is another one at each login.
std::set<std::string> environment_of(const Finished& session)
{
    std::set<std::string> entries;
    std::istringstream stream(session.out);
    for (std::string entry; std::getline(stream, entry, '\0');)
        if (!entry.starts_with("SSH_")) entries.insert(entry);
    return entries;
}

class ImportEnv : public ::testing::Test {
protected:
    // Waits until the batch script runs: it has its variables from its first moment.
    static Job batch(const std::vector<std::string>& options = {})
    {
        static int count = 0;
        const std::string begun = "/tmp/import_env." + std::to_string(++count);
        Job job = Job::batch("alice", "touch " + begun, options);
        struct stat status {};
        EXPECT_TRUE(eventually([&] { return ::stat(begun.c_str(), &status) == 0; }));
        return job;
    }
    static void expect_has(const Finished& session, const std::vector<std::string>& wanted)
    {
        const auto lines = lines_of(session.out);
        for (const std::string& line : wanted) EXPECT_NE(std::find(lines.begin(), lines.end(), line), lines.end()) << line << " is not in\n" << session.out << session.err;
    }
    static void expect_without(const Finished& session, const std::vector<std::string>& names)
    {
        for (const std::string& line : lines_of(session.out))
            for (const std::string& name : names) EXPECT_FALSE(line.starts_with(name)) << line;
    }
    static std::vector<std::string> known(const Job& job)
    {
        return {"SLURM_JOB_ID=" + job.id_text(), "SLURM_JOB_UID=" + run(as_user("alice", {"sh", "-c", "printf %s $(id -u)"})).out, "SLURM_NODENAME=" + cluster().node};
    }
};

TEST_F(ImportEnv, ABatchJobsVariables)
{
    const Job job = batch({"--cpus-per-task=2", "--export=ALL,OURS_A=1,LD_PRELOAD=,OURS_LINES=x"});
    const Stack sshd("sshd", sshd_stack({account_line("strict import_env=SLURM_*,LD_*,OURS_*")}));
    const LogMark mark;
    const Finished session = ssh("alice", "env");
    auto wanted = known(job);
    wanted.insert(wanted.end(), {"OURS_A=1", "SLURM_CPUS_PER_TASK=2", "SLURM_JOB_NODELIST=" + cluster().node, "SLURM_SUBMIT_DIR=/"});
    expect_has(session, wanted);
    expect_without(session, {"LD_", "SLURM_CONF=", "SLURM_PROCID=", "SLURM_TASK_PID="});
    EXPECT_EQ(mark.decision("alice")["decision"], "adopt");
    // Off: as ever.
    const Stack off("sshd", sshd_stack({account_line("strict")}));
    const Finished plain = ssh("alice", "env");
    expect_has(plain, {"SLURM_JOB_ID=" + job.id_text()});
    expect_without(plain, {"OURS_", "SLURM_JOB_UID=", "SLURM_NODENAME="});
}

TEST_F(ImportEnv, AJobThatHasOnlyASteps)
{
    const Job job = Job::allocate("alice");
    const Stack sshd("sshd", sshd_stack({account_line("strict import_env=SLURM_*,OURS_*")}));
    // Before its first step.
    const Finished alone = ssh("alice", "env");
    expect_has(alone, known(job));
    expect_without(alone, {"OURS_", "SLURM_JOB_NODELIST="});
    Background step(as_user("alice", {"srun", "--jobid=" + job.id_text(), "--export=ALL,OURS_A=step", "sh", "-c", "echo begun; exec sleep 1000"}));
    ASSERT_TRUE(step.says("begun\n")) << step.wait(std::chrono::seconds{1}).err;
    const Finished session = ssh("alice", "env");
    auto wanted = known(job);
    wanted.insert(wanted.end(), {"OURS_A=step", "SLURM_JOB_NODELIST=" + cluster().node});
    expect_has(session, wanted);
    expect_without(session, {"SLURM_STEP_ID=", "SLURM_LOCALID=", "PMI_"});
}

TEST_F(ImportEnv, TheVariablesAreOfTheJobThatAdopts)
{
    const Job first = batch({"--export=ALL,OURS_A=first,OURS_FIRST=1"});
    const Job second = batch({"--export=ALL,OURS_A=second"});
    const Stack sshd("sshd", sshd_stack({account_line("strict import_env=SLURM_*,OURS_*")}));
    const Finished session = ssh("alice", "env");
    expect_has(session, {"SLURM_JOB_ID=" + second.id_text(), "OURS_A=second"});
    expect_without(session, {"OURS_FIRST="});
}

TEST_F(ImportEnv, SurvivesKeyboardInteractive)
{
    const Job job = batch({"--export=ALL,OURS_A=1"});
    const Method& asked = method("keyboard_interactive");
    const Sshd server(asked);
    std::vector<std::string> stack = asked.auth;
    stack.insert(stack.end(), {"account required pam_unix.so", account_line("strict import_env=SLURM_*,OURS_*"), "session required pam_unix.so"});
    const Stack sshd("sshd", stack);
    const Finished session = run(server.client("ssh", {"alice@node", "env"}));
    auto wanted = known(job);
    wanted.push_back("OURS_A=1");
    expect_has(session, wanted);
}

// All that a user can put there, and more than is read.
TEST_F(ImportEnv, AHostileEnvironDoesNoHarm)
{
    const std::string much(100'000, 'x');
    std::vector<std::string> entries = {
        // No plain text: 10 of them.
        "OURS_LINES=a\nOURS_FORGED=b", "OURS_RETURN=a\rb", "OURS_ESCAPE=\x1b]0;x\a", "OURS_CONTROL=\xc2\x9bmx",
        "OURS_DELETE=\x7f", "OURS_BYTES=\xff\xfe", "OURS_CUT=\xc3", "OURS_SURROGATE=\xed\xa0\x80", "OURS_FUNCTION=() { :; }",
        "OURS_SECOND=\x1b[31m", "OURS_SECOND=plain",
        // No names.
        "OURS_\x1b[31m=x", "OURS_\n=x", "OURS_A B=x", "OURS_A-B=x", "OURS_\xff=x", "OURS_F%%=() { :; }",
        "BASH_FUNC_ls%%=() { :; }", "=x", "nothing", "OURS_NOTHING", "",
        // Denied.
        "LD_PRELOAD=/tmp/evil.so", "LD_LIBRARY_PATH=/tmp", "LD_AUDIT=/tmp/evil.so", "BASH_ENV=/tmp/evil", "ENV=/tmp/evil",
        "PATH=/tmp", "PYTHONPATH=/tmp", "PYTHONSTARTUP=/tmp/evil", "PERL5LIB=/tmp", "PROMPT_COMMAND=evil", "IFS=x",
        "HOME=/tmp", "SHELL=/tmp/evil", "SLURM_CONF=/tmp/evil", "SLURM_TASK_PROLOG=/tmp/evil", "OURS_PRELOAD=/tmp/evil.so",
        "OURS_LIBRARY_PATH=/tmp",
        // Known better, or twice.
        "SLURM_JOB_UID=0", "SLURM_NODENAME=evil", "SLURM_JOB_ID=%j", "SLURM_JOB_ID=999999", "OURS_TWICE=first",
        "OURS_TWICE=second",
        // More than is set: 2 of them.
        "OURS_MUCH1=" + much, "OURS_MUCH2=" + much, "OURS_GOOD=after all of it", "OURS_LETTER=\xc3\xa4"};
    // More than is read, and what follows it.
    for (int i = 3; i <= 12; ++i) entries.push_back("OURS_MUCH" + std::to_string(i) + '=' + much);
    entries.emplace_back("OURS_BEYOND=1");
    const Job job = job_with_environ(entries);

    const std::string look = "cat /proc/self/cgroup >&2; exec env --null";
    std::set<std::string> expected;
    {
        const Stack off("sshd", sshd_stack({account_line("strict")}));
        expected = environment_of(ssh("alice", look));
    }
    const auto also = known(job);
    expected.insert(also.begin(), also.end());
    expected.insert({"OURS_TWICE=first", "OURS_GOOD=after all of it", "OURS_LETTER=\xc3\xa4"});

    const Stack sshd("sshd", sshd_stack({account_line(
                                 "strict log_level=verbose "
                                 "import_env=OURS_*,SLURM_*,LD_*,LD_PRELOAD,BASH_*,P*,PATH,PYTHONPATH,E*,I*,H*,S*")}));
    const LogMark mark;
    const Finished session = ssh("alice", look);
    EXPECT_EQ(environment_of(session), expected) << session.err;
    EXPECT_EQ(job_in(session.err), job.id()) << session.err;
    const Decision decision = mark.decision("alice");
    EXPECT_EQ(decision["decision"], "adopt") << mark.text();
    // The reading alone may take 300 ms before it is given up.
    EXPECT_LT(std::stod(decision["ms"]), 500);
    EXPECT_LT(session.took, std::chrono::milliseconds{5000});
    EXPECT_EQ(mark.lines_with("import_env: left out 10 that are no plain text, 2 that are too many").size(), 1U)
        << mark.text();
    EXPECT_EQ(mark.unprintable(), "");
}

// A megabyte of good ones: as many as are set come to the session also where sshd gets them in a message from its child.
TEST_F(ImportEnv, SoManyAreSetAndNotMore)
{
    constexpr int most_set = 256;
    std::vector<std::string> entries = {"SLURM_JOB_ID=%j"};
    for (int i = 1000; i < 5000; ++i) entries.push_back("OURS_" + std::to_string(i) + '=' + std::string(240, 'x'));
    const Job job = job_with_environ(entries);
    const std::set<std::string> expected(entries.begin() + 1, entries.begin() + 1 + most_set);

    const Method& asked = method("keyboard_interactive");
    const Sshd server(asked);
    std::vector<std::string> stack = asked.auth;
    stack.insert(stack.end(),
                 {"account required pam_unix.so", account_line("strict import_env=OURS_*"), "session required pam_unix.so"});
    const Stack sshd("sshd", stack);
    const LogMark mark;
    const Finished session = run(server.client("ssh", {"alice@node", "cat /proc/self/cgroup >&2; exec env --null"}));
    auto found = environment_of(session);
    std::erase_if(found, [](const std::string& entry) { return !entry.starts_with("OURS_"); });
    EXPECT_EQ(found, expected) << session.err;
    EXPECT_EQ(job_in(session.err), job.id()) << session.err << mark.text();
    EXPECT_LT(std::stod(mark.decision("alice")["ms"]), 500) << mark.text();
}

TEST_F(ImportEnv, WhatCannotBeReadIsNotWaitedFor)
{
    const Job job = job_with_environ_in_a_file();
    const Stack sshd("sshd", sshd_stack({account_line("strict log_level=verbose import_env=SLURM_*,OURS_*")}));
    const LogMark mark;
    const Finished session = ssh("alice", "cat /proc/self/cgroup >&2; env");
    expect_has(session, known(job));
    expect_without(session, {"OURS_"});
    EXPECT_EQ(job_in(session.err), job.id()) << session.err;
    EXPECT_LT(std::stod(mark.decision("alice")["ms"]), 500) << mark.text();
    EXPECT_EQ(mark.lines_with("import_env: no process of the user's has an environment to give").size(), 1U) << mark.text();
}

TEST_F(ImportEnv, TheLineOfTheDocumentation)
{
    std::ifstream page(SOURCE_DIRECTORY "/doc/session.md");
    std::string options;
    for (std::string line; std::getline(page, line);)
        if (const auto at = line.find("pam_slurm_adopt.so  strict  import_env="); at != std::string::npos) options = line.substr(line.find("strict", at));
    ASSERT_NE(options, "");
    const Job job = batch({"--cpus-per-task=2", "--export=ALL,CUDA_VISIBLE_DEVICES=1,ROCR_VISIBLE_DEVICES=2"});
    const Stack sshd("sshd", sshd_stack({account_line(options)}));
    const Finished session = ssh("alice", "env");
    auto wanted = known(job);
    wanted.insert(wanted.end(), {"SLURM_CPUS_ON_NODE=2", "CUDA_VISIBLE_DEVICES=1", "ROCR_VISIBLE_DEVICES=2"});
    expect_has(session, wanted);
}

}  // namespace
}  // namespace slurm_adopt::e2e
