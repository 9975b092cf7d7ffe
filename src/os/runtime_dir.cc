// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/runtime_dir.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "slurm_adopt/directory.h"
#include "slurm_adopt/session_registry.h"
#include "slurm_adopt/text.h"
#include "slurm_adopt/trash.h"

namespace slurm_adopt {
namespace {

using namespace std::chrono_literals;

// How long a login may be kept waiting for what others have left behind.
constexpr auto longest_tidying = 500ms;
// And for another session of the same user's, which may be stopped.
constexpr auto longest_locked = 1s;
constexpr int lock_poll_ms = 2;

struct Store {
    std::string users;  // the path of `user`
    Fd user;
    Fd sessions;
    Fd trash;
};

// `open` is open_own_directory or make_own_directory.
Result<Store> open_store(const std::string& path, Result<Fd> (*open)(int, const char*, mode_t))
{
    const auto base = open(AT_FDCWD, path.c_str(), 0755);
    if (!base) return base.error();
    auto user = open(base.value().get(), "user", 0755);
    if (!user) return std::move(user).error().in(path);
    auto sessions = open(base.value().get(), "sessions", 0700);
    if (!sessions) return std::move(sessions).error().in(path);
    auto trash = open(base.value().get(), "trash", 0700);
    if (!trash) return std::move(trash).error().in(path);
    return Store{path + "/user", std::move(user).value(), std::move(sessions).value(), std::move(trash).value()};
}

bool is_still(const Fd& directory, int parent, const std::string& name)
{
    struct stat held {};
    struct stat named {};
    return ::fstat(directory.get(), &held) == 0 && ::fstatat(parent, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

// The lock of one user: the user's directory of sessions. Nobody but root can open it, so nobody else can hold it.
class UserLock {
public:
    [[nodiscard]] static Result<UserLock> take(const Store& store, const std::string& user, Deadline deadline)
    {
        for (;;) {
            auto directory = make_own_directory(store.sessions.get(), user.c_str(), 0700);
            // A link or a file is nobody's registry. (unlink(2) takes no directory: not even one that is there by now.)
            if (!directory && directory.error().code == ErrorCode::untrusted &&
                ::unlinkat(store.sessions.get(), user.c_str(), 0) == 0)
                continue;
            // Removed again in between, by one who has closed the last session.
            const bool vanished = !directory && directory.error().errno_value == ENOENT;
            if (!directory && !vanished) return std::move(directory).error();
            if (directory) {
                UserLock lock(std::move(directory).value());
                if (auto locked = lock.wait(deadline); !locked) return std::move(locked).error();
                // The holder before us may have taken it away: then another is the lock by now.
                if (is_still(lock.directory_, store.sessions.get(), user)) return lock;
            }
            if (deadline.passed()) return timed_out();
        }
    }
    UserLock(UserLock&&) noexcept = default;
    UserLock(const UserLock&) = delete;
    UserLock& operator=(const UserLock&) = delete;
    UserLock& operator=(UserLock&&) = delete;
    // Closing it would leave it locked for as long as a child has it that another thread of the host is forking right now.
    ~UserLock()
    {
        if (directory_) (void)::flock(directory_.get(), LOCK_UN);
    }

private:
    explicit UserLock(Fd directory) : directory_(std::move(directory)) {}

    static Error timed_out() { return Error{ErrorCode::timed_out, 0, "locked by others"}; }

    [[nodiscard]] Result<Done> wait(Deadline deadline) const
    {
        while (::flock(directory_.get(), LOCK_EX | LOCK_NB) != 0) {
            if (errno != EWOULDBLOCK && errno != EINTR) return system_error("flock");
            if (deadline.passed()) return timed_out();
            (void)::poll(nullptr, 0, std::min(deadline.poll_timeout(), lock_poll_ms));
        }
        return Done{};
    }

    Fd directory_;
};

// Whether `proc` shows processes by the numbers that are in the registry.
bool tells_of_sessions(const std::string& proc, const std::string& key)
{
    // In a job's mount namespace it may be the /proc of a pid namespace that we are not in: it does not know us.
    const auto self = session_key(proc, "self");
    if (!self || !self.value() || session_pid(*self.value()) != static_cast<std::uint32_t>(::getpid())) return false;
    // Or that we were forked in, after the key was taken.
    const auto own = session_key(proc, std::to_string(*session_pid(key)));
    return own && own.value() == key;
}

// A user may send a signal to whatever he has started, as long as its real or saved uid is his (kill(2)).
bool can_be_stopped_by_a_user()
{
    uid_t real = 0;
    uid_t effective = 0;
    uid_t saved = 0;
    return ::getresuid(&real, &effective, &saved) != 0 || real != 0 || saved != 0;
}

// Whether the user has sessions, by those that live where that can be told. Under the user's lock.
bool is_in_use(const Store& store, const std::string& user, const std::string& proc, bool proc_tells)
{
    return proc_tells ? drop_ended_sessions(store.sessions.get(), user.c_str(), proc)
                      : has_sessions(store.sessions.get(), user.c_str());
}

// Takes away the user's directory, with its mounts. By its path first, of which all is root's: where /proc is not that of
// our pid namespace there is no /proc/self/fd, which take_away() needs for it.
Result<Done> take_directory(const Store& store, const std::string& user, Deadline deadline)
{
    const std::string path = store.users + '/' + user;
    while (::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0 && !deadline.passed()) {
    }
    return take_away(store.user.get(), user.c_str(), store.trash.get(), deadline);
}

// Takes away what a user without sessions has. Under the user's lock, which goes last: until then nobody makes it anew.
Result<Done> remove(const Store& store, const std::string& user, Deadline deadline)
{
    if (auto taken = take_directory(store, user, deadline); !taken) return taken;
    return take_away(store.sessions.get(), user.c_str(), store.trash.get(), deadline);
}

// Takes away what belongs to no process any more, of all users that nobody is busy with. Best effort: one that cannot be
// taken away is in nobody else's way. The caller holds no lock.
void sweep(const Store& store, const std::string& proc, Deadline deadline)
{
    // The users with no sessions at all too: of an open that was killed half-way.
    for (const Fd* directory : {&store.sessions, &store.user}) {
        Listing users(directory->get(), ".");
        while (const char* user = users ? users.next() : nullptr) {
            if (deadline.passed()) return;
            // Without the lock first: who is logged in is not kept from it by us.
            if (!parse_number<uid_t>(user) || has_living_session(store.sessions.get(), user, proc)) continue;
            const auto lock = UserLock::take(store, user, Deadline::after(0ms));
            if (lock && !drop_ended_sessions(store.sessions.get(), user, proc)) (void)remove(store, user, deadline).ok();
        }
    }
}

// What others have left behind.
void tidy(const Store& store, const std::string& proc, bool proc_tells, Deadline deadline)
{
    const Deadline end = deadline.sooner(Deadline::after(longest_tidying));
    if (proc_tells && !can_be_stopped_by_a_user()) sweep(store, proc, end);
    empty_trash(store.trash.get(), end);
}

// Mounts a tmpfs on the user's directory, which is root's, as all of its path (see take_directory()). False where that is
// not permitted (mount(2); EACCES: by a security module). Any other failure is one: a user may have seen to it, to be rid of
// the limits.
Result<bool> mount_tmpfs(const Store& store, const char* user)
{
    const std::string target = store.users + '/' + user;
    const std::string options =
        "mode=0700,size=" + std::to_string(runtime_dir_most_bytes) + ",nr_inodes=" + std::to_string(runtime_dir_most_files);
    if (::mount("tmpfs", target.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()) == 0) return true;
    if (errno == EPERM || errno == EACCES) return false;
    return system_error("mount a tmpfs");
}

// Makes the directory usable as the last step, by giving it to the user: before that nobody but root can get at it, so
// what is checked cannot be swapped, and what was left half-made by a killed process is told by its owner.
// True if it is a tmpfs.
Result<bool> hand_over(const Store& store, const char* user, const Fd& below, uid_t uid, gid_t gid)
{
    auto mounted = mount_tmpfs(store, user);
    if (!mounted) return mounted;
    const Fd top(::openat(store.user.get(), user, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat status {};
    struct stat status_below {};
    struct statfs system {};
    if (!top || ::fstat(top.get(), &status) != 0 || ::fstat(below.get(), &status_below) != 0 ||
        ::fstatfs(top.get(), &system) != 0)
        return system_error(user);
    if (status.st_uid != 0 || (mounted.value() && (system.f_type != TMPFS_MAGIC || status.st_dev == status_below.st_dev)))
        return Error{ErrorCode::untrusted, 0, std::string(user) + ": not what was made"};
    if (::fchmod(top.get(), 0700) != 0 || ::fchown(top.get(), uid, gid) != 0) return system_error(user);
    return mounted;
}

// True if it is a file system of its own.
Result<bool> provide(const Store& store, const char* user, uid_t uid, gid_t gid)
{
    const bool made = ::mkdirat(store.user.get(), user, 0700) == 0;
    if (!made && errno != EEXIST) return system_error(user);
    // The user may have mounted a file system of his own on it (fuse(4)): nothing here may ask it.
    const Fd found(::openat(store.user.get(), user, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct statx status {};
    if (!found && (errno == ENOTDIR || errno == ELOOP))
        return Error{ErrorCode::untrusted, 0, std::string(user) + ": not a directory"};
    if (!found || ::statx(found.get(), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_UID, &status) != 0)
        return system_error(user);
    struct stat above {};
    if (::fstat(store.user.get(), &above) != 0) return system_error(user);
    const bool is_mounted = ::makedev(status.stx_dev_major, status.stx_dev_minor) != above.st_dev;
    // In use by the user's other sessions.
    if (!made && status.stx_uid == uid) return is_mounted;
    // What is half-made is root's. So is the root of a user's own file system, as long as it says nothing else.
    if (status.stx_uid != 0 || is_mounted)
        return Error{ErrorCode::untrusted, 0, std::string(user) + ": something else is there"};
    return hand_over(store, user, found, uid, gid);
}

// Under the user's lock. What provide() says.
Result<bool> enter(const Store& store, const std::string& user, uid_t uid, gid_t gid, const std::string& key, bool in_use,
                   Deadline deadline)
{
    // Nobody uses it, so whatever is there still was left behind or put there.
    if (!in_use)
        if (auto taken = take_directory(store, user, deadline); !taken) return std::move(taken).error();
    auto is_new = register_session(store.sessions.get(), user, key);
    if (!is_new) return is_new;
    auto provided = provide(store, user.c_str(), uid, gid);
    // One that an earlier call has registered has what that call gave it.
    if (!provided && is_new.value()) unregister_session(store.sessions.get(), user, key);
    return provided;
}

}  // namespace

Result<RuntimeDir> open_runtime_dir(const RuntimeDirs& dirs, uid_t uid, gid_t gid, const std::string& key, Deadline deadline)
{
    // To chown(2) these mean "leave it as it is".
    if (uid == static_cast<uid_t>(-1) || gid == static_cast<gid_t>(-1)) return system_error("uid or gid", EINVAL);
    if (!session_pid(key)) return system_error("session key", EINVAL);
    const auto store = open_store(dirs.base, make_own_directory);
    if (!store) return store.error();

    const std::string user = std::to_string(uid);
    const bool proc_tells = tells_of_sessions(dirs.proc, key);
    const auto entered = [&]() -> Result<bool> {
        const auto lock = UserLock::take(store.value(), user, deadline.sooner(Deadline::after(longest_locked)));
        if (!lock) return lock.error();
        const bool in_use = is_in_use(store.value(), user, dirs.proc, proc_tells);
        auto limited = enter(store.value(), user, uid, gid, key, in_use, deadline);
        if (!limited && !has_sessions(store.value().sessions.get(), user.c_str()))
            (void)remove(store.value(), user, deadline).ok();
        return limited;
    }();
    tidy(store.value(), dirs.proc, proc_tells, deadline);
    if (!entered) return Error(entered.error()).in(dirs.base + "/user");
    return RuntimeDir{dirs.base + "/user/" + user, entered.value()};
}

Result<Done> close_runtime_dir(const RuntimeDirs& dirs, uid_t uid, const std::string& key, Deadline deadline)
{
    if (!session_pid(key)) return system_error("session key", EINVAL);
    const auto store = open_store(dirs.base, open_own_directory);
    if (!store) {
        if (store.error().errno_value == ENOENT) return Done{};  // never opened, or not completely
        return store.error();
    }

    const std::string user = std::to_string(uid);
    const bool proc_tells = tells_of_sessions(dirs.proc, key);
    auto removed = [&]() -> Result<Done> {
        // Before the lock: whoever holds it does not take this one for a user of the directory any more.
        unregister_session(store.value().sessions.get(), user, key);
        const auto lock = UserLock::take(store.value(), user, deadline.sooner(Deadline::after(longest_locked)));
        if (!lock) return lock.error();
        if (is_in_use(store.value(), user, dirs.proc, proc_tells)) return Done{};
        return remove(store.value(), user, deadline);
    }();
    tidy(store.value(), dirs.proc, proc_tells, deadline);
    if (!removed) return Error(removed.error()).in(dirs.base + "/user");
    return removed;
}

}  // namespace slurm_adopt
