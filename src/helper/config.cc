// SPDX-License-Identifier: GPL-2.0-or-later
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "answer.h"
#include "confine.h"
#include "log.h"
#include "slurm_adopt/text.h"
#include "slurm_api.h"
#include "slurm_config.h"
#include "slurm_output.h"

namespace slurm_adopt::helper {
namespace {

using namespace helper_wire;
using namespace std::chrono_literals;

// For the ports of all nodes named. Ours and that of slurm.conf differ only where slurm.conf gives nodes ports of their own.
constexpr auto patience_with_resolver = 1500ms;

// Cut where it is longer.
void put_text(std::span<char> field, const std::string& text)
{
    std::copy_n(text.begin(), std::min(text.size(), field.size() - 1), field.begin());
}

// Some of the others, from the whole of the list: racks and subnets differ.
std::vector<std::string> some_of(std::vector<std::string> names, const std::string& but)
{
    std::erase(names, but);
    if (names.size() <= most_peers) return names;
    std::vector<std::string> some;
    for (std::size_t i = 0; i < most_peers; ++i) some.push_back(names[i * names.size() / most_peers]);
    return some;
}

// None for a node without an address; names that are too long to be one are left out.
ConfigNode node_without_port(const std::string& name)
{
    ConfigNode node;
    const std::string address = address_of(name);
    if (name.size() >= node.name.size() || address.size() >= node.address.size() || address.empty()) return {};
    put_text(node.name, name);
    put_text(node.address, address);
    return node;
}

// libslurm tells a node's port together with its address, for which it may ask a resolver that is ill: in a thread, which is
// left behind then. It has libslurm's lock: nothing is asked of libslurm after this.
std::vector<std::uint16_t> ports_of(const std::vector<std::string>& names, std::uint16_t usual)
{
    const auto ports = std::make_shared<std::promise<std::vector<std::uint16_t>>>();
    auto found = ports->get_future();
    std::thread([ports, names, usual] {
        std::vector<std::uint16_t> all;
        all.reserve(names.size());
        for (const std::string& name : names) all.push_back(port_of(name).value_or(usual));
        ports->set_value(std::move(all));
    }).detach();
    if (found.wait_for(patience_with_resolver) == std::future_status::ready) return found.get();
    log_info("the resolver did not answer for every node in time: ports of slurm.conf's SlurmdPort");
    return std::vector<std::uint16_t>(names.size(), usual);
}

void put_settings(ConfigReply& reply, const Settings& settings)
{
    reply.flags = (settings.contain ? flag_contain : 0) | (settings.x11 ? flag_x11 : 0) | (settings.use_pam ? flag_use_pam : 0);
    put_text(reply.version, slurm_version());
    put_text(reply.proctrack_type, settings.proctrack_type);
    put_text(reply.task_plugin, settings.task_plugin);
    put_text(reply.launch_parameters, settings.launch_parameters);
    put_text(reply.job_container, settings.job_container);
    put_text(reply.slurmd_parameters, settings.slurmd_parameters);
    put_text(reply.spool_dir, settings.spool_dir);
}

void put_nodes(ConfigReply& reply, const std::string& wanted, std::uint16_t usual_port)
{
    const auto names = node_names();
    std::string own = wanted.empty() ? node_of_this_host().value_or("") : wanted;
    if (std::find(names.begin(), names.end(), own) == names.end()) own.clear();
    reply.nodes = static_cast<std::uint32_t>(names.size());
    std::vector<std::string> asked = some_of(names, own);
    if (!own.empty()) asked.insert(asked.begin(), own);
    std::vector<ConfigNode> nodes;
    std::transform(asked.begin(), asked.end(), std::back_inserter(nodes), node_without_port);
    const auto ports = ports_of(asked, usual_port);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        if (nodes[i] == ConfigNode{}) continue;
        nodes[i].port = ports[i];
        if (i == 0 && !own.empty())
            reply.own = nodes[i];
        else
            reply.peers[reply.peer_count++] = nodes[i];
    }
}

}  // namespace

ConfigReply answer(const ConfigRequest& request)
{
    ConfigReply reply;
    reply.status = static_cast<std::uint32_t>(ConfigStatus::no_config);
    // libslurm tries a file that it was told to use for a whole minute.
    if (const auto path = slurm_conf_path(); path && ::access(path->c_str(), R_OK) != 0) {
        log_error(system_error(printable(*path)).context);
        return reply;
    }
    load_slurm_conf();
    reply.status = static_cast<std::uint32_t>(ConfigStatus::answered);
    const Settings found = settings();
    put_settings(reply, found);
    put_nodes(reply, std::string(request.node.data()), found.slurmd_port);
    log_slurm_output();
    return reply;
}

}  // namespace slurm_adopt::helper
