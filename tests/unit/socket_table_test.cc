// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's socket table: datagrams as literals, and the real one.
#include "slurm_adopt/socket_table.h"

#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "support/descriptors.h"
#include "support/listening_socket.h"
#include "support/temp_directory.h"

namespace slurm_adopt {
namespace {

using namespace std::chrono_literals;

// A datagram put together piece by piece, as the kernel would.
class Datagram {
public:
    Datagram& message(std::uint16_t type, const std::string& payload)
    {
        const nlmsghdr header{static_cast<std::uint32_t>(sizeof(nlmsghdr) + payload.size()), type, NLM_F_MULTI, 1, 0};
        add(&header, sizeof header);
        bytes_ += payload;
        bytes_.resize((bytes_.size() + 3) & ~std::size_t{3});
        return *this;
    }
    Datagram& socket(const std::string& name, std::optional<std::uint32_t> uid)
    {
        unix_diag_msg head{};
        head.udiag_family = AF_UNIX;
        std::string payload(reinterpret_cast<const char*>(&head), sizeof head);
        payload += attribute(UNIX_DIAG_NAME, name);
        if (uid) payload += attribute(7, std::string(reinterpret_cast<const char*>(&*uid), sizeof *uid));
        return message(SOCK_DIAG_BY_FAMILY, payload);
    }
    Datagram& done() { return message(NLMSG_DONE, std::string(4, '\0')); }

    static std::string attribute(std::uint16_t type, const std::string& value)
    {
        const nlattr head{static_cast<std::uint16_t>(sizeof(nlattr) + value.size()), type};
        std::string text(reinterpret_cast<const char*>(&head), sizeof head);
        text += value;
        text.resize((text.size() + 3) & ~std::size_t{3});
        return text;
    }
    [[nodiscard]] const std::string& bytes() const { return bytes_; }

private:
    void add(const void* data, std::size_t size) { bytes_.append(static_cast<const char*>(data), size); }
    std::string bytes_;
};

// What is read of a datagram, and the sockets in it.
struct Parsed {
    Result<SocketTablePart> part;
    std::string sockets;
};

Parsed parse(const std::string& bytes)
{
    // A copy of exactly this size, so that a sanitizer sees a read beyond it.
    const std::vector<char> exact(bytes.begin(), bytes.end());
    std::string sockets;
    auto part = parse_socket_table(std::as_bytes(std::span(exact)), [&](const ListeningSocket& socket) {
        sockets += std::string(socket.path) + '=' + (socket.owner ? std::to_string(*socket.owner) : "?") + ' ';
    });
    return {std::move(part), std::move(sockets)};
}

std::string summary(const Parsed& parsed)
{
    if (!parsed.part) return "error: " + parsed.part.error().context;
    return parsed.sockets + (parsed.part.value().last ? "last" : "more");
}

TEST(SocketTable, PathsAndOwners)
{
    EXPECT_EQ(
        summary(parse(Datagram().socket(std::string("/a\0", 3), 0).socket("/b", 41001).socket("/c", std::nullopt).bytes())),
        "/a=0 /b=41001 /c=? more");
    EXPECT_EQ(summary(parse(Datagram().socket("/a", 0).done().bytes())), "/a=0 last");
    EXPECT_EQ(summary(parse(Datagram().done().socket("/a", 0).bytes())), "last") << "nothing counts behind the end";
    EXPECT_EQ(summary(parse("")), "more");
}

TEST(SocketTable, NamesAreAsLongAsTheyAreAndForgeNothing)
{
    EXPECT_EQ(summary(parse(Datagram().socket("/a\n0: 00000002 00000000 00010000 0001 01 1 /b", 5).bytes())),
              "/a\n0: 00000002 00000000 00010000 0001 01 1 /b=5 more");
    EXPECT_EQ(summary(parse(Datagram().socket(std::string("/a\0/b", 5), 5).bytes())), "/a=5 more");
    EXPECT_EQ(summary(parse(Datagram().socket(std::string("\0/a", 3), 5).socket("a", 5).socket("", 5).bytes())), "more")
        << "abstract, relative and unbound ones have no path";
}

TEST(SocketTable, SocketsWithoutPathCountAgainstTheLimitToo)
{
    const auto parsed = parse(Datagram().socket("/a/x.1", 0).socket("", 1).socket("/c/x.2", 2).bytes());
    EXPECT_EQ(summary(parsed), "/a/x.1=0 /c/x.2=2 more");
    ASSERT_TRUE(parsed.part);
    EXPECT_EQ(parsed.part.value().listed, 3U);
}

TEST(SocketTable, AnErrorOfTheKernelIsOne)
{
    const int refused = -ENOENT;
    const auto part =
        parse(Datagram().message(NLMSG_ERROR, std::string(reinterpret_cast<const char*>(&refused), sizeof refused)).bytes()).part;
    ASSERT_FALSE(part);
    EXPECT_EQ(part.error().errno_value, ENOENT);
    EXPECT_FALSE(parse(Datagram().message(NLMSG_ERROR, "").bytes()).part);
}

TEST(SocketTable, AnErrorThatIsNoErrnoIsAnErrorAllTheSame)
{
    for (const int no_errno : {0, ENOENT, -4096, std::numeric_limits<int>::min(), std::numeric_limits<int>::max()}) {
        const auto part =
            parse(Datagram().message(NLMSG_ERROR, std::string(reinterpret_cast<const char*>(&no_errno), sizeof no_errno)).bytes()).part;
        ASSERT_FALSE(part) << no_errno;
        EXPECT_EQ(part.error().errno_value, EPROTO) << no_errno;
    }
}

TEST(SocketTable, UnknownMessagesAndAttributesAreSkipped)
{
    unix_diag_msg head{};
    const std::string unknown(reinterpret_cast<const char*>(&head), sizeof head);
    EXPECT_EQ(summary(parse(Datagram().message(NLMSG_NOOP, "x").socket("/a", 0).message(99, "yz").bytes())), "/a=0 more");
    EXPECT_EQ(summary(parse(Datagram()
                                .message(SOCK_DIAG_BY_FAMILY, unknown + Datagram::attribute(77, "odd") +
                                                                  Datagram::attribute(UNIX_DIAG_NAME, "/a") +
                                                                  Datagram::attribute(7, "no uid"))
                                .bytes())),
              "/a=? more");
}

TEST(SocketTable, AnAttributeThatClaimsMoreThanThereIsIsNone)
{
    unix_diag_msg head{};
    std::string payload(reinterpret_cast<const char*>(&head), sizeof head);
    std::string lying = Datagram::attribute(UNIX_DIAG_NAME, "/abc");
    lying[0] = 100;  // its length, in the byte order of every machine that we know
    EXPECT_EQ(summary(parse(Datagram().message(SOCK_DIAG_BY_FAMILY, payload + lying).bytes())), "more");
    lying[0] = 3;  // less than its own head
    EXPECT_EQ(summary(parse(Datagram().message(SOCK_DIAG_BY_FAMILY, payload + lying).bytes())), "more");
}

TEST(SocketTable, CutAndLyingLengthsNeverReadBeyond)
{
    const std::string whole = Datagram().socket("/a", 0).socket("/b", 1).done().bytes();
    for (std::size_t length = 0; length <= whole.size(); ++length) (void)parse(whole.substr(0, length));
    for (std::size_t at = 0; at < whole.size(); ++at)
        for (const int value : {0, 1, 3, 4, 0x7f, 0xff}) {
            std::string changed = whole;
            changed[at] = static_cast<char>(value);
            (void)parse(changed);
        }
    nlmsghdr header{};
    header.nlmsg_len = 0xffffffff;
    EXPECT_FALSE(parse(std::string(reinterpret_cast<const char*>(&header), sizeof header)).part);
    header.nlmsg_len = 0;
    EXPECT_FALSE(parse(std::string(reinterpret_cast<const char*>(&header), sizeof header)).part) << "would never end";
}

TEST(SocketTable, TheRealOne)
{
    const test::TempDirectory directory;
    const Fd mine = test::listen_at(directory / "mine");
    const Fd strange = test::listen_at(directory / "a\nb mine");
    const Fd connected(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto before = test::open_descriptors();
    std::vector<std::string> paths;
    const auto done = listening_unix_sockets(
        [&](const ListeningSocket& socket) {
            if (!socket.path.starts_with(directory.path())) return;
            paths.emplace_back(socket.path);
            EXPECT_EQ(socket.owner.value_or(0), ::geteuid());
        },
        Deadline::after(5s));
    EXPECT_EQ(test::open_descriptors(), before);
    ASSERT_TRUE(done);
    std::sort(paths.begin(), paths.end());
    EXPECT_EQ(paths, (std::vector<std::string>{directory / "a\nb mine", directory / "mine"}));
}

TEST(SocketTable, ManyDatagrams)
{
    const test::TempDirectory directory;
    std::vector<Fd> sockets;
    for (int i = 0; i < 600; ++i)
        sockets.push_back(test::listen_at(directory / (std::string(60, 'x') + std::to_string(i)), 1));
    std::size_t found = 0;
    const auto count = [&](const ListeningSocket& socket) { if (socket.path.starts_with(directory.path())) ++found; };
    ASSERT_TRUE(listening_unix_sockets(count, Deadline::after(5s)));
    EXPECT_EQ(found, sockets.size());
}

}  // namespace
}  // namespace slurm_adopt
