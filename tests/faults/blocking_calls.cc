// SPDX-License-Identifier: GPL-2.0-or-later
// Every function of the C library that can wait, in front of the real one: it is written down who calls it and whether
// the wait has an end. The call is made all the same. A line: "CALLER FUNCTION bounded|UNBOUNDED WHY".
// deadline_proof_test.cc reads them, and holds against the module's file that nothing which can wait is missing here.
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <ctime>
#include <string_view>

#include "walk.h"

using namespace slurm_adopt::test;

namespace {

template <class Function>
Function* next(const char* name)
{
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

Bound time_bound(const timespec* time)
{
    return time == nullptr ? unbounded("no timeout") : wait_bound(time->tv_sec * 1000 + time->tv_nsec / 1'000'000);
}

// What a path leads to is known only by asking, without opening it.
Bound open_bound(int directory, const char* path, int flags)
{
    if ((flags & (O_NONBLOCK | O_PATH | O_DIRECTORY)) != 0) return bounded("O_NONBLOCK, O_PATH or O_DIRECTORY");
    struct stat status {};
    if (::syscall(SYS_newfstatat, directory, path, &status, 0) != 0) return bounded("not there");
    if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) return bounded("a file");
    return std::string_view(path) == "/dev/null" ? bounded("/dev/null") : unbounded("a fifo or a device");
}

Bound syscall_bound(long number, long first)
{
    switch (number) {
    case SYS_clone: return (first & CLONE_VFORK) != 0 ? unbounded("waits for execve") : bounded("clone without CLONE_VFORK");
    case SYS_openat2: return bounded("openat2: a directory");  // the arguments: see SystemCalls in deadline_proof_test.cc
    case SYS_getdents64: return bounded("getdents64 of a directory");
    case SYS_close_range: return bounded("close_range");
    case SYS_setgroups:
    case SYS_setresgid:
    case SYS_setresuid: return bounded("a process changes its own ids");
    default: return unbounded("a system call that nobody has looked at");
    }
}

}  // namespace

extern "C" {

int poll(pollfd* fds, nfds_t count, int timeout)
{
    walk(__builtin_return_address(0), "poll", timeout < 0 ? unbounded("no timeout") : wait_bound(timeout));
    return next<decltype(poll)>("poll")(fds, count, timeout);
}

int ppoll(pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* mask)
{
    walk(__builtin_return_address(0), "ppoll", time_bound(timeout));
    return next<decltype(ppoll)>("ppoll")(fds, count, timeout, mask);
}

int select(int count, fd_set* read, fd_set* write, fd_set* except, timeval* timeout)
{
    walk(__builtin_return_address(0), "select",
         timeout == nullptr ? unbounded("no timeout") : wait_bound(timeout->tv_sec * 1000 + timeout->tv_usec / 1000));
    return next<decltype(select)>("select")(count, read, write, except, timeout);
}

int epoll_wait(int fd, epoll_event* events, int count, int timeout)
{
    walk(__builtin_return_address(0), "epoll_wait", timeout < 0 ? unbounded("no timeout") : wait_bound(timeout));
    return next<decltype(epoll_wait)>("epoll_wait")(fd, events, count, timeout);
}

int connect(int fd, const sockaddr* address, socklen_t size)
{
    walk(__builtin_return_address(0), "connect", stream_bound(fd, 0));
    return next<decltype(connect)>("connect")(fd, address, size);
}

int accept4(int fd, sockaddr* address, socklen_t* size, int flags)
{
    walk(__builtin_return_address(0), "accept4", stream_bound(fd, 0));
    return next<decltype(accept4)>("accept4")(fd, address, size, flags);
}

ssize_t read(int fd, void* buffer, size_t size)
{
    walk(__builtin_return_address(0), "read", stream_bound(fd, 0));
    return next<decltype(read)>("read")(fd, buffer, size);
}

ssize_t pread(int fd, void* buffer, size_t size, off_t offset)
{
    walk(__builtin_return_address(0), "pread", stream_bound(fd, 0));
    return next<decltype(pread)>("pread")(fd, buffer, size, offset);
}

ssize_t recv(int fd, void* buffer, size_t size, int flags)
{
    walk(__builtin_return_address(0), "recv", stream_bound(fd, flags));
    return next<decltype(recv)>("recv")(fd, buffer, size, flags);
}

ssize_t recvfrom(int fd, void* buffer, size_t size, int flags, sockaddr* from, socklen_t* from_size)
{
    walk(__builtin_return_address(0), "recvfrom", stream_bound(fd, flags));
    return next<decltype(recvfrom)>("recvfrom")(fd, buffer, size, flags, from, from_size);
}

ssize_t recvmsg(int fd, msghdr* message, int flags)
{
    walk(__builtin_return_address(0), "recvmsg", stream_bound(fd, flags));
    return next<decltype(recvmsg)>("recvmsg")(fd, message, flags);
}

ssize_t write(int fd, const void* buffer, size_t size)
{
    walk(__builtin_return_address(0), "write", stream_bound(fd, 0));
    return next<decltype(write)>("write")(fd, buffer, size);
}

ssize_t send(int fd, const void* buffer, size_t size, int flags)
{
    walk(__builtin_return_address(0), "send", stream_bound(fd, flags));
    return next<decltype(send)>("send")(fd, buffer, size, flags);
}

ssize_t sendto(int fd, const void* buffer, size_t size, int flags, const sockaddr* to, socklen_t to_size)
{
    walk(__builtin_return_address(0), "sendto", stream_bound(fd, flags));
    return next<decltype(sendto)>("sendto")(fd, buffer, size, flags, to, to_size);
}

ssize_t sendmsg(int fd, const msghdr* message, int flags)
{
    walk(__builtin_return_address(0), "sendmsg", stream_bound(fd, flags));
    return next<decltype(sendmsg)>("sendmsg")(fd, message, flags);
}

int open(const char* path, int flags, ...)
{
    std::va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    walk(__builtin_return_address(0), "open", open_bound(AT_FDCWD, path, flags));
    return next<decltype(open)>("open")(path, flags, mode);
}

int openat(int directory, const char* path, int flags, ...)
{
    std::va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    walk(__builtin_return_address(0), "openat", open_bound(directory, path, flags));
    return next<decltype(openat)>("openat")(directory, path, flags, mode);
}

pid_t waitpid(pid_t pid, int* status, int options)
{
    walk(__builtin_return_address(0), "waitpid", (options & WNOHANG) != 0 ? bounded("WNOHANG") : unbounded("no WNOHANG"));
    return next<decltype(waitpid)>("waitpid")(pid, status, options);
}

int waitid(idtype_t type, id_t id, siginfo_t* info, int options)
{
    walk(__builtin_return_address(0), "waitid", (options & WNOHANG) != 0 ? bounded("WNOHANG") : unbounded("no WNOHANG"));
    return next<decltype(waitid)>("waitid")(type, id, info, options);
}

int nanosleep(const timespec* time, timespec* left)
{
    walk(__builtin_return_address(0), "nanosleep", time_bound(time));
    return next<decltype(nanosleep)>("nanosleep")(time, left);
}

int clock_nanosleep(clockid_t clock, int flags, const timespec* time, timespec* left)
{
    walk(__builtin_return_address(0), "clock_nanosleep", flags != 0 ? unbounded("a point in time") : time_bound(time));
    return next<decltype(clock_nanosleep)>("clock_nanosleep")(clock, flags, time, left);
}

int usleep(useconds_t time)
{
    walk(__builtin_return_address(0), "usleep", wait_bound(time / 1000));
    return next<decltype(usleep)>("usleep")(time);
}

unsigned sleep(unsigned seconds)
{
    walk(__builtin_return_address(0), "sleep", wait_bound(long{seconds} * 1000));
    return next<decltype(sleep)>("sleep")(seconds);
}

int sigtimedwait(const sigset_t* set, siginfo_t* info, const timespec* timeout)
{
    walk(__builtin_return_address(0), "sigtimedwait", time_bound(timeout));
    return next<decltype(sigtimedwait)>("sigtimedwait")(set, info, timeout);
}

int flock(int fd, int operation) noexcept
{
    walk(__builtin_return_address(0), "flock",
         (operation & (LOCK_NB | LOCK_UN)) != 0 ? bounded("LOCK_NB or LOCK_UN") : unbounded("no LOCK_NB"));
    return next<int(int, int)>("flock")(fd, operation);
}

int fcntl(int fd, int command, ...)
{
    std::va_list arguments;
    va_start(arguments, command);
    void* argument = va_arg(arguments, void*);
    va_end(arguments);
    walk(__builtin_return_address(0), "fcntl",
         command == F_SETLKW || command == F_OFD_SETLKW ? unbounded("waits for a lock") : bounded("no lock"));
    return next<decltype(fcntl)>("fcntl")(fd, command, argument);
}

// Without it a dead file server or a user's own file system would be asked, and waited for.
int umount2(const char* path, int flags) noexcept
{
    walk(__builtin_return_address(0), "umount2",
         (flags & MNT_DETACH) != 0 ? bounded("MNT_DETACH") : unbounded("no MNT_DETACH"));
    return next<int(const char*, int)>("umount2")(path, flags);
}

int mount(const char* source, const char* target, const char* type, unsigned long flags, const void* data) noexcept
{
    walk(__builtin_return_address(0), "mount",
         type != nullptr && std::strcmp(type, "tmpfs") == 0 ? bounded("tmpfs") : unbounded("not a tmpfs"));
    return next<int(const char*, const char*, const char*, unsigned long, const void*)>("mount")(source, target, type, flags,
                                                                                                 data);
}

long syscall(long number, ...) noexcept
{
    std::va_list arguments;
    va_start(arguments, number);
    long values[6];
    for (long& value : values) value = va_arg(arguments, long);
    va_end(arguments);
    walk(__builtin_return_address(0), "syscall", syscall_bound(number, values[0]));
    return next<long(long, ...)>("syscall")(number, values[0], values[1], values[2], values[3], values[4], values[5]);
}

}  // extern "C"
