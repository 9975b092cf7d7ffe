// SPDX-License-Identifier: GPL-2.0-or-later
// The system calls about processes and signals; and the clock.
#include <sys/utsname.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>

#include "failing_memory.h"
#include "kernel.h"
#include "require.h"

using namespace slurm_adopt::fuzz;
using slurm_adopt::test::MemoryIsThere;

namespace {

using Clock = std::chrono::steady_clock;

bool hangs_in_the_kernel(const Kernel& kernel)
{
    return kernel.world.helper_reply % 16 == 10;
}

}  // namespace

// std::chrono::steady_clock::now()
Clock::time_point real_now() asm("__real__ZNSt6chrono3_V212steady_clock3nowEv");
Clock::time_point wrapped_now() asm("__wrap__ZNSt6chrono3_V212steady_clock3nowEv");
Clock::time_point wrapped_now()
{
    Kernel* const kernel = Kernel::running();
    if (kernel == nullptr) return real_now();
    kernel->pass_time(std::chrono::nanoseconds(100));
    return Clock::time_point(kernel->now());
}

extern "C" {

pid_t __real_getpid();
pid_t __wrap_getpid()
{
    const Kernel* const kernel = Kernel::running();
    return kernel == nullptr ? __real_getpid() : kernel->pid;
}

pid_t __wrap_getppid()
{
    return Kernel::running()->world.parent == 0 ? 1 : Kernel::parent_pid;
}

pid_t __wrap_getpgrp()
{
    return Kernel::parent_pid;
}

pid_t __wrap_getpgid(pid_t)
{
    Kernel* const kernel = Kernel::running();
    if (const int error = kernel->fault({ESRCH})) return fail_with(error);
    return kernel->world.parent == 3 ? Kernel::own_pid : Kernel::parent_pid;
}

int __wrap_getresuid(uid_t* real, uid_t* effective, uid_t* saved)
{
    *real = *effective = *saved = (Kernel::running()->world.signals & 8U) != 0 ? alice : 0;
    return 0;
}

int __wrap_uname(utsname* name)
{
    if (const int error = Kernel::running()->fault({EFAULT})) return fail_with(error);
    *name = {};
    std::memcpy(name->nodename, "n1.example", 11);
    return 0;
}

int __wrap_setns(int fd, int)
{
    Kernel* const kernel = Kernel::running();
    require(kernel->find(fd) != nullptr, "an open namespace is joined");
    if (const int error = kernel->fault({EPERM, EINVAL, EUSERS})) {
        kernel->join_has_failed = true;
        return fail_with(error);
    }
    ++kernel->joined;
    return 0;
}

int __real_kill(pid_t, int);
int __wrap_kill(pid_t pid, int signal)
{
    Kernel* const kernel = Kernel::running();
    if (kernel == nullptr) return __real_kill(pid, signal);
    if (pid == kernel->pid) {
        require(signal == SIGCHLD, "to itself a process sends only the SIGCHLD that was another's");
        return 0;
    }
    require(pid == Kernel::helper_pid || pid == -Kernel::helper_pid, "nobody but the helper is killed");
    require(signal == SIGKILL && kernel->helper.was_started, "once it runs");
    // Where the host ignores SIGCHLD the kernel reaps; nobody else does but us.
    require(!kernel->helper.is_reaped || (kernel->world.signals & 2U) != 0, "a number that may be another's by now is left alone");
    if (pid > 0 && kernel->helper.is_alive && !hangs_in_the_kernel(*kernel)) kernel->helper.dies_at = kernel->now();
    kernel->let_helper_live();
    return 0;
}

int __wrap_waitid(idtype_t type, id_t, siginfo_t* info, int)
{
    Kernel* const kernel = Kernel::running();
    if (const int error = kernel->fault({EINTR})) return fail_with(error);
    *info = {};
    kernel->let_helper_live();
    if (type == P_ALL) {
        if ((kernel->world.signals & 4U) != 0) info->si_pid = 77;  // the host's own
        return 0;
    }
    if (kernel->helper.is_reaped) return fail_with(ECHILD);
    if (!kernel->helper.is_alive) info->si_pid = Kernel::helper_pid;
    return 0;
}

pid_t __real_waitpid(pid_t, int*, int);
pid_t __wrap_waitpid(pid_t pid, int* status, int options)
{
    Kernel* const kernel = Kernel::running();
    if (kernel == nullptr) return __real_waitpid(pid, status, options);
    require(pid == Kernel::helper_pid && (options & WNOHANG) != 0, "the helper is reaped when it has ended");
    if (const int error = kernel->fault({EINTR})) return fail_with(error);
    if (kernel->helper.is_reaped) return fail_with(ECHILD);
    if (kernel->helper.is_alive) return 0;
    kernel->helper.is_reaped = true;
    *status = 0;
    return pid;
}

int __wrap_sigtimedwait(const sigset_t*, siginfo_t* info, const timespec*)
{
    Kernel* const kernel = Kernel::running();
    if (!kernel->helper.signal_is_pending) return fail_with(EAGAIN);
    kernel->helper.signal_is_pending = false;
    info->si_pid = (kernel->world.signals & 16U) != 0 ? 77 : Kernel::helper_pid;
    return SIGCHLD;
}

int __real_pthread_sigmask(int, const sigset_t*, sigset_t*);
int __wrap_pthread_sigmask(int how, const sigset_t* set, sigset_t* before)
{
    Kernel* const kernel = Kernel::running();
    if (kernel == nullptr) return __real_pthread_sigmask(how, set, before);
    if (before != nullptr) *before = kernel->blocked;
    if (how == SIG_SETMASK) {
        kernel->blocked = *set;
        return 0;
    }
    for (int signal = 1; signal < 32; ++signal)
        if (sigismember(set, signal) == 1)
            (void)(how == SIG_BLOCK ? sigaddset(&kernel->blocked, signal) : sigdelset(&kernel->blocked, signal));
    return 0;
}
}
