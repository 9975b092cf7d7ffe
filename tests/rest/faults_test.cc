// SPDX-License-Identifier: GPL-2.0-or-later
// Servers that misbehave: each is over in time, with its status and one clear line.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "fake_server.h"
#include "rest_program.h"

namespace slurm_adopt::rest::test {
namespace {

using namespace std::chrono_literals;

const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
const std::string good = jobs_text(job_text(7));

class RestFaults : public RestProgram {
protected:
    void expect(const Behaviour& behaviour, JobsStatus status, const std::string& words, const std::string& level = "err",
                std::chrono::milliseconds patience = usual_patience)
    {
        SCOPED_TRACE(words);
        const FakeServer server(behaviour);
        JobsRequest request = request_to(server.url());
        request.patience_ms = static_cast<std::uint32_t>(patience.count());
        expect_failure(ask(request), status, words, level, patience);
    }
    // After the request.
    void expect_of(const std::string& answer, JobsStatus status, const std::string& words)
    {
        expect([answer](Client& client) {
            if (!client.request().empty()) client.send(answer);
        }, status, words);
    }
};

// --- it hangs ---

TEST_F(RestFaults, HangsBeforeItAnswers)
{
    expect([](Client& client) { client.hang(); }, JobsStatus::unreachable, "connected, but has not answered", "debug");
}

TEST_F(RestFaults, HangsInItsHeaders)
{
    expect([](Client& client) { client.send("HTTP/1.1 200 OK\r\nContent-Ty"); client.hang(); }, JobsStatus::unreachable, "has not answered", "debug");
}

TEST_F(RestFaults, HangsInItsBody)
{
    expect([](Client& client) {
        if (client.request().empty()) return;
        client.send(head + "Content-Length: 1000\r\n\r\n{\"jobs\": [");
        client.hang();
    }, JobsStatus::unreachable, "begun, but not ended", "debug");
}

TEST_F(RestFaults, OneByteASecond)
{
    const std::string answer = answer_with(200, good);
    expect([&](Client& client) {
        for (const char c : answer) {
            if (!client.send(std::string(1, c))) return;
            for (int i = 0; i < 50 && !client.is_over(); ++i) std::this_thread::sleep_for(20ms);
        }
    }, JobsStatus::unreachable, "has not answered", "debug");
}

TEST_F(RestFaults, OneByteASecondOfTheBody)
{
    expect([&](Client& client) {
        if (client.request().empty()) return;
        client.send(head + "Content-Length: 1000\r\n\r\n");
        while (client.send(" "))
            for (int i = 0; i < 50 && !client.is_over(); ++i) std::this_thread::sleep_for(20ms);
    }, JobsStatus::unreachable, "begun, but not ended", "debug");
}

TEST_F(RestFaults, DoesNotAccept)
{
    // A full backlog: connections stay half open.
    const Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(::bind(listener.get(), any, size), 0);
    ASSERT_EQ(::listen(listener.get(), 0), 0);
    ASSERT_EQ(::getsockname(listener.get(), any, &size), 0);
    std::vector<Fd> others;
    for (int i = 0; i < 4; ++i) {
        others.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        (void)::connect(others.back().get(), any, size);
    }
    expect_failure(ask("http://127.0.0.1:" + std::to_string(ntohs(address.sin_port))), JobsStatus::unreachable, "no connection yet", "debug");
}

TEST_F(RestFaults, EndlessHeaders)
{
    expect([](Client& client) {
        if (client.request().empty()) return;
        client.send("HTTP/1.1 200 OK\r\n");
        const std::string line = "X-Filler: " + std::string(60'000, 'x') + "\r\n";
        while (client.send(line)) {
        }
    }, JobsStatus::unreachable, "", "debug");
}

// --- nobody is there ---

TEST_F(RestFaults, NobodyListens)
{
    int port = 0;
    { const FakeServer gone([](Client&) {}); port = gone.port(); }
    expect_failure(ask("http://127.0.0.1:" + std::to_string(port)), JobsStatus::unreachable, "onnect", "debug");
}

TEST_F(RestFaults, NoSuchHost)
{
    expect_failure(ask("http://nowhere.invalid:6820"), JobsStatus::unreachable, "nowhere.invalid", "debug");
}

TEST_F(RestFaults, ClosesAtOnce)
{
    expect([](Client&) {}, JobsStatus::unreachable, "", "debug");
    expect([](Client& client) { (void)client.request(); }, JobsStatus::unreachable, "mpty reply", "debug");
}

// --- it answers something else ---

TEST_F(RestFaults, ARedirectIsNotFollowed)
{
    const FakeServer other(always(answer_with(200, good)));
    for (const int status : {301, 302, 307, 308}) {
        const FakeServer server(always(answer_with(status, "", "Location: " + other.url() + "/slurm/v0.0.42/jobs/\r\n")));
        expect_failure(ask(server.url()), JobsStatus::malformed, "HTTP " + std::to_string(status));
    }
    EXPECT_EQ(other.clients(), 0);
}

TEST_F(RestFaults, ItDoesNotTakeTheToken)
{
    expect(always(answer_with(401, "Authentication failure", "Connection: Close\r\n")), JobsStatus::refused, "HTTP 401: it does not take our token");
    expect(always(answer_with(403, "no")), JobsStatus::refused, "HTTP 403");
    expect(always(answer_with(511, "{}")), JobsStatus::refused, "HTTP 511");
    expect(always(answer_with(500, R"({"errors": [{"description": "Unable to query jobs", "error_number": 1007, "error": "Protocol authentication error"}]})")),
           JobsStatus::refused, "HTTP 500: Unable to query jobs, Protocol authentication error (1007)");
    // What 22.05 says of a token with another key, of one that has expired, and of a slurmctld that is away.
    expect(always(answer_with(500, R"({"errors": [{"description": "Failed while looking for jobs", "error_number": -1, "error": "Unspecified error",
        "source": "slurm_load_jobs"}], "jobs": []})")), JobsStatus::refused, "slurmctld does not take our token, or does not answer slurmrestd");
}

TEST_F(RestFaults, ItHasAnErrorOfItsOwn)
{
    expect(always(answer_with(500, "")), JobsStatus::malformed, "HTTP 500");
    expect(always(answer_with(503, "<html>\x1b[31m")), JobsStatus::malformed, "HTTP 503");
    expect(always(answer_with(500, R"({"errors": [{"description": "Unable to\u0007 query jobs", "error_number": 1001, "error": "Unable to contact slurm controller"}]})")),
           JobsStatus::malformed, "HTTP 500: Unable to? query jobs, Unable to contact slurm controller (1001)");
    expect(always(answer_with(200, R"({"errors": [{"description": "half", "error_number": 7}], "jobs": []})")), JobsStatus::malformed, "half");
    expect(always(answer_with(204, "")), JobsStatus::malformed, "HTTP 204");
}

TEST_F(RestFaults, ItIsNoSlurmrestd)
{
    expect(always(answer_with(404, "<html>")), JobsStatus::malformed, "HTTP 404: there is no slurmrestd there");
    expect(answering([](const std::string& request) { return path_of(request) == "/openapi/v3" ? answer_with(200, "<html>") : answer_with(404, ""); }),
           JobsStatus::malformed, "no slurmrestd there");
    expect(always(answer_with(200, "<html>")), JobsStatus::malformed, "no JSON at byte 1");
    expect(always(answer_with(200, R"({"errors": []})")), JobsStatus::malformed, "no list of jobs");
}

TEST_F(RestFaults, ItIsNoHttp)
{
    expect_of("SSH-2.0-OpenSSH_9.2\r\n", JobsStatus::malformed, "HTTP/0.9");
    expect_of(std::string("\x15\x03\x01\x00\x02\x02\x46\0\0\0", 10), JobsStatus::malformed, "HTTP/0.9");
    expect_of("HTTP/1.1 2x0 OK\r\n\r\n", JobsStatus::malformed, "");
    expect_of(head + "Content-Length: -5\r\n\r\n", JobsStatus::malformed, "");
}

TEST_F(RestFaults, ItEndsEarly)
{
    expect_of(head + "Content-Length: " + std::to_string(good.size() + 10) + "\r\n\r\n" + good, JobsStatus::malformed, "");
    expect_of(head + "Transfer-Encoding: chunked\r\n\r\n" + "f\r\n{\"jobs\": [{\"job_\r\n", JobsStatus::malformed, "");
    expect_of(head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}", JobsStatus::malformed, "");
    expect_of(head + "\r\n" + good.substr(0, good.size() / 2), JobsStatus::malformed, "no JSON at byte");
}

// --- its answer is hostile ---

TEST_F(RestFaults, WrongTypesAndGarbage)
{
    expect(always(answer_with(200, R"({"jobs": [{"job_id": "7"}]})")), JobsStatus::malformed, "a job_id of another type");
    expect(always(answer_with(200, R"({"jobs": {"7": {}}})")), JobsStatus::malformed, "no list of jobs");
    expect(always(answer_with(200, good.substr(0, 20) + std::string(1, '\0') + good)), JobsStatus::malformed, "");
    expect(always(answer_with(200, std::string("\x1f\x8b\x08\0\0\0", 6), "Content-Encoding: gzip\r\n")), JobsStatus::malformed, "");
}

Behaviour endless(const std::string& beginning, const std::string& piece, std::size_t bytes)
{
    return [=](Client& client) {
        if (client.request().empty()) return;
        client.send(head + "Content-Length: " + std::to_string(bytes) + "\r\n\r\n" + beginning);
        std::string many;
        while (many.size() < 100'000) many += piece;
        for (std::size_t sent = beginning.size(); sent < bytes && client.send(many); sent += many.size()) {
        }
    };
}

TEST_F(RestFaults, FiftyMegabytes)
{
    expect(endless(R"({"meta": [{})", R"(,{"job_id": 1, "user_id": 1000, "job_state": "RUNNING", "nodes": "n1"})", 50'000'000), JobsStatus::malformed, "more than 40 MiB", "err", 20s);
    expect(endless(R"({"jobs": ")", "x", 50'000'000), JobsStatus::malformed, "a text that is too long");
    expect(endless("{", " ", 50'000'000), JobsStatus::malformed, "a text that is too long");
}

TEST_F(RestFaults, DeeplyNested)
{
    expect(endless(R"({"a": )", "[", 50'000'000), JobsStatus::malformed, "nested too deep");
    expect(endless(R"({"a": )", R"({"a":)", 50'000'000), JobsStatus::malformed, "nested too deep");
}

// --- what is needed to ask is missing ---

TEST_F(RestFaults, NothingToAskWith)
{
    const FakeServer server(always(answer_with(200, good)));
    JobsRequest request = request_to(server.url());
    (void)file("token", token(), 0444);
    expect_failure(ask(request), JobsStatus::no_config, "others than root");
    (void)file("token", "x");
    expect_failure(ask(request), JobsStatus::no_config, "is no token");
    (void)::unlink((directory_ / "token").c_str());
    expect_failure(ask(request), JobsStatus::no_config, "No such file");
    set_text(request.token_file, "");
    set_text(request.key_file, file("key", "short"));
    expect_failure(ask(request), JobsStatus::no_config, "key");
    request = request_to("https://127.0.0.1:1");
    set_text(request.ca_file, directory_ / "nothing");
    expect_failure(ask(request), JobsStatus::no_config, "No such file");
    for (const char* url : {"ftp://127.0.0.1/", "file:///etc/passwd", "http://a:b@127.0.0.1", "http://"})
        expect_failure(ask(url), JobsStatus::no_config, "rest_url=");
    EXPECT_EQ(server.clients(), 0);
}

}  // namespace
}  // namespace slurm_adopt::rest::test
