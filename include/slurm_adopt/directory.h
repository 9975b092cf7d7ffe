// SPDX-License-Identifier: GPL-2.0-or-later
// Directories by descriptor: what is below a held descriptor cannot be swapped by renaming its path.
#pragma once

#include <dirent.h>
#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "slurm_adopt/fd.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt {

// Opens a directory of root's that nobody else may write to, and gives it the permissions `mode`. `parent` may be
// AT_FDCWD. ErrorCode::untrusted: it is a symbolic link, no directory, not root's, or writable by others; errno_value
// ENOENT: there is none.
[[nodiscard]] Result<Fd> open_own_directory(int parent, const char* name, mode_t mode);

// The same, made if there is none, whatever the umask.
[[nodiscard]] Result<Fd> make_own_directory(int parent, const char* name, mode_t mode);

// Those of a directory that is open for reading, from where it was read last, that begin with `prefix`. Unreadable is the
// same as empty.
[[nodiscard]] std::vector<std::string> names_in(const Fd& directory, std::string_view prefix);

// The names in a directory, "." and ".." left out. Entries may be removed while it is read; some may be missed then.
class Listing {
public:
    // Opens `name` below `parent`, but neither a symbolic link nor the root of another mount (openat2(2),
    // RESOLVE_NO_XDEV; by its device number on kernels before 5.6).
    Listing(int parent, const char* name);
    Listing(const Listing&) = delete;
    Listing& operator=(const Listing&) = delete;
    ~Listing();

    [[nodiscard]] explicit operator bool() const { return stream_ != nullptr; }  // false: errno says why
    [[nodiscard]] int descriptor() const { return ::dirfd(stream_); }
    // nullptr at the end, or where it cannot be read on: failed(). Valid until the next call.
    [[nodiscard]] const char* next();
    // Names may be missing since the last rewind().
    [[nodiscard]] bool failed() const { return failed_; }
    void rewind();

private:
    DIR* stream_ = nullptr;
    bool failed_ = false;
};

}  // namespace slurm_adopt
