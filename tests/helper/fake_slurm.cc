// SPDX-License-Identifier: GPL-2.0-or-later
// Loaded before libslurm. What the program does with it is told by the file $SLURM_CONF, one order a line:
//   say TEXT       to stderr          fatal      as libslurm ends the process: exit(1)
//   crash          abort()            hang       for ever
//   node A|B|C     a line NodeName=A NodeHostname=B NodeAddr=C
//   job N NAME     the answer of slurm_network_callerid; without it: an error
//   listed ID UID STATE REASON AGE NODES   a job of slurmctld's; numbers as in slurm/slurm.h, AGE in seconds
//   details ID NAME|PARTITION|ACCOUNT|COUNT   more of a job that is listed
//   not_listed N   slurmctld does not tell, with errno N
//   auth TYPE INFO AuthType and AuthInfo; without it: auth/none
//   set NAME VALUE proctrack, task, launch, container, slurmd or spool of slurm.conf; prolog and flags are numbers
//   address-of N A NodeAddr of N; without it its name
//   this NAME      the node of this host
//   port NODE N    of a node's slurmd; without it SlurmdPort, 6818; "port NODE hang": the resolver does not answer
// and what it was given is written to $SLURM_CONF.seen.
#include <arpa/inet.h>
#include <dirent.h>
#include <signal.h>
#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>
#include <slurm/slurm_version.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

struct NodeLine {
    char* nodenames;
    char* hostnames;
    char* addresses;
};

std::string conf_path()
{
    const char* path = std::getenv("SLURM_CONF");
    return path == nullptr ? "/dev/null" : path;
}

std::vector<std::string> orders()
{
    std::ifstream file(conf_path());
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
}

std::ofstream seen()
{
    return std::ofstream(conf_path() + ".seen", std::ios::app);
}

std::string hex(const unsigned char (&bytes)[16])
{
    std::string text;
    for (const unsigned char byte : bytes) {
        constexpr char digits[] = "0123456789abcdef";
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

// What follows `name` and a space in its line; empty: no such line.
std::string setting(const std::string& name)
{
    for (const std::string& order : orders())
        if (order.starts_with(name + ' ')) return order.substr(name.size() + 1);
    return {};
}

// As libslurm has it: of a memory of its own, null where there is none.
char* kept_setting(const std::string& name)
{
    const std::string value = setting(name);
    return value.empty() ? nullptr : ::strdup(value.c_str());
}

// All of them, whoever is asked for: the program has to look itself.
int answer_jobs(job_info_msg_t** answer)
{
    static std::vector<slurm_job_info_t> jobs;
    static job_info_msg_t message;
    message = {};
    message.last_update = 1'800'000'000;
    for (const std::string& order : orders()) {
        if (order.starts_with("not_listed ")) {
            errno = std::atoi(order.c_str() + 11);
            return SLURM_ERROR;
        }
        if (!order.starts_with("listed ")) continue;
        std::istringstream fields(order.substr(7));
        slurm_job_info_t job{};
        std::string nodes;
        std::uint32_t id = 0;
        std::time_t age = 0;
        fields >> id >> job.user_id >> job.job_state >> job.state_reason >> age >> nodes;
#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(26, 5, 0)
        job.step_id.job_id = id;
#else
        job.job_id = id;
#endif
        job.start_time = message.last_update - age;
        if (!nodes.empty()) job.nodes = ::strdup(nodes.c_str());
        if (std::istringstream more(setting("details " + std::to_string(id))); more.peek() != EOF) {
            for (char** field : {&job.name, &job.partition, &job.account}) {
                std::string text;
                std::getline(more, text, '|');
                *field = ::strdup(text.c_str());
            }
            more >> job.num_nodes;
        }
        jobs.push_back(job);
    }
    message.job_array = jobs.data();
    message.record_count = static_cast<std::uint32_t>(jobs.size());
    *answer = &message;
    return SLURM_SUCCESS;
}

}  // namespace

extern "C" {

void slurm_init(const char* conf)
{
    std::ofstream out = seen();
    out << "init " << (conf == nullptr ? "(null)" : conf) << '\n';
    for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) out << "env " << *variable << '\n';
    DIR* directory = ::opendir("/proc/self/fd");
    std::vector<std::string> descriptors;
    while (const dirent* entry = ::readdir(directory))
        if (entry->d_name[0] != '.' && std::atoi(entry->d_name) != ::dirfd(directory)) descriptors.emplace_back(entry->d_name);
    ::closedir(directory);
    std::sort(descriptors.begin(), descriptors.end());
    out << "fds";
    // The file that this is written to is open as well.
    for (const std::string& descriptor : descriptors)
        if (std::atoi(descriptor.c_str()) <= 3) out << ' ' << descriptor;
    out << " and " << std::count_if(descriptors.begin(), descriptors.end(), [](auto& d) { return std::atoi(d.c_str()) > 3; }) << '\n';
    char cwd[4096] = "";
    out << "cwd " << ::getcwd(cwd, sizeof cwd) << '\n';
    struct sigaction pipe {};
    (void)::sigaction(SIGPIPE, nullptr, &pipe);
    out << "sigpipe " << (pipe.sa_handler == SIG_IGN ? "ignored" : "not ignored") << '\n';
    const unsigned alarm_left = ::alarm(0);
    (void)::alarm(alarm_left);
    out << "alarm " << (alarm_left > 20 && alarm_left <= 30 ? "set" : "not set") << '\n';
    out.close();
    for (const std::string& order : orders()) {
        if (order.starts_with("say ")) std::fprintf(stderr, "%s\n", order.c_str() + 4);
        if (order == "fatal") std::exit(1);
        if (order == "crash") std::abort();
        while (order == "hang") ::pause();
    }
}

int slurm_conf_nodename_array(NodeLine** lines[])
{
    static std::vector<NodeLine*> made;
    for (const std::string& order : orders()) {
        if (!order.starts_with("node ")) continue;
        std::istringstream fields(order.substr(5));
        auto* line = new NodeLine{};
        for (char** field : {&line->nodenames, &line->hostnames, &line->addresses}) {
            std::string text;
            std::getline(fields, text, '|');
            *field = ::strdup(text.c_str());
        }
        made.push_back(line);
    }
    *lines = made.data();
    return static_cast<int>(made.size());
}

slurm_conf_t* slurm_conf_lock()
{
    static slurm_conf_t conf;
    static std::string type;
    static std::string info;
    type = "auth/none";
    for (const std::string& order : orders())
        if (order.starts_with("auth ")) std::istringstream(order.substr(5)) >> type >> info;
    conf.authtype = type.data();
    conf.authinfo = info.empty() ? nullptr : info.data();
    conf.proctrack_type = kept_setting("set proctrack");
    conf.task_plugin = kept_setting("set task");
    conf.launch_params = kept_setting("set launch");
#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(25, 11, 0)
    conf.namespace_plugin = kept_setting("set container");
#else
    conf.job_container_plugin = kept_setting("set container");
#endif
    conf.slurmd_params = kept_setting("set slurmd");
    conf.slurmd_spooldir = kept_setting("set spool");
    conf.prolog_flags = static_cast<decltype(conf.prolog_flags)>(std::atoi(setting("set prolog").c_str()));
    conf.conf_flags = static_cast<decltype(conf.conf_flags)>(std::atoi(setting("set flags").c_str()));
    conf.slurmd_port = 6818;
    return &conf;
}

void slurm_conf_unlock() {}

char* slurm_conf_get_nodename(const char*)
{
    for (const std::string& order : orders())
        if (order.starts_with("this ")) return ::strdup(order.c_str() + 5);
    return nullptr;
}

char* slurm_conf_get_aliased_nodename()
{
    return nullptr;
}

char* slurm_conf_get_address(const char* node)
{
    const std::string address = setting("address-of " + std::string(node));
    return ::strdup(address.empty() ? node : address.c_str());
}

int slurm_conf_get_addr(const char* node, slurm_addr_t* address, std::uint16_t)
{
    const std::string port = setting("port " + std::string(node));
    while (port == "hang") ::pause();
    sockaddr_in found{};
    found.sin_family = AF_INET;
    found.sin_port = htons(static_cast<std::uint16_t>(port.empty() ? 6818 : std::atoi(port.c_str())));
    std::memcpy(address, &found, sizeof found);
    return port == "unknown" ? SLURM_ERROR : SLURM_SUCCESS;
}

int slurm_load_jobs(std::time_t update_time, job_info_msg_t** answer, std::uint16_t show_flags)
{
    seen() << "load_jobs since " << update_time << " flags " << show_flags << '\n';
    return answer_jobs(answer);
}

#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(26, 5, 0)
int (slurm_load_job)(job_info_msg_t** answer, slurm_step_id_t step, std::uint16_t show_flags)
{
    const std::uint32_t job_id = step.job_id;
#else
int slurm_load_job(job_info_msg_t** answer, std::uint32_t job_id, std::uint16_t show_flags)
{
#endif
    seen() << "load_job " << job_id << " flags " << show_flags << '\n';
    return answer_jobs(answer);
}

int slurm_load_job_user(job_info_msg_t** answer, std::uint32_t uid, std::uint16_t show_flags)
{
    seen() << "load_job_user " << uid << " flags " << show_flags << '\n';
    return answer_jobs(answer);
}

void slurm_free_job_info_msg(job_info_msg_t* message)
{
    seen() << "freed " << message->record_count << '\n';
}

#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(26, 5, 0)
int(slurm_network_callerid)(network_callerid_msg_t message, slurm_step_id_t* step, char* node_name, int node_name_size)
{
    std::uint32_t* job_id = &step->job_id;
#else
int slurm_network_callerid(network_callerid_msg_t message, std::uint32_t* job_id, char* node_name, int node_name_size)
{
#endif
    seen() << "callerid src " << hex(message.ip_src) << ' ' << message.port_src << " dst " << hex(message.ip_dst) << ' '
           << message.port_dst << " af " << message.af << '\n';
    for (const std::string& order : orders()) {
        if (!order.starts_with("job ")) continue;
        std::istringstream fields(order.substr(4));
        std::string name;
        fields >> *job_id;
        fields.get();
        std::getline(fields, name);
        if (node_name_size > 0) {
            std::strncpy(node_name, name.c_str(), static_cast<std::size_t>(node_name_size));
        }
        return SLURM_SUCCESS;
    }
    errno = ESLURM_INVALID_JOB_ID;
    return SLURM_ERROR;
}

}  // extern "C"
