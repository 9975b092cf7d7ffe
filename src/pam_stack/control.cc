// SPDX-License-Identifier: GPL-2.0-or-later
#include "pam_stack/control.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <optional>

#include "slurm_adopt/text.h"

namespace slurm_adopt::pam_stack {
namespace {

// The names of pam.conf(5), in the order of the return codes in _pam_types.h.
constexpr std::array<std::string_view, 33> known_values = {"success",
                                                           "open_err",
                                                           "symbol_err",
                                                           "service_err",
                                                           "system_err",
                                                           "buf_err",
                                                           "perm_denied",
                                                           "auth_err",
                                                           "cred_insufficient",
                                                           "authinfo_unavail",
                                                           "user_unknown",
                                                           "maxtries",
                                                           "new_authtok_reqd",
                                                           "acct_expired",
                                                           "session_err",
                                                           "cred_unavail",
                                                           "cred_expired",
                                                           "cred_err",
                                                           "no_module_data",
                                                           "conv_err",
                                                           "authtok_err",
                                                           "authtok_recover_err",
                                                           "authtok_lock_busy",
                                                           "authtok_disable_aging",
                                                           "try_again",
                                                           "ignore",
                                                           "abort",
                                                           "authtok_expired",
                                                           "module_unknown",
                                                           "bad_item",
                                                           "conv_again",
                                                           "incomplete",
                                                           "default"};

bool same(std::string_view a, std::string_view b)
{
    return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::optional<ControlAction> parse_action(std::string_view text)
{
    if (same(text, "ignore")) return ControlAction{ActionKind::ignore, 0};
    if (same(text, "ok")) return ControlAction{ActionKind::ok, 0};
    if (same(text, "done")) return ControlAction{ActionKind::done, 0};
    if (same(text, "bad")) return ControlAction{ActionKind::bad, 0};
    if (same(text, "die")) return ControlAction{ActionKind::die, 0};
    if (same(text, "reset")) return ControlAction{ActionKind::reset, 0};
    const auto jump = parse_number<unsigned>(text);
    if (!jump || *jump == 0) return std::nullopt;
    return ControlAction{ActionKind::jump, *jump};
}

// What a keyword stands for (pam.conf(5)).
std::string_view spelled_out(std::string_view keyword)
{
    if (same(keyword, "required")) return "success=ok new_authtok_reqd=ok ignore=ignore default=bad";
    if (same(keyword, "requisite")) return "success=ok new_authtok_reqd=ok ignore=ignore default=die";
    if (same(keyword, "sufficient")) return "success=done new_authtok_reqd=done default=ignore";
    if (same(keyword, "optional")) return "success=ok new_authtok_reqd=ok default=ignore";
    return {};
}

Error wrong(std::string_view text, std::string_view what)
{
    return Error{ErrorCode::malformed, 0, "control '" + printable(text) + "': " + std::string(what)};
}

// "value=action" pairs; spaces around '=' are allowed.
std::vector<std::string> words_of(std::string_view list)
{
    std::vector<std::string> words;
    bool glue = false;
    for (std::size_t at = 0; (at = list.find_first_not_of(" \t\n", at)) != std::string_view::npos;) {
        const std::size_t end = std::min(list.find_first_of(" \t\n", at), list.size());
        const std::string_view word = list.substr(at, end - at);
        if (!words.empty() && (glue || word.front() == '='))
            words.back() += word;
        else
            words.emplace_back(word);
        glue = word.back() == '=';
        at = end;
    }
    return words;
}

}  // namespace

Result<Control> Control::parse(std::string_view text)
{
    Control control;
    control.text_ = text;
    std::string_view list = spelled_out(text);
    if (list.empty()) {
        if (text.size() < 2 || text.front() != '[' || text.back() != ']')
            return wrong(text,
                         "neither required, requisite, sufficient, optional, include or substack nor [value=action ...]");
        list = text.substr(1, text.size() - 2);
    }
    for (const std::string& word : words_of(list)) {
        const std::size_t equals = word.find('=');
        const std::string value = word.substr(0, equals);
        if (std::none_of(known_values.begin(), known_values.end(),
                         [&](std::string_view known) { return same(known, value); }))
            return wrong(text, "'" + printable(value) + "' is no answer of a module");
        const auto action = parse_action(equals == std::string::npos ? "" : std::string_view(word).substr(equals + 1));
        if (!action)
            return wrong(text, "'" + printable(word) +
                                   "' has none of the actions ignore, ok, done, bad, die, reset or a number from 1");
        control.choices_.push_back({value, *action});
    }
    return control;
}

ControlAction Control::action(std::string_view value) const
{
    // Of a value that is named twice, libpam keeps the last.
    for (const std::string_view wanted : {value, std::string_view("default")}) {
        const auto found = std::find_if(choices_.rbegin(), choices_.rend(),
                                        [&](const Choice& choice) { return same(choice.value, wanted); });
        if (found != choices_.rend()) return found->action;
    }
    return {};
}

unsigned Control::longest_jump() const
{
    unsigned longest = 0;
    for (const Choice& choice : choices_) longest = std::max(longest, choice.action.jump);
    return longest;
}

}  // namespace slurm_adopt::pam_stack
