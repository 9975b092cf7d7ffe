// SPDX-License-Identifier: GPL-2.0-or-later
//
// The far end of a login's connection: run in a job, so that the node's slurmd finds the connection to be the job's.
//
//   bench_peer PORT
//
// Accepts on 127.0.0.1 and keeps the last connections open until it is ended.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv)
{
    if (argc != 2) {
        std::fprintf(stderr, "usage: bench_peer PORT\n");
        return 64;
    }
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    (void)::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<in_port_t>(std::atoi(argv[1])));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || ::listen(listener, 64) != 0) {
        std::perror("bench_peer");
        return 1;
    }
    std::array<int, 8> kept{};
    kept.fill(-1);
    for (std::size_t i = 0;; i = (i + 1) % kept.size()) {
        const int connection = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (kept[i] >= 0) (void)::close(kept[i]);
        kept[i] = connection;
    }
}
