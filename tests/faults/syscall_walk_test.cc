// SPDX-License-Identifier: GPL-2.0-or-later
// The second line of the proof that nothing waits without a deadline: every system call of a login, whoever makes it and
// however. What is made past the C library's functions (clone, openat2, getdents64), and what the C library makes by itself,
// blocking_calls.cc does not see.
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <fstream>
#include <map>
#include <set>

#include "host_login.h"
#include "slurm_adopt/fd.h"
#include "support/fault_table.h"

namespace slurm_adopt::test {
namespace {

constexpr int timeout_ms = 1000;
constexpr double bound_ms = timeout_ms + 1500;

// Answered by the kernel out of what it knows, or by file systems of this node.
const std::set<long> never_wait = {
    SYS_brk,          SYS_mmap,       SYS_munmap,     SYS_mprotect,   SYS_mremap,        SYS_madvise,
    SYS_close,        SYS_fstat,      SYS_newfstatat, SYS_statx,      SYS_fstatfs,       SYS_getdents64,
    SYS_lseek,        SYS_readlinkat, SYS_faccessat,  SYS_faccessat2, SYS_getsockopt,    SYS_getsockname,
    SYS_getpeername,  SYS_socket,     SYS_socketpair, SYS_getpid,     SYS_getppid,       SYS_getpgid,
    SYS_gettid,       SYS_getresuid,  SYS_getuid,     SYS_geteuid,    SYS_uname,         SYS_rt_sigprocmask,
    SYS_rt_sigaction, SYS_kill,       SYS_setns,      SYS_mkdirat,    SYS_unlinkat,      SYS_renameat,
    SYS_fchmod,       SYS_fchown,     SYS_getrandom,  SYS_prlimit64,  SYS_clock_gettime, SYS_close_range,
    SYS_prctl,        SYS_setpgid,    SYS_dup3,       SYS_sched_yield,
#ifdef SYS_stat  // not on all machines
    SYS_stat,         SYS_lstat,      SYS_access,     SYS_readlink,   SYS_getpgrp,       SYS_dup2,
#endif
};

struct Time {
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
};

template <class Value>
Value value_at(const Call& call, std::uint64_t address)
{
    Value value{};
    const iovec here{.iov_base = &value, .iov_len = sizeof value};
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an address of the other process
    const iovec there{.iov_base = reinterpret_cast<void*>(address), .iov_len = sizeof value};
    EXPECT_EQ(::process_vm_readv(call.pid, &here, 1, &there, 1, 0), static_cast<ssize_t>(sizeof value));
    return value;
}

bool time_ends(const Call& call, std::uint64_t address)
{
    if (address == 0) return false;
    const Time time = value_at<Time>(call, address);
    return time.seconds * 1000 + time.nanoseconds / 1'000'000 <= timeout_ms + 1;
}

// A descriptor of the other process that never makes it wait.
bool never_blocks(const Call& call, std::uint64_t fd)
{
    const std::string process = "/proc/" + std::to_string(call.pid);
    const std::string number = std::to_string(static_cast<int>(fd));
    struct stat status {};
    if (::stat((process + "/fd/" + number).c_str(), &status) != 0) return true;  // it is none
    if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) return true;
    std::ifstream info(process + "/fdinfo/" + number);
    unsigned flags = 0;
    for (std::string word; info >> word;)
        if (word == "flags:") info >> std::oct >> flags;
    return (flags & O_NONBLOCK) != 0;
}

bool opens_at_once(const Call& call, std::uint64_t path, unsigned flags)
{
    if ((flags & (O_NONBLOCK | O_PATH | O_DIRECTORY)) != 0) return true;
    std::string name;
    for (char next = 0; (next = value_at<char>(call, path + name.size())) != '\0';) name += next;
    // Without them: files of the C library and of the kernel, and what a new session is registered by.
    return name == "/dev/null" || name.starts_with("/etc/") || name.starts_with("/proc/") || name.starts_with("/sys/") ||
           name.starts_with("/run/") || name.starts_with("/usr/") || name.starts_with("/lib") || (flags & O_EXCL) != 0;
}

// syslog(3) waits for a log that does not read. It is libpam's pam_syslog(), and sshd's own way to log: where it hangs, sshd
// has hung before. deadline_proof_test.cc has it in its list.
bool is_the_log(const Call& call)
{
    sockaddr_un address{};
    const iovec here{.iov_base = &address, .iov_len = std::min<std::size_t>(call.arguments[2], sizeof address)};
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an address of the other process
    const iovec there{.iov_base = reinterpret_cast<void*>(call.arguments[1]), .iov_len = here.iov_len};
    return ::process_vm_readv(call.pid, &here, 1, &there, 1, 0) > 0 && address.sun_family == AF_UNIX &&
           std::string_view(address.sun_path) == "/dev/log";
}

// The same, of a descriptor that is connected already; the test's own process may have done that.
bool leads_to_the_log(const Call& call, std::uint64_t fd)
{
    const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, call.pid, 0)));
    const Fd copy(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), static_cast<int>(fd), 0)));
    sockaddr_un address{};
    socklen_t length = sizeof address;
    return ::getpeername(copy.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0 && address.sun_family == AF_UNIX &&
           std::string_view(address.sun_path) == "/dev/log";
}

bool ends_in_time(const Call& call)
{
    const auto& arguments = call.arguments;
    const auto flag = [&](std::size_t index, std::uint64_t bits) { return (arguments[index] & bits) != 0; };
    switch (call.number) {
#ifdef SYS_poll
    case SYS_poll: return static_cast<int>(arguments[2]) >= 0 && static_cast<int>(arguments[2]) <= timeout_ms + 1;
    case SYS_open: return opens_at_once(call, arguments[0], static_cast<unsigned>(arguments[1]));
#endif
    case SYS_ppoll: return time_ends(call, arguments[2]);
    case SYS_clock_nanosleep: return arguments[1] == 0 && time_ends(call, arguments[2]);
    case SYS_rt_sigtimedwait: return time_ends(call, arguments[2]);
    case SYS_openat: return opens_at_once(call, arguments[1], static_cast<unsigned>(arguments[2]));
    case SYS_openat2: return (value_at<open_how>(call, arguments[2]).flags & O_DIRECTORY) != 0;
    case SYS_recvfrom:
    case SYS_sendto: return flag(3, MSG_DONTWAIT) || never_blocks(call, arguments[0]) || leads_to_the_log(call, arguments[0]);
    case SYS_recvmsg:
    case SYS_sendmsg: return flag(2, MSG_DONTWAIT) || never_blocks(call, arguments[0]);
    case SYS_read:
    case SYS_pread64:
    case SYS_write:
    case SYS_accept4: return never_blocks(call, arguments[0]);
    case SYS_connect: return never_blocks(call, arguments[0]) || is_the_log(call);
    case SYS_futex: return (static_cast<int>(arguments[1]) & FUTEX_CMD_MASK) == FUTEX_WAKE;
    case SYS_wait4: return flag(2, WNOHANG);
    case SYS_waitid: return flag(3, WNOHANG);
    case SYS_flock: return flag(1, LOCK_NB | LOCK_UN);
    case SYS_fcntl: return arguments[1] != F_SETLKW && arguments[1] != F_OFD_SETLKW;
    case SYS_umount2: return flag(1, MNT_DETACH);
    case SYS_mount: return value_at<std::array<char, 6>>(call, arguments[2]) == std::array<char, 6>{"tmpfs"};
    case SYS_clone: return !flag(0, CLONE_VFORK);
    default: return never_wait.contains(call.number);
    }
}

class SystemCallWalk : public NodeTest {
protected:
    void walk(const std::string& what, HostLogin login)
    {
        login.on_call = [&](const Call& call) {
            if (!call.own) return 0;  // the helper's start; it is killed at its deadline
            ++made_[call.number];
            EXPECT_TRUE(ends_in_time(call))
                << what << ": call " << call.index << ", number " << call.number << " may wait for ever";
            return 0;
        };
        const HostOutcome outcome = log_in_on_host(login);
        expect_safe(what, outcome, bound_ms);
        EXPECT_GT(outcome.system_calls, 3) << what;
        longest_ = std::max(longest_, outcome.longest());
    }
    std::map<long, int> made_;
    double longest_ = 0;
};

TEST_F(SystemCallWalk, EveryOneEnds)
{
    const std::vector<std::string> options = {"strict", "timeout=1"};
    walk("no job", {.options = options});
    (void)start(7, {.uid = nobody, .before_adopting = std::chrono::milliseconds(20)});
    walk("one job", {.options = options, .mode = "session"});
    walk("a runtime directory",
         {.options = {"strict", "timeout=1", "runtime_dir=1"}, .mode = "session", .prepare = private_run});
    const std::string list = spool_.write("exempt", "daemon\nnosuchgroup\n");
    ASSERT_EQ(::chmod(list.c_str(), 0644), 0);
    walk("lists of the exempt",
         {.options = {"strict", "timeout=1", "exempt_users=@" + list, "exempt_groups=@" + list, "exempt_adopt=1"}});
    walk("exempt groups", {.options = {"strict", "timeout=1", "exempt_groups=daemon,nosuchgroup"}});
    (void)start(8, {.uid = nobody});
    walk("a named job, and the job's variables",
         {.options = {"strict", "timeout=1", "job_choice=file", "choose=file,newest", "import_env=SLURM_*"}, .prepare = private_run});
    EXPECT_GT(made_[SYS_fcntl], 0);
    const std::string helper = spool_.write("helper", "#!/bin/sh\nsleep 60\n");
    ASSERT_EQ(::chmod(helper.c_str(), 0755), 0);
    ASSERT_EQ(::chmod(spool_.path().c_str(), 0755), 0);
    walk("a helper that hangs", {.options = {"strict", "timeout=1", "callerid_timeout=1", "helper=" + helper}});
    {
        Node node;
        (void)node.start(9, {.uid = nobody, .fault = Fault::hang, .at = Step::version});
        end_all();
        walk("a slurmstepd that hangs", {.options = options});
    }
    for (const long number : {SYS_recvfrom, SYS_sendto, SYS_clone, SYS_flock, SYS_openat2, SYS_waitid})
        EXPECT_GT(made_[number], 0) << number;
    report_fault({"system", "every system call of logins of all kinds", "none can wait without end", bound_ms}, longest_);
}

}  // namespace
}  // namespace slurm_adopt::test
