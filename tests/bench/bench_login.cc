// SPDX-License-Identifier: GPL-2.0-or-later
//
// One login (see login.h), measured, in a process that ends afterwards.
//
//   bench_login CONFDIR SERVICE USER
//
// With BENCH_PEER=PORT in the environment it holds a connection to 127.0.0.1 while it logs in, as sshd holds the client's.
// With BENCH_CLIENT=PORT the connection comes from a client at 127.0.0.7 to that port, as to a port of sshd's; and with
// BENCH_HOLD it stays after the login, in the job and with the connection, until it is ended.
// Prints one line: PAM result, microseconds, minor page faults, RSS kB, private dirty kB, mappings, inside.
// The line is written after the clock has stopped; the memory is that before pam_end, which unloads modules.
#include "login.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <initializer_list>

namespace {

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

// Both ends are here: what the client does is no matter.
void accept_client(const char* port)
{
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    (void)::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    (void)::setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    sockaddr_in server{};
    server.sin_family = AF_INET;
    server.sin_port = htons(static_cast<in_port_t>(std::atoi(port)));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_in from = server;
    from.sin_port = 0;
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 6);
    if (::bind(listener, reinterpret_cast<sockaddr*>(&server), sizeof server) != 0 || ::listen(listener, 1) != 0 ||
        ::bind(client, reinterpret_cast<sockaddr*>(&from), sizeof from) != 0 ||
        ::connect(client, reinterpret_cast<sockaddr*>(&server), sizeof server) != 0 ||
        ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC) < 0) {
        std::perror("bench_login: BENCH_CLIENT");
        std::exit(69);
    }
    (void)::close(listener);
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc != 4) {
        std::fprintf(stderr, "usage: bench_login CONFDIR SERVICE USER\n");
        return 64;
    }
    if (!bench::prepare(argv[3])) return 67;
    const int peer = connect_peer(std::getenv("BENCH_PEER"));
    (void)::unsetenv("BENCH_PEER");
    const char* const client = std::getenv("BENCH_CLIENT");
    if (client != nullptr) accept_client(client);
    const bool holds = std::getenv("BENCH_HOLD") != nullptr;
    for (const char* name : {"BENCH_CLIENT", "BENCH_HOLD"}) (void)::unsetenv(name);
    std::memset(text, 1, sizeof text);

    pam_handle_t* handle = nullptr;
    const long faults_before = minor_faults();
    const double began = microseconds_now();
    const int result = bench::log_in(argv[1], argv[2], argv[3], client != nullptr ? "127.0.0.7" : peer < 0 ? "198.51.100.9" : "127.0.0.1", handle);
    const double ended = microseconds_now();
    const long faults = minor_faults() - faults_before;

    const char* rollup = bench::read_proc("/proc/self/smaps_rollup", text);
    const long resident = kilobytes(rollup, "\nRss:");
    const long dirty = kilobytes(rollup, "\nPrivate_Dirty:");
    int mappings = 0;
    for (const char* at = bench::read_proc("/proc/self/maps", text); *at != '\0'; ++at) mappings += *at == '\n';
    const bool inside = bench::is_inside(text);
    if (handle != nullptr) (void)::pam_end(handle, result);

    std::printf("%d %.1f %ld %ld %ld %d %d\n", result, ended - began, faults, resident, dirty, mappings, inside ? 1 : 0);
    if (holds) {
        (void)std::fflush(stdout);
        (void)::pause();
    }
    return 0;
}
