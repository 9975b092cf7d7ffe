// SPDX-License-Identifier: GPL-2.0-or-later
#include "token/token_output.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "slurm_adopt/fd.h"
#include "write_all.h"

namespace slurm_adopt::tool {
namespace {

// A file that goes away again unless it is kept.
class NewFile {
public:
    // Beside `path`: a rename cannot leave the file system.
    explicit NewFile(const std::string& path) : name_(path + ".XXXXXX"), fd_(::mkostemp(name_.data(), O_CLOEXEC)) {}
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;
    ~NewFile()
    {
        if (fd_) (void)::unlink(name_.c_str());
    }
    [[nodiscard]] const Fd& fd() const { return fd_; }
    [[nodiscard]] const std::string& name() const { return name_; }
    void keep() { fd_.reset(); }

private:
    std::string name_;
    Fd fd_;
};

}  // namespace

Result<Done> write_private_file(const std::string& path, std::string_view text)
{
    struct stat status {};
    if (::lstat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
        return Error{ErrorCode::refused, 0, "output " + path + ": there is something that is no regular file"};
    NewFile file(path);
    if (!file.fd()) return system_error("output " + path);
    // mkostemp(3) has made it so already; an ACL of the directory's could have added to it.
    if (::fchmod(file.fd().get(), S_IRUSR | S_IWUSR) != 0) return system_error("output " + path);
    if (auto written = write_all(file.fd().get(), text, "output " + path); !written) return written;
    if (::fsync(file.fd().get()) != 0) return system_error("output " + path);
    if (::rename(file.name().c_str(), path.c_str()) != 0) return system_error("output " + path);
    file.keep();
    return Done{};
}

Result<Done> write_stdout(std::string_view text)
{
    return write_all(STDOUT_FILENO, text, "stdout");
}

bool is_open(int fd)
{
    return ::fcntl(fd, F_GETFD) >= 0;
}

}  // namespace slurm_adopt::tool
