// SPDX-License-Identifier: GPL-2.0-or-later
// No path of the module waits without a deadline. Every function of the C library that can wait is walked
// (blocking_calls.cc) in logins of every kind; a function that can wait and is not walked may not be used by the module at
// all.
#include <fcntl.h>
#include <security/pam_appl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "host_login.h"
#include "preload.h"
#include "so/elf_file.h"
#include "support/fault_table.h"

namespace slurm_adopt::test {
namespace {

using Names = std::set<std::string>;

// What a call may wait: the login's own timeout, and the time that poll(2) is rounded up by.
constexpr int timeout_ms = 1000;

// Functions that the module uses and that do not wait: they compute, or ask the kernel for what it knows by itself.
const Names never_wait = {
    // The compiler's and the C library's own.
    "__cmsg_nxthdr", "__cxa_finalize", "__errno_location", "__libc_single_threaded", "__pthread_key_create",
    "__snprintf_chk", "__stack_chk_fail", "__tls_get_addr", "_dl_find_object", "abort", "free", "gnu_dev_makedev",
    "inet_ntop", "inet_pton", "malloc", "memchr", "memcmp", "memcpy", "memmove", "memset", "realloc", "sprintf", "strcmp",
    "strerror_r", "strlen", "strncmp", "sigaddset", "sigemptyset", "sigfillset", "sigismember", "gettext", "bcmp",
    // Held for a few instructions by libstdc++'s exceptions and by nobody else: the module has no threads.
    "pthread_mutex_lock", "pthread_mutex_unlock", "pthread_once", "pthread_setcancelstate",
    // libstdc++'s last words before abort().
    "fputc", "fputs", "fwrite", "stderr",
    // The kernel's own knowledge of this process and its descriptors.
    "_exit", "clock_gettime", "close", "dirfd", "dup2", "fdopendir", "fstat", "fstatfs", "getpeername", "getpgid", "getpgrp",
    "getpid", "getppid", "getresuid", "getrlimit", "getsockname", "getsockopt", "kill", "prctl", "pthread_sigmask", "setns",
    "sched_yield", "setpgid", "shutdown", "socket", "socketpair", "uname",
    // Directories and names of root's on file systems of this node: /proc, /sys/fs/cgroup, /run, the spool directory, the
    // helper's. (What a user may have mounted over his own is not among them: see runtime_dir.cc, and umount2, mount,
    // openat.)
    "access", "closedir", "execve", "fchmod", "fchown", "fstatat", "lstat", "mkdirat", "opendir", "readdir", "readlink",
    "renameat", "rewinddir", "stat", "statx", "unlinkat",
    // PAM's memory.
    "pam_get_data", "pam_get_item", "pam_getenv", "pam_getenvlist", "pam_putenv", "pam_set_data", "pam_strerror"};

// What waits as long as the host lets it, and why that is not the module's to end.
const std::map<std::string, std::string> waits_of_the_host = {
    {"pam_syslog", "syslog(3), which every module and sshd itself use: a log that hangs has hung sshd before"},
    {"pam_prompt", "the application's conversation: sshd sends it to the client, with deadlines of its own"},
    {"getpwnam_r", "the name service, which sshd has asked for the same user before"},
    {"getpwuid_r", "the name service"},
    {"getgrnam_r", "the name service; only with exempt_groups="},
    {"getgrouplist", "the name service; only with exempt_groups="}};

// Calls of others while the module works, which the module has no hand in.
const Names waits_of_others = {
    "marks_module.so syscall",  // the marks of the test's own
};

TEST(DeadlinesOfTheFile, EveryFunctionThatCanWaitIsWalked)
{
    const Names walked = read_elf(PRELOAD_PATH).exported;
    const ElfFile module = read_elf(MODULE_PATH);
    ASSERT_TRUE(walked.contains("poll") && module.undefined.contains("poll"));
    std::size_t found = 0;
    for (const std::string& name : module.undefined) {
        const bool is_walked = walked.contains(name);
        found += is_walked ? 1 : 0;
        EXPECT_TRUE(is_walked || never_wait.contains(name) || waits_of_the_host.contains(name))
            << name << " is walked by nobody: put it into blocking_calls.cc, or say here why it does not wait";
    }
    EXPECT_GE(found, 14U);
    // Imported under the names that the linker knows: one with a check of the buffer's size is another function.
    report_fault({"system", "a function that can wait and that no test walks", "the module uses none", 0}, 0);
}

class Deadlines : public NodeTest {
protected:
    void walk(const std::string& what, HostLogin login, double bound_ms)
    {
        SCOPED_TRACE(what);
        const std::string file = spool_ / "walk";
        (void)::unlink(file.c_str());
        login.environment = {std::string(walk_file) + '=' + file,
                             std::string(longest_wait) + '=' + std::to_string(timeout_ms + 1)};
        const HostOutcome outcome = log_in_on_host(login);
        expect_safe(what, outcome, bound_ms);
        longest_ = std::max(longest_, outcome.longest());
        std::ifstream lines(file);
        std::size_t calls = 0;
        for (std::string line; std::getline(lines, line); ++calls) {
            std::istringstream words(line);
            std::string caller, function, verdict;
            words >> caller >> function >> verdict;
            const bool of_the_module = caller == "pam_slurm_adopt.so";
            if (of_the_module) ++by_module_[function];
            EXPECT_TRUE(verdict == "bounded" || (!of_the_module && waits_of_others.contains(caller + ' ' + function)))
                << line;
        }
        EXPECT_GT(calls, 4U) << "nothing was walked";
    }
    std::string helper(const std::string& body)
    {
        const std::string path = spool_.write("helper", "#!/bin/sh\n" + body + '\n');
        EXPECT_EQ(::chmod(path.c_str(), 0755), 0);
        EXPECT_EQ(::chmod(spool_.path().c_str(), 0755), 0);
        return "helper=" + path;
    }
    const std::string timeout_ = "timeout=" + std::to_string(timeout_ms / 1000);
    std::map<std::string, int> by_module_;  // function: how often it has called it
    double longest_ = 0;
};

// The bound of a login with a deadline of a second, on a node that is busy with other things.
constexpr double with_timeout = timeout_ms + 1500;

TEST_F(Deadlines, NoJobAndOneJob)
{
    walk("no job", {.options = {"strict", timeout_}}, with_timeout);
    const std::string list = spool_.write("list", "root\ndaemon\n");
    ASSERT_EQ(::chmod(list.c_str(), 0644), 0);
    walk("files of the site",
         {.options = {"strict", timeout_, "exempt_users=@" + list, "exempt_groups=@" + list, "deny_message_file=" + list}}, with_timeout);
    (void)start(9, {.uid = bob});
    walk("somebody else's", {.options = {"strict", timeout_}}, with_timeout);
    {
        Node late;
        (void)late.start(7, {.uid = nobody, .before_adopting = std::chrono::milliseconds(50)});
        walk("an answer that is waited for", {.options = {"strict", timeout_}}, with_timeout);
    }
    (void)start(7, {.uid = nobody, .display = 10, .xauthority = "/tmp/xauthority"});
    walk("one job", {.options = {"strict", timeout_}}, with_timeout);
    walk("both phases", {.options = {"strict", timeout_}, .mode = "session"}, with_timeout);
    walk("with its parent", {.options = {"strict", timeout_}, .mode = "child"}, with_timeout);
    walk("twice on one handle", {.options = {"strict", timeout_}, .mode = "again"}, with_timeout);
    walk("by the spool directory", {.options = {"strict", timeout_, "spool_dir=" + spool_.path()}}, with_timeout);
    for (const char* each : {"poll", "recv", "send", "connect", "open", "pread"}) EXPECT_GT(by_module_[each], 0) << each;
    EXPECT_EQ(by_module_["wall-clock"], 0);
    report_fault(
        {"system", "every call that can wait, in logins where nothing is wrong", "each has a deadline", with_timeout},
        longest_);
}

TEST_F(Deadlines, SlurmstepdsThatHangOrClose)
{
    for (const Fault fault : {Fault::hang, Fault::close, Fault::half_then_close})
        for (const Step step : {Step::version, Step::uid, Step::state, Step::adopt, Step::adopted_state, Step::x11, Step::namespaces}) {
            Node node;
            (void)node.start(7, {.uid = nobody, .fault = fault, .at = step});
            walk("fault " + std::to_string(static_cast<int>(fault)) + " at " + std::to_string(static_cast<int>(step)),
                 {.options = {"strict", timeout_}}, with_timeout);
        }
    {
        Node node;
        node.start(7, {.uid = nobody}).stop();
        walk("stopped", {.options = {"strict", timeout_}}, with_timeout);
    }
    {
        Node node;
        (void)node.start(7, {.uid = nobody, .accepts = false, .backlog = 0});
        for (int i = 0; i < 2; ++i) walk("does not accept", {.options = {"strict", timeout_}}, with_timeout);
    }
    {
        Node node;
        (void)node.start(7, {.uid = nobody, .between_bytes = std::chrono::milliseconds(200)});
        walk("a drip", {.options = {"strict", timeout_}}, with_timeout);
    }
    EXPECT_GT(by_module_["poll"], 20);
    report_fault({"system", "every call that can wait, with a slurmstepd that hangs, drips or closes", "each has a deadline",
                  with_timeout},
                 longest_);
}

TEST_F(Deadlines, Helpers)
{
    (void)start(7, {.uid = nobody});
    (void)start(8, {.uid = nobody});
    for (const char* body :
         {"exit 0", "sleep 60", "cat /dev/zero >&3", "exec 3>&-; sleep 60", "kill -STOP $$", "trap '' TERM; sleep 60"})
        walk(body, {.options = {"strict", timeout_, "callerid_timeout=1", helper(body)}}, with_timeout);
    walk("none", {.options = {"strict", timeout_, "helper=/nowhere/helper"}}, with_timeout);
    for (const char* each : {"waitid", "sigtimedwait", "syscall"}) EXPECT_GT(by_module_[each], 0) << each;
    report_fault(
        {"system", "every call that can wait, with helpers that hang, stop or chatter", "each has a deadline", with_timeout},
        longest_);
}

TEST_F(Deadlines, WaitingForAJob)
{
    constexpr double with_wait = with_timeout + 1000;
    const std::string wait = "wait_for_job=1";
    walk("without a controller", {.options = {"strict", timeout_, wait}}, with_wait);
    (void)start(9, {.uid = bob});
    walk("beside somebody else's job", {.options = {"strict", timeout_, wait}}, with_wait);
    walk("by the spool directory", {.options = {"strict", timeout_, wait, "spool_dir=" + spool_.path()}}, with_wait);
    for (const char* body : {"exit 0", "sleep 60", "cat /dev/zero >&3", "kill -STOP $$"})
        walk(body, {.options = {"strict", timeout_, wait, "controller=rpc", "controller_timeout=1", helper(body)}}, with_wait);
    EXPECT_GT(by_module_["poll"], 20);
}

TEST_F(Deadlines, RuntimeDirectories)
{
    (void)start(7, {.uid = nobody});
    const HostLogin login{.options = {"strict", timeout_, "runtime_dir=1"}, .mode = "session", .prepare = private_run};
    walk("opened and closed", login, with_timeout);
    // As by a session that is stopped while it has it: a second each in the beginning and the end of the session.
    const auto lock = [] {
        private_run();
        for (const char* each : {"/run/slurm-adopt", "/run/slurm-adopt/sessions", "/run/slurm-adopt/sessions/65534"})
            (void)::mkdir(each, 0700);
        // Stays open in the program, which is another holder than the module.
        if (::flock(::open("/run/slurm-adopt/sessions/65534", O_RDONLY), LOCK_EX) != 0) ::_exit(124);
    };
    walk("locked by another session", {.options = login.options, .mode = "session", .prepare = lock}, with_timeout);
    EXPECT_GE(longest_, 900) << "the lock was not waited for";
    for (const char* each : {"flock", "mount", "umount2", "openat"}) EXPECT_GT(by_module_[each], 0) << each;
    report_fault({"system", "every call that can wait, with a runtime directory", "each has a deadline", with_timeout},
                 longest_);
}

TEST_F(Deadlines, ReadingsOfWhatMayHang)
{
    for (const unsigned job : {7U, 8U}) (void)start(job, {.uid = nobody});
    const std::vector<std::string> options = {"strict", timeout_, "job_choice=file", "choose=file", "import_env=SLURM_*"};
    walk("read", {.options = options, .prepare = private_run}, with_timeout);
    EXPECT_GT(by_module_["fcntl"], 0);
    // As by the child of an earlier login, which hangs.
    const auto lock = [] {
        private_run();
        struct flock range {};
        range.l_type = F_WRLCK;
        range.l_start = 65534;
        range.l_len = 1;
        (void)::mkdir("/run/slurm-adopt", 0755);
        // Stays open in the program, which is another holder than the module.
        if (::fcntl(::open("/run/slurm-adopt/reading-home", O_RDWR | O_CREAT, 0600), F_OFD_SETLK, &range) != 0) ::_exit(124);
    };
    walk("another login hangs", {.options = options, .prepare = lock}, with_timeout);
}

}  // namespace
}  // namespace slurm_adopt::test
