// SPDX-License-Identifier: GPL-2.0-or-later
// A directory of a test's own, gone with its object.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace slurm_adopt::test {

class TempDirectory {
public:
    TempDirectory()
    {
        std::string name = "/tmp/slurm_adopt_test.XXXXXX";  // short: a socket's path has 107 bytes
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
        path_ = name;
    }
    TempDirectory(const TempDirectory&) = delete;
    TempDirectory& operator=(const TempDirectory&) = delete;
    ~TempDirectory()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + '/' + name; }

    // Makes the directories above it too.
    std::string write(const std::string& name, const std::string& text) const
    {
        const std::filesystem::path file = path_ + '/' + name;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file, std::ios::binary) << text;
        return file;
    }
    std::string make_directory(const std::string& name) const
    {
        std::filesystem::create_directories(path_ + '/' + name);
        return path_ + '/' + name;
    }

private:
    std::string path_;
};

}  // namespace slurm_adopt::test
