// SPDX-License-Identifier: GPL-2.0-or-later
#include "token/token_command.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "slurm_adopt/text.h"
#include "token/actions.h"

namespace slurm_adopt::tool {
namespace {

// Seconds from `least` to `most`, written as a plain decimal number.
CLI::Validator seconds_between(std::chrono::seconds least, std::chrono::seconds most)
{
    const auto low = static_cast<unsigned>(least.count());
    const auto high = static_cast<unsigned>(most.count());
    return CLI::Validator(
        [low, high](const std::string& text) {
            const auto number = parse_number<unsigned>(text);
            if (number && *number >= low && *number <= high) return std::string();
            return "has to be a number of seconds from " + std::to_string(low) + " to " + std::to_string(high);
        },
        "SECONDS");
}

void add_seconds(CLI::App& command, const std::string& name, std::chrono::seconds& value, std::chrono::seconds least,
                 std::chrono::seconds most, const std::string& help)
{
    command
        .add_option_function<std::string>(
            name, [&value](const std::string& text) { value = std::chrono::seconds(*parse_number<unsigned>(text)); }, help)
        ->check(seconds_between(least, most))
        ->default_str(std::to_string(value.count()));
}

void add_key_options(CLI::App& command, KeyOptions& key)
{
    command.add_option("--key", key.file, "File with the key: jwt_key= of AuthAltParameters in slurm.conf")->required();
    command
        .add_option_function<std::string>(
            "--key-format",
            [&key](const std::string& format) {
                key.format = format == "base64" ? jwt::KeyFormat::base64 : jwt::KeyFormat::raw;
            },
            "raw: the file's bytes, as slurmctld takes them; base64: what they decode to")
        ->check(CLI::IsMember({"raw", "base64"}))
        ->default_str("raw");
    command.add_option("--key-owner", key.owner, "User, besides root, whom the key file may belong to: SlurmUser")
        ->capture_default_str();
}

// Somebody who gives a token as an argument must not find it in the terminal's or the journal's memory too: what is not
// understood is not repeated, and does not go to the parent, which would.
template <class Act>
CLI::App* add_action(CLI::App& token, Context& context, const std::string& name, const std::string& help, Act act)
{
    CLI::App* const command = token.add_subcommand(name, help);
    command->fallthrough(false);
    command->allow_extras();
    command->add_flag("--json", context.output.json, "One JSON document instead of text");
    command->callback([command, &context, name, act] {
        if (command->remaining_size() > 0) {
            context.output.error("token " + name + ": unknown or too many arguments; see slurm-adopt token " + name +
                                 " --help");
            context.exit = Exit::usage;
            return;
        }
        context.exit = act(context.output);
    });
    return command;
}

void add_mint(CLI::App& token, Context& context)
{
    const auto options = std::make_shared<MintOptions>();
    CLI::App* const command = add_action(token, context, "mint", "Make a token for a user and print it",
                                         [options](const Output& output) { return mint_token(*options, output); });
    command->add_option("user", options->user, "The user whom the token speaks for")->required();
    add_key_options(*command, options->key);
    add_seconds(*command, "--lifespan", options->lifespan, jwt::shortest_lifespan, jwt::longest_lifespan,
                "How long it is valid");
    command
        ->add_option("--user-claim", options->user_claim, "Claim that holds the user: userclaimfield= of AuthAltParameters")
        ->check(CLI::Validator(
            [](const std::string& claim) {
                if (jwt::can_hold_user(claim)) return std::string();
                return std::string("has to be of letters, digits and -_.:/, and none of iat exp nbf uid gid id");
            },
            "FIELD"))
        ->capture_default_str();
    auto* const ids = command->add_flag_callback(
        "--ids", [options] { options->detail = jwt::Detail::ids; }, "Claims uid and gid too");
    command
        ->add_flag_callback(
            "--identity", [options] { options->detail = jwt::Detail::identity; },
            "Claims uid, gid and id (name, gecos, dir, shell, gids) too")
        ->excludes(ids);
    command->add_flag("--export", options->for_shell, "Put SLURM_JWT= in front, as scontrol token does");
    command->add_option("--output", options->output, "Write it to this file of mode 0600 instead, in place of a token in it")
        ->check([](const std::string& path) { return path.empty() ? "has to name a file" : std::string(); });
}

void add_show(CLI::App& token, Context& context)
{
    const auto input = std::make_shared<std::string>();
    CLI::App* const command = add_action(token, context, "show", "Print what a token says, without verifying it",
                                         [input](const Output& output) { return show_token(*input, output); });
    command->add_option("file", *input, "File with the token; - for stdin; without it, SLURM_JWT of the environment");
}

void add_verify(CLI::App& token, Context& context)
{
    const auto options = std::make_shared<VerifyOptions>();
    CLI::App* const command = add_action(token, context, "verify", "Say whether a token is good, or why not",
                                         [options](const Output& output) { return verify_token(*options, output); });
    command->add_option("file", options->input,
                        "File with the token; - for stdin; without it, SLURM_JWT of the environment");
    add_key_options(*command, options->key);
    command->add_option("--user-claim", options->user_claim,
                        "Claim that holds the user where there is no sun and no username: userclaimfield=");
    add_seconds(*command, "--skew", options->skew, std::chrono::seconds{0}, largest_skew, "How far clocks may be apart");
}

}  // namespace

void add_token_command(CLI::App& app, Context& context)
{
    CLI::App* const token = app.add_subcommand("token", "Make, show or verify Slurm's JSON Web Tokens");
    token->require_subcommand(1);
    add_mint(*token, context);
    add_show(*token, context);
    add_verify(*token, context);
}

}  // namespace slurm_adopt::tool
