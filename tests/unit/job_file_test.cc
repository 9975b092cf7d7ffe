// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/job_file.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>

#include "support/private_run.h"
#include "support/temp_directory.h"

namespace slurm_adopt {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

constexpr uid_t someone = 12345;
constexpr uid_t other = 12346;

TEST(JobId, IsANumberAndNothingElse)
{
    for (const auto& [text, id] : {std::pair("1", 1U), {"123", 123U}, {"007", 7U}, {"67043328", 67043328U}, {"4294967295", 4294967295U}}) {
        const auto job = parse_job_id(text);
        ASSERT_TRUE(job) << text << ": " << job.error().context;
        EXPECT_EQ(job.value(), id);
    }
    for (const char* text : {"", "0", "-1", "+1", "1 ", " 1", "1.5", "0x10", "4294967296", "99999999999999999999", "one", "1\n", "\xef\xbc\x91"}) {
        const auto job = parse_job_id(text);
        ASSERT_FALSE(job) << text;
        EXPECT_NE(job.error().context.find("is no job id: a job id is a number"), std::string::npos) << job.error().context;
    }
    for (const char* text : {"123_4", "123_[1-5]", "123+0", "123+1"}) {
        const auto job = parse_job_id(text);
        ASSERT_FALSE(job) << text;
        EXPECT_NE(job.error().context.find("squeue --me -O JobArrayID,JobID"), std::string::npos) << job.error().context;
    }
    const std::string escape = parse_job_id("\x1b[2J" + std::string(5000, 'x')).error().context;
    EXPECT_EQ(escape.find('\x1b'), std::string::npos);
    EXPECT_LT(escape.size(), 200U);
}

TEST(JobFile, HasOneLineWithAJobId)
{
    for (const std::string& text : {"123"s, "123\n"s, "123\r\n"s, " 123\t\n"s, "123\n\n"s, "  123"s, std::string(61, ' ') + "123"}) {
        const auto job = parse_job_file(text);
        ASSERT_TRUE(job) << text << ": " << job.error().context;
        EXPECT_EQ(job.value(), 123U);
    }
    const std::pair<std::string, const char*> wrong[] = {
        {"", "it is empty"},
        {"\n", "it is empty"},
        {" \t\r\n", "it is empty"},
        {"1\n2\n", "it has more than one line"},
        {"\n1\n", "it has more than one line"},
        {"1 2", "'1 2' is no job id: a job id is a number"},
        {"123 # mine", "'123 # mine' is no job id: a job id is a number"},
        {"12\0003"s, "'12?3' is no job id: a job id is a number"},
        {"job", "'job' is no job id: a job id is a number"},
    };
    for (const auto& [text, why] : wrong) {
        const auto job = parse_job_file(text);
        ASSERT_FALSE(job) << text;
        EXPECT_EQ(job.error().context, why);
    }
}

// What a home holds, and what is read in it: as this process is, and as the user in a process of its own.
class JobFileInAHome : public ::testing::Test {
protected:
    JobFileInAHome() { own(home_.path()); }
    void SetUp() override { ASSERT_TRUE(run_.works()) << "these tests need root"; }

    [[nodiscard]] std::string config() const { return home_ / ".config"; }
    [[nodiscard]] std::string directory() const { return config() + "/slurm-adopt"; }
    [[nodiscard]] std::string file() const { return directory() + "/job"; }
    static void own(const std::string& path, uid_t uid = someone) { EXPECT_EQ(::lchown(path.c_str(), uid, uid), 0) << path; }
    void make_directory() const
    {
        for (const std::string& path : {config(), directory()}) {
            EXPECT_EQ(::mkdir(path.c_str(), 0700), 0) << path;
            own(path);
        }
    }
    void write(const std::string& text, uid_t uid = someone) const
    {
        make_directory();
        (void)home_.write(".config/slurm-adopt/job", text);
        own(file(), uid);
    }
    void clear() const { std::filesystem::remove_all(config()); }

    [[nodiscard]] Result<std::optional<std::uint32_t>> read() const
    {
        const User user{.uid = someone, .gid = someone, .home = home_.path()};
        const JobFile here = read_job_file(config().c_str(), someone);
        const auto there = read_job_file_as(user, Deadline::after(5s));
        if (!there) return there.error();
        EXPECT_EQ(std::memcmp(here.text.data(), there.value().text.data(), here.text.size()), 0);
        EXPECT_EQ(here.size, there.value().size);
        EXPECT_EQ(here.state, there.value().state);
        return job_in(there.value());
    }
    void expect_wrong(const std::string& why) const
    {
        const auto job = read();
        ASSERT_FALSE(job) << why;
        EXPECT_EQ(job.error().context, why);
    }

    const test::PrivateRun run_;
    const test::TempDirectory home_;
};

TEST_F(JobFileInAHome, IsRead)
{
    write("123\n");
    auto job = read();
    ASSERT_TRUE(job) << job.error().context;
    EXPECT_EQ(job.value(), 123U);
    clear();
    write(std::string(61, ' ') + "456");
    job = read();
    ASSERT_TRUE(job) << "64 bytes: " << job.error().context;
    EXPECT_EQ(job.value(), 456U);
    // Dotfiles that are kept elsewhere.
    std::filesystem::rename(config(), home_ / "dotfiles");
    std::filesystem::create_symlink("dotfiles", config());
    job = read();
    ASSERT_TRUE(job) << "linked .config: " << job.error().context;
    EXPECT_EQ(job.value(), 456U);
    std::filesystem::remove(config());
    std::filesystem::remove_all(home_ / "dotfiles");
}

TEST_F(JobFileInAHome, ThatIsNotThereIsNoChoice)
{
    const auto expect_none = [this](const char* what) {
        const auto job = read();
        ASSERT_TRUE(job) << what << ": " << job.error().context;
        EXPECT_FALSE(job.value()) << what;
    };
    expect_none("no .config");
    EXPECT_EQ(::mkdir(config().c_str(), 0755), 0);
    expect_none("no slurm-adopt");
    clear();
    make_directory();
    expect_none("no job");
    const User nowhere{.uid = someone, .gid = someone, .home = home_ / "none"};
    const auto job = read_job_file_as(nowhere, Deadline::after(5s));
    ASSERT_TRUE(job);
    EXPECT_EQ(job.value().state, JobFile::State::absent);
}

TEST_F(JobFileInAHome, ThatIsSomethingElseDoesNotCount)
{
    const std::string target = home_.write("target", "123\n");
    own(target);
    struct Case {
        const char* why;
        std::function<void()> prepare;
    };
    const std::vector<Case> cases = {
        {"it is a symbolic link", [&] { make_directory(); std::filesystem::create_symlink(target, file()); own(file()); }},
        {"it is a symbolic link", [&] { make_directory(); std::filesystem::create_symlink("none", file()); }},
        {"its directory is a symbolic link",
         [&] {
             write("123\n");
             std::filesystem::rename(directory(), config() + "/real");
             std::filesystem::create_symlink("real", directory());
         }},
        {"what should be its directory is none",
         [&] {
             EXPECT_EQ(::mkdir(config().c_str(), 0755), 0);
             (void)home_.write(".config/slurm-adopt", "123\n");
         }},
        {"its directory cannot be reached: Not a directory", [&] { (void)home_.write(".config", "123\n"); }},
        {"it is no regular file", [&] { make_directory(); EXPECT_EQ(::mkfifo(file().c_str(), 0666), 0); own(file()); }},
        {"it is no regular file", [&] { make_directory(); EXPECT_EQ(::mkdir(file().c_str(), 0700), 0); own(file()); }},
        {"it is no regular file", [&] { make_directory(); EXPECT_EQ(::mknod(file().c_str(), S_IFCHR | 0666, 0x0101), 0); own(file()); }},
        {"it is no regular file", [&] { make_directory(); EXPECT_EQ(::mknod(file().c_str(), S_IFSOCK | 0666, 0), 0); own(file()); }},
        {"it belongs to somebody else", [&] { write("123\n", other); }},
        {"it belongs to somebody else", [&] { write("123\n", 0); }},
        {"it is longer than 64 bytes", [&] { write(std::string(64, ' ') + "1"); }},
        {"it is longer than 64 bytes", [&] { write(std::string(1 << 20, '1')); }},
        {"it has more than one line", [&] { write("1\n2\n"); }},
        {"it is empty", [&] { write(""); }},
        {"'job' is no job id: a job id is a number", [&] { write("job\n"); }},
    };
    for (const Case& each : cases) {
        each.prepare();
        expect_wrong(each.why);
        clear();
    }
}

// Root reads what is root's only, and what everybody may: as the user.
TEST_F(JobFileInAHome, IsReadWithTheRightsOfTheUser)
{
    write("123\n");
    EXPECT_EQ(::chmod(file().c_str(), 0000), 0);
    const User user{.uid = someone, .gid = someone, .home = home_.path()};
    auto job = read_job_file_as(user, Deadline::after(5s));
    ASSERT_TRUE(job);
    EXPECT_EQ(job_in(job.value()).error().context, "it cannot be read: Permission denied");
    EXPECT_EQ(::chmod(file().c_str(), 0400), 0);
    own(directory(), 0);
    job = read_job_file_as(user, Deadline::after(5s));
    ASSERT_TRUE(job);
    EXPECT_EQ(job_in(job.value()).error().context, "it cannot be read: Permission denied");
    EXPECT_EQ(job_in(read_job_file(config().c_str(), someone)).value(), 123U) << "root can";
}

TEST_F(JobFileInAHome, WithoutAHomeThereIsNone)
{
    for (const char* home : {"", "home/someone", "."}) {
        const User user{.uid = someone, .gid = someone, .home = home};
        const auto job = read_job_file_as(user, Deadline::after(5s));
        ASSERT_FALSE(job) << home;
        EXPECT_EQ(job.error().context, "the user database names no home directory");
    }
}

TEST(JobFile, AnAnswerThatIsNoneIsAnError)
{
    JobFile file;
    file.state = static_cast<JobFile::State>(99);
    EXPECT_FALSE(job_in(file));
    file.state = JobFile::State::read;
    file.size = 1'000'000;
    file.text.fill('1');
    EXPECT_FALSE(job_in(file)) << "more than there is room for";
}

}  // namespace
}  // namespace slurm_adopt
