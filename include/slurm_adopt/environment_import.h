// SPDX-License-Identifier: GPL-2.0-or-later
// import_env=: which variables of a job's process a session gets. Pure. The text is a user's, to the last byte, and what is
// taken from it reaches programs that root may have chosen for him: a login shell, a forced command.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slurm_adopt {

// Of a process's environ(7) this much is looked at. Linux allows 2 MiB and more; jobs have some KiB.
inline constexpr std::size_t most_environ = std::size_t{256} * 1024;
// So much is set, names and values with '=' and NUL. sshd hands what its PAM child has set on in one message of at most
// 256 KiB.
inline constexpr std::size_t most_variables = 256;
inline constexpr std::size_t most_imported = std::size_t{64} * 1024;

struct Variable {
    std::string_view name;
    std::string_view value;

    friend bool operator==(const Variable&, const Variable&) = default;
};

struct Import {
    std::vector<Variable> variables;  // in the order of the environ, each name once
    std::size_t unfit = 0;            // would be wanted, but have a value that is no plain text, or that of a shell function
    std::size_t too_many = 0;         // would be wanted, but are beyond the caps
};

// Names, and "PREFIX_*"s, that no pattern imports; and what for. In the order of the manual.
struct DeniedGroup {
    const char* why;
    std::span<const std::string_view> names;
};
[[nodiscard]] std::span<const DeniedGroup> denied_variables();
[[nodiscard]] bool is_denied_variable(std::string_view name);
// Whether every name that matches the pattern is denied.
[[nodiscard]] bool is_denied_pattern(std::string_view pattern);

// [A-Za-z_][A-Za-z0-9_]*
[[nodiscard]] bool is_variable_name(std::string_view name);

// `pattern` is a name, or the beginning of one and '*'.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view name);

// Whether a session may get a variable of this name: it matches one of the patterns, and is not denied.
[[nodiscard]] bool is_importable(std::span<const std::string> patterns, std::string_view name);

// Valid UTF-8 (RFC 3629) without control characters, neither those of ASCII nor those from U+0080 to U+009F.
[[nodiscard]] bool is_plain_text(std::string_view value);

// What getenv(3) would say in that process: the first of several counts. `environ` is /proc/<pid>/environ: entries that end
// with NUL. A last one without it is cut, and none.
[[nodiscard]] std::optional<std::string_view> value_in(std::string_view block, std::string_view name);

// The variables to be imported. A name whose first value is unfit is left out, whatever its second one is.
[[nodiscard]] Import choose_variables(std::string_view block, std::span<const std::string> patterns);

}  // namespace slurm_adopt
