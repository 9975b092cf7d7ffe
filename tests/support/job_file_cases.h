// SPDX-License-Identifier: GPL-2.0-or-later
// A user's ~/.config/slurm-adopt/job, and everything it may be that is no choice. For tests that are root.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace slurm_adopt::test {

class JobFileOf {
public:
    JobFileOf(std::string home, uid_t owner) : home_(std::move(home)), owner_(owner) {}

    [[nodiscard]] const std::string& home() const { return home_; }
    [[nodiscard]] std::string config() const { return home_ + "/.config"; }
    [[nodiscard]] std::string directory() const { return config() + "/slurm-adopt"; }
    [[nodiscard]] std::string file() const { return directory() + "/job"; }
    void make_directory() const
    {
        for (const std::string& path : {config(), directory()}) {
            std::filesystem::create_directory(path);
            own(path, owner_);
        }
    }
    void write(const std::string& text) const { write(text, owner_); }
    void write(const std::string& text, uid_t owner) const
    {
        make_directory();
        std::ofstream(file(), std::ios::binary) << text;
        own(file(), owner);
    }
    void own() const { own(file(), owner_); }
    void clear() const { std::filesystem::remove_all(config()); }

private:
    static void own(const std::string& path, uid_t owner) { EXPECT_EQ(::lchown(path.c_str(), owner, owner), 0) << path; }

    std::string home_;
    uid_t owner_;
};

struct JobFileCase {
    const char* why;  // as it is logged
    std::function<void(const JobFileOf&)> prepare;
};

// Where a case has a number in it, it is that of `job`; `other` is another user.
inline std::vector<JobFileCase> job_file_cases(const std::string& job, uid_t other)
{
    return {
        {"it is a symbolic link",
         [=](const JobFileOf& of) {
             of.write(job);
             std::filesystem::rename(of.file(), of.directory() + "/other");
             std::filesystem::create_symlink("other", of.file());
             of.own();
         }},
        {"its directory is a symbolic link",
         [=](const JobFileOf& of) {
             of.write(job);
             std::filesystem::rename(of.directory(), of.config() + "/real");
             std::filesystem::create_symlink("real", of.directory());
         }},
        {"it is no regular file",
         [](const JobFileOf& of) {
             of.make_directory();
             EXPECT_EQ(::mkfifo(of.file().c_str(), 0666), 0);
             of.own();
         }},
        {"it is no regular file",
         [](const JobFileOf& of) {
             of.make_directory();
             std::filesystem::create_directory(of.file());
             of.own();
         }},
        {"it belongs to somebody else", [=](const JobFileOf& of) { of.write(job, other); }},
        {"it belongs to somebody else", [=](const JobFileOf& of) { of.write(job, 0); }},
        {"it is longer than 64 bytes", [=](const JobFileOf& of) { of.write(job + std::string(64, ' ')); }},
        {"it has more than one line", [=](const JobFileOf& of) { of.write(job + "\n4\n"); }},
        {"it is empty", [](const JobFileOf& of) { of.write("\n"); }},
        {"'?[31mthree' is no job id: a job id is a number", [](const JobFileOf& of) { of.write("\x1b[31mthree"); }},
        {"it cannot be read: Permission denied",
         [=](const JobFileOf& of) {
             of.write(job);
             EXPECT_EQ(::chmod(of.file().c_str(), 0), 0);
         }},
        {"its directory cannot be reached: Permission denied",
         [=](const JobFileOf& of) {
             of.write(job);
             EXPECT_EQ(::chmod(of.config().c_str(), 0), 0);
         }},
    };
}

}  // namespace slurm_adopt::test
