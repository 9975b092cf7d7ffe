// SPDX-License-Identifier: GPL-2.0-or-later
#include "rest/jobs_reader.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>

#include "text_source.h"

namespace slurm_adopt::rest::test {
namespace {

using helper_wire::ControllerJob;
using helper_wire::JobState;

constexpr std::int64_t now = 1'800'000'000;
const Wanted everybody{std::nullopt, "n1"};

Result<JobsAnswer> read(const std::string& text, const Wanted& wanted = everybody, std::size_t piece = 1000)
{
    TextSource source(text, piece);
    return read_jobs(source, wanted, now);
}

std::string job(const std::string& fields)
{
    return R"({"jobs": [{"job_id": 7, "user_id": 1000, "nodes": "n1", )" + fields + "}]}";
}

std::optional<JobState> state_of(const std::string& fields)
{
    const auto answer = read(job(fields));
    EXPECT_TRUE(answer.ok()) << (answer ? "" : answer.error().context);
    if (!answer || answer.value().jobs.empty()) return std::nullopt;
    return static_cast<JobState>(answer.value().jobs.front().state);
}

void expect_fault(const std::string& text, const std::string& words)
{
    const auto answer = read(text);
    ASSERT_FALSE(answer.ok()) << "'" << text << "', " << text.size() << " bytes";
    EXPECT_EQ(answer.error().code, ErrorCode::malformed) << text;
    EXPECT_NE(answer.error().context.find(words), std::string::npos) << text << ": " << answer.error().context;
}

TEST(JobsReader, AJob)
{
    for (const std::size_t piece : {1U, 3U, 1000U}) {
        const auto answer = read(job(R"("job_state": "RUNNING", "start_time": 1799999990, "other": {"deep": [[{"job_id": "x"}]]})"), everybody, piece);
        ASSERT_TRUE(answer.ok()) << answer.error().context;
        ASSERT_EQ(answer.value().jobs.size(), 1U);
        EXPECT_EQ(answer.value().jobs.front(), (ControllerJob{7, 1000, static_cast<std::uint32_t>(JobState::running), 10}));
        EXPECT_TRUE(answer.value().has_list);
        EXPECT_FALSE(answer.value().error);
    }
}

TEST(JobsReader, StatesOfAllReleases)
{
    EXPECT_EQ(state_of(R"("job_state": "RUNNING")"), JobState::running);
    EXPECT_EQ(state_of(R"("job_state": "SUSPENDED")"), JobState::running);
    EXPECT_EQ(state_of(R"("job_state": "STOPPED")"), JobState::running);
    EXPECT_EQ(state_of(R"("job_state": "CONFIGURING")"), JobState::starting);
    EXPECT_EQ(state_of(R"("job_state": "RUNNING", "state_reason": "Prolog")"), JobState::starting);
    EXPECT_EQ(state_of(R"("state_reason": "Prolog", "job_state": ["RUNNING"])"), JobState::starting);
    EXPECT_EQ(state_of(R"("job_state": "COMPLETING")"), JobState::ending);
    EXPECT_EQ(state_of(R"("job_state": "COMPLETING", "state_reason": "Prolog")"), JobState::ending);
    EXPECT_EQ(state_of(R"("job_state": ["RUNNING"], "state_reason": "None")"), JobState::running);
    EXPECT_EQ(state_of(R"("job_state": ["RUNNING", "CONFIGURING"])"), JobState::starting);
    EXPECT_EQ(state_of(R"("job_state": ["RUNNING", "CONFIGURING", "POWER_UP_NODE"])"), JobState::starting);
    EXPECT_EQ(state_of(R"("job_state": ["COMPLETED", "COMPLETING"])"), JobState::ending);
    EXPECT_EQ(state_of(R"("job_state": ["RUNNING", "WHATEVER_COMES"])"), JobState::running);
    for (const char* word : {"PENDING", "COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "BOOT_FAIL", "DEADLINE", "OUT_OF_MEMORY",
                             "REVOKED", "REQUEUED", "", "running"}) {
        EXPECT_EQ(state_of(std::string(R"("job_state": ")") + word + '"'), std::nullopt) << word;
        EXPECT_EQ(state_of(std::string(R"("job_state": [")") + word + "\"]"), std::nullopt) << word;
    }
    EXPECT_EQ(state_of(R"("job_state": [])"), std::nullopt);
}

std::uint32_t running_s(const std::string& start_time)
{
    const auto answer = read(job(R"("job_state": ["RUNNING"], "start_time": )" + start_time));
    EXPECT_TRUE(answer.ok()) << start_time << ": " << (answer ? "" : answer.error().context);
    return answer && !answer.value().jobs.empty() ? answer.value().jobs.front().running_s : 4711;
}

TEST(JobsReader, NumbersOfAllReleases)
{
    EXPECT_EQ(running_s("1799999970"), 30U);
    EXPECT_EQ(running_s(R"({"set": true, "infinite": false, "number": 1799999970})"), 30U);
    EXPECT_EQ(running_s(R"({"number": 1799999970, "set": true})"), 30U);
    EXPECT_EQ(running_s(R"({"set": false, "infinite": false, "number": 1799999970})"), 0U);
    EXPECT_EQ(running_s(R"({"set": true, "infinite": true, "number": 1799999970})"), 0U);
    EXPECT_EQ(running_s(R"({"set": true, "number": 1799999970, "comment": [1], "text": "x"})"), 30U);
    EXPECT_EQ(running_s("0"), 0U);
    EXPECT_EQ(running_s("null"), 0U);
    EXPECT_EQ(running_s("1"), 1'799'999'999U);
    EXPECT_EQ(running_s("1800000100"), 0U) << "the clocks differ";
    const auto answer = read(R"({"jobs": [{"job_id": {"set": true, "number": 5}, "user_id": {"set": true, "number": 6}, "nodes": "n1", "job_state": ["RUNNING"]}]})");
    ASSERT_TRUE(answer.ok()) << answer.error().context;
    EXPECT_EQ(answer.value().jobs.at(0).job_id, 5U);
    EXPECT_EQ(answer.value().jobs.at(0).uid, 6U);
}

TEST(JobsReader, TheDetailsOfOneJob)
{
    const std::string text = R"({"jobs": [
        {"job_id": 6, "user_id": 1000, "nodes": "n2", "job_state": "RUNNING", "name": "other", "node_count": 9},
        {"name": "my \"job\"\n", "partition": "all", "account": "physics", "node_count": COUNT, "job_id": 7, "user_id": 1000, "nodes": "n[2-3]",
         "job_state": ["RUNNING"], "job_resources": {"name": "deep"}}]})";
    for (const char* count : {"2", R"({"set": true, "infinite": false, "number": 2})"}) {
        std::string told = text;
        told.replace(told.find("COUNT"), 5, count);
        const auto answer = read(told, {.uid = 1000, .node = "n1", .job_id = 7});
        ASSERT_TRUE(answer.ok()) << answer.error().context;
        EXPECT_TRUE(answer.value().jobs.empty());
        ASSERT_TRUE(answer.value().details);
        const helper_wire::JobReply& job = *answer.value().details;
        EXPECT_EQ(job.status, static_cast<std::uint32_t>(helper_wire::JobsStatus::answered));
        EXPECT_EQ(job.job_id, 7U);
        EXPECT_EQ(job.uid, 1000U);
        EXPECT_EQ(job.node_count, 2U);
        EXPECT_STREQ(job.name.data(), "my \"job\"\n");
        EXPECT_STREQ(job.partition.data(), "all");
        EXPECT_STREQ(job.account.data(), "physics");
        EXPECT_STREQ(job.nodes.data(), "n[2-3]");
        EXPECT_FALSE(read(told, {.uid = 1001, .node = "n1", .job_id = 7}).value().details) << "another user's";
        EXPECT_FALSE(read(told, {.uid = 1000, .node = "n1", .job_id = 8}).value().details);
    }
    // Nothing of it, a NUL in it, too long: left out.
    const std::string missing = R"("job_state": "RUNNING", "name": null, "partition": "a\u0000b", "account": ")" + std::string(300, 'x') + R"(", "node_count": null)";
    const auto little = read(job(missing), {.uid = 1000, .node = "n1", .job_id = 7});
    ASSERT_TRUE(little.ok()) << little.error().context;
    ASSERT_TRUE(little.value().details);
    EXPECT_STREQ(little.value().details->name.data(), "");
    EXPECT_STREQ(little.value().details->partition.data(), "");
    EXPECT_STREQ(little.value().details->account.data(), "");
    EXPECT_EQ(little.value().details->node_count, 0U);
    // Of another type: an error where it is asked for, and else nothing that counts.
    const std::string wrong = job(R"("job_state": "RUNNING", "name": 5)");
    EXPECT_FALSE(read(wrong, {.uid = 1000, .node = "n1", .job_id = 7}).ok());
    EXPECT_TRUE(read(wrong).ok());
}

TEST(JobsReader, AnswersOfRealServersHaveTheDetails)
{
    for (const char* file : {"v0.0.38-starting", "v0.0.40-24.11", "v0.0.42-24.11", "v0.0.42-26.05", "v0.0.45-26.05"}) {
        std::ifstream stream(std::string(ANSWERS "/") + file + ".json");
        const std::string text{std::istreambuf_iterator<char>(stream), {}};
        const auto all = read(text, {.uid = std::nullopt, .node = std::string(file).starts_with("v0.0.38") ? "n1" : "vm"});
        ASSERT_TRUE(all.ok() && !all.value().jobs.empty()) << file;
        const ControllerJob& first = all.value().jobs.front();
        const auto answer = read(text, {.uid = first.uid, .node = "elsewhere", .job_id = first.job_id});
        ASSERT_TRUE(answer.ok() && answer.value().details) << file;
        EXPECT_STREQ(answer.value().details->name.data(), "wrap") << file;
        EXPECT_STREQ(answer.value().details->partition.data(), "all") << file;
        EXPECT_EQ(answer.value().details->node_count, 1U) << file;
        EXPECT_STRNE(answer.value().details->nodes.data(), "") << file;
    }
}

TEST(JobsReader, OnlyWhatIsWanted)
{
    const std::string text = R"({"jobs": [
        {"job_id": 1, "user_id": 1000, "nodes": "n[1-2]", "job_state": "RUNNING"},
        {"job_id": 2, "user_id": 1001, "nodes": "n1", "job_state": "RUNNING"},
        {"job_id": 3, "user_id": 1000, "nodes": "n2", "job_state": "RUNNING"},
        {"job_id": 4, "user_id": 1000, "nodes": "", "job_state": "RUNNING"},
        {"job_id": 5, "user_id": 1000, "nodes": null, "job_state": "RUNNING"},
        {"job_id": 6, "user_id": 1000, "job_state": "RUNNING"}]})";
    std::map<std::string, std::vector<std::uint32_t>> found;
    for (const auto& [name, wanted] : {std::pair<std::string, Wanted>{"alice", {1000, "n1"}}, {"all", {std::nullopt, "n1"}}, {"n2", {1000, "n2"}}, {"root", {0, "n1"}}}) {
        const auto answer = read(text, wanted);
        ASSERT_TRUE(answer.ok()) << answer.error().context;
        for (const ControllerJob& one : answer.value().jobs) found[name].push_back(one.job_id);
    }
    EXPECT_EQ(found["alice"], (std::vector<std::uint32_t>{1}));
    EXPECT_EQ(found["all"], (std::vector<std::uint32_t>{1, 2}));
    EXPECT_EQ(found["n2"], (std::vector<std::uint32_t>{1, 3}));
    EXPECT_EQ(found.count("root"), 0U);
}

TEST(JobsReader, NoMoreThanAReplyHolds)
{
    std::string text = R"({"jobs": [)";
    for (int id = 1; id <= 257; ++id)
        text += (id > 1 ? "," : "") + (R"({"job_id": )" + std::to_string(id)) + R"(, "user_id": 1, "nodes": "n1", "job_state": "RUNNING"})";
    const auto answer = read(text + "]}");
    ASSERT_TRUE(answer.ok()) << answer.error().context;
    EXPECT_EQ(answer.value().jobs.size(), helper_wire::most_jobs);
    EXPECT_TRUE(answer.value().has_more);
}

TEST(JobsReader, Errors)
{
    const auto answer = read(R"({"errors": [{"description": "No\u001b way", "error_number": 1007, "error": "Bad", "source": "x"},
        {"description": "second", "error_number": 1}], "warnings": [{"description": "w"}], "jobs": []})");
    ASSERT_TRUE(answer.ok()) << answer.error().context;
    ASSERT_TRUE(answer.value().error);
    EXPECT_EQ(answer.value().error->text, "No? way, Bad");
    EXPECT_EQ(answer.value().error->number, 1007);
    EXPECT_TRUE(answer.value().has_list);
    const auto minus = read(R"({"errors": [{"error_number": -1}, {"error": "x"}]})");
    ASSERT_TRUE(minus.ok());
    EXPECT_EQ(minus.value().error->number, -1);
    EXPECT_EQ(minus.value().error->text, "");
    EXPECT_FALSE(minus.value().has_list);
    for (const char* none : {R"({"errors": []})", R"({"errors": null})", R"({"errors": "x"})", R"({"errors": [1, "x", null, [1]]})", "{}"}) {
        const auto nothing = read(none);
        ASSERT_TRUE(nothing.ok()) << none;
        EXPECT_FALSE(nothing.value().error) << none;
    }
}

TEST(JobsReader, WrongTypes)
{
    for (const char* value : {R"("7")", "7.5", "-7", "true", "null", "[7]", "{}", R"({"set": true})", R"({"number": "7"})", R"({"number": 7.5})", R"({"number": null})",
                              R"({"set": 1, "number": 7})", R"({"number": [7]})", "4294967296", "18446744073709551615", "99999999999999999999"})
        for (const char* field : {"job_id", "user_id"})
            expect_fault(std::string(R"({"jobs": [{")") + field + "\": " + value + "}]}", std::string("a ") + field + " of another type");
    for (const char* value : {"7", "true", "null", "{}", "[7]", "[null]", "[[\"RUNNING\"]]", R"([{"x": 1}])"})
        expect_fault(job(std::string(R"("job_state": )") + value), "a job_state of another type");
    for (const char* value : {"7", "[\"n1\"]", R"({"n1": 1})", "false"}) {
        expect_fault(job(std::string(R"("nodes": )") + value), "a nodes of another type");
        expect_fault(job(std::string(R"("state_reason": )") + value), "a state_reason of another type");
    }
    expect_fault(job(R"("start_time": "now")"), "a start_time of another type");
}

TEST(JobsReader, WrongForms)
{
    for (const char* text : {"[]", "7", "\"jobs\"", "null", "[[{\"jobs\": []}]]"}) expect_fault(text, "no JSON object");
    for (const char* text : {R"({"jobs": {}})", R"({"jobs": 7})", R"({"jobs": null})", R"({"jobs": "x"})"}) expect_fault(text, "no list of jobs");
    for (const char* text : {R"({"jobs": [7]})", R"({"jobs": [[]]})", R"({"jobs": [null]})", R"({"jobs": ["x"]})"}) expect_fault(text, "no object");
    expect_fault(R"({"jobs": [{}]})", "without job_id");
    expect_fault(R"({"jobs": [{"job_id": 1, "user_id": 1}]})", "without job_id");
    expect_fault(R"({"jobs": [{"job_id": 0, "user_id": 1, "nodes": "n1", "job_state": "RUNNING"}]})", "none");
    expect_fault(R"({"jobs": [{"job_id": 1, "user_id": 1, "nodes": "n[", "job_state": "RUNNING"}]})", "list of nodes");
}

TEST(JobsReader, WhatIsNoJson)
{
    const std::string good = job(R"("job_state": "RUNNING")");
    for (std::size_t size = 0; size < good.size(); ++size) expect_fault(good.substr(0, size), "no JSON at byte");
    for (const std::string& text : {std::string("<html>"), good + "x", good + good, std::string("{\"jobs\": [],}"), 
                                    std::string("{\"jobs\": [\"\xff\"]}"), std::string("{\"a\": NaN}"), std::string("{'jobs': []}"), std::string("\x1f\x8b\x08")})
        expect_fault(text, "no JSON at byte");
    for (const std::string& text : {std::string("{\0}", 3), good + std::string(1, '\0')}) expect_fault(text, "a NUL");
}

// The depth, the length of one value and the whole are bounded, whatever is in it.
TEST(JobsReader, Bounds)
{
    const auto code_of = [](Source& source) {
        const auto answer = read_jobs(source, everybody, now);
        return answer ? ErrorCode::system : answer.error().code;
    };
    TextSource nested(std::string(1'000'000, '['));
    EXPECT_EQ(code_of(nested), ErrorCode::malformed);
    TextSource nested_deep(R"({"a": )" + std::string(1'000'000, '['));
    EXPECT_EQ(code_of(nested_deep), ErrorCode::too_large);
    EXPECT_LE(nested_deep.given(), 2000U);
    TextSource nested_enough(R"({"a": )" + std::string(deepest_nesting - 1, '[') + std::string(deepest_nesting - 1, ']') + "}");
    EXPECT_EQ(code_of(nested_enough), ErrorCode::system) << "may be read";
    constexpr std::size_t kib = 1024;
    for (const std::string& piece : {std::string(kib, 'x'), std::string(kib, ' '), std::string(kib, '1')}) {
        EndlessSource one_token(piece.front() == ' ' ? "{" : piece.front() == '1' ? "{\"a\": 1" : "{\"a\": \"", piece, 1'000'000);
        EXPECT_EQ(code_of(one_token), ErrorCode::too_large) << piece.front();
        EXPECT_LE(one_token.given(), longest_token + 2 * kib) << piece.front();
    }
    EndlessSource many(R"({"a": [0)", std::string(200, ' ') + ",1", 10'000'000);
    EXPECT_EQ(code_of(many), ErrorCode::too_large);
    EXPECT_LE(many.given(), longest_text + kib);
}

struct Recorded {
    const char* file;
    std::uint32_t uid;
    const char* node;
    std::uint32_t jobs;
    JobState state;
};

class JobsReaderRecorded : public ::testing::TestWithParam<Recorded> {};

// What real servers have said: of 22.05 (v0.0.38), 24.11 and 26.05.
TEST_P(JobsReaderRecorded, IsRead)
{
    std::ifstream file(std::string(ANSWERS) + "/" + GetParam().file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    ASSERT_FALSE(text.empty()) << GetParam().file;
    const auto answer = read(text, {GetParam().uid, GetParam().node});
    ASSERT_TRUE(answer.ok()) << answer.error().context;
    EXPECT_TRUE(answer.value().has_list);
    EXPECT_FALSE(answer.value().error);
    ASSERT_EQ(answer.value().jobs.size(), GetParam().jobs);
    for (const ControllerJob& one : answer.value().jobs) EXPECT_EQ(one.state, static_cast<std::uint32_t>(GetParam().state));
}

INSTANTIATE_TEST_SUITE_P(Answers, JobsReaderRecorded,
                         ::testing::Values(Recorded{"v0.0.38-pending.json", 2001, "n1", 0, JobState::running},
                                           Recorded{"v0.0.38-starting.json", 2001, "n1", 1, JobState::starting},
                                           Recorded{"v0.0.38-ending.json", 2001, "n1", 1, JobState::ending},
                                           Recorded{"v0.0.38-ending.json", 2002, "n1", 3, JobState::running},
                                           Recorded{"v0.0.40-24.11.json", 1000, "vm", 1, JobState::running},
                                           Recorded{"v0.0.42-24.11.json", 1000, "vm", 1, JobState::running},
                                           Recorded{"v0.0.42-26.05.json", 1000, "vm", 1, JobState::running},
                                           Recorded{"v0.0.45-26.05.json", 1000, "vm", 1, JobState::running}),
                         [](const auto& which) { return "Number" + std::to_string(which.index); });

}  // namespace
}  // namespace slurm_adopt::rest::test
