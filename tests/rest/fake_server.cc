// SPDX-License-Identifier: GPL-2.0-or-later
#include "fake_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <chrono>
#include <stdexcept>

#include "slurm_adopt/text.h"
#include "support/listening_socket.h"

namespace slurm_adopt::rest::test {
namespace {

using namespace std::chrono_literals;

constexpr int look_again_ms = 20;

Fd listen_on_loopback(int& port)
{
    Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (!socket || ::bind(socket.get(), any, size) != 0 || ::listen(socket.get(), 16) != 0 || ::getsockname(socket.get(), any, &size) != 0)
        throw std::runtime_error("no server");
    port = ntohs(address.sin_port);
    return socket;
}

std::shared_ptr<SSL_CTX> context_of(const Tls& tls)
{
    if (tls.certificate.empty()) return nullptr;
    std::shared_ptr<SSL_CTX> context(::SSL_CTX_new(::TLS_server_method()), ::SSL_CTX_free);
    if (tls.newest_version != 0) {
        ::SSL_CTX_set_security_level(context.get(), 0);
        (void)SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
        (void)SSL_CTX_set_max_proto_version(context.get(), tls.newest_version);
    }
    if (::SSL_CTX_use_certificate_chain_file(context.get(), tls.certificate.c_str()) != 1 ||
        ::SSL_CTX_use_PrivateKey_file(context.get(), tls.key.c_str(), SSL_FILETYPE_PEM) != 1)
        throw std::runtime_error("no certificate");
    return context;
}

bool readable(int fd, int patience_ms)
{
    pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
    return ::poll(&waiting, 1, patience_ms) > 0;
}

}  // namespace

Client::~Client()
{
    if (tls_ != nullptr) ::SSL_free(tls_);
}

long Client::read(char* bytes, std::size_t size)
{
    while (!is_over_ && (tls_ == nullptr || ::SSL_pending(tls_) == 0))
        if (readable(socket_.get(), look_again_ms)) break;
    if (is_over_) return 0;
    return tls_ != nullptr ? ::SSL_read(tls_, bytes, static_cast<int>(size)) : ::recv(socket_.get(), bytes, size, 0);
}

std::string Client::request()
{
    std::string head;
    while (!head.ends_with("\r\n\r\n")) {
        char byte = 0;
        if (read(&byte, 1) != 1) return {};
        head += byte;
    }
    return head;
}

bool Client::send(std::string_view text)
{
    while (!text.empty()) {
        const long sent = tls_ != nullptr ? ::SSL_write(tls_, text.data(), static_cast<int>(text.size()))
                                          : ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
        if (sent <= 0 || is_over_) return false;
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

void Client::hang()
{
    std::array<char, 1000> ignored{};
    while (read(ignored.data(), ignored.size()) > 0) {
    }
}

FakeServer::FakeServer(Behaviour behaviour, const Tls& tls)
    : behaviour_(std::move(behaviour)), tls_(context_of(tls)), listener_(listen_on_loopback(port_)), thread_([this] { run(); })
{
}

FakeServer::FakeServer(Behaviour behaviour, const std::string& socket_path)
    : behaviour_(std::move(behaviour)), listener_(slurm_adopt::test::listen_at(socket_path)), thread_([this] { run(); })
{
}

FakeServer::~FakeServer()
{
    is_over_ = true;
    thread_.join();
    for (std::thread& one : serving_) one.join();
}

void FakeServer::run()
{
    while (!is_over_) {
        if (!readable(listener_.get(), look_again_ms)) continue;
        Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!socket) continue;
        ++clients_;
        serving_.emplace_back([this, client = std::make_shared<Fd>(std::move(socket))] { serve(std::move(*client)); });
    }
}

void FakeServer::serve(Fd socket)
{
    // A client that does not read must not keep the test.
    const timeval patience{.tv_sec = 5, .tv_usec = 0};
    (void)::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    SSL* tls = nullptr;
    if (tls_) {
        (void)::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        tls = ::SSL_new(tls_.get());
        (void)::SSL_set_fd(tls, socket.get());
        if (::SSL_accept(tls) != 1) {
            ::SSL_free(tls);
            return;
        }
    }
    Client client(std::move(socket), tls, is_over_);
    behaviour_(client);
}

std::string answer_with(int status, std::string_view body, std::string_view more_headers)
{
    return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + std::string(more_headers) + "\r\n" +
           std::string(body);
}

Behaviour answering(std::function<std::string(const std::string& request)> answer)
{
    return [answer = std::move(answer)](Client& client) {
        for (;;) {
            const std::string request = client.request();
            if (request.empty() || !client.send(answer(request))) return;
        }
    };
}

Behaviour always(std::string answer)
{
    return answering([answer = std::move(answer)](const std::string&) { return answer; });
}

std::string path_of(const std::string& request)
{
    const auto words = split(std::string_view(request).substr(0, request.find('\r')), ' ');
    return words.size() == 3 && words[0] == "GET" ? std::string(words[1]) : std::string();
}

std::string header_of(const std::string& request, std::string_view name)
{
    for (std::string_view line : split(request, '\n')) {
        if (line.ends_with('\r')) line.remove_suffix(1);
        const std::size_t colon = line.find(':');
        if (colon != std::string_view::npos && lower_case(line.substr(0, colon)) == lower_case(name)) return std::string(line.substr(colon + 2));
    }
    return {};
}

}  // namespace slurm_adopt::rest::test
