// SPDX-License-Identifier: GPL-2.0-or-later
#include "enable/enable_command.h"

#include <CLI/CLI.hpp>
#include <security/pam_appl.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "enable/edit.h"
#include "enable/replace_file.h"
#include "enable/trial.h"
#include "enable/unified_diff.h"
#include "pam_stack/record.h"
#include "slurm_adopt/options.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt::tool {
namespace {

struct Arguments {
    std::string service = "sshd";
    std::string directory = "/etc/pam.d";
    std::optional<std::string> module;
    std::vector<std::string> options;
    bool options_given = false;
    bool dry_run = false;
    bool force = false;
};

// What was done, for people and for --json.
struct Outcome {
    std::string file;
    std::vector<std::string> diff;
    bool changed = false;
    std::string backup;  // empty where none was made
    std::vector<std::string> remarks;
};

pam_stack::Directories directories_of(const Arguments& arguments)
{
    pam_stack::Directories directories;
    if (arguments.directory != directories.paths.front()) return {{arguments.directory}};
    return directories;
}

Result<Done> check_call(const Arguments& arguments)
{
    if (::geteuid() != 0) return Error{ErrorCode::refused, 0, "only root can do this; call it with sudo"};
    if (!pam_stack::is_service_name(arguments.service))
        return Error{ErrorCode::malformed, 0,
                     "'" + printable(arguments.service) + "' is no name of a PAM service, such as sshd"};
    if (arguments.directory.empty() || arguments.directory.front() != '/')
        return Error{ErrorCode::malformed, 0, "--confdir takes an absolute path"};
    return Done{};
}

Result<EditedFile> open_service(const Arguments& arguments)
{
    const std::string path = arguments.directory + '/' + arguments.service;
    if (::access(path.c_str(), F_OK) == 0) return EditedFile::open(path);
    const auto elsewhere = pam_stack::find_service_file(directories_of(arguments), arguments.service);
    if (elsewhere.ok())
        return Error{ErrorCode::refused, 0, elsewhere.value() + ": belongs to a package; copy it to " + path + " first"};
    return EditedFile::open(path);
}

// That root gets in as before with the new text. The words say what was found.
Result<std::string> try_for_root(const Arguments& arguments, const EditedFile& file, const std::string& text)
{
    const auto directories = directories_of(arguments);
    const auto before = try_account_for_root(directories, arguments.service, file.path(), file.text());
    const auto after = try_account_for_root(directories, arguments.service, file.path(), text);
    if (!after.ok()) return Error(after.error()).in("the new stack was tried for root; nothing was changed");
    if (after.value() == PAM_SUCCESS) return std::string("tried for root: gets in");
    if (before.ok() && before.value() == after.value())
        return "tried for root: refused by this stack, before and after alike: " + pam_code_text(after.value());
    return Error{ErrorCode::refused, 0,
                 "the new stack would refuse root: " + pam_code_text(after.value()) + "; nothing was changed"};
}

Result<std::vector<std::string>> options_of(const Arguments& arguments)
{
    std::vector<std::string> options;
    for (const std::string& argument : arguments.options) {
        const auto words = pam_stack::cut_into_words(argument);
        if (!words.ok()) return words.error();
        for (const std::string& word : words.value()) options.push_back(pam_stack::unbracketed(word));
    }
    return options;
}

Result<Outcome> enable(const Arguments& arguments)
{
    if (auto good = check_call(arguments); !good.ok()) return good.error();
    const auto file = open_service(arguments);
    if (!file.ok()) return file.error();
    EnableRequest request{arguments.service, arguments.module, std::nullopt};
    if (arguments.options_given) {
        auto options = options_of(arguments);
        if (!options.ok()) return options.error();
        request.options = std::move(options).value();
    }
    const auto edit = enabled(directories_of(arguments), file.value().path(), file.value().text(), request);
    if (!edit.ok()) return edit.error();
    if (auto loads = try_module(arguments.service, edit.value().module, edit.value().options); !loads.ok())
        return loads.error();
    const auto root = try_for_root(arguments, file.value(), edit.value().text);
    if (!root.ok()) return root.error();

    Outcome outcome{file.value().path(),
                    unified_diff(file.value().text(), edit.value().text, file.value().path()),
                    false,
                    {},
                    {root.value()}};
    if (std::find(edit.value().options.begin(), edit.value().options.end(), "strict") == edit.value().options.end())
        outcome.remarks.emplace_back("without the option strict, a user whose adoption fails gets in, not confined");
    if (outcome.diff.empty() || arguments.dry_run) return outcome;
    // Of the file without our lines: one that has them is no way back.
    if (const auto plain = disabled(file.value().path(), file.value().text(), false);
        plain.ok() && plain.value() == file.value().text()) {
        const auto backup = file.value().back_up();
        if (!backup.ok()) return Error(backup.error()).in("no backup, nothing was changed");
        outcome.backup = backup.value();
    }
    if (auto done = file.value().replace(edit.value().text); !done.ok()) return done.error();
    outcome.changed = true;
    outcome.remarks.emplace_back("keep a root session open, and try with a second one whether logins work");
    return outcome;
}

Result<Outcome> disable(const Arguments& arguments)
{
    if (auto good = check_call(arguments); !good.ok()) return good.error();
    const auto file = open_service(arguments);
    if (!file.ok()) return file.error();
    const auto text = disabled(file.value().path(), file.value().text(), arguments.force);
    if (!text.ok()) return text.error();
    Outcome outcome{
        file.value().path(), unified_diff(file.value().text(), text.value(), file.value().path()), false, {}, {}};
    if (outcome.diff.empty()) return outcome;
    const auto root = try_for_root(arguments, file.value(), text.value());
    if (!root.ok()) return root.error();
    outcome.remarks.push_back(root.value());
    if (arguments.dry_run) return outcome;
    if (auto done = file.value().replace(text.value()); !done.ok()) return done.error();
    outcome.changed = true;
    if (file.value().remove_backups(text.value()) > 0)
        outcome.remarks.emplace_back("the file is again what its backup was; the backup is removed");
    for (const std::string& backup : file.value().backups())
        outcome.remarks.push_back("a backup with other content stays: " + backup);
    return outcome;
}

Colour colour_of(const std::string& line)
{
    if (line.starts_with('+')) return Colour::good;
    if (line.starts_with('-')) return Colour::bad;
    return Colour::none;
}

void show(const Outcome& outcome, const Arguments& arguments, const Output& output)
{
    if (output.json) {
        std::string diff;
        for (const std::string& line : outcome.diff) diff += line + '\n';
        nlohmann::json document{{"service", arguments.service},
                                {"file", outcome.file},
                                {"changed", outcome.changed},
                                {"dry_run", arguments.dry_run},
                                {"diff", diff},
                                {"remarks", outcome.remarks},
                                {"backup", outcome.backup.empty() ? nlohmann::json() : nlohmann::json(outcome.backup)}};
        output.document(document);
        return;
    }
    for (const std::string& line : outcome.diff)
        output.line(output.coloured(colour_of(line), is_printable(line) ? line : printable(line)));
    if (!outcome.backup.empty()) output.line("backup: " + printable(outcome.backup));
    for (const std::string& remark : outcome.remarks) output.line(printable(remark));
    if (outcome.changed)
        output.line("changed: " + printable(outcome.file));
    else if (outcome.diff.empty())
        output.line("nothing to do: " + printable(outcome.file));
    else
        output.line("dry run, nothing was changed: " + printable(outcome.file));
}

void finish(const Result<Outcome>& outcome, const Arguments& arguments, Context& context)
{
    if (outcome.ok()) {
        show(outcome.value(), arguments, context.output);
        return;
    }
    context.output.error(outcome.error().context);
    context.exit = Exit::impossible;
}

// For people, and for the completion of bash.
std::string module_options()
{
    std::string text = "What --options takes, see pam_slurm_adopt(8):";
    for (const OptionSpec& spec : option_table())
        text.append("\n  ").append(spec.name).append(spec.type == OptionType::flag ? "" : "=").append(spec.type == OptionType::flag ? "" : spec.allowed);
    return text;
}

void add_common(CLI::App& command, Arguments& arguments)
{
    command.add_option("--service", arguments.service, "The PAM service")->capture_default_str();
    command.add_option("--confdir", arguments.directory, "The directory of PAM service files")->capture_default_str();
    command.add_flag("--dry-run", arguments.dry_run, "Only show what would be changed");
}

}  // namespace

void add_enable_command(CLI::App& app, Context& context)
{
    // CLI::App keeps the callbacks, and these what they write to.
    const auto arguments = std::make_shared<Arguments>();
    CLI::App* const on =
        app.add_subcommand("enable", "Put the module's two lines into a PAM service file, each in its place");
    add_common(*on, *arguments);
    on->add_option("--options", arguments->options, "The module's options, for both lines (default: strict)");
    on->add_option("--module", arguments->module, "The module's absolute path, where libpam does not find it by its name");
    on->footer(module_options());
    on->callback([arguments, on, &context] {
        arguments->options_given = on->count("--options") > 0;
        finish(enable(*arguments), *arguments, context);
    });

    CLI::App* const off = app.add_subcommand("disable", "Take these lines out again");
    add_common(*off, *arguments);
    off->add_flag("--force", arguments->force, "Also where the lines were edited since");
    off->callback([arguments, &context] { finish(disable(*arguments), *arguments, context); });
}

}  // namespace slurm_adopt::tool
