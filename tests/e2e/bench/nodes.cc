// SPDX-License-Identifier: GPL-2.0-or-later
#include "nodes.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <stdexcept>

#include "cluster.h"
#include "job.h"
#include "login.h"

namespace slurm_adopt::e2e {
namespace {

std::string socket_of(const std::string& node, std::uint32_t job)
{
    return cluster().spool + '/' + node + '/' + node + '_' + std::to_string(job) + ".4294967292";
}

bool is_contained(const std::string& node, std::uint32_t job)
{
    const std::string title = "slurmstepd: [" + std::to_string(job) + ".extern]";
    for (const auto& entry : std::filesystem::directory_iterator("/proc"))
        if (read_whole(entry.path() / "cmdline").starts_with(title) && job_on(node, read_whole(entry.path() / "cgroup")) == job)
            return true;
    return false;
}

void hand_over(const std::string& path, const std::string& user)
{
    const passwd* entry = ::getpwnam(user.c_str());
    if (entry == nullptr || ::chown(path.c_str(), entry->pw_uid, entry->pw_gid) != 0) throw std::runtime_error("chown " + path);
}

int make_socket(const std::string& node, int family)
{
    std::string pid = read_whole(cluster().directory + "/pid/" + node);
    while (!pid.empty() && pid.back() == '\n') pid.pop_back();
    int made = -1;
    // A socket stays in the network namespace that it was made in; only this thread goes there.
    std::thread maker([&] {
        const int space = ::open(("/proc/" + pid + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC);
        if (space < 0 || ::setns(space, CLONE_NEWNET) != 0) return;
        (void)::close(space);
        made = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    });
    maker.join();
    const int yes = 1;
    if (made < 0 || ::setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0)
        throw std::runtime_error("no socket on " + node);
    return made;
}

// The next connection; -1: none for a while.
int accept_soon(int socket)
{
    pollfd entry{socket, POLLIN, 0};
    return ::poll(&entry, 1, 20) > 0 ? ::accept4(socket, nullptr, nullptr, SOCK_CLOEXEC) : -1;
}

}  // namespace

std::string node_name(const std::string& node)
{
    if (node.size() != 2) return node;
    const std::string& first = cluster().node;
    return first.substr(0, first.rfind('n')) + node;
}

const std::string& helper_copy()
{
    static const std::string path = [] {
        const char* built = std::getenv("SLURM_ADOPT_HELPER");
        if (built == nullptr) throw std::runtime_error("SLURM_ADOPT_HELPER is not set");
        const std::string directory = cluster().directory + "/helper";
        std::filesystem::create_directory(directory);
        std::filesystem::copy_file(built, directory + "/slurm-adopt-helper");
        const auto rest = std::filesystem::path(built).replace_filename("slurm-adopt-rest");
        if (std::filesystem::exists(rest)) std::filesystem::copy_file(rest, directory + "/slurm-adopt-rest");
        return directory + "/slurm-adopt-helper";
    }();
    return path;
}

std::vector<std::string> caller_id_stack(const std::string& options)
{
    return sshd_stack({account_line("strict log_level=verbose helper=" + helper_copy() + ' ' + options)});
}

Command on(const std::string& node, Command command)
{
    command.argv.insert(command.argv.begin(), {cluster().control, "on", node, "--"});
    return command;
}

Command ssh_between(const std::string& from, const std::string& user, const std::string& to, const std::string& command,
                    const std::vector<std::string>& options)
{
    std::vector<std::string> argv = {"ssh", "-oBatchMode=yes"};
    argv.insert(argv.end(), options.begin(), options.end());
    argv.insert(argv.end(), {user + '@' + to, command});
    return on(from, {.argv = std::move(argv)});
}

NodesJob::NodesJob(const std::string& user, const std::vector<std::string>& nodes, const std::string& partition,
                   const std::vector<std::string>& options)
{
    static int made = 0;
    directory_ = cluster().directory + "/home/" + user + "/job" + std::to_string(++made);
    std::filesystem::create_directory(directory_);
    hand_over(directory_, user);
    std::string list;
    for (const std::string& node : nodes) {
        nodes_.push_back(node_name(node));
        list += (list.empty() ? "" : ",") + nodes_.back();
    }
    const std::string script = "cd " + directory_ + " && mkfifo orders && exec 3<>orders && : >ready && "
                               "while read -r order <&3; do sh -c \"$order\" 3<&- & done";
    std::vector<std::string> argv = {"env", "--chdir=/", "sbatch", "--output=/dev/null", "--mem=64", "--partition=" + partition,
                                     "--nodes=" + std::to_string(nodes.size()), "--nodelist=" + list};
    argv.insert(argv.end(), options.begin(), options.end());
    argv.insert(argv.end(), {"--wrap", script});
    const Finished done = e2e::run(as_user(user, std::move(argv)));
    std::smatch found;
    if (!std::regex_search(done.out, found, std::regex("Submitted batch job ([0-9]+)"))) throw std::runtime_error("sbatch: " + done.err);
    id_ = static_cast<std::uint32_t>(std::stoul(found[1]));
    for (const std::string& node : nodes_)
        if (!eventually([&] { return std::filesystem::exists(socket_of(node, id_)) && is_contained(node, id_); }))
            throw std::runtime_error("the extern step of job " + id_text() + " does not start on " + node);
    if (!eventually([&] { return std::filesystem::exists(directory_ + "/ready"); }))
        throw std::runtime_error("the script of job " + id_text() + " does not start");
}

NodesJob::~NodesJob()
{
    if (id_ == 0) return;
    (void)e2e::run({.argv = {"scancel", id_text()}});
    for (const std::string& node : nodes_) (void)eventually([&] { return !std::filesystem::exists(socket_of(node, id_)); });
}

int NodesJob::begin(const std::string& command)
{
    const std::string name = directory_ + '/' + std::to_string(++count_);
    write_whole(name + ".sh", command + '\n');
    std::ofstream orders(directory_ + "/orders");
    orders << "sh " << name << ".sh >" << name << ".out 2>" << name << ".err </dev/null; echo $? >" << name << ".tmp; mv " << name
           << ".tmp " << name << ".rc\n";
    orders.flush();
    return count_;
}

Finished NodesJob::end(int number, std::chrono::seconds limit) const
{
    const std::string name = directory_ + '/' + std::to_string(number);
    Finished finished;
    if (!eventually([&] { return std::filesystem::exists(name + ".rc"); }, limit)) {
        finished.code = 124;
    } else {
        finished.code = std::stoi(read_whole(name + ".rc"));
    }
    finished.out = read_whole(name + ".out");
    finished.err = read_whole(name + ".err");
    return finished;
}

Finished NodesJob::run(const std::string& command, std::chrono::seconds limit)
{
    const auto started = std::chrono::steady_clock::now();
    const int number = begin(command);
    Finished finished = end(number, limit);
    finished.took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - started);
    return finished;
}

std::uint32_t job_on(const std::string& node, const std::string& cgroup_text)
{
    return cgroup_text.find("/slurm_" + node_name(node) + '/') == std::string::npos ? 0 : job_in(cgroup_text);
}

Listener::Listener(const std::string& node, std::uint16_t port, Way way) : way_(way)
{
    socket_ = make_socket(node, AF_INET);
    if (way_ == Way::drops) {
        sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
        const sock_fprog program{1, &nothing};
        if (::setsockopt(socket_, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0) throw std::runtime_error("SO_ATTACH_FILTER");
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(socket_, 64) != 0)
        throw std::runtime_error("cannot listen on " + node);
    thread_ = std::thread([this] { serve(); });
}

Listener::~Listener()
{
    over_ = true;
    thread_.join();
    (void)::close(socket_);
}

void Listener::serve()
{
    std::vector<int> accepted;
    while (!over_) {
        const int peer = accept_soon(socket_);
        if (peer < 0) continue;
        ++connections_;
        accepted.push_back(peer);
        if (way_ != Way::garbage) continue;
        // The length of a message, as Slurm sends it first, and then what is none.
        std::string reply("\0\0\0\x40", 4);
        reply.append(0x40, 'x');
        (void)!::send(peer, reply.data(), reply.size(), MSG_NOSIGNAL);
        (void)::shutdown(peer, SHUT_WR);
    }
    for (const int peer : accepted) (void)::close(peer);
}

DualStackSshd::DualStackSshd(const std::string& node, std::uint16_t port) : node_(node), socket_(make_socket(node, AF_INET6))
{
    const int no = 0;
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    if (::setsockopt(socket_, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no) != 0 ||
        ::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(socket_, 64) != 0)
        throw std::runtime_error("cannot listen on " + node);
    thread_ = std::thread([this] { serve(); });
}

DualStackSshd::~DualStackSshd()
{
    over_ = true;
    thread_.join();
    (void)::close(socket_);
}

void DualStackSshd::serve() const
{
    const std::string configuration = cluster().directory + "/conf/sshd_config." + node_;
    std::vector<pid_t> started;
    while (!over_) {
        const int peer = accept_soon(socket_);
        if (peer < 0) continue;
        posix_spawn_file_actions_t actions;
        (void)::posix_spawn_file_actions_init(&actions);
        (void)::posix_spawn_file_actions_adddup2(&actions, peer, 0);
        (void)::posix_spawn_file_actions_adddup2(&actions, peer, 1);
        const Command command = on(node_, {.argv = {"/usr/sbin/sshd", "-i", "-f", configuration}});
        std::vector<char*> argv;
        for (const std::string& argument : command.argv) argv.push_back(const_cast<char*>(argument.c_str()));
        argv.push_back(nullptr);
        pid_t pid = -1;
        if (::posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ) == 0) started.push_back(pid);
        (void)::posix_spawn_file_actions_destroy(&actions);
        (void)::close(peer);
    }
    for (const pid_t pid : started) (void)::waitpid(pid, nullptr, 0);
}

}  // namespace slurm_adopt::e2e
