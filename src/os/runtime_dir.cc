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
constexpr int lock_poll_ms = 2;

struct Store {
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
    return Store{std::move(user).value(), std::move(sessions).value(), std::move(trash).value()};
}

// Held until the descriptor is closed or unlocked. Nobody else can open the directory, so nobody else can hold it.
Result<Done> lock(const Store& store, Deadline deadline)
{
    while (::flock(store.sessions.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) return system_error("flock");
        if (deadline.passed()) return Error{ErrorCode::timed_out, 0, "locked by others"};
        (void)::poll(nullptr, 0, std::min(deadline.poll_timeout(), lock_poll_ms));
    }
    return Done{};
}

void unlock(const Store& store)
{
    (void)::flock(store.sessions.get(), LOCK_UN);
}

bool has_sessions(const Store& store, const char* user)
{
    struct stat status {};
    return ::fstatat(store.sessions.get(), user, &status, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

// Takes away what belongs to no process any more, of all users. Best effort: one that cannot be taken away is in nobody
// else's way.
void sweep(const Store& store, const std::string& proc, Deadline deadline)
{
    Listing registered(store.sessions.get(), ".");
    while (const char* user = registered ? registered.next() : nullptr)
        if (parse_number<uid_t>(user) && !drop_ended_sessions(store.sessions.get(), user, proc))
            (void)take_away(store.sessions.get(), user, store.trash.get(), deadline).ok();
    // Directories with no sessions at all too: of an open that was killed half-way.
    Listing directories(store.user.get(), ".");
    while (const char* user = directories ? directories.next() : nullptr)
        if (parse_number<uid_t>(user) && !has_sessions(store, user))
            (void)take_away(store.user.get(), user, store.trash.get(), deadline).ok();
}

// Mounts a tmpfs on the directory, which is root's. True where that is permitted.
bool mount_tmpfs(const Fd& directory)
{
    const std::string target = "/proc/self/fd/" + std::to_string(directory.get());
    const std::string options =
        "mode=0700,size=" + std::to_string(runtime_dir_most_bytes) + ",nr_inodes=" + std::to_string(runtime_dir_most_files);
    return ::mount("tmpfs", target.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()) == 0;
}

// Makes the directory usable as the last step, by giving it to the user: before that nobody but root can get at it, so
// what is checked cannot be swapped, and what was left half-made by a killed process is told by its owner.
Result<Done> hand_over(const Store& store, const char* user, const Fd& below, uid_t uid, gid_t gid)
{
    const bool mounted = mount_tmpfs(below);
    const Fd top(::openat(store.user.get(), user, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat status {};
    struct stat status_below {};
    struct statfs system {};
    if (!top || ::fstat(top.get(), &status) != 0 || ::fstat(below.get(), &status_below) != 0 ||
        ::fstatfs(top.get(), &system) != 0)
        return system_error(user);
    if (status.st_uid != 0 || (mounted && (system.f_type != TMPFS_MAGIC || status.st_dev == status_below.st_dev)))
        return Error{ErrorCode::untrusted, 0, std::string(user) + ": not what was made"};
    if (::fchmod(top.get(), 0700) != 0 || ::fchown(top.get(), uid, gid) != 0) return system_error(user);
    return Done{};
}

Result<Done> provide(const Store& store, const char* user, uid_t uid, gid_t gid)
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
    // In use by the user's other sessions.
    if (!made && status.stx_uid == uid) return Done{};
    // What is half-made is root's. So is the root of a user's own file system, as long as it says nothing else.
    struct stat above {};
    if (::fstat(store.user.get(), &above) != 0) return system_error(user);
    if (status.stx_uid != 0 || ::makedev(status.stx_dev_major, status.stx_dev_minor) != above.st_dev)
        return Error{ErrorCode::untrusted, 0, std::string(user) + ": something else is there"};
    return hand_over(store, user, found, uid, gid);
}

Result<Done> enter(const Store& store, const std::string& user, uid_t uid, gid_t gid, const std::string& key,
                   Deadline deadline)
{
    // Nobody uses it, so whatever is there still was left behind or put there.
    if (!has_sessions(store, user.c_str()))
        if (auto taken = take_away(store.user.get(), user.c_str(), store.trash.get(), deadline); !taken) return taken;
    if (auto registered = register_session(store.sessions.get(), user, key); !registered) return registered;
    return provide(store, user.c_str(), uid, gid);
}

}  // namespace

Result<std::string> open_runtime_dir(const RuntimeDirs& dirs, uid_t uid, gid_t gid, pid_t session, Deadline deadline)
{
    // To chown(2) these mean "leave it as it is".
    if (uid == static_cast<uid_t>(-1) || gid == static_cast<gid_t>(-1)) return system_error("uid or gid", EINVAL);
    // First, so that no session is taken for ended where /proc tells nothing.
    auto key = session_key(dirs.proc, std::to_string(session));
    if (!key) return std::move(key).error();
    if (!key.value()) return system_error("process " + std::to_string(session), ESRCH);
    const auto store = open_store(dirs.base, make_own_directory);
    if (!store) return store.error();
    if (auto locked = lock(store.value(), deadline); !locked) return std::move(locked).error().in(dirs.base);

    const std::string user = std::to_string(uid);
    sweep(store.value(), dirs.proc, deadline);
    auto entered = enter(store.value(), user, uid, gid, *key.value(), deadline);
    if (!entered) {
        unregister_session(store.value().sessions.get(), user, *key.value());
        sweep(store.value(), dirs.proc, deadline);
    }
    unlock(store.value());
    empty_trash(store.value().trash.get(), deadline.sooner(Deadline::after(longest_tidying)));
    if (!entered) return std::move(entered).error().in(dirs.base + "/user");
    return dirs.base + "/user/" + user;
}

Result<Done> close_runtime_dir(const RuntimeDirs& dirs, uid_t uid, pid_t session, Deadline deadline)
{
    // Where /proc does not know even us, every session would look ended.
    auto self = session_key(dirs.proc, "self");
    auto key = session_key(dirs.proc, std::to_string(session));
    if (!self || !key) return std::move(self ? key : self).error();
    if (!self.value()) return system_error(dirs.proc + "/self", ENOENT);
    const auto store = open_store(dirs.base, open_own_directory);
    if (!store) {
        if (store.error().errno_value == ENOENT) return Done{};  // never opened, or not completely
        return store.error();
    }
    if (auto locked = lock(store.value(), deadline); !locked) return std::move(locked).error().in(dirs.base);

    const std::string user = std::to_string(uid);
    if (key.value()) unregister_session(store.value().sessions.get(), user, *key.value());
    sweep(store.value(), dirs.proc, deadline);
    Result<Done> removed = Done{};
    if (!has_sessions(store.value(), user.c_str()))
        removed = take_away(store.value().user.get(), user.c_str(), store.value().trash.get(), deadline);
    unlock(store.value());
    empty_trash(store.value().trash.get(), deadline);
    if (!removed) return std::move(removed).error().in(dirs.base + "/user");
    return Done{};
}

}  // namespace slurm_adopt
