// SPDX-License-Identifier: GPL-2.0-or-later
// The verb `whois`: with a libslurm of ours, and with the real one where it has nobody to talk to.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "helper_process.h"

namespace slurm_adopt::test {
namespace {

using namespace std::chrono_literals;
using namespace helper_wire;
namespace fs = std::filesystem;

WhoisRequest connection(const char* local, const char* peer)
{
    WhoisRequest request;
    request.is_v6 = std::strchr(peer, ':') == nullptr ? 0 : 1;
    const int family = request.is_v6 != 0 ? AF_INET6 : AF_INET;
    EXPECT_EQ(::inet_pton(family, local, request.local_address.data()), 1);
    EXPECT_EQ(::inet_pton(family, peer, request.peer_address.data()), 1);
    request.local_port = 22;
    request.peer_port = 50123;
    return request;
}

class HelperWhois : public testing::Test {
protected:
    void SetUp() override
    {
        if (!is_root()) GTEST_SKIP() << "needs root";
        std::string name = fs::temp_directory_path() / "slurm-adopt-whois.XXXXXX";
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        directory_ = name;
        conf_ = directory_ / "slurm.conf";
    }
    void TearDown() override
    {
        std::error_code error;
        if (!directory_.empty()) fs::remove_all(directory_, error);
    }

    void write_conf(std::string_view text) const { std::ofstream(conf_) << text; }

    [[nodiscard]] std::vector<std::string> environment(std::vector<std::string> more = {}) const
    {
        more.push_back("SLURM_CONF=" + conf_.string());
        return more;
    }

    [[nodiscard]] WhoisReply ask_fake(const WhoisRequest& request, std::uint32_t log_level = 9) const
    {
        return ask<WhoisReply>(Verb::whois, request, with_fake_slurm(environment()), log_level);
    }
    [[nodiscard]] WhoisReply ask_real(const WhoisRequest& request) const
    {
        return ask<WhoisReply>(Verb::whois, request, environment({"ASAN_OPTIONS=detect_leaks=0"}));
    }

    // What the false libslurm has been given.
    [[nodiscard]] std::string seen() const
    {
        std::ostringstream text;
        text << std::ifstream(conf_.string() + ".seen").rdbuf();
        return text.str();
    }

    fs::path directory_;
    fs::path conf_;
};

Status status_of(const WhoisReply& reply)
{
    return static_cast<Status>(reply.status);
}

TEST_F(HelperWhois, AnswersWithTheJobAndTheNode)
{
    write_conf("node n[1-2]|n[1-2]|198.51.100.[1-2]\njob 17 n1\n");
    const WhoisReply reply = ask_fake(connection("198.51.100.2", "198.51.100.1"));
    EXPECT_EQ(status_of(reply), Status::answered);
    EXPECT_EQ(reply.job_id, 17U);
    EXPECT_STREQ(reply.node.data(), "n1");
    EXPECT_NE(seen().find("callerid src c6336401000000000000000000000000 50123 dst c6336402000000000000000000000000 22 af " +
                          std::to_string(AF_INET) + '\n'),
              std::string::npos)
        << seen();
}

TEST_F(HelperWhois, AnswersForIpv6)
{
    write_conf("node n1|n1|2001:db8::1\njob 18 n1\n");
    const WhoisReply reply = ask_fake(connection("2001:db8::2", "2001:db8::1"));
    EXPECT_EQ(status_of(reply), Status::answered);
    EXPECT_EQ(reply.job_id, 18U);
    EXPECT_NE(seen().find("callerid src 20010db8000000000000000000000001 50123 dst 20010db8000000000000000000000002 22 af " +
                          std::to_string(AF_INET6) + '\n'),
              std::string::npos)
        << seen();
}

TEST_F(HelperWhois, AsksNobodyButNodes)
{
    write_conf("node n[1-2]|n[1-2]|198.51.100.[1-2]\nnode x|x|2001:db8::5\njob 17 n1\n");
    for (const auto& [local, peer] : {std::pair{"198.51.100.2", "198.51.100.9"}, {"198.51.100.2", "198.51.100.12"},
                                      {"2001:db8::2", "2001:db8::6"}, {"2001:db8::2", "2001:db8::"}}) {
        EXPECT_EQ(status_of(ask_fake(connection(local, peer))), Status::not_a_node) << peer;
        EXPECT_EQ(seen().find("callerid"), std::string::npos) << peer;
    }
}

TEST_F(HelperWhois, AsksANodeByTheAddressOfItsHostName)
{
    write_conf("node n1|localhost|198.51.100.1\njob 17 n1\n");
    EXPECT_EQ(status_of(ask_fake(connection("198.51.100.2", "127.0.0.1"))), Status::answered);
    write_conf("node n1|n1|localhost\njob 17 n1\n");
    EXPECT_EQ(status_of(ask_fake(connection("198.51.100.2", "127.0.0.1"))), Status::answered);
}

TEST_F(HelperWhois, AsksThisMachineAboutItself)
{
    write_conf("node other|other|198.51.100.1\njob 17 n1\n");
    EXPECT_EQ(status_of(ask_fake(connection("198.51.100.2", "198.51.100.2"))), Status::answered);
    EXPECT_EQ(status_of(ask_fake(connection("::1", "::1"))), Status::answered);
}

TEST_F(HelperWhois, SaysSoWhenTheSourceNamesNoJob)
{
    write_conf("node n1|n1|198.51.100.1\n");
    EXPECT_EQ(status_of(ask_fake(connection("198.51.100.2", "198.51.100.1"))), Status::no_answer);
    for (const char* no_job : {"0", "4294967294", "4294967295"}) {
        write_conf(std::string("node n1|n1|198.51.100.1\njob ") + no_job + " n1\n");
        const WhoisReply reply = ask_fake(connection("198.51.100.2", "198.51.100.1"));
        EXPECT_EQ(status_of(reply), Status::no_job) << no_job;
        EXPECT_EQ(reply.job_id, 0U);
    }
}

// A socket file, listening for as long as this lives.
class MungeSocket {
public:
    explicit MungeSocket(const fs::path& path) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))
    {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        (void)std::snprintf(address.sun_path, sizeof address.sun_path, "%s", path.c_str());
        (void)::unlink(path.c_str());
        EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(::listen(socket_.get(), 8), 0);
    }
    [[nodiscard]] bool was_connected_to() const
    {
        pollfd waiting{.fd = socket_.get(), .events = POLLIN, .revents = 0};
        return ::poll(&waiting, 1, 0) > 0;
    }

private:
    Fd socket_;
};

TEST_F(HelperWhois, SaysSoWhenMungeDoesNotRun)
{
    const fs::path path = directory_ / "munge";
    write_conf("node n1|n1|198.51.100.1\njob 17 n1\nauth auth/munge ttl=10,socket=" + path.string() + '\n');
    const auto asked = connection("198.51.100.2", "198.51.100.1");
    EXPECT_EQ(status_of(ask_fake(asked)), Status::no_munge) << "no file";
    {
        const MungeSocket munge(path);
        EXPECT_EQ(status_of(ask_fake(asked)), Status::answered);
        EXPECT_FALSE(munge.was_connected_to()) << "munged would log it";
    }
    // On a busy machine the start alone may take as long.
    auto took = 1000ms;
    for (int i = 0; i < 5 && took >= 900ms; ++i) {
        const auto start = std::chrono::steady_clock::now();
        EXPECT_EQ(status_of(ask_fake(asked)), Status::no_munge) << "nobody has the socket";
        took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
    }
    EXPECT_LT(took, 900ms);
    EXPECT_EQ(status_of(ask_fake(connection("198.51.100.2", "198.51.100.9"))), Status::not_a_node) << "munge is not needed for that";
    write_conf("node n1|n1|198.51.100.1\njob 17 n1\nauth auth/slurm socket=" + path.string() + '\n');
    EXPECT_EQ(status_of(ask_fake(asked)), Status::answered) << "not with munge";
}

TEST_F(HelperWhois, WaitsForMungeThatIsRestarted)
{
    const fs::path path = directory_ / "munge";
    write_conf("node n1|n1|198.51.100.1\njob 17 n1\nauth auth/munge socket=" + path.string() + '\n');
    HelperProcess helper(with_fake_slurm(environment()));
    helper.send(encode(Verb::whois, connection("198.51.100.2", "198.51.100.1"), ::getpid(), 9));
    EXPECT_TRUE(helper.receive(150ms).empty());
    const MungeSocket munge(path);
    const auto bytes = helper.receive();
    ASSERT_EQ(bytes.size(), sizeof(Header) + sizeof(WhoisReply));
    const auto reply = decode_body<WhoisReply>(std::span(bytes).subspan(sizeof(Header)));
    ASSERT_TRUE(reply.ok());
    EXPECT_EQ(status_of(reply.value()), Status::answered);
}

TEST_F(HelperWhois, CutsALongNodeName)
{
    write_conf("node n1|n1|198.51.100.1\njob 17 " + std::string(1000, 'x') + '\n');
    const WhoisReply reply = ask_fake(connection("198.51.100.2", "198.51.100.1"));
    EXPECT_EQ(status_of(reply), Status::answered);
    EXPECT_EQ(std::string(reply.node.data()), std::string(longest_node - 1, 'x'));
}

TEST_F(HelperWhois, LeavesNothingOfItsSurroundingsToLibslurm)
{
    write_conf("node n1|n1|198.51.100.1\njob 17 n1\n");
    const WhoisRequest request = connection("198.51.100.2", "198.51.100.1");
    HelperProcess helper(with_fake_slurm(environment({"PATH=/evil", "SLURM_CONF_SERVER=evil:6817", "HOSTALIASES=/evil",
                                                      "SLURM_CONFIG=x", "TZ=:/evil", "MUNGE_SOCKET=/evil"})),
                         [] {
                             for (int fd = 4; fd < 200; fd += 7) (void)::dup2(0, fd);
                             if (::chdir("/tmp") != 0) ::_exit(126);
                         });
    helper.send(encode(Verb::whois, request, ::getpid(), 9));
    EXPECT_EQ(helper.receive().size(), sizeof(Header) + sizeof(WhoisReply));
    EXPECT_EQ(helper.end(), "exited 0");
    std::istringstream lines(seen());
    std::vector<std::string> variables;
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with("env ")) variables.push_back(line);
    EXPECT_EQ(variables, std::vector<std::string>{"env SLURM_CONF=" + conf_.string()});
    EXPECT_NE(seen().find("init (null)\n"), std::string::npos);
    // Besides 0 to 3 nothing but the file that fake_slurm.cc itself writes to.
    EXPECT_NE(seen().find("fds 0 1 2 3 and 1\n"), std::string::npos) << seen();
    EXPECT_NE(seen().find("cwd /\n"), std::string::npos) << seen();
    EXPECT_NE(seen().find("sigpipe ignored\n"), std::string::npos) << seen();
    EXPECT_NE(seen().find("alarm set\n"), std::string::npos) << seen();
}

TEST_F(HelperWhois, TellsWhenLibslurmEndsTheProcess)
{
    write_conf("say h: fatal: Could not establish a configuration source\nfatal\n");
    EXPECT_EQ(status_of(ask_fake(connection("198.51.100.2", "198.51.100.1"))), Status::no_config);
}

TEST_F(HelperWhois, CrashesAndHangsAlone)
{
    const auto request = encode(Verb::whois, connection("198.51.100.2", "198.51.100.1"), ::getpid(), 9);
    write_conf("crash\n");
    HelperProcess crashing(with_fake_slurm(environment()));
    crashing.send(request);
    EXPECT_TRUE(crashing.receive().empty());
    EXPECT_EQ(crashing.end(), "killed 6");
    write_conf("hang\n");
    HelperProcess hanging(with_fake_slurm(environment()));
    hanging.send(request);
    EXPECT_TRUE(hanging.receive(500ms).empty());
    EXPECT_EQ(hanging.end(100ms), "still running");
}

TEST_F(HelperWhois, NeedsAFileThatIsThere)
{
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(status_of(ask_real(connection("198.51.100.2", "198.51.100.1"))), Status::no_config);
    // libslurm alone would try for a minute.
    EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
}

TEST_F(HelperWhois, EndsCleanlyWithAConfigurationThatLibslurmCannotUse)
{
    for (const std::string_view text : {"", "ClusterName=x\n", "NodeName=n1 Nonsense=1\n", "\x01\x02\xff\n",
                                        "ClusterName=x\nSlurmctldHost=h\nNodeName=n[1- NodeAddr=1\n"}) {
        write_conf(text);
        const WhoisReply reply = ask_real(connection("198.51.100.2", "198.51.100.1"));
        EXPECT_TRUE(status_of(reply) == Status::no_config || status_of(reply) == Status::not_a_node) << text;
        EXPECT_EQ(reply.job_id, 0U);
    }
}

TEST_F(HelperWhois, KnowsTheNodesOfARealConfiguration)
{
    const std::string path = directory_ / "munge";
    // SlurmdPort 1: nobody listens there, whoever the peer is.
    write_conf("ClusterName=x\nSlurmctldHost=ctl(198.51.100.254)\nAuthType=auth/munge\nAuthInfo=socket=" + path +
               "\nSlurmdPort=1\nMpiDefault=none\n"
               "NodeName=DEFAULT CPUs=2\n"
               "NodeName=n[1-2] NodeAddr=127.0.1.[1-2] State=UNKNOWN\n"
               "NodeName=a.b_c NodeHostname=elsewhere NodeAddr=127.0.2.1\n"
               "NodeName=v6 NodeAddr=::1\n"
               "PartitionName=p Nodes=ALL Default=YES\n");
    EXPECT_EQ(status_of(ask_real(connection("127.0.9.9", "127.0.1.1"))), Status::no_munge);
    const MungeSocket munge(path);
    for (const char* node : {"127.0.1.1", "127.0.1.2", "127.0.2.1"})
        EXPECT_EQ(status_of(ask_real(connection("127.0.9.9", node))), Status::no_answer) << node;
    EXPECT_EQ(status_of(ask_real(connection("2001:db8::9", "::1"))), Status::no_answer);
    for (const char* other : {"127.0.1.3", "127.0.0.1", "127.0.1.11"})
        EXPECT_EQ(status_of(ask_real(connection("127.0.9.9", other))), Status::not_a_node) << other;
    EXPECT_EQ(status_of(ask_real(connection("2001:db8::9", "2001:db8::8"))), Status::not_a_node);
}

// A syslog of our own: /dev is replaced in a mount namespace of this process.
class HelperLog : public HelperWhois {
protected:
    void SetUp() override
    {
        HelperWhois::SetUp();
        if (IsSkipped()) return;
        const fs::path dev = directory_ / "dev";
        fs::create_directory(dev);
        if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            ::mount("tmpfs", dev.c_str(), "tmpfs", 0, nullptr) != 0 ||
            ::mknod((dev / "null").c_str(), S_IFCHR | 0666, makedev(1, 3)) != 0)
            GTEST_SKIP() << "needs mount namespaces";
        syslog_ = Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        (void)std::snprintf(address.sun_path, sizeof address.sun_path, "%s", (dev / "log").c_str());
        ASSERT_EQ(::bind(syslog_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        ASSERT_EQ(::mount(dev.c_str(), "/dev", nullptr, MS_BIND, nullptr), 0);
        ASSERT_EQ(::umount2(dev.c_str(), MNT_DETACH), 0);
    }

    [[nodiscard]] std::vector<std::string> logged() const
    {
        std::vector<std::string> lines;
        char buffer[4096];
        for (ssize_t got = 0; (got = ::recv(syslog_.get(), buffer, sizeof buffer, MSG_DONTWAIT)) >= 0;)
            lines.emplace_back(buffer, static_cast<std::size_t>(got));
        return lines;
    }

    Fd syslog_;
};

// "<86>Nov 20 18:28:01 slurm-adopt-helper[123]: module_pid=..." : facility authpriv is 10 << 3.
void expect_line(const std::string& line, int severity, const std::string& ending)
{
    EXPECT_TRUE(line.starts_with('<' + std::to_string((10 << 3) + severity) + '>')) << line;
    EXPECT_NE(line.find(" slurm-adopt-helper["), std::string::npos) << line;
    EXPECT_TRUE(line.ends_with("]: module_pid=" + std::to_string(::getpid()) + ' ' + ending)) << line;
}

constexpr int log_err = 3;
constexpr int log_info = 6;
constexpr int log_debug = 7;

TEST_F(HelperLog, HasTheModulesPidInFront)
{
    write_conf("node n1|n1|198.51.100.1\njob 17 n1\n");
    (void)ask_fake(connection("198.51.100.2", "198.51.100.1"), 3);
    const auto lines = logged();
    ASSERT_EQ(lines.size(), 1U);
    expect_line(lines[0], log_info, "source=198.51.100.1 port=50123 node=n1 job=17");
}

TEST_F(HelperLog, MakesTextFromOutsidePrintable)
{
    write_conf("node n1|n1|198.51.100.1\njob 17 n1 job=99\x1b[2J\xff\nsay x: error: a\tb\x07 c\n");
    (void)ask_fake(connection("198.51.100.2", "198.51.100.1"), 3);
    const auto lines = logged();
    ASSERT_EQ(lines.size(), 2U);
    expect_line(lines[0], log_err, "libslurm: x: error: a?b? c");
    expect_line(lines[1], log_info, "source=198.51.100.1 port=50123 node=n1?job?99?[2J? job=17");
}

TEST_F(HelperLog, FollowsTheModulesLevel)
{
    write_conf("node n1|n1|198.51.100.1\nsay plain\nsay error: bad\n");
    const auto count_at = [this](std::uint32_t level) {
        (void)ask_fake(connection("198.51.100.2", "198.51.100.1"), level);
        return logged().size();
    };
    EXPECT_EQ(count_at(0), 0U);
    EXPECT_EQ(count_at(1), 0U);
    EXPECT_EQ(count_at(2), 1U);
    EXPECT_EQ(count_at(3), 2U);
    EXPECT_EQ(count_at(4), 2U);
    EXPECT_EQ(count_at(5), 3U);
    EXPECT_EQ(count_at(9), 3U);
}

TEST_F(HelperLog, HasTheLastWordsOfLibslurm)
{
    write_conf("say h: fatal: Could not establish a configuration source\nfatal\n");
    (void)ask_fake(connection("198.51.100.2", "198.51.100.1"), 3);
    const auto lines = logged();
    ASSERT_EQ(lines.size(), 1U);
    expect_line(lines[0], log_err, "libslurm: h: fatal: Could not establish a configuration source");
}

TEST_F(HelperLog, SaysWhyNobodyWasAsked)
{
    write_conf("node n1|n1|198.51.100.1\n");
    (void)ask_fake(connection("198.51.100.2", "198.51.100.9"), 3);
    const auto lines = logged();
    ASSERT_EQ(lines.size(), 1U);
    expect_line(lines[0], log_info, "source=198.51.100.9 reason=not_a_node");
}

TEST_F(HelperLog, SaysThatMungeDoesNotRunAndWhere)
{
    write_conf("node n1|n1|198.51.100.1\nauth auth/munge socket=/nowhere/munge\n");
    (void)ask_fake(connection("198.51.100.2", "198.51.100.1"), 3);
    const auto lines = logged();
    ASSERT_EQ(lines.size(), 1U);
    expect_line(lines[0], log_err, "munge does not run: /nowhere/munge: No such file or directory");
}

TEST_F(HelperLog, SaysWhatIsWrongWithARequest)
{
    HelperProcess helper;
    helper.send(std::vector<std::byte>(284));
    EXPECT_EQ(helper.end(), "exited 1");
    const auto lines = logged();
    ASSERT_EQ(lines.size(), 1U);
    expect_line(lines[0], log_err, "request: not a message of slurm-adopt");
}

}  // namespace
}  // namespace slurm_adopt::test
