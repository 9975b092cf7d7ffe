// SPDX-License-Identifier: GPL-2.0-or-later
// Which key files are refused, each with a text of its own: who owns them, who may read or write them, what they are.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "../refusal.h"
#include "called_plugin.h"
#include "key_files.h"

namespace slurm_adopt::cred_test {
namespace {

using cred_ed25519::Refusal;

class KeyFile : public ::testing::Test {
protected:
    KeyFile() : pair(make_pair("ED25519"))
    {
        set_slurm_user(0);
        (void)take_log();
    }
    ~KeyFile() override { set_slurm_user(0); }
    KeyFile(const KeyFile&) = delete;
    KeyFile& operator=(const KeyFile&) = delete;

    KeyFiles files;
    Pair pair;
};

// The one line that was logged names the kind, the file and the reason, and then `detail`; errno is the reason's number.
void expect_refused(bool is_private, const char* path, Refusal why, const std::string& detail = "")
{
    const int number = static_cast<int>(why);
    errno = 0;
    void* const key = is_private ? plugin().read_private_key(path) : plugin().read_public_key(path);
    EXPECT_EQ(errno, number);
    EXPECT_EQ(key, nullptr);
    const auto log = take_log();
    ASSERT_EQ(log.size(), 1U);
    EXPECT_EQ(log.front(), std::string("error: cred/ed25519: ") + (is_private ? "private" : "public") + " key " +
                               (path == nullptr ? "(none)" : path) + ": " + plugin().str_error(number) +
                               (detail.empty() ? "" : " (" + detail + ")"));
}

void expect_taken(bool is_private, const std::string& path)
{
    const ReadKey key(is_private ? plugin().read_private_key(path.c_str()) : plugin().read_public_key(path.c_str()));
    EXPECT_NE(key.get(), nullptr);
    const auto log = take_log();
    ASSERT_EQ(log.size(), 1U);
    EXPECT_TRUE(log.front().starts_with(std::string("info: cred/ed25519: ") + (is_private ? "private" : "public") + " key " +
                                        path + ": id "))
        << log.front();
}

TEST_F(KeyFile, NoPathIsRefused)
{
    for (const char* path : {static_cast<const char*>(nullptr), ""}) {
        expect_refused(true, path, Refusal::no_path);
        expect_refused(false, path, Refusal::no_path);
    }
}

TEST_F(KeyFile, OneThatIsMissingIsRefused)
{
    const std::string path = files / "none.pem";
    expect_refused(true, path.c_str(), Refusal::cannot_open, "errno: No such file or directory");
    expect_refused(false, path.c_str(), Refusal::cannot_open, "errno: No such file or directory");
}

TEST_F(KeyFile, EachModeOfThePrivateKey)
{
    for (const mode_t mode : {0400U, 0600U}) expect_taken(true, files.write(pair.private_pem, mode));
    for (const mode_t mode : {0644U, 0640U, 0604U, 0620U, 0602U, 0610U, 0601U}) {
        char text[16] = "";
        (void)std::snprintf(text, sizeof text, "mode %04o", mode);
        expect_refused(true, files.write(pair.private_pem, mode).c_str(), Refusal::private_exposed, text);
    }
}

TEST_F(KeyFile, EachModeOfThePublicKey)
{
    for (const mode_t mode : {0400U, 0600U, 0644U, 0444U}) expect_taken(false, files.write(pair.public_pem, mode));
    for (const mode_t mode : {0664U, 0646U, 0666U}) {
        char text[16] = "";
        (void)std::snprintf(text, sizeof text, "mode %04o", mode);
        expect_refused(false, files.write(pair.public_pem, mode).c_str(), Refusal::public_writable, text);
    }
}

TEST_F(KeyFile, OfRootOrSlurmUser)
{
    const std::string private_path = files.write(pair.private_pem, 0400);
    const std::string public_path = files.write(pair.public_pem, 0644, "public.pem");
    ASSERT_EQ(::chown(private_path.c_str(), 64030, 0), 0) << "needs root";
    ASSERT_EQ(::chown(public_path.c_str(), 64030, 0), 0);
    expect_refused(true, private_path.c_str(), Refusal::wrong_owner, "owner 64030, SlurmUser 0");
    expect_refused(false, public_path.c_str(), Refusal::wrong_owner, "owner 64030, SlurmUser 0");
    set_slurm_user(64030);
    expect_taken(true, private_path);
    expect_taken(false, public_path);
    // Root's counts whoever SlurmUser is.
    ASSERT_EQ(::chown(private_path.c_str(), 0, 0), 0);
    expect_taken(true, private_path);
}

TEST_F(KeyFile, ASymbolicLinkIsRefused)
{
    const std::string target = files.write(pair.private_pem, 0400);
    const std::string link = files / "link.pem";
    ASSERT_EQ(::symlink(target.c_str(), link.c_str()), 0);
    expect_refused(true, link.c_str(), Refusal::symbolic_link);
}

TEST_F(KeyFile, WhatIsNoRegularFileIsRefusedAtOnce)
{
    const std::string fifo = files / "fifo";
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    (void)::alarm(20);  // one that waits for a writer ends the test
    expect_refused(true, fifo.c_str(), Refusal::no_regular_file);
    expect_refused(false, fifo.c_str(), Refusal::no_regular_file);
    expect_refused(true, files.path().c_str(), Refusal::no_regular_file);
    expect_refused(true, "/dev/zero", Refusal::no_regular_file);
    (void)::alarm(0);
}

TEST_F(KeyFile, EmptyOrTooLarge)
{
    expect_refused(true, files.write("", 0400).c_str(), Refusal::empty_file);
    expect_refused(false, files.write("", 0644).c_str(), Refusal::empty_file);
    const std::string much(16 * 1024 + 1, '\n');
    expect_refused(false, files.write(pair.public_pem + much.substr(pair.public_pem.size()), 0644).c_str(),
                   Refusal::too_large);
    expect_taken(false, files.write(pair.public_pem + much.substr(pair.public_pem.size() + 1), 0644));
    // Sparse: never read whole.
    const std::string huge = files.write(pair.private_pem, 0400, "huge.pem");
    std::filesystem::resize_file(huge, std::uintmax_t{1} << 40U);
    expect_refused(true, huge.c_str(), Refusal::too_large);
}

TEST_F(KeyFile, OneThatCannotBeReadIsRefused)
{
    expect_refused(true, "/proc/self/mem", Refusal::cannot_read, "errno: Input/output error");
}

}  // namespace
}  // namespace slurm_adopt::cred_test
