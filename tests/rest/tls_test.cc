// SPDX-License-Identifier: GPL-2.0-or-later
// Certificates that are good, and all the others.
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <signal.h>

#include <cstdlib>

#include "fake_server.h"
#include "rest_program.h"

namespace slurm_adopt::rest::test {
namespace {

class RestTls : public RestProgram {
protected:
    void SetUp() override
    {
        RestProgram::SetUp();
        (void)::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to clients that are gone
        if (HasFatalFailure()) return;
        make_authority("ca");
        make_authority("other");
        make_certificate("good", "ca", "DNS:localhost", "-days 2");
        make_certificate("elsewhere", "ca", "DNS:example.org", "-days 2");
        make_certificate("of_other", "other", "DNS:localhost", "-days 2");
        make_certificate("expired", "ca", "DNS:localhost", "-days -1");
    }
    void openssl(const std::string& arguments) const
    {
        const std::string command = "cd " + directory_.path() + " && openssl " + arguments + " >/dev/null 2>openssl.log";
        ASSERT_EQ(std::system(command.c_str()), 0) << command;  // NOLINT(concurrency-mt-unsafe)
    }
    void make_authority(const std::string& name) const
    {
        openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" + name + " -keyout " + name + ".key -out " + name + ".pem");
    }
    void make_certificate(const std::string& name, const std::string& authority, const std::string& host, const std::string& days) const
    {
        openssl("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout " + name + ".key -out " + name + ".request");
        directory_.write(name + ".extensions", "subjectAltName=" + host + "\n");
        openssl("x509 -req -in " + name + ".request -CA " + authority + ".pem -CAkey " + authority + ".key -CAcreateserial " + days + " -extfile " + name +
                ".extensions -out " + name + ".pem");
    }
    [[nodiscard]] Tls certificate(const std::string& name) const { return {directory_ / (name + ".pem"), directory_ / (name + ".key"), 0}; }
    [[nodiscard]] Asked ask_at(const FakeServer& server, const std::string& authority) const
    {
        JobsRequest request = request_to("https://localhost:" + std::to_string(server.port()));
        if (!authority.empty()) set_text(request.ca_file, directory_ / (authority + ".pem"));
        return ask(request);
    }
    const Behaviour good_ = always(answer_with(200, jobs_text(job_text(7))));
};

TEST_F(RestTls, AGoodCertificate)
{
    const FakeServer server(good_, certificate("good"));
    const Asked asked = ask_at(server, "ca");
    EXPECT_EQ(asked.status, JobsStatus::answered) << asked.log;
    EXPECT_EQ(asked.jobs.size(), 1U);
}

TEST_F(RestTls, OfAnotherAuthority)
{
    const FakeServer server(good_, certificate("of_other"));
    expect_failure(ask_at(server, "ca"), JobsStatus::unreachable, "TLS: SSL certificate problem");
    const FakeServer other(good_, certificate("good"));
    expect_failure(ask_at(other, "other"), JobsStatus::unreachable, "TLS: SSL certificate problem");
}

TEST_F(RestTls, OfNoAuthorityOfTheSystem)
{
    const FakeServer server(good_, certificate("good"));
    expect_failure(ask_at(server, ""), JobsStatus::unreachable, "TLS: SSL certificate problem");
}

TEST_F(RestTls, HasExpired)
{
    const FakeServer server(good_, certificate("expired"));
    expect_failure(ask_at(server, "ca"), JobsStatus::unreachable, "expired");
}

TEST_F(RestTls, OfAnotherHost)
{
    const FakeServer server(good_, certificate("elsewhere"));
    expect_failure(ask_at(server, "ca"), JobsStatus::unreachable, "TLS: SSL");
}

TEST_F(RestTls, TooOld)
{
    Tls tls = certificate("good");
    tls.newest_version = TLS1_1_VERSION;
    const FakeServer server(good_, tls);
    expect_failure(ask_at(server, "ca"), JobsStatus::unreachable, "TLS: ");
}

TEST_F(RestTls, IsNoTls)
{
    const FakeServer server([](Client& client) { client.send("HTTP/1.1 200 OK\r\n\r\n"); client.hang(); });
    expect_failure(ask_at(server, "ca"), JobsStatus::unreachable, "TLS: ");
}

TEST_F(RestTls, HangsInTheHandshake)
{
    const FakeServer server([](Client& client) { client.hang(); });
    expect_failure(ask_at(server, "ca"), JobsStatus::unreachable, "no connection, or no TLS, yet", "debug");
}

TEST_F(RestTls, WhatAuthoritiesAre)
{
    const FakeServer server(good_, certificate("good"));
    directory_.write("ca.pem", "no certificate");
    expect_failure(ask_at(server, "ca"), JobsStatus::no_config, "no certificate in PEM");
    directory_.write("ca.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    expect_failure(ask_at(server, "ca"), JobsStatus::unreachable, "TLS: ");
}

}  // namespace
}  // namespace slurm_adopt::rest::test
