// SPDX-License-Identifier: GPL-2.0-or-later
// A system at its limits: no process left, nothing to be written, nothing mounted, a /proc that cannot be
// read or does not end.
#include <security/pam_appl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <filesystem>
#include <fstream>

#include "host_login.h"
#include "support/fault_table.h"

namespace slurm_adopt::test {
namespace {

// Nothing is waited for.
constexpr double bound_ms = 1000;
constexpr double with_timeout = 2500;       // timeout=1, and a node that is busy with other things
constexpr double with_long_timeout = 6500;  // timeout=5

// A cgroup that has room for one process only. Gone with the object.
class OneProcess {
public:
    explicit OneProcess(const std::string& name) : path_("/sys/fs/cgroup/pids/" + name)
    {
        works_ = ::mkdir(path_.c_str(), 0755) == 0 && std::ofstream(path_ + "/pids.max") << "1" << std::flush;
    }
    OneProcess(const OneProcess&) = delete;
    OneProcess& operator=(const OneProcess&) = delete;
    ~OneProcess() { (void)::rmdir(path_.c_str()); }

    [[nodiscard]] bool works() const { return works_; }
    void enter() const
    {
        if (!move_to_cgroup(path_, 0)) ::_exit(124);
    }

private:
    std::string path_;
    bool works_ = false;
};

// What a call opens; empty: it does not.
std::string opened_by(const Call& call)
{
    const bool relative = call.number == SYS_openat;
#ifdef SYS_open
    if (!relative && call.number != SYS_open) return {};
#else
    if (!relative) return {};
#endif
    std::array<char, 256> text{};
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an address of the other process
    const iovec there{.iov_base = reinterpret_cast<void*>(call.arguments[relative ? 1 : 0]), .iov_len = text.size() - 1};
    const iovec here{.iov_base = text.data(), .iov_len = text.size() - 1};
    // The end of a page may come before the end of our buffer.
    for (iovec part = there; part.iov_len > 0; part.iov_len /= 2)
        if (::process_vm_readv(call.pid, &here, 1, &part, 1, 0) > 0) break;
    return text.data();
}

// Opening a path that ends so fails.
OnCall cannot_open(const std::string& end, int error, int& failed)
{
    return [end, error, &failed](const Call& call) {
        if (!opened_by(call).ends_with(end)) return 0;
        ++failed;
        return error;
    };
}

int refuse_netlink(const Call& call)
{
    return call.number == SYS_socket && call.arguments[0] == AF_NETLINK ? EPERM : 0;
}

class Limits : public NodeTest {
protected:
    std::string helper(const std::string& body)
    {
        const std::string path = spool_.write("helper", "#!/bin/sh\n" + body + '\n');
        EXPECT_EQ(::chmod(path.c_str(), 0755), 0);
        EXPECT_EQ(::chmod(spool_.path().c_str(), 0755), 0);
        return "helper=" + path;
    }
    // In the child, and in mounts of its own: a /proc that shows itself and the slurmstepd, and has one file of ours.
    void replace_in_proc(const std::string& name, const std::string& file, pid_t stepd) const
    {
        private_mounts();
        const std::string real = spool_.make_directory("proc");
        bool done = ::mount("/proc", real.c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0 &&
                    ::mount("tmpfs", "/proc", "tmpfs", 0, "mode=0755") == 0;
        for (const std::string& process : {std::string("self"), std::to_string(::getpid()), std::to_string(stepd)})
            done = done && ::symlink((real + '/' + process).c_str(), ("/proc/" + process).c_str()) == 0;
        std::filesystem::create_directories(std::filesystem::path("/proc/" + name).parent_path());
        if (!done || ::symlink(file.c_str(), ("/proc/" + name).c_str()) != 0) ::_exit(124);
    }
    void expect_adopted(const HostLogin& login, const char* fault, const char* expected, double bound)
    {
        const HostOutcome outcome = log_in_on_host(login);
        EXPECT_TRUE(outcome.adopted()) << fault << ':' << outcome.text();
        report_fault({"system", fault, expected, bound}, outcome.longest());
    }
    void expect_refused(const HostLogin& login, const char* fault, const char* expected, double bound)
    {
        const HostOutcome outcome = log_in_on_host(login);
        expect_safe(fault, outcome, bound);
        ASSERT_EQ(outcome.calls.size(), 1U) << outcome.text();
        EXPECT_EQ(outcome.calls.front().code, PAM_PERM_DENIED) << fault << ':' << outcome.text();
        report_fault({"system", fault, expected, bound}, outcome.longest());
    }
};

TEST_F(Limits, NoProcessLeft)
{
    (void)start(7, {.uid = nobody});
    (void)start(8, {.uid = nobody});
    const std::string trace = spool_ / "helper-ran";
    const std::string option = helper("touch " + trace);
    const OneProcess cgroup(tree_.node());
    if (!cgroup.works()) GTEST_SKIP() << "no pids controller of cgroup v1 here";
    const auto alone = [&] {
        // The leak sanitizer looks from a process of its own, and there is none left.
        (void)::setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
        cgroup.enter();
    };
    expect_adopted({.options = {"strict", option}, .prepare = alone},
                   "no process is left for the helper (pids.max)", "adopt newest_job", bound_ms);
    EXPECT_FALSE(std::filesystem::exists(trace)) << "there was one left";
    EXPECT_TRUE(log_in_on_host({.options = {"strict", option}}).adopted());
    EXPECT_TRUE(std::filesystem::exists(trace)) << "nobody was asked";
    expect_adopted(
        {.options = {"strict", option}, .on_call = [](const Call& call) { return call.number == SYS_clone ? EAGAIN : 0; }},
        "clone fails with EAGAIN", "adopt newest_job", bound_ms);
}

TEST_F(Limits, NothingCanBeWritten)
{
    (void)start(7, {.uid = nobody});
    const auto read_only = [] {
        private_mounts();
        if (::mount("none", "/", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) != 0 || ::access("/run", W_OK) == 0)
            ::_exit(124);
    };
    expect_adopted({.mode = "session", .prepare = read_only}, "the root file system is read-only", "adopt one_job",
                   bound_ms);
    expect_adopted({.options = {"strict", "runtime_dir=1"}, .mode = "session", .prepare = read_only},
                   "the root file system is read-only, with runtime_dir=1", "adopt one_job, without the directory",
                   bound_ms);
}

TEST_F(Limits, NoCgroupsMounted)
{
    const auto without_cgroups = [] {
        private_mounts();
        if (::umount2("/sys/fs/cgroup", MNT_DETACH) != 0 || ::access("/sys/fs/cgroup/freezer", F_OK) == 0) ::_exit(124);
    };
    (void)start(9, {.uid = bob});
    expect_refused({.prepare = without_cgroups}, "no cgroup hierarchy is mounted, and no job is the user's", "deny no_jobs",
                   bound_ms);
    (void)start(7, {.uid = nobody});
    expect_adopted({.mode = "session", .prepare = without_cgroups}, "no cgroup hierarchy is mounted", "adopt one_job",
                   bound_ms);
    (void)start(8, {.uid = nobody});
    expect_adopted({.options = {"strict", helper("exit 0")}, .prepare = without_cgroups},
                   "no cgroup hierarchy is mounted, and there are two jobs", "adopt newest_job", bound_ms);
}

TEST_F(Limits, ProcCannotBeRead)
{
    (void)start(7, {.uid = nobody});
    expect_refused({.prepare =
                        [] {
                            private_mounts();
                            if (::umount2("/proc", MNT_DETACH) != 0) ::_exit(124);
                        }},
                   "/proc is not mounted", "deny proc_unreadable", bound_ms);
    for (const int error : {EACCES, ENOENT}) {
        int failed = 0;
        expect_refused({.options = {"strict", "timeout=1"}, .on_call = cannot_open("/cgroup", error, failed)},
                       error == EACCES ? "/proc/<pid>/cgroup cannot be opened: EACCES" : "/proc/<pid>/cgroup is not there",
                       "refused", with_timeout);
        EXPECT_GT(failed, 0);
    }
    int failed = 0;
    const OnCall no_table = cannot_open("/net/unix", EACCES, failed);
    expect_refused({.on_call = [&](const Call& call) { return refuse_netlink(call) != 0 ? EPERM : no_table(call); }},
                   "neither netlink nor /proc/net/unix may be read", "deny sockets_unreadable", bound_ms);
    EXPECT_GT(failed, 0);
    expect_adopted({.on_call = refuse_netlink}, "netlink is refused", "adopt one_job, by /proc/net/unix", bound_ms);
}

// Large tables of others' sockets, in the place of the kernel's.
TEST_F(Limits, ProcIsHuge)
{
    const FakeStepd& stepd = start(7, {.uid = nobody});
    const std::string header = "Num       RefCount Protocol Flags    Type St Inode Path\n";
    const std::string other =
        "0000000000000000: 00000002 00000000 00010000 0001 01 12345 /run/somebody/elses/socket/with/a/long/name\n";
    const std::string own = "0000000000000000: 00000002 00000000 00010000 0001 01 12345 " + stepd.socket() + '\n';
    const auto table = [&](std::size_t bytes) {
        std::string text = header;
        while (text.size() < bytes) text += other;
        return spool_.write("table", text + own);
    };
    // Of zeros, which take no room on a disk.
    const auto endless = [&](const std::string& name) {
        const std::string file = spool_.write(name, "");
        std::filesystem::resize_file(file, std::size_t{100} * 1024 * 1024);
        return file;
    };
    for (const bool allowed : {true, false}) {
        const std::string file = allowed ? table(std::size_t{16} * 1024 * 1024) : endless("endless");
        const HostLogin login{.options = {"strict", "timeout=5"},
                              .prepare = [&] { replace_in_proc("net/unix", file, stepd.pid()); },
                              .on_call = refuse_netlink};
        if (allowed)
            expect_adopted(login, "/proc/net/unix of 16 MiB, netlink is refused", "adopt one_job", with_long_timeout);
        else
            expect_refused(login, "/proc/net/unix of 100 MiB, netlink is refused", "deny sockets_unreadable",
                           with_long_timeout);
    }
    const std::string cgroups = endless("cgroup");
    expect_refused({.options = {"strict", "timeout=1"},
                    .prepare =
                        [cgroups] {
                            private_mounts();
                            if (::mount(cgroups.c_str(), "/proc/self/cgroup", nullptr, MS_BIND, nullptr) != 0) ::_exit(124);
                        }},
                   "/proc/<pid>/cgroup of 100 MiB", "refused", with_timeout);
}

}  // namespace
}  // namespace slurm_adopt::test
