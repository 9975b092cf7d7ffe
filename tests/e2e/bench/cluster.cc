// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster.h"

#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "process.h"

namespace slurm_adopt::e2e {
namespace {

std::string variable(const char* name)
{
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') throw std::runtime_error(std::string(name) + " is not set: run me by tests/cluster/cluster.sh");
    return value;
}

std::string find_their_module()
{
    const Finished files = run({.argv = {"dpkg", "-L", "libpam-slurm-adopt"}});
    std::istringstream lines(files.out);
    for (std::string line; std::getline(lines, line);)
        if (line.ends_with("/pam_slurm_adopt.so")) return line;
    return {};
}

std::string control(const std::string& verb, const std::string& daemon)
{
    const Finished done = run({.argv = {cluster().control, verb, daemon}, .timeout = std::chrono::seconds{60}});
    return done.ok() ? std::string() : verb + ' ' + daemon + ": " + done.err;
}

}  // namespace

const Cluster& cluster()
{
    static const Cluster the_cluster = {
        .directory = variable("CLUSTER_DIR"),
        .node = variable("CLUSTER_NODE"),
        .spool = variable("CLUSTER_SPOOL"),
        .syslog = variable("CLUSTER_SYSLOG"),
        .keys = variable("CLUSTER_KEYS"),
        .control = variable("CLUSTER_CTL"),
        .module = variable("SLURM_ADOPT_MODULE"),
        .their_module = find_their_module(),
        .login_program = std::filesystem::read_symlink("/proc/self/exe").string() + "_login",
    };
    return the_cluster;
}

Stopped::Stopped(std::string daemon) : daemon_(std::move(daemon))
{
    if (const std::string error = control("stop", daemon_); !error.empty()) throw std::runtime_error(error);
}

Stopped::~Stopped()
{
    if (const std::string error = control("start", daemon_); !error.empty()) {
        // Every test after this one would fail for no reason of its own.
        std::fprintf(stderr, "%s\n", error.c_str());
        std::exit(1);
    }
}

Hidden::Hidden(std::string path) : path_(std::move(path))
{
    std::filesystem::rename(path_, path_ + ".hidden");
}

Hidden::~Hidden()
{
    std::error_code ignored;
    std::filesystem::rename(path_ + ".hidden", path_, ignored);
}

const std::string& Decision::operator[](const std::string& key) const
{
    static const std::string none;
    const auto found = keys.find(key);
    return found == keys.end() ? none : found->second;
}

LogMark::LogMark() : offset_(std::filesystem::file_size(cluster().syslog)) {}

std::vector<std::string> LogMark::lines() const
{
    std::ifstream file(cluster().syslog);
    file.seekg(static_cast<std::streamoff>(offset_));
    std::vector<std::string> all;
    for (std::string line; std::getline(file, line);) all.push_back(line);
    return all;
}

namespace {

// /dev/log keeps the order: once our own line is in the file, so is everything that was logged before it.
void wait_for_the_log()
{
    static int count = 0;
    const std::string barrier = "e2e barrier " + std::to_string(++count) + " of " + std::to_string(::getpid());
    ::syslog(LOG_AUTHPRIV | LOG_DEBUG, "%s", barrier.c_str());
    (void)eventually([&] { return read_whole(cluster().syslog).find(barrier) != std::string::npos; }, std::chrono::seconds{3});
}

}  // namespace

std::vector<std::string> LogMark::lines_with(const std::string& text) const
{
    wait_for_the_log();
    std::vector<std::string> found;
    (void)eventually(
        [&] {
            found.clear();
            for (const std::string& line : lines())
                if (line.find("pam_slurm_adopt(") != std::string::npos && line.find(text) != std::string::npos) found.push_back(line);
            return !found.empty();
        },
        std::chrono::seconds{3});
    return found;
}

std::string LogMark::text() const
{
    std::string text;
    for (const std::string& line : lines_with("")) text += line + '\n';
    return text;
}

std::string LogMark::unprintable() const
{
    wait_for_the_log();
    std::string found;
    for (const std::string& line : lines()) {
        // rsyslogd writes a control character as '#' and three octal digits.
        const bool is_plain = std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c < 0x7f; });
        if (!is_plain || line.find("#0") != std::string::npos) found += line + '\n';
    }
    return found;
}

std::vector<Decision> LogMark::decisions(const std::string& user) const
{
    std::vector<Decision> all;
    for (const std::string& line : lines_with(" user=" + user + " ")) {
        Decision decision{.keys = {}, .line = line};
        const std::size_t start = line.find("decision=");
        if (start == std::string::npos) continue;
        std::istringstream words(line.substr(start));
        for (std::string word; words >> word;)
            if (const std::size_t equals = word.find('='); equals != std::string::npos)
                decision.keys[word.substr(0, equals)] = word.substr(equals + 1);
        all.push_back(std::move(decision));
    }
    return all;
}

Decision LogMark::decision(const std::string& user) const
{
    auto all = decisions(user);
    return all.size() == 1 ? all.front() : Decision{.keys = {}, .line = std::to_string(all.size()) + " decision lines"};
}

std::string read_whole(const std::string& path)
{
    // A process that ends while its file in /proc is read makes the read fail: an iterator of the buffer throws then.
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

void write_whole(const std::string& path, const std::string& text)
{
    std::ofstream file(path, std::ios::trunc);
    file << text;
    if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

}  // namespace slurm_adopt::e2e
