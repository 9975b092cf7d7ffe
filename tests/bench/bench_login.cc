// SPDX-License-Identifier: GPL-2.0-or-later
//
// One login, as sshd's monitor makes it: pam_start, pam_acct_mgmt, in a process that ends afterwards.
//
//   bench_login CONFDIR SERVICE USER
//
// With BENCH_PEER=PORT in the environment it holds a connection to 127.0.0.1 while it logs in, as sshd holds the client's.
// Prints one line: PAM result, microseconds, minor page faults, RSS kB, private dirty kB, mappings, inside.
// The line is written after the clock has stopped; the memory is that before pam_end, which unloads modules.
// No C++ runtime here, as there is none in sshd: it would be in memory already when a module brings its own.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <security/pam_appl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

// Swallows what the modules have to say: no terminal is part of what is measured.
int converse(int count, const pam_message**, pam_response** responses, void*)
{
    *responses = static_cast<pam_response*>(std::calloc(static_cast<std::size_t>(count), sizeof(pam_response)));
    return *responses == nullptr ? PAM_BUF_ERR : PAM_SUCCESS;
}

double microseconds_now()
{
    timespec now{};
    (void)::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

long minor_faults()
{
    rusage usage{};
    (void)::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

// Filled before the clock starts, so that reading /proc does not change what /proc says.
char text[std::size_t{512} * 1024];

const char* read_proc(const char* path)
{
    const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
    std::size_t length = 0;
    while (fd >= 0 && length < sizeof text - 1) {
        const ssize_t got = ::read(fd, text + length, sizeof text - 1 - length);
        if (got <= 0) break;
        length += static_cast<std::size_t>(got);
    }
    if (fd >= 0) (void)::close(fd);
    text[length] = '\0';
    return text;
}

long kilobytes(const char* rollup, const char* field)
{
    const char* at = std::strstr(rollup, field);
    return at == nullptr ? -1 : std::strtol(at + std::strlen(field), nullptr, 10);
}

// The client's connection; its address is the remote host. -1: there is none.
int connect_peer(const char* port)
{
    if (port == nullptr) return -1;
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<in_port_t>(std::atoi(port)));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
        std::perror("bench_login: BENCH_PEER");
        std::exit(69);
    }
    return fd;
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc != 4) {
        std::fprintf(stderr, "usage: bench_login CONFDIR SERVICE USER\n");
        return 64;
    }
    // What sshd has done by the time it asks PAM: the name service is loaded and knows the user, the time zone is known.
    if (::getpwnam(argv[3]) == nullptr) {
        std::fprintf(stderr, "bench_login: no user %s\n", argv[3]);
        return 67;
    }
    ::tzset();
    const int peer = connect_peer(std::getenv("BENCH_PEER"));
    (void)::unsetenv("BENCH_PEER");
    std::memset(text, 1, sizeof text);

    const pam_conv conversation{.conv = converse, .appdata_ptr = nullptr};
    pam_handle_t* handle = nullptr;
    const long faults_before = minor_faults();
    const double began = microseconds_now();
    int result = ::pam_start_confdir(argv[2], argv[3], &conversation, argv[1], &handle);
    if (result == PAM_SUCCESS) result = ::pam_set_item(handle, PAM_RHOST, peer < 0 ? "198.51.100.9" : "127.0.0.1");
    if (result == PAM_SUCCESS) result = ::pam_acct_mgmt(handle, 0);
    const double ended = microseconds_now();
    const long faults = minor_faults() - faults_before;

    const char* rollup = read_proc("/proc/self/smaps_rollup");
    const long resident = kilobytes(rollup, "\nRss:");
    const long dirty = kilobytes(rollup, "\nPrivate_Dirty:");
    int mappings = 0;
    for (const char* at = read_proc("/proc/self/maps"); *at != '\0'; ++at) mappings += *at == '\n';
    const bool inside = std::strstr(read_proc("/proc/self/cgroup"), "/step_extern") != nullptr;
    if (handle != nullptr) (void)::pam_end(handle, result);

    std::printf("%d %.1f %ld %ld %ld %d %d\n", result, ended - began, faults, resident, dirty, mappings, inside ? 1 : 0);
    return 0;
}
