// SPDX-License-Identifier: GPL-2.0-or-later
// The control field of a PAM line (pam.conf(5)): what each answer of a module does to the stack.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "slurm_adopt/result.h"

namespace slurm_adopt::pam_stack {

enum class ActionKind { ignore, ok, done, bad, die, reset, jump };

struct ControlAction {
    ActionKind kind = ActionKind::bad;
    unsigned jump = 0;  // how many modules are jumped over; 0 unless it is a jump
};

class Control {
public:
    // A keyword (required, requisite, sufficient, optional), or "[value=action ...]". Case does not count.
    // ErrorCode::malformed: what libpam takes for a line that always fails.
    [[nodiscard]] static Result<Control> parse(std::string_view text);

    // What an answer does: "success", "new_authtok_reqd", "ignore", "user_unknown", ... A value that is not named has
    // the action of `default`, and without one `bad`.
    [[nodiscard]] ControlAction action(std::string_view value) const;

    // How far any answer jumps; 0 where none does.
    [[nodiscard]] unsigned longest_jump() const;

    [[nodiscard]] const std::string& text() const { return text_; }  // as written

private:
    struct Choice {
        std::string value;
        ControlAction action;
    };
    std::string text_;
    std::vector<Choice> choices_;
};

}  // namespace slurm_adopt::pam_stack
