// SPDX-License-Identifier: GPL-2.0-or-later
// TCP connections at 127.0.0.1. Ports are fixed: nobody else is in the cluster's network namespace.
#pragma once

#include <cstdint>
#include <string>

namespace slurm_adopt::e2e {

// A socket, closed with this. Nothing waits longer than ten seconds.
class Tcp {
public:
    Tcp();
    explicit Tcp(int accepted) : fd_(accepted) {}
    ~Tcp();
    Tcp(const Tcp&) = delete;
    Tcp& operator=(const Tcp&) = delete;

    [[nodiscard]] bool listen_at(std::uint16_t port) const;
    [[nodiscard]] bool connect_to(std::uint16_t port) const;
    [[nodiscard]] int accept_one() const;  // for another Tcp; -1: nobody came
    void say(const std::string& text) const;
    [[nodiscard]] std::string hear(std::size_t length) const;  // less, if no more comes

private:
    int fd_;
};

}  // namespace slurm_adopt::e2e
