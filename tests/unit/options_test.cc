// SPDX-License-Identifier: GPL-2.0-or-later
// Every option of the table: each allowed value is accepted and takes effect.
#include "slurm_adopt/options.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "slurm_adopt/text.h"

namespace slurm_adopt {
namespace {

using namespace std::chrono_literals;

std::string join(const std::vector<std::string>& list)
{
    std::string text;
    for (const std::string& part : list) text += part + ';';
    return text;
}

std::string join(const std::vector<Chooser>& order)
{
    std::string text;
    for (const Chooser chooser : order) text += std::to_string(static_cast<int>(chooser)) + ';';
    return text;
}

// All of Options as text, one `name=value` a line, so that a test sees what changed and that nothing else did.
std::map<std::string, std::string> dump(const Options& o)
{
    const auto number = [](auto value) { return std::to_string(static_cast<long>(value)); };
    const auto files = [](const std::vector<std::string>& paths) { return paths.empty() ? "" : '@' + join(paths); };
    return {
        {"action_no_jobs", number(o.action_no_jobs)},
        {"action_unknown", number(o.action_unknown)},
        {"action_adopt_failure", number(o.action_adopt_failure)},
        {"action_generic_failure", number(o.action_generic_failure)},
        {"disable_x11", number(o.disable_x11)},
        {"join_container", number(o.join_container)},
        {"log_level", number(o.log_level)},
        {"nodename", o.nodename},
        {"service", join(o.service)},
        {"single_job_skip_rpc", number(o.single_job_skip_rpc)},
        {"ignore_root", number(o.ignore_root)},
        {"strict", number(o.strict)},
        {"timeout", number(o.timeout.count())},
        {"callerid_timeout", number(o.callerid_timeout.count())},
        {"spool_dir", o.spool_dir},
        {"slurm_conf", o.slurm_conf},
        {"helper", o.helper},
        {"exempt_users", join(o.exempt_users) + files(o.exempt_user_files)},
        {"exempt_groups", join(o.exempt_groups) + files(o.exempt_group_files)},
        {"exempt_adopt", number(o.exempt_adopt)},
        {"wait_for_job", number(o.wait_for_job.count())},
        {"controller", number(o.controller)},
        {"controller_timeout", number(o.controller_timeout.count())},
        {"rest_url", o.rest_url},
        {"rest_user", o.rest_user},
        {"rest_token_file", o.rest_token_file},
        {"rest_key_file", o.rest_key_file},
        {"rest_ca_file", o.rest_ca_file},
        {"import_env", join(o.import_env)},
        {"runtime_dir", number(o.runtime_dir)},
        {"job_choice", number(o.job_choice)},
        {"choose", join(o.choose)},
        {"sticky", number(o.sticky)},
        {"deny_message_file", o.deny_message_file},
        {"quiet", number(o.quiet)},
    };
}

ParsedOptions parse(std::vector<std::string_view> arguments)
{
    return parse_options(arguments);
}

struct Case {
    const char* argument;
    std::string value;  // as dump() shows it
};

std::string number_of(Action action)
{
    return std::to_string(static_cast<int>(action));
}

std::vector<Case> accepted()
{
    std::vector<Case> cases = {
        {"action_no_jobs=deny", number_of(Action::deny)},
        {"action_no_jobs=ignore", number_of(Action::ignore)},
        {"action_unknown=newest", number_of(Action::newest)},
        {"action_unknown=allow", number_of(Action::allow)},
        {"action_unknown=deny", number_of(Action::deny)},
        {"action_adopt_failure=allow", number_of(Action::allow)},
        {"action_adopt_failure=deny", number_of(Action::deny)},
        {"action_generic_failure=ignore", number_of(Action::ignore)},
        {"action_generic_failure=allow", number_of(Action::allow)},
        {"action_generic_failure=deny", number_of(Action::deny)},
        {"nodename=n1", "n1"},
        {"nodename=node-1_a.example.org", "node-1_a.example.org"},
        {"service=sshd", "sshd;"},
        {"service=sshd,login", "sshd;login;"},
        {"service=*", "*;"},
        {"service=systemd-user,su-l,x@y+z.w_v", "systemd-user;su-l;x@y+z.w_v;"},
        {"timeout=1", "1"},
        {"timeout=120", "120"},
        {"callerid_timeout=1", "1"},
        {"callerid_timeout=60", "60"},
        {"wait_for_job=0", "0"},
        {"wait_for_job=60", "60"},
        {"controller=none", std::to_string(static_cast<int>(Controller::none))},
        {"controller=rpc", std::to_string(static_cast<int>(Controller::rpc))},
        {"controller_timeout=1", "1"},
        {"controller_timeout=60", "60"},
        {"spool_dir=/var/spool/slurmd", "/var/spool/slurmd"},
        {"spool_dir=/var/spool/..data", "/var/spool/..data"},
        {"slurm_conf=/etc/slurm/slurm.conf", "/etc/slurm/slurm.conf"},
        {"helper=/usr/libexec/slurm-adopt-helper", "/usr/libexec/slurm-adopt-helper"},
        {"exempt_users=admin", "admin;"},
        {"exempt_users=admin,DOM\\user,user@realm,j\xc3\xbcrgen", "admin;DOM\\user;user@realm;j\xc3\xbcrgen;"},
        {"exempt_users=@/etc/slurm/exempt", "@/etc/slurm/exempt;"},
        {"exempt_users=@/a,admin,@/b/..c", "admin;@/a;/b/..c;"},
        {"exempt_groups=wheel,sudo", "wheel;sudo;"},
        {"exempt_groups=wheel,@/etc/groups", "wheel;@/etc/groups;"},
        {"import_env=CUDA_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES;"},
        {"import_env=SLURM_*,_x1", "SLURM_*;_x1;"},
        {"job_choice=none", std::to_string(static_cast<int>(JobChoice::none))},
        {"job_choice=file", std::to_string(static_cast<int>(JobChoice::file))},
        {"choose=callerid", join({Chooser::callerid})},
        {"choose=newest", join({Chooser::newest})},
        {"choose=callerid,newest", join({Chooser::callerid, Chooser::newest})},
        {"deny_message_file=/etc/slurm-adopt/denied", "/etc/slurm-adopt/denied"},
        {"strict", "1"},
        {"quiet", "1"},
    };
    static const std::vector<std::string> switches = {
        "disable_x11", "join_container", "single_job_skip_rpc", "ignore_root", "strict", "exempt_adopt", "runtime_dir", "sticky", "quiet"};
    static std::vector<std::string> arguments;  // kept alive for the pointers in the cases
    arguments.clear();
    arguments.reserve(100);
    const auto add = [&](const std::string& argument, const std::string& value) {
        arguments.push_back(argument);
        cases.push_back({arguments.back().c_str(), value});
    };
    for (const std::string& name : switches)
        for (const auto& [word, value] : {std::pair("0", "0"), {"1", "1"}, {"false", "0"}, {"true", "1"}})
            add(name + '=' + word, value);
    const char* levels[] = {"quiet", "fatal", "error", "info", "verbose", "debug", "debug2", "debug3", "debug4", "debug5"};
    for (std::size_t i = 0; i < std::size(levels); ++i) {
        add(std::string("log_level=") + levels[i], std::to_string(i));
        add("log_level=" + std::to_string(i), std::to_string(i));
    }
    return cases;
}

// Those of slurmrestd are wrong without each other: here with the least that is right.
const std::vector<std::string_view> least_rest = {"controller=rest", "rest_url=http://rest", "rest_token_file=/t"};

std::vector<Case> accepted_with_rest()
{
    static const std::string longest_path = "rest_ca_file=/" + std::string(510, 'a');
    static const std::string longest_url = "rest_url=unix:/" + std::string(505, 'a');
    std::vector<Case> cases = {
        {"controller=rest", std::to_string(static_cast<int>(Controller::rest))},
        {"rest_user=slurm", "slurm"},
        {"rest_user=DOM\\user", "DOM\\user"},
        {"rest_token_file=/etc/slurm/token", "/etc/slurm/token"},
        {"rest_ca_file=/etc/ssl/ca.pem", "/etc/ssl/ca.pem"},
        {longest_path.c_str(), longest_path.substr(13)},
        {longest_url.c_str(), longest_url.substr(9)},
    };
    for (const char* argument :
         {"rest_url=http://rest", "rest_url=https://rest.example.org:6820", "rest_url=http://192.0.2.1:1", "rest_url=http://[2001:db8::1]",
          "rest_url=https://[::1]:65535", "rest_url=http://a_b-c", "rest_url=unix:/run/slurmrestd.socket", "rest_url=unix:/a/b@c"})
        cases.push_back({argument, std::string(argument).substr(9)});
    return cases;
}

TEST(Options, EachAllowedValueOfRestTakesEffect)
{
    const auto least = dump(parse(least_rest).options);
    EXPECT_EQ(least.at("rest_token_file"), "/t");
    for (const auto& [argument, value] : accepted_with_rest()) {
        const std::string_view text = argument;
        const std::string name(text.substr(0, text.find('=')));
        std::vector<std::string_view> arguments = least_rest;
        std::erase_if(arguments, [&](std::string_view other) { return other.starts_with(name + '='); });
        arguments.push_back(argument);
        const ParsedOptions parsed = parse(arguments);
        EXPECT_TRUE(parsed.errors.empty()) << argument << ": " << parsed.errors.front();
        auto expected = least;
        expected[name] = value;
        EXPECT_EQ(dump(parsed.options), expected) << argument;
    }
    const ParsedOptions with_key = parse({"rest_key_file=/k", "controller=rest", "rest_url=http://rest"});
    EXPECT_TRUE(with_key.errors.empty());
    EXPECT_EQ(with_key.options.rest_key_file, "/k");
}

TEST(Options, EachAllowedValueTakesEffectAndChangesNothingElse)
{
    for (const auto& [argument, value] : accepted()) {
        const ParsedOptions parsed = parse({argument});
        EXPECT_TRUE(parsed.errors.empty()) << argument << ": " << parsed.errors.front();
        auto expected = dump(Options{});
        const std::string_view text = argument;
        expected[std::string(text.substr(0, text.find('=')))] = value;
        EXPECT_EQ(dump(parsed.options), expected) << argument;
    }
}

TEST(Options, TheCasesAboveCoverTheWholeTable)
{
    std::set<std::string> tried;
    for (const Case& each : accepted()) tried.insert(each.argument);
    for (const Case& each : accepted_with_rest()) tried.insert(each.argument);
    tried.insert("rest_key_file=/k");
    for (const OptionSpec& spec : option_table()) {
        const auto has = [&](std::string_view value) {
            return tried.contains(std::string(spec.name) + '=' + std::string(value));
        };
        switch (spec.type) {
        case OptionType::choice:
        case OptionType::boolean:
        case OptionType::flag:
            for (std::string_view word : split(spec.allowed, '|')) EXPECT_TRUE(has(word)) << spec.name << '=' << word;
            break;
        case OptionType::number:
            EXPECT_TRUE(has(std::to_string(spec.least))) << spec.name;
            EXPECT_TRUE(has(std::to_string(spec.most))) << spec.name;
            break;
        case OptionType::level:
            for (std::string_view word : split(spec.allowed.substr(0, spec.allowed.find(' ')), '|'))
                EXPECT_TRUE(has(word)) << spec.name << '=' << word;
            break;
        case OptionType::path:
        case OptionType::name:
        case OptionType::user:
        case OptionType::url:
        case OptionType::names:
        case OptionType::services:
        case OptionType::patterns:
        case OptionType::order:
            EXPECT_TRUE(std::any_of(tried.begin(), tried.end(), [&](const std::string& argument) {
                return argument.starts_with(std::string(spec.name) + '=');
            })) << spec.name;
        }
        if (spec.type == OptionType::flag) {
            EXPECT_TRUE(tried.contains(std::string(spec.name))) << spec.name << " bare";
        }
    }
}

// File is for job_choice=file only, and with that it has to be there.
TEST(Options, EveryOrderWithTheFile)
{
    using enum Chooser;
    const std::pair<std::string_view, std::vector<Chooser>> orders[] = {
        {"choose=file", {file}},
        {"choose=file,newest", {file, newest}},
        {"choose=callerid,file", {callerid, file}},
        {"choose=file,callerid", {file, callerid}},
        {"choose=callerid,file,newest", {callerid, file, newest}},
        {"choose=file,callerid,newest", {file, callerid, newest}},
    };
    for (const auto& [argument, order] : orders) {
        const ParsedOptions parsed = parse({argument, "job_choice=file"});
        EXPECT_TRUE(parsed.errors.empty()) << argument << ": " << parsed.errors.front();
        EXPECT_EQ(parsed.options.choose, order) << argument;
    }
}

TEST(Options, TheDefaultsAreThoseOfTheTable)
{
    const auto defaults = dump(Options{});
    EXPECT_EQ(dump(parse({}).options), defaults);
    EXPECT_EQ(defaults.size(), option_table().size());
    for (const OptionSpec& spec : option_table()) {
        ASSERT_TRUE(defaults.contains(std::string(spec.name))) << spec.name;
        if (spec.default_value.empty()) {
            EXPECT_EQ(defaults.at(std::string(spec.name)), "") << spec.name;
            continue;
        }
        const std::string argument = std::string(spec.name) + '=' + std::string(spec.default_value);
        const ParsedOptions parsed = parse({argument});
        EXPECT_TRUE(parsed.errors.empty()) << argument;
        EXPECT_EQ(dump(parsed.options), defaults) << argument;
    }
}

// Slurm's documentation of pam_slurm_adopt: the same PAM line has to mean the same here.
TEST(Options, TheDefaultsOfSlurmsOwnModule)
{
    const Options options;
    EXPECT_EQ(options.action_no_jobs, Action::deny);
    EXPECT_EQ(options.action_unknown, Action::newest);
    EXPECT_EQ(options.action_adopt_failure, Action::allow);
    EXPECT_EQ(options.action_generic_failure, Action::ignore);
    EXPECT_FALSE(options.disable_x11);
    EXPECT_TRUE(options.join_container);
    EXPECT_EQ(options.log_level, LogLevel::info);
    EXPECT_TRUE(options.nodename.empty());
    EXPECT_EQ(options.service, std::vector<std::string>{"sshd"});
    EXPECT_TRUE(options.ignore_root);
    EXPECT_EQ(options.timeout, 10s);
    EXPECT_EQ(options.callerid_timeout, 2s);
    EXPECT_EQ(options.wait_for_job, 0s);
    EXPECT_EQ(options.controller, Controller::none);
    EXPECT_EQ(options.controller_timeout, 2s);
}

TEST(Options, TheTableIsWellFormed)
{
    std::set<std::string_view> names;
    std::set<OptionId> ids;
    for (const OptionSpec& spec : option_table()) {
        EXPECT_TRUE(names.insert(spec.name).second) << spec.name << " is there twice";
        EXPECT_TRUE(ids.insert(spec.id).second) << spec.name << " shares its id";
        EXPECT_FALSE(spec.allowed.empty()) << spec.name;
        EXPECT_TRUE(spec.help.ends_with('.')) << spec.name;
        EXPECT_EQ(spec.type == OptionType::number, spec.most != 0) << spec.name;
        EXPECT_LE(spec.least, spec.most) << spec.name;
        EXPECT_EQ(spec.longest != 0, spec.name.starts_with("rest_")) << spec.name;
        EXPECT_EQ(spec.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_01"), std::string_view::npos) << spec.name;
    }
    EXPECT_EQ(ids.size(), static_cast<std::size_t>(OptionId::quiet) + 1) << "an id without a row";
}

TEST(Options, ManyTogether)
{
    const ParsedOptions parsed = parse({"strict", "action_no_jobs=ignore", "service=sshd,login", "timeout=30", "quiet=0"});
    EXPECT_TRUE(parsed.errors.empty());
    EXPECT_TRUE(parsed.options.strict);
    EXPECT_EQ(parsed.options.action_no_jobs, Action::ignore);
    EXPECT_EQ(parsed.options.timeout, 30s);
    EXPECT_FALSE(parsed.options.quiet);
}

}  // namespace
}  // namespace slurm_adopt
