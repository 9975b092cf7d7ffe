// SPDX-License-Identifier: GPL-2.0-or-later
// A server that does what a test wants, on the loopback or at a unix socket, with TLS or without.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "slurm_adopt/fd.h"

struct ssl_ctx_st;
struct ssl_st;

namespace slurm_adopt::rest::test {

// One client, in a thread of its own.
class Client {
public:
    Client(Fd socket, ssl_st* tls, const std::atomic<bool>& is_over) : socket_(std::move(socket)), tls_(tls), is_over_(is_over) {}
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client();

    // The head of the next request; empty: there is none.
    [[nodiscard]] std::string request();
    // False: the client is gone.
    bool send(std::string_view text);
    // Until the client goes away or the test is over.
    void hang();
    [[nodiscard]] bool is_over() const { return is_over_; }
    [[nodiscard]] int descriptor() const { return socket_.get(); }

private:
    [[nodiscard]] long read(char* bytes, std::size_t size);
    Fd socket_;
    ssl_st* tls_;
    const std::atomic<bool>& is_over_;
};

// What is done with each client, from connect to close.
using Behaviour = std::function<void(Client&)>;

struct Tls {
    std::string certificate;  // PEM files
    std::string key;
    int newest_version = 0;  // TLS1_1_VERSION ...; 0: any
};

class FakeServer {
public:
    explicit FakeServer(Behaviour behaviour, const Tls& tls = {});
    FakeServer(Behaviour behaviour, const std::string& socket_path);
    FakeServer(const FakeServer&) = delete;
    FakeServer& operator=(const FakeServer&) = delete;
    ~FakeServer();

    [[nodiscard]] int port() const { return port_; }
    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    [[nodiscard]] int clients() const { return clients_; }

private:
    void run();
    void serve(Fd socket);

    Behaviour behaviour_;
    std::shared_ptr<ssl_ctx_st> tls_;
    int port_ = 0;
    Fd listener_;
    std::atomic<bool> is_over_ = false;
    std::atomic<int> clients_ = 0;
    std::vector<std::thread> serving_;
    std::thread thread_;  // the last one: it uses all the others
};

// A whole answer with its length.
[[nodiscard]] std::string answer_with(int status, std::string_view body, std::string_view more_headers = "");

// As slurmrestd does: one answer for each request of each client, by the request's head.
[[nodiscard]] Behaviour answering(std::function<std::string(const std::string& request)> answer);

// The same, whatever is asked.
[[nodiscard]] Behaviour always(std::string answer);

[[nodiscard]] std::string path_of(const std::string& request);
// The value of a header; empty: it is not there.
[[nodiscard]] std::string header_of(const std::string& request, std::string_view name);

}  // namespace slurm_adopt::rest::test
