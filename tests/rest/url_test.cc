// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rest/api_version.h"
#include "rest/rest_url.h"
#include "support/listening_socket.h"
#include "support/temp_directory.h"
#include "text_source.h"

namespace slurm_adopt::rest::test {
namespace {

constexpr uid_t user = 1000;

TEST(RestUrl, Forms)
{
    const auto plain = parse_rest_url("http://ctl:6820");
    ASSERT_TRUE(plain.ok());
    EXPECT_EQ(plain.value().base, "http://ctl:6820");
    EXPECT_EQ(plain.value().socket_path, "");
    EXPECT_FALSE(plain.value().is_encrypted);
    const auto encrypted = parse_rest_url("https://[2001:db8::1]:443/");
    ASSERT_TRUE(encrypted.ok());
    EXPECT_EQ(encrypted.value().base, "https://[2001:db8::1]:443");
    EXPECT_TRUE(encrypted.value().is_encrypted);
    const auto socket = parse_rest_url("unix:/run/slurmrestd.socket");
    ASSERT_TRUE(socket.ok());
    EXPECT_EQ(socket.value().socket_path, "/run/slurmrestd.socket");
    EXPECT_FALSE(socket.value().is_encrypted);
}

TEST(RestUrl, NothingElse)
{
    for (const char* text : {"", "ctl:6820", "ftp://ctl", "file:///etc/shadow", "HTTP://ctl", "http:/ctl", "http://", "http:///", "https://:6820", "http://user@ctl",
                             "http://user:password@ctl", "http://ctl?x=1", "http://ctl#x", "http://ctl\r\nX: y", "http://a b", "http://ctl\\x", "unix:", "unix:run/x",
                             "unix:/run/\n"})
        EXPECT_FALSE(parse_rest_url(text).ok()) << text;
}

class SocketPath : public ::testing::Test {
protected:
    void SetUp() override
    {
        if (::geteuid() != 0) FAIL() << "needs root: what matters is whose a directory is";
        ASSERT_EQ(::mkdir(directory_.c_str(), 0755), 0);
    }
    void TearDown() override
    {
        (void)::unlink((directory_ + "/s").c_str());
        (void)::unlink((directory_ + "/link").c_str());
        (void)::rmdir((directory_ + "/sub").c_str());
        (void)::rmdir(directory_.c_str());
    }
    // Not below /tmp, where everybody may write.
    const std::string directory_ = "/run/slurm_adopt_rest_test." + std::to_string(::getpid());
    const std::string path_ = directory_ + "/s";
};

TEST_F(SocketPath, OfRootAndOfADaemon)
{
    const Fd socket = slurm_adopt::test::listen_at(path_);
    EXPECT_TRUE(check_socket_path(path_).ok());
    ASSERT_EQ(::chown(path_.c_str(), user, user), 0);
    EXPECT_TRUE(check_socket_path(path_).ok()) << "in a directory of root's";
    ASSERT_EQ(::chown(directory_.c_str(), user, user), 0);
    EXPECT_TRUE(check_socket_path(path_).ok()) << "as systemd's RuntimeDirectory= makes it";
    ASSERT_EQ(::symlink(path_.c_str(), (directory_ + "/link").c_str()), 0);
    const auto real = check_socket_path(directory_ + "/link");
    ASSERT_TRUE(real.ok());
    EXPECT_EQ(real.value(), path_);
}

TEST_F(SocketPath, NotWhereOthersCouldPutAnotherOne)
{
    const Fd socket = slurm_adopt::test::listen_at(path_);
    ASSERT_EQ(::chown(directory_.c_str(), user, user), 0);
    EXPECT_FALSE(check_socket_path(path_).ok()) << "root's socket in a user's directory";
    ASSERT_EQ(::chown(directory_.c_str(), 0, 0), 0);
    for (const mode_t mode : {0775U, 0757U, 01777U}) {
        ASSERT_EQ(::chmod(directory_.c_str(), mode), 0);
        EXPECT_FALSE(check_socket_path(path_).ok()) << std::oct << mode;
    }
}

TEST_F(SocketPath, NotWhatIsNoSocket)
{
    EXPECT_FALSE(check_socket_path(path_).ok()) << "not there";
    EXPECT_FALSE(check_socket_path("/dev/null").ok());
    EXPECT_FALSE(check_socket_path(directory_).ok());
}

TEST(ApiVersion, Paths)
{
    EXPECT_EQ(jobs_path(38), "/slurm/v0.0.38/jobs/");
    EXPECT_EQ(jobs_path(39), "/slurm/v0.0.39/jobs/");
    EXPECT_EQ(jobs_path(40), "/slurm/v0.0.40/jobs/?flags=ALL");
    EXPECT_EQ(jobs_path(46), "/slurm/v0.0.46/jobs/?flags=ALL");
    EXPECT_EQ(job_path(38, 7), "/slurm/v0.0.38/job/7");
    EXPECT_EQ(job_path(42, 4294967293), "/slurm/v0.0.42/job/4294967293");
}

std::optional<std::uint32_t> newer(const std::string& text)
{
    TextSource source(text);
    const auto found = find_newer_version(source);
    EXPECT_TRUE(found.ok()) << text;
    return found ? found.value() : std::nullopt;
}

TEST(ApiVersion, OfAServerThatIsNewerThanWe)
{
    EXPECT_EQ(newer(R"({"paths": {"/slurm/v0.0.48/jobs/": {}, "/slurm/v0.0.47/jobs/": {}, "/slurm/v0.0.46/job/{job_id}": {}}})"), 47U);
    EXPECT_EQ(newer(R"({"openapi": "3.0", "paths": {"/slurm/v0.0.46/jobs": {"get": {"/slurm/v0.0.49/jobs": 1}}}})"), 46U);
    EXPECT_EQ(newer(R"({"paths": {"/slurm/v0.0.44/jobs/": {}, "/slurmdb/v0.0.47/jobs/": {}, "/slurm/v0.0./jobs/": {}, "/slurm/v0.0.x/jobs/": {}, "/slurm/v0.0.50/": {}}})"),
              std::nullopt);
    EXPECT_EQ(newer(R"({"other": {"/slurm/v0.0.46/jobs": 1}})"), std::nullopt);
    EXPECT_EQ(newer("[]"), std::nullopt);
    TextSource page("<html>");
    EXPECT_FALSE(find_newer_version(page).ok());
}

}  // namespace
}  // namespace slurm_adopt::rest::test
