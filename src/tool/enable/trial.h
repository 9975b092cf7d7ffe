// SPDX-License-Identifier: GPL-2.0-or-later
// Whether root still gets in: a stack tried through libpam (pam_start_confdir) before it is in use.
#pragma once

#include <string>
#include <vector>

#include "pam_stack/stack.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt::tool {

// What the account phase says to root (a code of pam(3)), with `text` in place of the service's own file. All files are
// copied into a private directory, gone afterwards; included files are named there with their full path, because libpam
// looks for others in /etc/pam.d. The modules run in a child process, for 30 s at most, and not in the session phase:
// that would open a session. An error: the child died, or did not come to an end.
[[nodiscard]] Result<int> try_account_for_root(const pam_stack::Directories& directories, const std::string& service,
                                               const std::string& file, const std::string& text);

// That libpam can load the module and that it has both phases: each with a line of its own for root. The error says what
// is wrong and what to do.
[[nodiscard]] Result<Done> try_module(const std::string& service, const std::string& module,
                                      const std::vector<std::string>& options);

// As pam_strerror(3) has it.
[[nodiscard]] std::string pam_code_text(int code);

}  // namespace slurm_adopt::tool
