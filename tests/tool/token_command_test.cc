// SPDX-License-Identifier: GPL-2.0-or-later
// slurm-adopt token as people and scripts use it: what it prints where, its exit codes, and what it keeps to itself.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <nlohmann/json.hpp>

#include "token_run.h"
#include "token_support.h"

namespace slurm_adopt::token_test {
namespace {

using nlohmann::json;

class TokenCommand : public ::testing::Test {
protected:
    void SetUp() override
    {
        if (::geteuid() != 0) GTEST_SKIP() << "the key file has to be root's";
        write_file(key, test_key);
        const Ended minted = run({{"mint", "alice", "--key", key}});
        ASSERT_EQ(minted.status, 0) << minted.err;
        token = minted.out.substr(0, minted.out.size() - 1);
    }
    [[nodiscard]] std::string payload_now(long from, long to, const std::string& more = "") const
    {
        const time_t now = ::time(nullptr);
        return R"({"sun":"alice","iat":)" + std::to_string(now + from) + R"(,"exp":)" + std::to_string(now + to) + more +
               "}";
    }
    Directory directory;
    const std::string key = directory / "key";
    std::string token;
};

// Nothing of a token or a key in what is said; each test's `token` is the secret.
void expect_kept(const Ended& ended, const std::string& secret)
{
    for (const std::string& part :
         {secret.substr(0, 20), secret.substr(secret.size() - 20), std::string(test_key.substr(0, 12))}) {
        EXPECT_EQ(ended.err.find(part), std::string::npos) << ended.err;
        EXPECT_EQ(ended.out.find(part), std::string::npos) << ended.out;
    }
}

TEST_F(TokenCommand, MintPrintsTheTokenAndNothingElse)
{
    const Ended minted = run({{"mint", "alice", "--key", key}});
    EXPECT_EQ(minted.err, "");
    EXPECT_EQ(minted.out.find_first_of(" =:"), std::string::npos) << minted.out;
    EXPECT_EQ(minted.out.find('\n'), minted.out.size() - 1);
    const Ended for_shell = run({{"mint", "alice", "--key", key, "--export"}});
    EXPECT_EQ(for_shell.out.find("SLURM_JWT=ey"), 0U);
    EXPECT_EQ(run({{"mint", "nobody-has-this-name", "--key", key}}).status, 0);  // slurmctld may know the user
}

TEST_F(TokenCommand, MintForSlurmUsersKeyAndOtherForms)
{
    write_file(directory / "text", base64(test_key) + "\n");
    const Ended minted = run({{"mint", "alice", "--key", directory / "text", "--key-format", "base64"}});
    ASSERT_EQ(minted.status, 0) << minted.err;
    EXPECT_EQ(run({{"verify", "-", "--key", key}, minted.out}).status, 0);
    ASSERT_EQ(::chown(key.c_str(), 65534, 0), 0);
    EXPECT_EQ(run({{"mint", "alice", "--key", key}}).status, 3);
    EXPECT_EQ(run({{"mint", "alice", "--key", key, "--key-owner", "nobody"}}).status, 0);
    EXPECT_EQ(run({{"mint", "alice", "--key", key, "--key-owner", "no-such-user"}}).status, 3);
}

TEST_F(TokenCommand, MintWithTheIdentityOfARealUser)
{
    const Ended minted = run({{"mint", "root", "--key", key, "--identity", "--json"}});
    ASSERT_EQ(minted.status, 0) << minted.err;
    const Ended shown = run({{"show", "-", "--json"}, json::parse(minted.out)["token"].get<std::string>()});
    const json claims = json::parse(shown.out)["claims"];
    EXPECT_EQ(claims["uid"], 0);
    EXPECT_EQ(claims["gid"], 0);
    EXPECT_EQ(claims["id"]["name"], "root");
    EXPECT_TRUE(claims["id"]["gids"].is_array());
    for (const char* const claim : {"gecos", "dir", "shell"}) EXPECT_TRUE(claims["id"][claim].is_string()) << claim;
    const Ended ids = run({{"mint", "root", "--key", key, "--ids"}});
    EXPECT_FALSE(json::parse(run({{"show", "-", "--json"}, ids.out}).out)["claims"].contains("id"));
    EXPECT_EQ(run({{"mint", "no-such-user", "--key", key, "--ids"}}).status, 3);
}

TEST_F(TokenCommand, TheLifespan)
{
    const auto lifespan = [&](const std::vector<std::string>& more) {
        std::vector<std::string> arguments{"mint", "alice", "--key", key, "--json"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const Ended minted = run({arguments});
        if (minted.status != 0) return -minted.status;
        const json document = json::parse(minted.out);
        return document["exp"].get<int>() - document["iat"].get<int>();
    };
    EXPECT_EQ(lifespan({}), 1800);
    EXPECT_EQ(lifespan({"--lifespan", "1"}), 1);
    EXPECT_EQ(lifespan({"--lifespan", "31536000"}), 31536000);
    for (const char* const bad :
         {"0", "-1", "31536001", "1800s", "0x10", "1e3", "1.5", "", "99999999999999999999", "infinite"})
        EXPECT_EQ(lifespan({"--lifespan", bad}), -2) << bad;
    EXPECT_EQ(run({{"mint", "alice", "--key", key, "--lifespan", "0"}}).err.substr(0, 61),
              "--lifespan: has to be a number of seconds from 1 to 31536000\n");
}

TEST_F(TokenCommand, ANewFileIsPrivateAndWhole)
{
    const std::string file = directory / "token";
    write_file(file, "SLURM_JWT=what.was.there\n", 0644);
    const Ended minted = run({{"mint", "alice", "--key", key, "--output", file}});
    ASSERT_EQ(minted.status, 0) << minted.err;
    EXPECT_EQ(minted.out + minted.err, "");
    struct stat status {};
    ASSERT_EQ(::stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
    EXPECT_EQ(run({{"verify", file, "--key", key}}).status, 0);
    const Ended json_too = run({{"mint", "alice", "--key", key, "--output", file, "--json"}});
    EXPECT_EQ(json_too.out.find(token.substr(0, 36)), std::string::npos);
}

TEST_F(TokenCommand, ALinkIsNotFollowedAndNothingIsLeftBehind)
{
    const std::string victim = directory / "victim";
    const std::string link = directory / "link";
    write_file(victim, "untouched", 0644);
    ASSERT_EQ(::symlink(victim.c_str(), link.c_str()), 0);
    // A token takes the place of a token, and of nothing else.
    const std::string key_before = file_content(key);
    const Ended over_key = run({{"mint", "alice", "--key", key, "--output", key}});
    EXPECT_EQ(over_key.status, 3);
    EXPECT_EQ(over_key.err, "slurm-adopt: output " + key + ": there is a file that holds no token; name another, or remove it\n");
    EXPECT_EQ(file_content(key), key_before);
    EXPECT_EQ(run({{"mint", "alice", "--key", key, "--output", ""}}).status, 2);
    const Ended refused = run({{"mint", "alice", "--key", key, "--output", link}});
    EXPECT_EQ(refused.status, 3);
    EXPECT_EQ(file_content(victim), "untouched");
    EXPECT_EQ(run({{"mint", "alice", "--key", key, "--output", directory.path()}}).status, 3);
    EXPECT_EQ(run({{"mint", "alice", "--key", key, "--output", directory / "none/token"}}).status, 3);
    Call full{{"mint", "alice", "--key", key, "--output", directory / "token"}};
    full.largest_file = 100;
    EXPECT_EQ(run(full).err, "slurm-adopt: output " + (directory / "token") + ": File too large\n");
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory.path()), {}), 3);  // key, victim, link
}

TEST_F(TokenCommand, WhereTheTokenComesFrom)
{
    const std::string file = directory / "token";
    write_file(file, token);
    EXPECT_EQ(run({{"verify", file, "--key", key}}).status, 0);
    EXPECT_EQ(run({{"verify", "-", "--key", key}, token + "\n"}).status, 0);
    EXPECT_EQ(run({{"verify", "-", "--key", key}, "SLURM_JWT=" + token + "\n"}).status, 0);  // scontrol token | ...
    EXPECT_EQ(run({{"verify", "--key", key}, "", token}).status, 0);
    EXPECT_EQ(run({{"verify", "--key", key}}).err,
              "slurm-adopt: there is no token: name a file, give - for stdin, or set SLURM_JWT\n");
    EXPECT_EQ(run({{"verify", "--key", key}, "", ""}).status, 3);
    EXPECT_EQ(run({{"verify", "-", "--key", key}}).status, 3);
    EXPECT_EQ(run({{"verify", "-", "--key", key}, std::string(100000, 'a')}).status, 3);
    EXPECT_EQ(run({{"verify", directory.path(), "--key", key}}).status, 3);
    EXPECT_EQ(run({{"verify", directory / "none", "--key", key}}).status, 3);
    ASSERT_EQ(::mkfifo((directory / "fifo").c_str(), 0600), 0);
    EXPECT_EQ(run({{"verify", directory / "fifo", "--key", key}}).status, 3);
}

TEST_F(TokenCommand, ClosedDescriptors)
{
    const Ended closed = run({{"verify", "-", "--key", key}, std::nullopt});
    EXPECT_EQ(closed.status, 3);
    EXPECT_EQ(closed.err, "slurm-adopt: stdin: Bad file descriptor\n");
    EXPECT_EQ(run({{"show", "-"}, std::nullopt}).status, 3);
    Call no_stdout{{"mint", "alice", "--key", key}};
    no_stdout.stdout_file = "closed";
    EXPECT_EQ(run(no_stdout).err, "slurm-adopt: stdout is closed; nothing was made\n");
}

TEST_F(TokenCommand, AFullDisk)
{
    for (const std::vector<std::string>& arguments : {std::vector<std::string>{"mint", "alice", "--key", key},
                                                      {"mint", "alice", "--key", key, "--json"},
                                                      {"show", "-"}}) {
        Call full{arguments, token};
        full.stdout_file = "/dev/full";
        const Ended ended = run(full);
        EXPECT_EQ(ended.status, 3) << arguments[0];
        EXPECT_EQ(ended.err, "slurm-adopt: stdout: No space left on device\n");
    }
}

TEST_F(TokenCommand, ATokenOnTheCommandLineIsNotRepeated)
{
    const std::vector<std::vector<std::string>> mistakes{
        {"verify", token, "--key", key},
        {"verify", "SLURM_JWT=" + token, "--key", key},
        {"verify", "--key", key, "-", token},
        {"verify", "--token", token, "--key", key},
        {"verify", "--token=" + token, "--key", key},
        {"show", token},
        {"show", "-", token},
        {"show", "--token", token},
        {"mint", "alice", token, "--key", key},
    };
    for (const auto& arguments : mistakes) {
        const Ended ended = run({arguments});
        EXPECT_TRUE(ended.status == 2 || ended.status == 3) << ended.status << arguments[1];
        EXPECT_NE(ended.err, "");
        expect_kept(ended, token);
    }
}

TEST_F(TokenCommand, ShowSaysLoudlyThatItVerifiesNothing)
{
    const std::string forged =
        base64url(R"({"alg":"none"})") + "." + base64url(R"({"sun":"root","x":"\u001b[2J","exp":1})") + ".";
    const Ended shown = run({{"show", "-"}, forged});
    EXPECT_EQ(shown.status, 0);
    EXPECT_EQ(shown.out.find("NOT VERIFIED"), 0U);
    EXPECT_NE(shown.out.find("header  \"alg\"  \"none\"\n"), std::string::npos) << shown.out;
    EXPECT_NE(shown.out.find("claim  \"exp\"  1  1970-01-01T00:00:01Z\n"), std::string::npos) << shown.out;
    EXPECT_EQ(shown.out.find('\033'), std::string::npos);
    const json document = json::parse(run({{"show", "-", "--json"}, forged}).out);
    EXPECT_EQ(document["verified"], false);
    EXPECT_EQ(document["claims"]["sun"], "root");
    expect_kept(run({{"show", "-"}, token}), token);
    EXPECT_EQ(run({{"show", "-"}, "no token at all"}).status, 1);
    EXPECT_EQ(json::parse(run({{"show", "-", "--json"}, "a.b"}).out)["reason"], "form");
}

TEST_F(TokenCommand, VerifySaysYes)
{
    const Ended yes = run({{"verify", "-", "--key", key}, signed_token(usual_header, payload_now(-10, 100000))});
    EXPECT_EQ(yes.status, 0);
    EXPECT_EQ(yes.out.find("yes: user alice, "), 0U) << yes.out;
    const json document = json::parse(run({{"verify", "-", "--key", key, "--json"}, token}).out);
    EXPECT_EQ(document["verified"], true);
    EXPECT_EQ(document["user"], "alice");
    EXPECT_GT(document["remaining_seconds"], 1700);
    EXPECT_LE(document["remaining_seconds"], 1800);
    const std::string forever = R"({"sun":"alice","iat":1,"exp":9223372036854775807})";
    EXPECT_EQ(run({{"verify", "-", "--key", key}, signed_token(usual_header, forever)}).status, 0);
}

TEST_F(TokenCommand, VerifySaysNoAndWhy)
{
    const std::string other_key(40, 'k');
    const std::pair<std::string, std::string> tokens[] = {
        {signed_token(usual_header, payload_now(-100, 100), other_key), "signature"},
        {signed_token(usual_header, payload_now(-100, -50)), "expired"},
        {signed_token(usual_header, payload_now(50, 100)), "issued_in_future"},
        {signed_token(R"({"alg":"none"})", payload_now(-100, 100)), "algorithm"},
        {signed_token(R"({"alg":"HS512"})", payload_now(-100, 100)), "algorithm"},
        {signed_token(usual_header, R"({"iat":1,"exp":9000000000})"), "claim_missing"},
        {"garbage", "form"},
    };
    for (const auto& [bad, reason] : tokens) {
        const Ended no = run({{"verify", "-", "--key", key, "--json"}, bad});
        EXPECT_EQ(no.status, 1) << reason;
        const json document = json::parse(no.out);
        EXPECT_EQ(document["verified"], false);
        EXPECT_EQ(document["reason"], reason);
        const Ended text = run({{"verify", "-", "--key", key}, bad});
        EXPECT_EQ(text.status, 1);
        EXPECT_EQ(text.out.find("no: "), 0U) << text.out;
    }
}

TEST_F(TokenCommand, Skew)
{
    const std::string early = signed_token(usual_header, payload_now(5, 100));
    EXPECT_EQ(run({{"verify", "-", "--key", key}, early}).status, 0);
    EXPECT_EQ(run({{"verify", "-", "--key", key, "--skew", "0"}, early}).status, 1);
    const std::string late = signed_token(usual_header, payload_now(-100, -5));
    EXPECT_NE(run({{"verify", "-", "--key", key, "--skew", "60"}, late}).out.find("only because clocks may differ"),
              std::string::npos);
    EXPECT_EQ(run({{"verify", "-", "--key", key, "--skew", "1"}, late}).status, 1);
    for (const char* const bad : {"61", "-1", "x", ""})
        EXPECT_EQ(run({{"verify", "-", "--key", key, "--skew", bad}, early}).status, 2) << bad;
}

TEST_F(TokenCommand, UserClaim)
{
    const Ended minted = run({{"mint", "alice", "--key", key, "--user-claim", "preferred_username"}});
    ASSERT_EQ(minted.status, 0) << minted.err;
    EXPECT_EQ(run({{"verify", "-", "--key", key}, minted.out}).status, 1);
    EXPECT_EQ(run({{"verify", "-", "--key", key, "--user-claim", "preferred_username"}, minted.out}).status, 0);
    EXPECT_EQ(run({{"mint", "alice", "--key", key, "--user-claim", "exp"}}).status, 2);
}

TEST_F(TokenCommand, WhoeverCannotReadTheKey)
{
    Call nobody{{"mint", "alice", "--key", key}};
    nobody.as_nobody = true;
    if (run({{"--help"}, "", {}, "", true}).status != 0) GTEST_SKIP() << "nobody cannot run the program where it is";
    EXPECT_EQ(run(nobody).status, 3);
    ASSERT_EQ(::chmod(key.c_str(), 0644), 0);
    EXPECT_NE(run({{"mint", "alice", "--key", key}}).err.find("others than its owner have permissions"), std::string::npos);
}

TEST_F(TokenCommand, WrongCommandLines)
{
    for (const std::vector<std::string>& arguments : {std::vector<std::string>{},
                                                      {"mint"},
                                                      {"mint", "alice"},
                                                      {"mint", "--key", key},
                                                      {"verify"},
                                                      {"verify", "-"},
                                                      {"forge"},
                                                      {"mint", "alice", "--key", key, "--key-format", "hex"},
                                                      {"mint", "alice", "--key", key, "--ids", "--identity"},
                                                      {"mint", "alice", "bob", "--key", key}}) {
        const Ended ended = run({arguments, token});
        EXPECT_EQ(ended.status, 2) << (arguments.empty() ? "" : arguments.back());
        EXPECT_NE(ended.err, "");
        EXPECT_EQ(ended.out, "");
    }
}

}  // namespace
}  // namespace slurm_adopt::token_test
