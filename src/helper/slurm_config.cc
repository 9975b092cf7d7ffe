// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <slurm/slurm.h>
#include <slurm/slurm_version.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>

// Exported by 22.05, 24.11 and 26.05 for Slurm's own programs, as those in slurm_api.cc; tests/helper/headers.sh looks
// whether they still are. The texts are from Slurm's own allocator, and kept: this process answers once.
extern "C" {
slurm_conf_t* slurm_conf_lock(void);
void slurm_conf_unlock(void);
char* slurm_conf_get_nodename(const char* host_name);
char* slurm_conf_get_aliased_nodename(void);
char* slurm_conf_get_address(const char* node);
int slurm_conf_get_addr(const char* node, slurm_addr_t* address, std::uint16_t flags);
}

namespace slurm_adopt::helper {
namespace {

// Renamed between 22.05 and 24.11.
#ifdef CONF_FLAG_PAM
constexpr auto use_pam_flag = CONF_FLAG_PAM;
#else
constexpr auto use_pam_flag = CTL_CONF_PAM;
#endif

std::string text(const char* value)
{
    return value == nullptr ? "" : value;
}

}  // namespace

Settings settings()
{
    const slurm_conf_t* const conf = slurm_conf_lock();
    Settings found;
    found.contain = (conf->prolog_flags & PROLOG_FLAG_CONTAIN) != 0;
    found.x11 = (conf->prolog_flags & PROLOG_FLAG_X11) != 0;
    found.use_pam = (conf->conf_flags & use_pam_flag) != 0;
    found.proctrack_type = text(conf->proctrack_type);
    found.task_plugin = text(conf->task_plugin);
    found.launch_parameters = text(conf->launch_params);
#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(25, 11, 0)
    found.job_container = text(conf->namespace_plugin);
#else
    found.job_container = text(conf->job_container_plugin);
#endif
    found.slurmd_parameters = text(conf->slurmd_params);
    found.spool_dir = text(conf->slurmd_spooldir);
    found.slurmd_port = static_cast<std::uint16_t>(conf->slurmd_port);
    slurm_conf_unlock();
    return found;
}

std::optional<std::string> node_of_this_host()
{
    std::array<char, 256> host{};
    if (::gethostname(host.data(), host.size() - 1) != 0) return std::nullopt;
    // slurmd goes by the first part of the host name.
    if (char* const dot = std::strchr(host.data(), '.')) *dot = '\0';
    const char* node = slurm_conf_get_nodename(host.data());
    if (node == nullptr) node = slurm_conf_get_aliased_nodename();
    return node == nullptr ? std::nullopt : std::optional<std::string>(node);
}

std::string address_of(const std::string& node)
{
    return text(slurm_conf_get_address(node.c_str()));
}

std::optional<std::uint16_t> port_of(const std::string& node)
{
    slurm_addr_t address{};
    if (slurm_conf_get_addr(node.c_str(), &address, 0) != 0) return std::nullopt;
    std::uint16_t port = 0;
    if (address.ss_family == AF_INET) port = reinterpret_cast<const sockaddr_in&>(address).sin_port;
    if (address.ss_family == AF_INET6) port = reinterpret_cast<const sockaddr_in6&>(address).sin6_port;
    return port == 0 ? std::nullopt : std::optional(ntohs(port));
}

}  // namespace slurm_adopt::helper
