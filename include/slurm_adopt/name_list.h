// SPDX-License-Identifier: GPL-2.0-or-later
// Lists of user or group names, as exempt_users=@FILE and exempt_groups=@FILE name them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "slurm_adopt/result.h"

namespace slurm_adopt {

// Of the file, in bytes: some thousand names.
inline constexpr std::size_t longest_name_list = std::size_t{64} * 1024;
// Each costs a look-up in the user database, which may be one over the network.
inline constexpr std::size_t most_groups_of_list = 256;

// Whether a user or a group may be called so.
[[nodiscard]] bool is_user_or_group(std::string_view text);

// A name a line; blanks around it, empty lines, what follows a '#' that begins a word, and a byte order mark before all
// (UTF-8, RFC 3629, section 6) do not count. A line that is anything else makes the whole list ErrorCode::malformed: half
// of a list that went wrong is nobody's intention.
[[nodiscard]] Result<std::vector<std::string>> parse_name_list(std::string_view text);

}  // namespace slurm_adopt
