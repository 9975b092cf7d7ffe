// SPDX-License-Identifier: GPL-2.0-or-later
// Replacing a configuration file of root's: the old one or the new one is there at every moment, and whole.
#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "slurm_adopt/fd.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt::tool {

// A file that is being edited. While this lives its directory is locked (flock(2)) against others that edit by this
// class; the lock is the kernel's, and gone with the process however it ends.
class EditedFile {
public:
    // Refused, with what to do: no such file; a symbolic link (what it points to belongs to somebody else: authselect, a
    // package, a shared image; an edit there is theirs, and a file in place of the link would cut them off); a file with
    // several hard links, for the same reason; not root's or writable by others, as its directory; one that somebody else
    // edits now.
    [[nodiscard]] static Result<EditedFile> open(const std::string& path);

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] const std::string& text() const { return text_; }

    // Owner, mode and extended attributes are kept (ACL, SELinux label). Written beside it, flushed to the disk, renamed.
    // Refused where somebody has changed the file since open(). After an error the old file is as it was.
    [[nodiscard]] Result<Done> replace(const std::string& text) const;

    // A copy of the file as it was at open(), beside it; its path. One of the same content that is there already will do;
    // one of other content is never written over.
    [[nodiscard]] Result<std::string> back_up() const;
    // Removes the backups whose content is `text`; how many. What cannot be removed stays.
    unsigned remove_backups(const std::string& text) const;
    [[nodiscard]] std::vector<std::string> backups() const;  // the paths of those that are there

private:
    EditedFile(std::string path, Fd directory, Fd file, const struct stat& status, std::string text);
    [[nodiscard]] Result<Done> write_new(const std::string& text) const;
    [[nodiscard]] Result<Done> copy_attributes(const Fd& to) const;
    [[nodiscard]] std::string name() const { return path_.substr(path_.rfind('/') + 1); }
    [[nodiscard]] std::string new_name() const { return '.' + name() + ".slurm-adopt-new"; }  // no service has such a name
    [[nodiscard]] std::string backup_name(unsigned number) const;
    [[nodiscard]] std::string directory() const { return path_.substr(0, path_.rfind('/')); }

    std::string path_;
    Fd directory_;
    Fd file_;
    struct stat status_ {};
    std::string text_;
};

}  // namespace slurm_adopt::tool
