// SPDX-License-Identifier: GPL-2.0-or-later
// The pages for administrators say what the module does: doc/options.md has every option with a line that the parser takes,
// doc/troubleshooting.md every message and every reason as they are, and no page shows a PAM line that is refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "slurm_adopt/messages.h"
#include "slurm_adopt/options.h"
#include "slurm_adopt/text.h"
#include "unit/all_reasons.h"

namespace slurm_adopt {
namespace {

const std::filesystem::path source = SOURCE_DIRECTORY;

std::string read(const std::filesystem::path& path)
{
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

// The arguments of a PAM line that loads the module; nothing for any other line.
std::vector<std::string> arguments_of(const std::string& line)
{
    std::istringstream text(line);
    std::vector<std::string> words{std::istream_iterator<std::string>(text), {}};
    if (words.size() < 3 || (words[0] != "account" && words[0] != "session")) return {};
    std::size_t module = 2;
    if (words[1].starts_with('['))
        for (module = 1; module < words.size() && !words[module++].ends_with(']');) {}
    if (module >= words.size() || words[module] != "pam_slurm_adopt.so") return {};
    const auto first = words.begin() + static_cast<std::ptrdiff_t>(module) + 1;
    // Two lines side by side are two examples in columns, and no line.
    return std::find(first, words.end(), "pam_slurm_adopt.so") == words.end() ? std::vector<std::string>(first, words.end())
                                                                              : std::vector<std::string>();
}

void expect_valid(const std::vector<std::string>& arguments, const std::string& where)
{
    const std::vector<std::string_view> views(arguments.begin(), arguments.end());
    for (const std::string& error : parse_options(views).errors) ADD_FAILURE() << where << ": " << error;
}

// What a fenced block of a page has, by the word behind its fence.
std::string block_of(const std::string& page, const std::string& name)
{
    const std::string fence = "```" + name + '\n';
    const std::size_t begin = page.find(fence);
    if (begin == std::string::npos) return "no block " + name;
    return page.substr(begin + fence.size(), page.find("```", begin + fence.size()) - begin - fence.size());
}

// The sections of a page by their headings "### `name`".
std::map<std::string, std::string> sections_of(const std::string& page)
{
    std::map<std::string, std::string> sections;
    std::string* current = nullptr;
    std::istringstream lines(page);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("### `") && line.ends_with("`"))
            current = &sections[line.substr(5, line.size() - 6)];
        else if (line.starts_with("#"))
            current = nullptr;
        else if (current != nullptr)
            *current += line + '\n';
    }
    return sections;
}

bool has_option(const std::vector<std::string>& arguments, std::string_view name)
{
    return std::any_of(arguments.begin(), arguments.end(), [&](const std::string& argument) {
        return std::string_view(argument).substr(0, argument.find('=')) == name;
    });
}

TEST(Pages, TheSitesTextIsToldAsTheExampleSays)
{
    const std::string page = read(source / "doc/options.md");
    LoginRecord login;
    login.decision = {Verdict::deny, Reason::no_jobs};
    login.user = "alice";
    login.node = "n1";
    std::string told;
    for (const std::string& line : site_message(block_of(page, "denied"), login)) told += line + '\n';
    EXPECT_EQ(told, block_of(page, "told"));
    EXPECT_NE(told.find("alice"), std::string::npos);
}

TEST(Pages, EveryOptionHasASectionWithAnExample)
{
    auto sections = sections_of(read(source / "doc/options.md"));
    for (const OptionSpec& spec : option_table()) {
        const std::string name(spec.name);
        const auto found = sections.find(name);
        if (found == sections.end()) {
            ADD_FAILURE() << "doc/options.md has no section ### `" << name << "`";
            continue;
        }
        const std::string& text = found->second;
        const std::string fallback = spec.default_value.empty() ? "not set" : '`' + std::string(spec.default_value) + '`';
        const std::string facts = "Allowed: `" + std::string(spec.allowed) + "`. Default: " + fallback + ".";
        EXPECT_NE(text.find(facts), std::string::npos) << "doc/options.md, " << name << ", does not say: " << facts;
        bool example = false;
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);) example = example || has_option(arguments_of(line), name);
        EXPECT_TRUE(example) << "doc/options.md, " << name << ", has no PAM line with it";
        sections.erase(found);
    }
    for (const auto& [name, text] : sections) ADD_FAILURE() << "doc/options.md has a section about '" << name << "', which is no option";
}

TEST(Pages, EveryPamLineIsOneThatTheModuleTakes)
{
    std::vector<std::filesystem::path> pages{source / "README.md", source / "UPGRADE.md", source / "CONTRIBUTING.md"};
    for (const auto& entry : std::filesystem::recursive_directory_iterator(source / "doc"))
        if (entry.path().extension() == ".md") pages.push_back(entry.path());
    std::size_t seen = 0;
    for (const auto& page : pages) {
        std::istringstream lines(read(page));
        std::size_t number = 0;
        for (std::string line; std::getline(lines, line);) {
            ++number;
            const auto arguments = arguments_of(line);
            if (arguments.empty()) continue;
            ++seen;
            expect_valid(arguments, page.string() + ':' + std::to_string(number));
        }
    }
    EXPECT_GT(seen, option_table().size());
}

TEST(Pages, TroubleshootingHasEveryReason)
{
    const std::string page = read(source / "doc/troubleshooting.md");
    for (const Reason reason : test::all_reasons)
        EXPECT_NE(page.find('`' + std::string(reason_code(reason)) + '`'), std::string::npos)
            << "doc/troubleshooting.md does not name the reason " << reason_code(reason);
}

// With the values that the page has in the place of names and numbers.
TEST(Pages, TroubleshootingQuotesWhatUsersAreTold)
{
    const std::string page = read(source / "doc/troubleshooting.md");
    const auto expect_told = [&](Verdict verdict, Reason reason) {
        LoginRecord record;
        record.decision = {verdict, reason};
        record.node = "n1";
        record.jobs = 2;
        record.job_id = 7;
        const std::string told = user_message(record);
        if (told.empty()) return;
        EXPECT_NE(page.find(told), std::string::npos) << "doc/troubleshooting.md does not quote: " << told;
    };
    for (const Reason reason : test::all_reasons) {
        // One stands for its class: only the code in brackets differs.
        if (failure_class(reason) == FailureClass::adopt_failure && reason != Reason::adopt_timeout) continue;
        if (failure_class(reason) == FailureClass::generic_failure && reason != Reason::sockets_unreadable) continue;
        expect_told(Verdict::deny, reason);
    }
    expect_told(Verdict::adopt, Reason::newest_job);
}

}  // namespace
}  // namespace slurm_adopt
