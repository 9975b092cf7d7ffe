// SPDX-License-Identifier: GPL-2.0-or-later
// sshd's child that asks PAM in keyboard-interactive authentication: the session comes from its parent.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "in_child.h"
#include "node_test.h"
#include "slurm_adopt/fd.h"

namespace slurm_adopt::test {
namespace {

// A connection over loopback, as this process holds that of a client.
struct Client {
    Fd listener;
    Fd theirs;
    Fd ours;

    Client()
        : listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), theirs(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const where = reinterpret_cast<sockaddr*>(&address);
        if (::bind(listener.get(), where, size) != 0 || ::listen(listener.get(), 1) != 0 ||
            ::getsockname(listener.get(), where, &size) != 0 || ::connect(theirs.get(), where, size) != 0)
            throw std::runtime_error("no connection over loopback");
        ours = Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    }
};

std::string own_cgroup()
{
    std::ostringstream text;
    text << std::ifstream("/proc/self/cgroup").rdbuf();
    return text.str();
}

struct Pair {
    std::string code;
    std::string line;
    std::string child;   // the cgroup of the process that logged in
    std::string parent;  // and of the one that it was forked from
};

// A login in the child of a process that `prepare` has been done in.
Pair log_in_below(const std::function<void()>& prepare, const Login& login)
{
    const ChildResult result = in_child([&] {
        prepare();
        const Outcome outcome = log_in(login);
        return std::vector<std::string>{outcome.code, outcome.log.empty() ? "" : outcome.log.back(), outcome.cgroup, own_cgroup(),
                                        outcome.complaints};
    });
    EXPECT_EQ(result.trouble, "");
    if (result.lines.size() != 5) return {};
    EXPECT_EQ(result.lines[4], "");
    return {result.lines[0], result.lines[1], result.lines[2], result.lines[3]};
}

bool contains(const std::string& text, const std::string& part)
{
    return text.find(part + '\n') != std::string::npos;
}

class Parent : public NodeTest {
protected:
    // Kept open in the parent, as sshd's monitor keeps its client.
    static void connect_client()
    {
        static const Client client;
        (void)client;
    }
};

TEST_F(Parent, IsAdoptedWithTheChildThatSharesItsClient)
{
    for (const Layout layout : {Layout::v1, Layout::v2, Layout::v2_sluid}) {
        Node node;
        FakeStepd& stepd = node.start(7, {.display = 10}, layout);
        const Pair pair = log_in_below(connect_client, {.options = {"strict"}, .rhost = "127.0.0.1"});
        EXPECT_EQ(pair.code, "success") << pair.line;
        EXPECT_NE(pair.line.find("job=7 phase=account ms=# verified=yes"), std::string::npos) << pair.line;
        EXPECT_TRUE(contains(pair.child, stepd.cgroup())) << pair.child;
        EXPECT_TRUE(contains(pair.parent, stepd.cgroup())) << pair.parent;
        EXPECT_EQ(stepd.seen().adopt, 2);
        EXPECT_EQ(stepd.seen().connections, 1);
    }
}

TEST_F(Parent, OfAnotherKindIsLeftAlone)
{
    FakeStepd& stepd = start(7);
    const struct {
        const char* what;
        std::function<void()> prepare;
        std::string rhost;
    } cases[] = {
        {"no connection at all", [] {}, "127.0.0.1"},
        {"no connection, and no remote host", [] {}, ""},
        {"a connection with somebody else", connect_client, "192.0.2.7"},
    };
    for (const auto& each : cases) {
        const Pair pair = log_in_below(each.prepare, {.options = {"strict"}, .rhost = each.rhost});
        EXPECT_EQ(pair.code, "success") << each.what << ": " << pair.line;
        EXPECT_TRUE(contains(pair.child, stepd.cgroup())) << each.what;
        EXPECT_FALSE(contains(pair.parent, stepd.cgroup())) << each.what;
    }
}

// sshd -i on a pipe knows no address of its client.
TEST_F(Parent, OfAConnectionWithoutAddressIsAdopted)
{
    FakeStepd& stepd = start(7);
    const Pair pair = log_in_below([] {}, {.options = {"strict"}, .rhost = "UNKNOWN"});
    EXPECT_EQ(pair.code, "success") << pair.line;
    EXPECT_TRUE(contains(pair.parent, stepd.cgroup())) << pair.parent;
}

TEST_F(Parent, IsNoMatterOfTheSessionPhase)
{
    FakeStepd& stepd = start(7);
    const Pair pair = log_in_below(connect_client, {.options = {"strict"}, .rhost = "127.0.0.1", .phases = Phases::session});
    EXPECT_EQ(pair.code, "success") << pair.line;
    EXPECT_FALSE(contains(pair.parent, stepd.cgroup())) << "a session's parent is none of ours";
}

TEST_F(Parent, ThatIsNotMovedMakesTheAdoptionAFailure)
{
    FakeStepd& stepd = start(7, {.moves_only_first = true});
    const Pair pair = log_in_below(connect_client, {.options = {"strict"}, .rhost = "127.0.0.1"});
    EXPECT_EQ(pair.code, "perm_denied") << pair.line;
    EXPECT_NE(pair.line.find("reason=adopt_not_inside"), std::string::npos) << pair.line;
    EXPECT_FALSE(contains(pair.parent, stepd.cgroup()));
}

}  // namespace
}  // namespace slurm_adopt::test
