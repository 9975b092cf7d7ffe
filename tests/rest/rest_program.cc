// SPDX-License-Identifier: GPL-2.0-or-later
#include "rest_program.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <filesystem>

#include "slurm_adopt/text.h"
#include "tool/token_support.h"

namespace slurm_adopt::rest::test {
namespace {

using namespace helper_wire;
using Clock = std::chrono::steady_clock;

// The program itself has 17 MB; an answer of any size adds little to it.
constexpr long most_memory_kb = 32 * 1024;

// A /dev of this process's own, with a syslog of its own.
Fd private_log(const std::string& directory)
{
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) throw std::runtime_error("needs CAP_SYS_ADMIN");
    std::filesystem::create_directory(directory);
    for (const char* name : {"null", "random", "urandom"}) {
        std::ofstream(directory + '/' + name).close();
        if (::mount((std::string("/dev/") + name).c_str(), (directory + '/' + name).c_str(), nullptr, MS_BIND, nullptr) != 0) throw std::runtime_error(name);
    }
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (directory + "/log").copy(address.sun_path, sizeof address.sun_path - 1);
    Fd log(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (::bind(log.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::chmod(address.sun_path, 0666) != 0 ||
        ::mount(directory.c_str(), "/dev", nullptr, MS_BIND | MS_REC, nullptr) != 0)
        throw std::runtime_error("/dev/log");
    return log;
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
long children_kb()
{
    rusage usage{};
    (void)::getrusage(RUSAGE_CHILDREN, &usage);
    return usage.ru_maxrss;
}
#endif

}  // namespace

void set_text(std::span<char> field, const std::string& text)
{
    std::fill(field.begin(), field.end(), '\0');
    (void)text.copy(field.data(), field.size() - 1);
}

void RestProgram::SetUp()
{
    if (::geteuid() != 0) FAIL() << "needs root";
    log_ = private_log(directory_ / "dev");
    const std::string payload = R"({"exp":)" + std::to_string(std::time(nullptr) + 600) + R"(,"iat":1,"sun":"slurm"})";
    token_ = token_test::signed_token(token_test::usual_header, payload);
}

// What is mounted could not be removed.
void RestProgram::TearDown()
{
    (void)::umount2("/dev", MNT_DETACH);
    for (const char* name : {"null", "random", "urandom"}) (void)::umount2((directory_ / "dev/" + name).c_str(), MNT_DETACH);
}

std::string RestProgram::file(const std::string& name, const std::string& content, unsigned mode) const
{
    (void)::unlink((directory_ / name).c_str());
    token_test::write_file(directory_ / name, content, mode);
    return directory_ / name;
}

JobsRequest RestProgram::request_to(const std::string& url) const
{
    JobsRequest request;
    request.controller = by_rest;
    request.uid = 1000;
    request.patience_ms = static_cast<std::uint32_t>(usual_patience.count());
    set_text(request.node, "n1");
    set_text(request.url, url);
    set_text(request.token_file, file("token", token_ + "\n"));
    return request;
}

Asked RestProgram::ask(const JobsRequest& request, const std::vector<std::string>& environment) const
{
    Asked asked;
    const auto begin = Clock::now();
    slurm_adopt::test::HelperProcess program(environment);
    program.send(encode(Verb::jobs, request, ::getpid(), highest_log_level));
    const auto bytes = program.receive();
    asked.end = program.end();
    asked.took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
    EXPECT_EQ(program.error_output(), "");
    asked.log = log();
    EXPECT_EQ(asked.log.find(token_.substr(0, token_.size() - 8)), std::string::npos) << "the token is in the log";
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    EXPECT_LT(children_kb(), most_memory_kb);
#endif
    if (bytes.size() != sizeof(Header) + sizeof(JobsReply)) return asked;
    const auto body = decode_body<JobsReply>(std::span(bytes).subspan(sizeof(Header)));
    EXPECT_TRUE(body.ok());
    if (!body) return asked;
    asked.status = static_cast<JobsStatus>(body.value().status);
    asked.jobs.assign(body.value().jobs.begin(), body.value().jobs.begin() + body.value().count);
    return asked;
}

std::string RestProgram::log() const
{
    std::string lines;
    std::array<char, 4096> line{};
    for (ssize_t got = 0; (got = ::recv(log_.get(), line.data(), line.size(), 0)) > 0;) lines.append(line.data(), static_cast<std::size_t>(got)) += '\n';
    return lines;
}

void RestProgram::expect_failure(const Asked& asked, JobsStatus status, const std::string& words, const std::string& level,
                                 std::chrono::milliseconds patience)
{
    EXPECT_EQ(asked.end, "exited 0");
    EXPECT_EQ(asked.status, status) << asked.log;
    EXPECT_TRUE(asked.jobs.empty());
    EXPECT_LT(asked.took, patience);
    const int priority = LOG_AUTHPRIV | (level == "err" ? LOG_ERR : LOG_DEBUG);
    std::string told;
    for (const std::string_view line : split(asked.log, '\n'))
        if (line.starts_with('<' + std::to_string(priority) + '>') && line.find("trying") == std::string_view::npos) told += std::string(line) + '\n';
    EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 1) << "one line of level " << level << ": " << asked.log;
    EXPECT_NE(told.find("slurm-adopt-rest["), std::string::npos) << told;
    EXPECT_NE(told.find("module_pid=" + std::to_string(::getpid()) + " slurmrestd at "), std::string::npos) << told;
    EXPECT_NE(told.find(words), std::string::npos) << told;
}

std::string job_text(unsigned job_id, const std::string& state)
{
    return R"({"job_id": )" + std::to_string(job_id) + R"(, "user_id": 1000, "job_state": [")" + state + R"("], "nodes": "n[1-3]", "state_reason": "None"})";
}

std::string jobs_text(const std::string& jobs)
{
    return R"({"jobs": [)" + jobs + R"(], "errors": [], "warnings": []})";
}

}  // namespace slurm_adopt::rest::test
