// SPDX-License-Identifier: GPL-2.0-or-later
// Every single system call of a login fails: once, each in its turn, and each kind of them always. The kernel's own
// refusals (descriptors, memory, a security module) look like that from the inside.
#include <security/pam_appl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <map>
#include <set>

#include "host_login.h"
#include "support/fault_table.h"

namespace slurm_adopt::test {
namespace {

struct Error {
    int number;
    const char* name;
};
constexpr Error errors[] = {{EACCES, "EACCES"}, {EPERM, "EPERM"},   {EINTR, "EINTR"}, {EMFILE, "EMFILE"},
                            {ENFILE, "ENFILE"}, {ENOMEM, "ENOMEM"}, {EIO, "EIO"}};

// timeout=1, and a node that is busy with other things.
constexpr double bound_ms = 2500;

class SystemCalls : public NodeTest {
protected:
    void judge(const HostLogin& login, const std::string& what, const HostOutcome& outcome)
    {
        longest_ = std::max(longest_, outcome.longest());
        ++(outcome.adopted() ? adopted_ : not_adopted_);
        if (login.user != "root") return expect_safe(what, outcome, bound_ms);
        EXPECT_EQ(outcome.trouble, "") << what;
        EXPECT_LE(outcome.longest(), bound_ms) << what;
        for (const HostCall& call : outcome.calls) EXPECT_EQ(call.code, PAM_SUCCESS) << what << ':' << outcome.text();
    }

    // Logs in again and again: the first call fails, the second one, ... until there is none that could. How many failed.
    int fail_each_once(HostLogin login, int error, bool of_the_child = false)
    {
        int index = 1;
        for (bool failed = true; failed; ++index) {
            failed = false;
            long number = -1;
            login.on_call = [&](const Call& call) {
                if (call.own == of_the_child || call.index != index) return 0;
                failed = true;
                number = call.number;
                return error;
            };
            const HostOutcome outcome = log_in_on_host(login);
            const std::string what = "call " + std::to_string(index) + ", number " + std::to_string(number);
            judge(login, what, outcome);
            if (HasFailure() || index > 2000) break;
        }
        if (login.user != "root") expect_adopted_without_faults(login);
        return index - 2;
    }

    // Which calls a login makes, by number.
    static std::set<long> numbers_of(HostLogin login)
    {
        std::set<long> numbers;
        login.on_call = [&](const Call& call) {
            if (call.own) numbers.insert(call.number);
            return 0;
        };
        (void)log_in_on_host(login);
        return numbers;
    }

    void fail_each_kind(const HostLogin& login, int error)
    {
        for (const long number : numbers_of(login)) {
            HostLogin failing = login;
            failing.on_call = [&](const Call& call) { return call.own && call.number == number ? error : 0; };
            const HostOutcome outcome = log_in_on_host(failing);
            const std::string what = "every call of number " + std::to_string(number);
            judge(login, what, outcome);
        }
    }

    std::string helper() const
    {
        const std::string path = spool_.write("helper", "#!/bin/sh\nexit 0\n");
        EXPECT_EQ(::chmod(path.c_str(), 0755), 0);
        EXPECT_EQ(::chmod(spool_.path().c_str(), 0755), 0);
        return "helper=" + path;
    }

    double longest_ = 0;
    int adopted_ = 0;
    int not_adopted_ = 0;
};

const char* const safe = "adopted, or refused under strict; no hang, no crash";

TEST_F(SystemCalls, EachFailsOnceInALoginWithOneJob)
{
    (void)start(7, {.uid = nobody, .display = 10, .xauthority = "/tmp/xauthority"});
    (void)start(9, {.uid = bob});
    for (const Error& error : errors) {
        SCOPED_TRACE(error.name);
        adopted_ = not_adopted_ = 0;
        longest_ = 0;
        EXPECT_GT(fail_each_once({.options = {"strict", "timeout=1"}, .mode = "session"}, error.number), 50);
        EXPECT_GT(adopted_, 0) << "there are calls that nothing hangs on";
        EXPECT_GT(not_adopted_, 0) << "there are calls that all hangs on";
        report_fault(
            {"system", std::string("each system call of both phases fails once with ") + error.name, safe, bound_ms},
            longest_);
    }
}

TEST_F(SystemCalls, EachKindAlwaysFailsInALoginWithOneJob)
{
    (void)start(7, {.uid = nobody, .display = 10, .xauthority = "/tmp/xauthority"});
    for (const Error& error : errors) {
        SCOPED_TRACE(error.name);
        adopted_ = not_adopted_ = 0;
        longest_ = 0;
        fail_each_kind({.options = {"strict", "timeout=1"}, .mode = "session"}, error.number);
        EXPECT_GT(not_adopted_, 3);
        report_fault({"system", std::string("one kind of system call always fails with ") + error.name, safe, bound_ms},
                     longest_);
    }
}

TEST_F(SystemCalls, RootComesThroughWhateverFails)
{
    (void)start(7, {.uid = nobody});
    for (const Error& error : errors) {
        SCOPED_TRACE(error.name);
        longest_ = 0;
        EXPECT_GT(fail_each_once({.user = "root", .mode = "session"}, error.number), 0);
        fail_each_kind({.user = "root", .mode = "session"}, error.number);
        report_fault({"system", std::string("root, and each system call fails with ") + error.name, "ignore root", bound_ms},
                     longest_);
    }
}

TEST_F(SystemCalls, RootIsAdoptedOrComesThroughWhateverFails)
{
    (void)start(7, {.uid = 0});
    for (const Error& error : {Error{EACCES, "EACCES"}, Error{EMFILE, "EMFILE"}}) {
        SCOPED_TRACE(error.name);
        longest_ = 0;
        const HostLogin login{.options = {"strict", "ignore_root=0", "timeout=1"}, .user = "root", .mode = "session"};
        EXPECT_GT(fail_each_once(login, error.number), 50);
        fail_each_kind(login, error.number);
        report_fault({"system", std::string("ignore_root=0, and each system call fails with ") + error.name,
                      "adopt one_job, or ignore root", bound_ms},
                     longest_);
    }
}

TEST_F(SystemCalls, EachFailsOnceInALoginWithTheHelper)
{
    (void)start(7, {.uid = nobody});
    (void)start(8, {.uid = nobody});
    const HostLogin login{.options = {"strict", "timeout=1", "callerid_timeout=1", helper()}};
    for (const Error& error : {Error{EINTR, "EINTR"}, Error{EMFILE, "EMFILE"}}) {
        SCOPED_TRACE(error.name);
        longest_ = 0;
        EXPECT_GT(fail_each_once(login, error.number), 50);
        report_fault({"system", std::string("two jobs, and each system call fails once with ") + error.name, safe, bound_ms},
                     longest_);
    }
}

TEST_F(SystemCalls, EachFailsOnceInTheHelpersBeginning)
{
    (void)start(7, {.uid = nobody});
    (void)start(8, {.uid = nobody});
    const HostLogin login{.options = {"strict", "callerid_timeout=1", helper()}};
    for (const Error& error : {Error{EACCES, "EACCES"}, Error{ENOMEM, "ENOMEM"}}) {
        SCOPED_TRACE(error.name);
        longest_ = 0;
        not_adopted_ = 0;
        EXPECT_GT(fail_each_once(login, error.number, true), 5) << "from clone to execve";
        EXPECT_EQ(not_adopted_, 0) << "no helper is no harm";
        report_fault({"system", std::string("each system call of the helper's start fails once with ") + error.name,
                      "adopt newest_job", bound_ms},
                     longest_);
    }
}

TEST_F(SystemCalls, EachFailsOnceWithARuntimeDirectory)
{
    (void)start(7, {.uid = nobody});
    const HostLogin login{.options = {"strict", "timeout=1", "runtime_dir=1"}, .mode = "session", .prepare = private_run};
    for (const Error& error : {Error{EACCES, "EACCES"}, Error{EROFS, "EROFS"}}) {
        SCOPED_TRACE(error.name);
        longest_ = 0;
        EXPECT_GT(fail_each_once(login, error.number), 80);
        fail_each_kind(login, error.number);
        report_fault(
            {"system", std::string("a runtime directory, and each system call fails with ") + error.name, safe, bound_ms},
            longest_);
    }
}

}  // namespace
}  // namespace slurm_adopt::test
