// SPDX-License-Identifier: GPL-2.0-or-later
// What slurm-adopt-rest asks servers of every release, and that it understands them.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <fstream>
#include <iterator>
#include <mutex>

#include "fake_server.h"
#include "jwt/verify.h"
#include "rest_program.h"
#include "slurm_adopt/text.h"
#include "slurm_adopt/unix_stream.h"
#include "tool/token_support.h"

namespace slurm_adopt::rest::test {
namespace {

using helper_wire::ControllerJob;
using helper_wire::JobState;

const std::vector<ControllerJob> job_7{{7, 1000, static_cast<std::uint32_t>(JobState::running), 0}};

// A slurmrestd with some versions: 404 to the others, and then it closes, as all releases do.
class Slurmrestd {
public:
    explicit Slurmrestd(std::vector<unsigned> versions) : versions_(std::move(versions)) {}

    [[nodiscard]] std::string answer(const std::string& request)
    {
        const std::scoped_lock lock(mutex_);
        requests_.push_back(request);
        for (const unsigned version : versions_)
            if (path_of(request) == "/slurm/v0.0." + std::to_string(version) + (version < 40 ? "/jobs/" : "/jobs/?flags=ALL")) return answer_to(request);
        return answer_with(404, "Unable find requested URL.", "Connection: Close\r\n");
    }
    [[nodiscard]] std::vector<std::string> requests()
    {
        const std::scoped_lock lock(mutex_);
        return requests_;
    }
    std::function<std::string(const std::string&)> answer_to = [](const std::string&) { return answer_with(200, jobs_text(job_text(7))); };

private:
    std::vector<unsigned> versions_;
    std::vector<std::string> requests_;
    std::mutex mutex_;
};

class RestAnswers : public RestProgram {
protected:
    void expect_job(Slurmrestd& slurmrestd, std::size_t requests)
    {
        const FakeServer server(answering([&](const std::string& request) { return slurmrestd.answer(request); }));
        const Asked asked = ask(server.url());
        EXPECT_EQ(asked.end, "exited 0");
        EXPECT_EQ(asked.status, JobsStatus::answered) << asked.log;
        EXPECT_EQ(asked.jobs, job_7);
        EXPECT_EQ(slurmrestd.requests().size(), requests);
    }
};

TEST_F(RestAnswers, EveryReleaseIsFound)
{
    struct Release {
        std::vector<unsigned> versions;
        std::size_t requests;
    };
    for (const Release& release : std::vector<Release>{{{36, 37, 38}, 3}, {{37, 38, 39}, 3}, {{38, 39, 40}, 2}, {{39, 40, 41}, 2}, {{40, 41, 42}, 1}, {{41, 42, 43}, 1},
                                                       {{42, 43, 44}, 1}, {{42, 43, 44, 45}, 1}, {{43, 44, 45}, 4}, {{39}, 8}}) {
        Slurmrestd slurmrestd(release.versions);
        expect_job(slurmrestd, release.requests);
    }
}

TEST_F(RestAnswers, AReleaseThatIsNewerThanWe)
{
    Slurmrestd slurmrestd({47, 48});
    const FakeServer server(answering([&](const std::string& request) {
        if (path_of(request) != "/openapi/v3") return slurmrestd.answer(request);
        return answer_with(200, R"({"paths": {"/slurm/v0.0.48/jobs/": {}, "/slurm/v0.0.47/jobs/": {}}})");
    }));
    const Asked asked = ask(server.url());
    EXPECT_EQ(asked.status, JobsStatus::answered) << asked.log;
    EXPECT_EQ(asked.jobs, job_7);
    EXPECT_EQ(path_of(slurmrestd.requests().back()), "/slurm/v0.0.47/jobs/?flags=ALL");
}

TEST_F(RestAnswers, HeadersThatEveryReleaseTakes)
{
    Slurmrestd slurmrestd({42});
    expect_job(slurmrestd, 1);
    const std::string request = slurmrestd.requests().front();
    EXPECT_EQ(header_of(request, "X-SLURM-USER-NAME"), "slurm");
    EXPECT_EQ(header_of(request, "X-SLURM-USER-TOKEN"), token());
    EXPECT_EQ(header_of(request, "Authorization"), "") << "with both, releases since 23.11 refuse";
    EXPECT_EQ(header_of(request, "Accept"), "application/json");
    EXPECT_EQ(header_of(request, "Accept-Encoding"), "");
    EXPECT_EQ(header_of(request, "Cookie"), "");
}

TEST_F(RestAnswers, BearerWhereItIsWanted)
{
    Slurmrestd slurmrestd({42});
    slurmrestd.answer_to = [this](const std::string& request) {
        const bool good = header_of(request, "Authorization") == "Bearer " + token() && header_of(request, "X-SLURM-USER-TOKEN").empty();
        return good ? answer_with(200, jobs_text(job_text(7))) : answer_with(401, "Authentication failure", "Connection: Close\r\n");
    };
    expect_job(slurmrestd, 2);
}

TEST_F(RestAnswers, ATokenIsMadeWithAKey)
{
    const std::string key(token_test::test_key);
    std::string shown;
    const FakeServer server(answering([&](const std::string& request) {
        shown = header_of(request, "X-SLURM-USER-NAME") + ' ' + header_of(request, "X-SLURM-USER-TOKEN");
        return answer_with(200, jobs_text(job_text(7)));
    }));
    for (const std::string& user : {std::string(), std::string("slurm")}) {
        JobsRequest request = request_to(server.url());
        set_text(request.token_file, "");
        set_text(request.key_file, file("key", key));
        set_text(request.user, user);
        EXPECT_EQ(ask(request).jobs, job_7);
        const auto parts = split(shown, ' ');
        ASSERT_EQ(parts.size(), 2U);
        const auto verified = jwt::verify(parts[1], token_test::secret_of(key), {.user_claim = "", .now = std::time(nullptr), .skew = 0});
        ASSERT_TRUE(std::holds_alternative<jwt::Claims>(verified));
        EXPECT_EQ(std::get<jwt::Claims>(verified).user, user.empty() ? "root" : user);
        EXPECT_EQ(parts[0], std::get<jwt::Claims>(verified).user);
    }
}

TEST_F(RestAnswers, WhoIsAsked)
{
    const FakeServer server(always(answer_with(200, jobs_text(job_text(7)))));
    JobsRequest request = request_to(server.url());
    request.uid = 1001;
    EXPECT_TRUE(ask(request).jobs.empty()) << "not bob's";
    request.uid = helper_wire::every_uid;
    EXPECT_EQ(ask(request).jobs, job_7);
    set_text(request.node, "n4");
    const Asked asked = ask(request);
    EXPECT_EQ(asked.status, JobsStatus::answered);
    EXPECT_TRUE(asked.jobs.empty()) << "not there";
}

TEST_F(RestAnswers, InPieces)
{
    const std::string body = jobs_text(job_text(7));
    const FakeServer server([&](Client& client) {
        if (client.request().empty()) return;
        client.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (const char c : body) client.send(std::string("1\r\n") + c + "\r\n");
        client.send("0\r\n\r\n");
        client.hang();
    });
    EXPECT_EQ(ask(server.url()).jobs, job_7);
}

TEST_F(RestAnswers, TenThousandJobs)
{
    constexpr unsigned all = 10'000;
    const std::string details = R"({"account": ")" + std::string(3600, 'a') + R"(", )";  // as long as 22.05's
    const FakeServer server([&](Client& client) {
        if (client.request().empty()) return;
        client.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n{\"jobs\": [\n\r\n");
        for (unsigned id = 1; id <= all && !client.is_over(); ++id) {
            std::string job = details + job_text(id).substr(1) + (id < all ? "," : "]}");
            if (id % 1000 != 0) job.replace(job.find("1000,"), 5, "2000,");
            std::array<char, 16> size{};
            (void)std::snprintf(size.data(), size.size(), "%zx\r\n", job.size());
            client.send(size.data() + job + "\r\n");
        }
        client.send("0\r\n\r\n");
    });
    JobsRequest request = request_to(server.url());
    request.patience_ms = 20'000;
    const Asked asked = ask(request);
    EXPECT_EQ(asked.status, JobsStatus::answered) << asked.log;
    EXPECT_EQ(asked.jobs.size(), 10U);
    RecordProperty("milliseconds", static_cast<int>(asked.took.count()));
    EXPECT_LT(asked.took, std::chrono::seconds(10));
}

TEST_F(RestAnswers, ByTheServersClock)
{
    const std::string job = R"({"jobs": [{"job_id": 7, "user_id": 1000, "job_state": ["RUNNING"], "nodes": "n1", "start_time": {"set": true, "number": 784111750}}]})";
    const FakeServer server(always(answer_with(200, job, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n")));
    const Asked asked = ask(server.url());
    ASSERT_EQ(asked.jobs.size(), 1U);
    EXPECT_EQ(asked.jobs.front().running_s, 27U);
}

TEST_F(RestAnswers, AtAUnixSocket)
{
    const std::string directory = "/run/slurm_adopt_rest_test." + std::to_string(::getpid());
    ASSERT_EQ(::mkdir(directory.c_str(), 0755), 0);
    {
        const FakeServer server(always(answer_with(200, jobs_text(job_text(7)))), directory + "/s");
        const Asked asked = ask("unix:" + directory + "/s");
        EXPECT_EQ(asked.jobs, job_7) << asked.log;
        EXPECT_EQ(::chmod(directory.c_str(), 0777), 0);
        const int before = server.clients();
        expect_failure(ask("unix:" + directory + "/s"), JobsStatus::no_config, "could replace it");
        EXPECT_EQ(server.clients(), before);
    }
    (void)::unlink((directory + "/s").c_str());
    (void)::rmdir(directory.c_str());
    expect_failure(ask("unix:" + directory + "/s"), JobsStatus::no_config, "No such file");
}

TEST_F(RestAnswers, NoProxyAndNobodysSettings)
{
    Slurmrestd slurmrestd({42});
    const FakeServer server(answering([&](const std::string& request) { return slurmrestd.answer(request); }));
    const FakeServer proxy(always(answer_with(200, jobs_text(job_text(8)))));
    const std::string home = directory_ / "home";
    directory_.write("home/.netrc", "default login x password y\n");
    directory_.write("home/.curlrc", "proxy = " + proxy.url() + "\n");
    const Asked asked = ask(request_to(server.url()), {"http_proxy=" + proxy.url(), "ALL_PROXY=" + proxy.url(), "all_proxy=" + proxy.url(), "HOME=" + home, "NETRC=" + home + "/.netrc"});
    EXPECT_EQ(asked.jobs, job_7) << asked.log;
    EXPECT_EQ(proxy.clients(), 0);
    EXPECT_EQ(header_of(slurmrestd.requests().front(), "Authorization"), "");
}

// What the program is while it talks to the network.
TEST_F(RestAnswers, AsNobody)
{
    slurm_adopt::test::HelperProcess* program = nullptr;
    std::string status;
    const FakeServer server([&](Client& client) {
        if (client.request().empty()) return;
        std::ifstream file("/proc/" + std::to_string(program->pid()) + "/status");
        status.assign(std::istreambuf_iterator<char>(file), {});
        client.send(answer_with(200, jobs_text(job_text(7))));
    });
    slurm_adopt::test::HelperProcess running;
    program = &running;
    running.send(helper_wire::encode(helper_wire::Verb::jobs, request_to(server.url()), ::getpid(), 0));
    EXPECT_FALSE(running.receive().empty());
    EXPECT_EQ(running.end(), "exited 0");
    for (const char* line : {"\nUid:\t65534\t65534\t65534\t65534\n", "\nGid:\t65534\t65534\t65534\t65534\n", "\nGroups:\t \n", "\nNoNewPrivs:\t1\n",
                             "\nCapPrm:\t0000000000000000\n", "\nCapEff:\t0000000000000000\n"})
        EXPECT_NE(status.find(line), std::string::npos) << line << status;
}

}  // namespace
}  // namespace slurm_adopt::rest::test
