// SPDX-License-Identifier: GPL-2.0-or-later
// Which key files are taken, and why others are not.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "jwt/key_file.h"
#include "token_support.h"

namespace slurm_adopt::jwt {
namespace {

using namespace token_test;

constexpr uid_t somebody = 61234;

class TokenKey : public ::testing::Test {
protected:
    void SetUp() override
    {
        if (::geteuid() != 0) GTEST_SKIP() << "files of other users need root";
    }
    // The key, or the text of the error behind the file's name.
    [[nodiscard]] std::string read(KeyFormat format = KeyFormat::raw, uid_t owner = 0) const
    {
        const auto key = read_key_file(file, format, owner);
        if (key) return {key.value().bytes().begin(), key.value().bytes().end()};
        const std::string& context = key.error().context;
        EXPECT_EQ(context.find("key file " + file + ": "), 0U) << context;
        EXPECT_EQ(context.find(std::string(test_key.substr(0, 8))), std::string::npos) << context;
        return "no: " + context.substr(std::min(context.size(), file.size() + 11));
    }
    void content(std::string_view bytes, unsigned mode = 0600) const { write_file(file, bytes, mode); }

    Directory directory;
    const std::string file = directory / "key";
};

TEST_F(TokenKey, TheBytesAsTheyAre)
{
    const std::string bytes = std::string(30, '\0') + "\n \n";
    content(bytes);
    EXPECT_EQ(read(), bytes);
    content(bytes, 0400);
    EXPECT_EQ(read(), bytes);
}

TEST_F(TokenKey, OthersPermissions)
{
    for (const unsigned mode : {0640U, 0604U, 0620U, 0602U, 0610U, 0601U, 0644U, 0666U}) {
        content(test_key, mode);
        EXPECT_EQ(read(), "no: others than its owner have permissions: chmod 0400, and make a new key if they could read it")
            << mode;
    }
}

TEST_F(TokenKey, OthersFiles)
{
    content(test_key);
    ASSERT_EQ(::chown(file.c_str(), somebody, 0), 0);
    EXPECT_EQ(read(), "no: belongs to 61234, not to root: whoever owns it can sign as anybody");
    EXPECT_EQ(read(KeyFormat::raw, somebody), test_key);
    EXPECT_EQ(read(KeyFormat::raw, somebody + 1), "no: belongs to 61234, not to 61235: whoever owns it can sign as anybody");
    ASSERT_EQ(::chown(file.c_str(), 0, 0), 0);
    EXPECT_EQ(read(KeyFormat::raw, somebody), test_key);  // root's is as good
}

TEST_F(TokenKey, NoRegularFile)
{
    EXPECT_EQ(read(), "no: No such file or directory");
    ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
    EXPECT_EQ(read(), "no: is no regular file");
    ASSERT_EQ(::unlink(file.c_str()), 0);
    ASSERT_EQ(::mkdir(file.c_str(), 0700), 0);
    EXPECT_EQ(read(), "no: is no regular file");
    ASSERT_EQ(::rmdir(file.c_str()), 0);
    write_file(directory / "real", test_key);
    ASSERT_EQ(::symlink("real", file.c_str()), 0);
    EXPECT_EQ(read(), "no: is a symbolic link: name the file itself");
    const auto null = read_key_file("/dev/null", KeyFormat::raw, 0);
    ASSERT_FALSE(null.ok());
    EXPECT_EQ(null.error().context, "key file /dev/null: is no regular file");
}

TEST_F(TokenKey, Sizes)
{
    content("");
    EXPECT_EQ(read(), "no: is empty");
    EXPECT_EQ(read(KeyFormat::base64), "no: is empty");
    content(std::string(31, 'k'));
    EXPECT_EQ(read(), "no: the key has 31 bytes; HS256 needs 32 to 8192");
    content(std::string(32, 'k'));
    EXPECT_EQ(read().size(), 32U);
    content(std::string(8192, 'k'));
    EXPECT_EQ(read().size(), 8192U);
    content(std::string(8193, 'k'));
    EXPECT_EQ(read(), "no: the key has 8193 bytes; HS256 needs 32 to 8192");
    content(std::string(100000, 'k'));
    EXPECT_EQ(read(), "no: larger than any key; is it the right file?");
}

TEST_F(TokenKey, Base64)
{
    std::string bytes;
    for (unsigned value = 0; value < 256; ++value) bytes += static_cast<char>(value);
    const std::string text = base64(bytes);
    std::string wrapped = text + "\n";
    for (std::size_t at = 76; at < wrapped.size(); at += 77) wrapped.insert(at, "\n");
    const std::string unpadded = text.substr(0, text.find('='));
    for (const std::string& good :
         {text, text + "\n", text + "\r\n", wrapped, unpadded, base64url(bytes), base64url(bytes) + "\n"}) {
        content(good);
        EXPECT_EQ(read(KeyFormat::base64), bytes) << good;
        EXPECT_EQ(read(KeyFormat::raw), good);  // as slurmctld would take it
    }
    const std::string mixed = base64(bytes).replace(text.find('+'), 1, "-");
    for (const std::string& bad : {mixed, "=" + text, text + "=", text + "A", unpadded + "=", text + "===", " " + text,
                                   text + " ", "*" + text, text.substr(1), std::string(40, '='), std::string("\n\n")}) {
        content(bad);
        EXPECT_EQ(read(KeyFormat::base64), "no: not Base64 (RFC 4648)") << bad;
    }
    content(base64(std::string(31, 'k')));
    EXPECT_EQ(read(KeyFormat::base64), "no: the key has 31 bytes; HS256 needs 32 to 8192");
}

TEST_F(TokenKey, ASecretMovesAndShrinks)
{
    Secret first = secret_of("0123456789");
    first.shrink(4);
    first.shrink(100);
    EXPECT_EQ(first.bytes().size(), 4U);
    Secret second = std::move(first);
    EXPECT_EQ(std::string(second.bytes().begin(), second.bytes().end()), "0123");
    second = secret_of("abc");
    EXPECT_EQ(std::string(second.bytes().begin(), second.bytes().end()), "abc");
}

}  // namespace
}  // namespace slurm_adopt::jwt
