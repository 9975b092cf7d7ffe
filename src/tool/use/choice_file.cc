// SPDX-License-Identifier: GPL-2.0-or-later
#include "use/choice_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <random>

#include "slurm_adopt/fd.h"
#include "slurm_adopt/job_file.h"
#include "write_all.h"

namespace slurm_adopt::tool {
namespace {

constexpr mode_t for_the_user_alone = 0700;

std::string config_of(const std::string& home)
{
    return home + std::string(job_file_config);
}

std::string directory_of(const std::string& home)
{
    return config_of(home) + '/' + job_file_directory;
}

Error refused(const std::string& path, const char* why)
{
    return Error{ErrorCode::untrusted, 0, path + why};
}

Result<Fd> open_directory(const std::string& home)
{
    const Fd config(::open(config_of(home).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!config) return system_error(config_of(home));
    Fd directory(::openat(config.get(), job_file_directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (directory) return directory;
    if (errno == ENOTDIR || errno == ELOOP)
        return refused(directory_of(home), ": a symbolic link or no directory, which a login does not follow; remove it");
    return system_error(directory_of(home));
}

Result<Fd> make_directory(const std::string& home)
{
    for (const std::string& path : {config_of(home), directory_of(home)})
        if (::mkdir(path.c_str(), for_the_user_alone) != 0 && errno != EEXIST) return system_error(path);
    return open_directory(home);
}

Result<Done> check_replaceable(const Fd& directory, const std::string& path)
{
    struct stat status {};
    if (::fstatat(directory.get(), job_file_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? Result<Done>(Done{}) : Result<Done>(system_error(path));
    if (S_ISREG(status.st_mode)) return Done{};
    return refused(path, S_ISDIR(status.st_mode) ? ": a directory; remove it"
                                                 : ": a symbolic link or no regular file; remove it with slurm-adopt use --clear");
}

}  // namespace

Result<Done> write_choice(const std::string& home, std::uint32_t job_id)
{
    const auto directory = make_directory(home);
    if (!directory) return directory.error();
    const std::string path = directory_of(home) + '/' + job_file_name;
    if (auto fine = check_replaceable(directory.value(), path); !fine) return fine;

    // A number that nobody else has: several machines may share the home.
    const std::string name = '.' + std::string(job_file_name) + '.' + std::to_string(std::random_device{}());
    const Fd fd(::openat(directory.value().get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) return system_error(path);
    Result<Done> done = write_all(fd.get(), std::to_string(job_id) + '\n', path);
    // A home on a server says only here that it is full.
    if (done.ok() && ::fsync(fd.get()) != 0) done = system_error(path);
    if (done.ok() && ::renameat(directory.value().get(), name.c_str(), directory.value().get(), job_file_name) != 0)
        done = system_error(path);
    if (!done.ok()) (void)::unlinkat(directory.value().get(), name.c_str(), 0);
    return done;
}

Result<bool> clear_choice(const std::string& home)
{
    const auto directory = open_directory(home);
    if (!directory && directory.error().errno_value == ENOENT) return false;
    if (!directory) return directory.error();
    if (::unlinkat(directory.value().get(), job_file_name, 0) == 0) return true;
    if (errno == ENOENT) return false;
    return system_error(directory_of(home) + '/' + job_file_name);
}

}  // namespace slurm_adopt::tool
