// SPDX-License-Identifier: GPL-2.0-or-later
#include "rest/credential.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jwt/verify.h"
#include "tool/token_support.h"

namespace slurm_adopt::rest::test {
namespace {

using namespace token_test;

constexpr std::int64_t now = 1'800'000'000;

class RestCredential : public ::testing::Test {
protected:
    void SetUp() override
    {
        if (::geteuid() != 0) FAIL() << "needs root: the files have to be root's";
    }
    [[nodiscard]] std::string file(const std::string& content, unsigned mode = 0400) const
    {
        (void)::unlink((directory_ / "file").c_str());
        write_file(directory_ / "file", content, mode);
        return directory_ / "file";
    }
    void expect_error(const std::string& path, const std::string& words) const
    {
        const auto credential = read_token(path, "", now);
        ASSERT_FALSE(credential.ok()) << words;
        EXPECT_NE(credential.error().context.find(words), std::string::npos) << credential.error().context;
        EXPECT_NE(credential.error().context.find(path), std::string::npos) << "names the file: " << credential.error().context;
    }
    const Directory directory_;
    const std::string token_ = signed_token(usual_header, R"({"exp":1800000100,"iat":1799999990,"sun":"slurm"})");
};

TEST_F(RestCredential, ATokenOfAFile)
{
    for (const std::string& content : {token_, token_ + "\n", token_ + "\r\n", "SLURM_JWT=" + token_ + "\n"}) {
        const auto credential = read_token(file(content), "", now);
        ASSERT_TRUE(credential.ok()) << credential.error().context;
        EXPECT_EQ(credential.value().token, token_);
        EXPECT_EQ(credential.value().user, "slurm");
    }
    EXPECT_EQ(read_token(file(token_), "root", now).value().user, "root") << "root's token may speak for others, and who is said";
    const std::string unnamed = signed_token(usual_header, R"({"exp":1800000100,"preferred_username":"alice"})");
    EXPECT_EQ(read_token(file(unnamed), "", now).value().user, "root");
    const std::string endless = signed_token(usual_header, R"({"exp":9223372036854775807,"username":"alice"})");
    EXPECT_EQ(read_token(file(endless), "", now).value().user, "alice");
}

TEST_F(RestCredential, ATokenThatHasExpired)
{
    expect_error(file(signed_token(usual_header, R"({"exp":1800000000,"sun":"root"})")), "has expired");
    expect_error(file(signed_token(usual_header, R"({"exp":1.5,"sun":"root"})")), "has expired");
}

TEST_F(RestCredential, WhatIsNoToken)
{
    for (const std::string& content : {std::string(), std::string("\n"), std::string("token"), token_ + "\n" + token_, token_ + " ", token_ + "\r\nX: y", std::string("a.b.c"),
                                       std::string("a.b.c\0", 6), std::string("SLURM_JWT="), "SLURM_JWT=SLURM_JWT=" + token_})
        expect_error(file(content), "no token");
    expect_error(file(std::string(70'000, 'a')), "larger");
    const auto named = read_token(file(token_), "a\r\nX-Other: b", now);
    ASSERT_FALSE(named.ok());
    EXPECT_EQ(named.error().context.find('\n'), std::string::npos);
}

TEST_F(RestCredential, AFileThatIsNotOnlyRoots)
{
    for (const unsigned mode : {0440U, 0404U, 0420U, 0401U, 0644U}) expect_error(file(token_, mode), "others than root");
    const std::string path = file(token_);
    ASSERT_EQ(::chown(path.c_str(), 1000, 1000), 0);
    expect_error(path, "not belong to root");
    const std::string link = directory_ / "link";
    ASSERT_EQ(::symlink(file(token_).c_str(), link.c_str()), 0);
    expect_error(link, "symbolic link");
    const std::string fifo = directory_ / "fifo";
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0400), 0);
    expect_error(fifo, "no regular file");
    expect_error(directory_ / "nothing", "No such file");
    expect_error("/dev/zero", "no regular file");
}

TEST_F(RestCredential, ATokenMadeWithAKey)
{
    for (const std::string& user : {std::string(), std::string("slurm")}) {
        const auto credential = mint_token(file(std::string(test_key)), user, now);
        ASSERT_TRUE(credential.ok()) << credential.error().context;
        EXPECT_EQ(credential.value().user, user.empty() ? "root" : user);
        const auto verified = jwt::verify(credential.value().token, secret_of(test_key), {.user_claim = "", .now = now, .skew = 0});
        const auto* claims = std::get_if<jwt::Claims>(&verified);
        ASSERT_NE(claims, nullptr);
        EXPECT_EQ(claims->user, credential.value().user);
        EXPECT_EQ(claims->issued, now);
        EXPECT_EQ(claims->expires, now + 300);
    }
    EXPECT_FALSE(mint_token(file(std::string(test_key)), "a\nb", now).ok());
    EXPECT_FALSE(mint_token(file(std::string(test_key), 0440), "", now).ok());
    EXPECT_FALSE(mint_token(file("short"), "", now).ok());
}

TEST_F(RestCredential, Certificates)
{
    const std::string pem = "-----BEGIN CERTIFICATE-----\n";
    EXPECT_EQ(read_certificates(file(pem, 0644)).value(), pem);
    EXPECT_FALSE(read_certificates(file(pem, 0664)).ok());
    EXPECT_FALSE(read_certificates(file("no certificate", 0644)).ok());
    EXPECT_FALSE(read_certificates(directory_ / "nothing").ok());
    ASSERT_EQ(::chown(file(pem).c_str(), 1000, 1000), 0);
    EXPECT_FALSE(read_certificates(directory_ / "file").ok());
}

}  // namespace
}  // namespace slurm_adopt::rest::test
