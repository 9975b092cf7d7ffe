// SPDX-License-Identifier: GPL-2.0-or-later
// Of several jobs, the one that a login comes from is asked of the source node's slurmd: each has to be reached by the others.
#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstdio>

#include "check/checks.h"
#include "check/reach.h"
#include "slurm_adopt/file.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt::tool {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t longest_table = std::size_t{16} * 1024 * 1024;
constexpr auto patience_with_peers = 3s;

enum class Listens { nowhere, loopback, elsewhere };

// The local address of a line of /proc/net/tcp or tcp6 (proc(5)): "0100007F:1AA2", each 4 bytes in the machine's order.
bool is_loopback(std::string_view address)
{
    constexpr bool is_little = std::endian::native == std::endian::little;
    if (address.size() == 8) return is_little ? address.ends_with("7F") : address.starts_with("7F");
    return address == "00000000000000000000000001000000" || address == "00000000000000000000000000000001";
}

Listens listens_in(const std::string& table, std::uint16_t port)
{
    constexpr std::string_view listening = "0A";
    std::array<char, 8> wanted{};
    (void)std::snprintf(wanted.data(), wanted.size(), ":%04X", port);
    Listens found = Listens::nowhere;
    for (const std::string_view line : split(table, '\n')) {
        std::vector<std::string_view> words;
        for (const std::string_view word : split(line, ' '))
            if (!word.empty()) words.push_back(word);
        if (words.size() < 4 || words[3] != listening || !words[1].ends_with(wanted.data())) continue;
        if (!is_loopback(words[1].substr(0, words[1].find(':')))) return Listens::elsewhere;
        found = Listens::loopback;
    }
    return found;
}

Listens listens_at(const Node& node, std::uint16_t port)
{
    Listens best = Listens::nowhere;
    for (const char* table : {"/net/tcp", "/net/tcp6"})
        if (const auto text = read_file(node.roots.proc + table, longest_table); text.ok())
            best = std::max(best, listens_in(text.value(), port));
    return best;
}

std::string trouble_of(const SlurmdPlace& place, Reach reach)
{
    const std::string where = printable(place.node) + " (" + printable(place.address) + " port " + std::to_string(place.port) + ')';
    switch (reach) {
    case Reach::connected: return {};
    case Reach::refused: return where + ": nothing listens";
    case Reach::no_answer: return where + ": no answer";
    case Reach::unknown_name: return where + ": no such name";
    }
    return where;
}

}  // namespace

Found check_slurmd_port(const Node& node)
{
    const auto& config = node.slurm_config();
    if (!config.ok() || !config.value().own) return std::nullopt;
    const std::uint16_t port = config.value().own->port;
    const std::string seen = "port " + std::to_string(port);
    switch (listens_at(node, port)) {
    case Listens::elsewhere: return found_ok("slurmd listens on " + seen);
    case Listens::loopback:
        if (config.value().nodes < 2) return found_ok("slurmd listens on " + seen + " of the loopback; there is no other node");
        return found_warn("slurmd listens on " + seen + " of the loopback only: other nodes cannot ask which job a login comes from",
                          "take NoInAddrAny out of CommunicationParameters, or give this node a NodeAddr that is not of 127.0.0.0/8, "
                          "and restart slurmd");
    case Listens::nowhere: break;
    }
    return found_warn("nothing listens on " + seen + ", that of this node's slurmd: no job can start here",
                      "start slurmd, and compare SlurmdPort and this node's Port= in slurm.conf with the port in its log");
}

Found check_peers(const Node& node)
{
    const auto& config = node.slurm_config();
    if (!config.ok()) return std::nullopt;
    const auto& peers = config.value().peers;
    if (peers.empty()) return found_ok("no other node in slurm.conf");
    const auto results = reach(peers, Deadline::after(patience_with_peers));
    std::string troubles;
    for (std::size_t i = 0; i < peers.size(); ++i)
        if (results[i] != Reach::connected) troubles += (troubles.empty() ? "" : ", ") + trouble_of(peers[i], results[i]);
    if (troubles.empty()) return found_ok("the slurmd of " + std::to_string(peers.size()) + " other nodes can be reached");
    return found_warn("the slurmd of other nodes cannot be asked which job a login comes from: " + troubles,
                      "where the node is up, start slurmd there, and let TCP to port " + std::to_string(peers.front().port) +
                          " of every node through the firewalls between the nodes");
}

}  // namespace slurm_adopt::tool
