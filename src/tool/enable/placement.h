// SPDX-License-Identifier: GPL-2.0-or-later
// Where the two lines belong in a stack. Pure: reads what the parser has read.
#pragma once

#include "pam_stack/stack.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt::tool {

// The line number of the service's own file after which the account line goes (0: before the first line): after all
// account lines, so that what they refuse is never adopted; but above the first line or include that ends the phase for
// some, because ours would not be reached for them: for users it knows (Red Hat's password-auth: "sufficient
// pam_localuser.so"), or for those whose password has expired (Debian's common-account: new_authtok_reqd=done).
// ErrorCode::malformed, with what to do: there is no account line, a line of the first kind stands in the file itself (then
// who wrote it has to decide), or a jump ([success=2 ...]) leads over the place.
[[nodiscard]] Result<unsigned> place_account_line(const pam_stack::Stack& account);

// The same for the session line: after the line that is, or includes, pam_systemd, which moves the session out of the
// job; where there is none, after the last line that includes a shared file, because there it would be added.
[[nodiscard]] Result<unsigned> place_session_line(const pam_stack::Stack& session);

}  // namespace slurm_adopt::tool
