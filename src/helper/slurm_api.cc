// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_api.h"

#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>
#include <slurm/slurm_version.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>

#if SLURM_VERSION_NUMBER < SLURM_VERSION_NUM(22, 5, 0)
#error "slurm-adopt-helper needs Slurm 22.05 or newer"
#endif

// libslurm has no documented call for the nodes of slurm.conf (slurm_load_node asks slurmctld, a round trip and one
// more daemon to wait for). This one is exported by 22.05, 24.11 and 26.05, for Slurm's own programs: an array of
// pointers to the lines `NodeName=`, without NodeName=DEFAULT. Of a line's fields only the first three are used,
// which were the same in all three releases; tests/helper/headers.sh looks whether they still are.
extern "C" {
struct SlurmConfNode {
    char* nodenames;  // host lists, "n[1-100]"
    char* hostnames;
    char* addresses;
    // and more, different in every release
};
int slurm_conf_nodename_array(SlurmConfNode** lines[]);
// Exported likewise. What they lend is declared in slurm/slurm.h; slurm_load_ctl_conf, documented, asks slurmctld.
slurm_conf_t* slurm_conf_lock(void);
void slurm_conf_unlock(void);
}

namespace slurm_adopt::helper {
namespace {

std::vector<std::string> hosts_of(const char* list)
{
    std::vector<std::string> hosts;
    const auto hostlist = list == nullptr ? nullptr : slurm_hostlist_create(list);
    if (hostlist == nullptr) return hosts;
    // libslurm has it from malloc().
    const auto release = [](char* text) { std::free(text); };  // NOLINT(cppcoreguidelines-no-malloc)
    while (const auto host = std::unique_ptr<char, decltype(release)>(slurm_hostlist_shift(hostlist), release))
        hosts.emplace_back(host.get());
    slurm_hostlist_destroy(hostlist);
    return hosts;
}

void add_hosts(const char* list, std::vector<std::string>& hosts, std::set<std::string>& known)
{
    for (std::string& host : hosts_of(list))
        if (known.insert(host).second) hosts.push_back(std::move(host));
}

}  // namespace

std::string slurm_version()
{
    constexpr unsigned long number = SLURM_VERSION_NUMBER;
    const auto two_digits = [](unsigned long part) { return (part < 10 ? "0" : "") + std::to_string(part); };
    return std::to_string(SLURM_VERSION_MAJOR(number)) + '.' + two_digits(SLURM_VERSION_MINOR(number)) + '.' +
           std::to_string(SLURM_VERSION_MICRO(number));
}

void load_slurm_conf()
{
    slurm_init(nullptr);
}

std::vector<std::string> node_addresses()
{
    SlurmConfNode** lines = nullptr;
    const int count = slurm_conf_nodename_array(&lines);
    std::vector<std::string> hosts;
    std::set<std::string> known;
    for (int i = 0; i < count; ++i) add_hosts(lines[i]->addresses, hosts, known);
    // Where NodeAddr is in a network of its own, logins come from the address of the host name.
    for (int i = 0; i < count; ++i) add_hosts(lines[i]->hostnames, hosts, known);
    return hosts;
}

std::vector<std::string> node_names_of(const std::string& name)
{
    SlurmConfNode** lines = nullptr;
    const int count = slurm_conf_nodename_array(&lines);
    std::vector<std::string> found;
    for (int i = 0; i < count; ++i) {
        const auto names = hosts_of(lines[i]->nodenames);
        const auto hosts = hosts_of(lines[i]->hostnames);
        if (std::find(names.begin(), names.end(), name) != names.end()) return {name};
        // One NodeHostname may stand for many names: several slurmd on one machine.
        for (std::size_t at = 0; at < names.size() && !hosts.empty(); ++at)
            if (hosts[std::min(at, hosts.size() - 1)] == name) found.push_back(names[at]);
    }
    if (found.empty()) found.push_back(name);
    return found;
}

std::vector<std::string> node_names()
{
    SlurmConfNode** lines = nullptr;
    const int count = slurm_conf_nodename_array(&lines);
    std::vector<std::string> names;
    std::set<std::string> known;
    for (int i = 0; i < count; ++i) add_hosts(lines[i]->nodenames, names, known);
    return names;
}

Authentication authentication()
{
    const auto text = [](const char* value) { return std::string(value == nullptr ? "" : value); };
    const slurm_conf_t* conf = slurm_conf_lock();
    Authentication found{text(conf->authtype), text(conf->authinfo)};
    slurm_conf_unlock();
    return found;
}

Result<SourceJob> network_callerid(const helper_wire::WhoisRequest& connection)
{
    network_callerid_msg_t message{};
    static_assert(sizeof message.ip_src == sizeof connection.peer_address);
    // Source and destination of the connection that came in: the slurmd to ask is the one at ip_src. Ports are in host order.
    std::memcpy(message.ip_src, connection.peer_address.data(), sizeof message.ip_src);
    std::memcpy(message.ip_dst, connection.local_address.data(), sizeof message.ip_dst);
    message.port_src = connection.peer_port;
    message.port_dst = connection.local_port;
    message.af = connection.is_v6 != 0 ? AF_INET6 : AF_INET;

    std::array<char, helper_wire::longest_node> node{};
    const int node_size = static_cast<int>(node.size()) - 1;
    errno = 0;
#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(26, 5, 0)
    slurm_step_id_t step{};
    step.job_id = NO_VAL;
    // In parentheses: the header has a macro of this name, for C only.
    const int outcome = (slurm_network_callerid)(message, &step, node.data(), node_size);
    const std::uint32_t job_id = step.job_id;
#else
    std::uint32_t job_id = NO_VAL;
    const int outcome = slurm_network_callerid(message, &job_id, node.data(), node_size);
#endif
    if (outcome != SLURM_SUCCESS) {
        const int error = errno;
        return Error{ErrorCode::refused, error, std::string("slurmd: ") + slurm_strerror(error)};
    }
    // NO_VAL is what slurmd says where it knows no job.
    return SourceJob{job_id < NO_VAL ? job_id : 0, node.data()};
}

}  // namespace slurm_adopt::helper
