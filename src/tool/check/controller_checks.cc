// SPDX-License-Identifier: GPL-2.0-or-later
// The controller's view (controller= in the account line): is it to be had, and does what proves who we are stay secret?
#include <string>
#include <string_view>

#include "check/checks.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt::tool {
namespace {

bool is_loopback(std::string_view host)
{
    return host == "localhost" || host == "[::1]" ||
           (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos);
}

// Of http://HOST[:PORT].
std::string_view host_of(std::string_view url)
{
    const std::string_view authority = url.substr(url.find("//") + 2);
    if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
    return authority.substr(0, authority.find(':'));
}

}  // namespace

Found check_controller(const Node& node)
{
    const Options& options = node.options();
    if (options.controller == Controller::none) return std::nullopt;
    const bool by_rest = options.controller == Controller::rest;
    const std::string who = by_rest ? "slurmrestd" : "slurmctld";
    const auto jobs = node.roots.ask_controller(options);
    if (jobs.ok()) return found_ok(who + " has " + std::to_string(jobs.value().size()) + " job(s) on this node");
    const std::string where = by_rest ? "rest_url=" + options.rest_url + " is where slurmrestd listens, and the token or key, for root only, is the cluster's"
                                      : "munged and slurmctld run, and slurm.conf is the cluster's";
    return found_warn(who + " says nothing: " + printable(jobs.error().context) + "; logins are decided as without controller=",
                      "run this as root; see that " + where + "; the log (authpriv) of " +
                          (by_rest ? "slurm-adopt-rest" : "slurm-adopt-helper") + " says more");
}

Found check_controller_secrecy(const Node& node)
{
    const Options& options = node.options();
    if (options.controller != Controller::rest) return std::nullopt;
    if (!options.rest_url.starts_with("http://") || is_loopback(host_of(options.rest_url)))
        return found_ok("the token is for slurmrestd's eyes only: " + options.rest_url);
    return found_warn(options.rest_url + ": the token for user " + (options.rest_user.empty() ? "root" : options.rest_user) +
                          " goes over the network for everybody to read",
                      "let slurmrestd be asked by https:// (rest_ca_file= has its certificate's issuer), or by a unix: socket");
}

}  // namespace slurm_adopt::tool
