// SPDX-License-Identifier: GPL-2.0-or-later
#include "foretold.h"

#include <gtest/gtest.h>
#include <security/pam_appl.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "login.h"
#include "tool.h"

namespace slurm_adopt::e2e {
namespace {

using Json = nlohmann::json;

thread_local int not_foretold = 0;

// What explain foretells is the module's own decision: of services where it is the whole account phase's, as
// transparent_stack() and sshd_stack() write them.
bool is_ours(const std::string& service)
{
    std::istringstream lines(read_whole("/etc/pam.d/" + service));
    int ours = 0;
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("account ")) continue;
        if (line.find(cluster().module) != std::string::npos) {
            if (!line.starts_with("account required ") && !line.starts_with("account [success=1 ")) return false;
            ++ours;
        } else if (line.find("pam_unix.so") == std::string::npos && line.find("pam_debug.so") == std::string::npos) {
            return false;
        }
    }
    return ours == 1;
}

// What takes something from the login alone, and not from what runs before it.
bool only_for_logins(const std::vector<std::string>& wrapper)
{
    return std::any_of(wrapper.begin(), wrapper.end(), [](const std::string& word) {
        return word == "strace" || word.find("NO_NETLINK") != std::string::npos;
    });
}

}  // namespace

NotForetold::NotForetold(const char* reason)
{
    if (*reason != '\0') ++not_foretold;
}

NotForetold::~NotForetold()
{
    --not_foretold;
}

Foretold::Foretold(const std::string& service, const std::string& user, const std::vector<std::string>& wrapper) : user_(user)
{
    if (not_foretold != 0 || only_for_logins(wrapper) || !is_ours(service)) return;
    const Finished explained = tool({"explain", user, "--service", service, "--json"}, wrapper);
    asked_ = true;
    explained_ = explained.out;
    exit_code_ = explained.code;
    mark_ = LogMark();
}

void Foretold::expect(const Login& login) const
{
    if (!asked_ || login.result == -1) return;
    const Json json = Json::parse(explained_, nullptr, false);
    ASSERT_FALSE(json.is_discarded()) << explained_;
    SCOPED_TRACE("explain " + user_ + ", asked before: " + json["decision"].dump() + ", " + json["reason"].dump());
    const bool let_in = login.result == PAM_SUCCESS || login.result == PAM_IGNORE;
    EXPECT_EQ(exit_code_, let_in ? 0 : 1);
    EXPECT_EQ(json["let_in"], let_in);
    EXPECT_EQ(json["decision"] == "ignore", login.result == PAM_IGNORE);
    if (json["decision"] == "adopt") {
        EXPECT_NE(login.job, 0U);
    }
    // One that was passed over is not logged.
    for (const auto& line : json["log"])
        if (line.get<std::string>().starts_with("decision=")) {
            EXPECT_EQ(decided(line), decided(mark_.decision(user_).line));
        }
    std::string told;
    for (const auto& message : json["told"]) told += message.get<std::string>() + '\n';
    EXPECT_EQ(told, without_pam_debug(login.messages));
}

void Foretold::expect_session(int job) const
{
    if (!asked_) return;
    const Json json = Json::parse(explained_, nullptr, false);
    ASSERT_FALSE(json.is_discarded()) << explained_;
    SCOPED_TRACE("explain " + user_ + ", asked before: " + json["decision"].dump() + ", " + json["reason"].dump());
    EXPECT_EQ(json["let_in"], job != -1);
    if (json["decision"] == "adopt") {
        EXPECT_EQ(json["steps"].back()["job"], job);
    }
}

std::string decided(const std::string& line)
{
    std::istringstream words(line.substr(std::min(line.find("decision="), line.size())));
    std::string text;
    for (std::string word; words >> word;)
        if (!word.starts_with("ms=") && !word.starts_with("rhost=")) text += word + ' ';
    return text;
}

std::string without_pam_debug(const std::string& messages)
{
    std::istringstream lines(messages);
    std::string told;
    for (std::string line; std::getline(lines, line);)
        if (!line.starts_with("acct=")) told += line + '\n';
    return told;
}

}  // namespace slurm_adopt::e2e
