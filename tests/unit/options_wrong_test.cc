// SPDX-License-Identifier: GPL-2.0-or-later
// A typo never opens a node: everything that is not exactly an option of the table is an error that says so.
#include <gtest/gtest.h>

#include "slurm_adopt/options.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt {
namespace {

std::vector<std::string> errors_of(std::vector<std::string_view> arguments)
{
    return parse_options(arguments).errors;
}

// Values that an option of this type must not take.
std::vector<std::string> wrong_values(OptionType type)
{
    switch (type) {
    case OptionType::choice:
        return {"",           "Deny",       "DENY", "denyx",  "den", " deny", "deny ",
                "deny,allow", "deny|allow", "|",    "permit", "0",   "1",     "None"};
    case OptionType::boolean:
    case OptionType::flag:
        return {"", "10", "01", "2", "-1", "yes", "no", "on", "True", "FALSE", "true ", " 1", "t", "00", "truex"};
    case OptionType::number:
        return {"",
                "-1",
                "+5",
                " 5",
                "5 ",
                "5s",
                "0x5",
                "5.0",
                "1e1",
                "121",
                "61000",
                "4294967297",
                "18446744073709551617",
                "99999999999999999999999999999999",
                "five",
                "5,6"};
    case OptionType::level:
        return {"", "10", "-1", "00", "01", "Info", "INFO", "debug1", "debug6", "debug0", "warn", "info|debug", "info "};
    case OptionType::path: return {"", "/", "relative", "./x", "../x", "/a/../b", "/..", "/a/.", "/./a", "~/x", "x/", " /x"};
    case OptionType::name: return {"", "a b", "a/b", "n1,n2", "n[1-2]", "n1=", "n\xc3\xa9", "n1\n", "*"};
    case OptionType::user: return {"", "a,b", "@file", "a b", "a=b", "a\tb", "a\n", "a\x7f"};
    case OptionType::url:
        return {"",
                "rest",
                "rest:6820",
                "/run/socket",
                "ftp://rest",
                "HTTP://rest",
                "http:/rest",
                "http://",
                "http://:6820",
                "http://rest:",
                "http://rest:0",
                "http://rest:65536",
                "http://rest:+1",
                "http://rest/",
                "http://rest/slurm",
                "http://rest?a",
                "http://rest#a",
                "http://user@rest",
                "https://user:password@rest",
                "http://a b",
                "http://a\tb",
                "http://a\n",
                "http://\xc3\xa9",
                "http://[",
                "http://[]",
                "http://[::1",
                "http://::1]",
                "http://[::1]x",
                "http://[::1]:",
                "http://[rest]",
                "http://2001:db8::1",
                "unix:",
                "unix:/",
                "unix:run",
                "unix://run/../x",
                "unix:/a b",
                "unix:/a\n",
                "unix:/a\x7f"};
    case OptionType::names:
        return {"",      ",",     "a,",    ",a",    "a,,b",  "@",       "@/",      "@file",    "a,@file", "@@/a", "@/a,@b",
                "a,@/b/../c", "@/./a", "@ /a",  "@/a\n", "a b",   "a=b",     "a\tb",    "a\nb",     "a\x7f"};
    case OptionType::services:
        return {"", ",", "sshd,", ",sshd", "sshd,,login", "*,sshd", "sshd,*", "ssh*", "a b", "a/b", "sshd\n", "a=b"};
    case OptionType::patterns: return {"", ",", "A,", ",A", "*", "A**", "A*B", "1A", "A B", "A-B", "A=B", "\xc3\xa9", "A,*"};
    case OptionType::order:
        return {"", ",", "none", "Callerid", "callerid,", ",callerid", "callerid,,newest", "callerid newest", "callerid, newest", "callerid;newest",
                "callerid,callerid", "newest,newest", "newest,callerid", "newest,file", "callerid,newest,file", "callerid,newest,callerid",
                "callerid,file,file", "callerid,oldest", "call", "newest\n", "*"};
    }
    return {};
}

TEST(WrongOptions, EveryOptionRefusesEveryKindOfWrongValue)
{
    for (const OptionSpec& spec : option_table()) {
        for (const std::string& value : wrong_values(spec.type)) {
            const std::string argument = std::string(spec.name) + '=' + value;
            const auto errors = errors_of({argument});
            ASSERT_EQ(errors.size(), 1U) << argument;
            EXPECT_EQ(errors[0], "option '" + printable(argument) + "' has no valid value for '" + std::string(spec.name) +
                                     "'; allowed: " + std::string(spec.allowed));
        }
    }
}

TEST(WrongOptions, ANumberJustOutOfItsRange)
{
    for (const OptionSpec& spec : option_table()) {
        if (spec.type != OptionType::number) continue;
        const std::string name(spec.name);
        EXPECT_EQ(errors_of({name + '=' + std::to_string(spec.most + 1)}).size(), 1U) << name;
        if (spec.least > 0) {
            EXPECT_EQ(errors_of({name + '=' + std::to_string(spec.least - 1)}).size(), 1U) << name;
        }
    }
}

TEST(WrongOptions, AChoiceOfAnotherOptionIsNoChoice)
{
    for (const char* argument :
         {"action_no_jobs=allow", "action_no_jobs=newest", "action_unknown=ignore", "action_adopt_failure=ignore",
          "action_adopt_failure=newest", "action_generic_failure=newest", "job_choice=deny", "join_container=deny"})
        EXPECT_EQ(errors_of({argument}).size(), 1U) << argument;
}

TEST(WrongOptions, OnlyAFlagMayBeBare)
{
    for (const OptionSpec& spec : option_table())
        EXPECT_EQ(errors_of({spec.name}).empty(), spec.type == OptionType::flag) << spec.name;
}

TEST(WrongOptions, ATextJustTooLong)
{
    for (const OptionSpec& spec : option_table()) {
        if (spec.longest == 0) continue;
        const std::string begin = spec.type == OptionType::url ? "unix:/" : spec.type == OptionType::path ? "/" : "";
        const std::string value = begin + std::string(spec.longest + 1 - begin.size(), 'a');
        EXPECT_EQ(errors_of({std::string(spec.name) + '=' + value}).size(), 1U) << spec.name;
    }
}

TEST(WrongOptions, OptionsThatContradictEachOther)
{
    const std::pair<std::vector<std::string_view>, std::string_view> cases[] = {
        {{"controller=rest"}, "controller=rest needs rest_url=URL, slurmrestd's address"},
        {{"controller=rest", "rest_token_file=/t"}, "controller=rest needs rest_url=URL, slurmrestd's address"},
        {{"controller=rest", "rest_url=http://r"}, "controller=rest needs one of rest_token_file=FILE and rest_key_file=FILE"},
        {{"rest_url=http://r", "rest_user=x", "controller=rest"},
         "controller=rest needs one of rest_token_file=FILE and rest_key_file=FILE"},
        {{"controller=rest", "rest_url=http://r", "rest_token_file=/t", "rest_key_file=/k"},
         "rest_token_file and rest_key_file are both given: keep one of them"},
        {{"choose=file"}, "choose= names file, which is for job_choice=file only: write job_choice=file, or take file out"},
        {{"choose=callerid,file,newest", "job_choice=none"},
         "choose= names file, which is for job_choice=file only: write job_choice=file, or take file out"},
        {{"choose=callerid", "job_choice=file"},
         "job_choice=file, but choose= does not name file: add file to choose=, or take job_choice=file out"},
        {{"job_choice=file", "choose=callerid,newest"},
         "job_choice=file, but choose= does not name file: add file to choose=, or take job_choice=file out"},
        {{"controller=rest", "choose=file"}, "controller=rest needs rest_url=URL, slurmrestd's address"},
    };
    for (const auto& [arguments, sentence] : cases) {
        const auto errors = errors_of(arguments);
        ASSERT_EQ(errors.size(), 1U) << sentence;
        EXPECT_EQ(errors[0], sentence);
    }
    for (const std::string_view option :
         {"rest_url=http://r", "rest_user=x", "rest_token_file=/t", "rest_key_file=/k", "rest_ca_file=/c"})
        for (const std::string_view controller : {"controller=none", "controller=rpc", "quiet"}) {
            const auto errors = errors_of({option, controller});
            ASSERT_EQ(errors.size(), 1U) << option << ' ' << controller;
            EXPECT_EQ(errors[0], "the options rest_* are for controller=rest only: write controller=rest, or take them out");
        }
}

// Only that is said, and not what it leads to.
TEST(WrongOptions, AValueThatCannotBeReadIsNoContradiction)
{
    const auto errors = errors_of({"controller=rest", "rest_url=rest:6820", "rest_token_file=/t"});
    ASSERT_EQ(errors.size(), 1U);
    EXPECT_TRUE(errors[0].starts_with("option 'rest_url=rest:6820' has no valid value")) << errors[0];
}

TEST(WrongOptions, UnknownNames)
{
    for (const char* argument : {"",
                                 "=",
                                 "=1",
                                 "ACTION_NO_JOBS=deny",
                                 "Action_no_jobs=deny",
                                 "action_no_job=deny",
                                 "action_no_jobs_=deny",
                                 "action-no-jobs=deny",
                                 " strict",
                                 "strict ",
                                 "Strict",
                                 "strictx",
                                 "stric",
                                 "nostrict",
                                 "-strict",
                                 "debug",
                                 "use_first_pass",
                                 "strict\n",
                                 "timeouts=5",
                                 "#strict"}) {
        const auto errors = errors_of({argument});
        ASSERT_EQ(errors.size(), 1U) << argument;
        EXPECT_TRUE(errors[0].starts_with("unknown option '" + printable(argument) + "'; known are: ")) << errors[0];
        for (const OptionSpec& spec : option_table())
            EXPECT_NE(errors[0].find(std::string(spec.name)), std::string::npos) << spec.name;
    }
}

TEST(WrongOptions, EveryOptionOnlyOnce)
{
    for (const OptionSpec& spec : option_table()) {
        const std::string value =
            !spec.default_value.empty()         ? std::string(spec.default_value)
            : spec.type == OptionType::path     ? "/x"
            : spec.type == OptionType::url      ? "unix:/x"
            : spec.type == OptionType::order    ? "callerid"
                                                : "x";
        const std::string argument = std::string(spec.name) + '=' + value;
        // Alone it lacks what it is for.
        EXPECT_EQ(errors_of({argument}).empty(), !spec.name.starts_with("rest_")) << argument;
        const auto errors = errors_of({argument, argument});
        ASSERT_EQ(errors.size(), 1U) << argument;
        EXPECT_TRUE(errors[0].starts_with("option '" + std::string(spec.name) + "' is given twice: '" + argument + "'"))
            << errors[0];
        EXPECT_NE(errors[0].find(std::string(spec.allowed)), std::string::npos) << errors[0];
    }
    EXPECT_EQ(errors_of({"strict", "strict=0"}).size(), 1U);
    EXPECT_EQ(errors_of({"timeout=5", "quiet", "timeout=6"}).size(), 1U);
    EXPECT_EQ(errors_of({"timeout=five", "timeout=5"}).size(), 2U) << "a wrong one counts as given";
}

TEST(WrongOptions, EachErrorIsOneSafeLine)
{
    const auto errors = errors_of({"x\ny=\x1b[2J", "timeout=\n1", "quiet=\xff", "strict"});
    ASSERT_EQ(errors.size(), 3U);
    for (const std::string& error : errors)
        for (const char c : error) EXPECT_TRUE(c >= ' ' && c <= '~') << error;
}

TEST(WrongOptions, WhatWasReadBeforeAndAfterIsKept)
{
    const std::vector<std::string_view> arguments = {"log_level=debug", "action_no_jobs=allow", "quiet"};
    const ParsedOptions parsed = parse_options(arguments);
    EXPECT_EQ(parsed.errors.size(), 1U);
    EXPECT_EQ(parsed.options.log_level, LogLevel::debug);
    EXPECT_TRUE(parsed.options.quiet);
    EXPECT_EQ(parsed.options.action_no_jobs, Action::deny) << "a wrong value is not stored";
}

TEST(WrongOptions, ANulByteIsNoValue)
{
    using namespace std::string_view_literals;
    EXPECT_EQ(errors_of({"quiet=1\0"sv}).size(), 1U);
    EXPECT_EQ(errors_of({"strict\0"sv}).size(), 1U);
}

}  // namespace
}  // namespace slurm_adopt
