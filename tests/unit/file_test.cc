// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>

#include "slurm_adopt/fd.h"
#include "support/descriptors.h"
#include "support/temp_directory.h"

namespace slurm_adopt {
namespace {

TEST(ReadFile, ReadsWhatIsThere)
{
    const test::TempDirectory directory;
    for (const std::size_t size : {0U, 1U, 4095U, 4096U, 4097U, 100000U}) {
        const std::string text(size, 'x');
        const auto read = read_file(directory.write("file", text), 100000);
        ASSERT_TRUE(read) << size;
        EXPECT_EQ(read.value(), text) << size;
    }
    const auto bytes = read_file(directory.write("bytes", std::string("a\0b", 3)), 100);
    ASSERT_TRUE(bytes);
    EXPECT_EQ(bytes.value(), std::string("a\0b", 3));
}

TEST(ReadFile, ReadsProcWhoseFilesHaveNoSize)
{
    const auto status = read_file("/proc/self/status", 65536);
    ASSERT_TRUE(status);
    EXPECT_NE(status.value().find("\nPid:\t" + std::to_string(::getpid()) + "\n"), std::string::npos);
}

TEST(ReadFile, TooLargeIsAnErrorAndNeverACutText)
{
    const test::TempDirectory directory;
    const std::string path = directory.write("file", std::string(5000, 'x'));
    EXPECT_TRUE(read_file(path, 5000));
    for (const std::size_t most : {0U, 1U, 4095U, 4096U, 4999U}) {
        const auto read = read_file(path, most);
        ASSERT_FALSE(read) << most;
        EXPECT_EQ(read.error().code, ErrorCode::too_large) << most;
        EXPECT_NE(read.error().context.find(path), std::string::npos) << "the log has to say which file";
    }
    const auto endless = read_file("/dev/zero", 1'000'000);
    ASSERT_FALSE(endless);
    EXPECT_EQ(endless.error().code, ErrorCode::too_large);
}

TEST(ReadFile, MissingAndUnreadableSayWhy)
{
    const test::TempDirectory directory;
    const auto missing = read_file(directory / "none", 100);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::system);
    EXPECT_EQ(missing.error().errno_value, ENOENT);
    EXPECT_EQ(missing.error().context, directory / "none" + ": No such file or directory");
    const auto is_directory = read_file(directory.path(), 100);
    ASSERT_FALSE(is_directory);
    EXPECT_EQ(is_directory.error().errno_value, EISDIR);
}

TEST(ReadFile, AFifoDoesNotBlock)
{
    const test::TempDirectory directory;
    const std::string fifo = directory / "fifo";
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    const auto begin = std::chrono::steady_clock::now();
    (void)read_file(fifo, 100);  // nobody writes
    const Fd both_ends(::open(fifo.c_str(), O_RDWR | O_CLOEXEC));
    EXPECT_FALSE(read_file(fifo, 100)) << "a writer who says nothing";
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
}

TEST(ReadFile, LeavesNoDescriptorOpen)
{
    const test::TempDirectory directory;
    const std::string path = directory.write("file", std::string(5000, 'x'));
    const auto before = test::open_descriptors();
    (void)read_file(path, 10);
    (void)read_file(path, 10000);
    (void)read_file(directory / "none", 10);
    (void)read_file(directory.path(), 10);
    EXPECT_EQ(test::open_descriptors(), before);
}

}  // namespace
}  // namespace slurm_adopt
