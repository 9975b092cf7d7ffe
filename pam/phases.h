// SPDX-License-Identifier: GPL-2.0-or-later
// The phases as PAM sees them: a handle in, a PAM return code out, and nothing can escape.
#pragma once

#include <security/pam_modules.h>

namespace slurm_adopt {

// pam_sm_acct_mgmt(3).
[[nodiscard]] int account_phase(pam_handle_t* handle, int flags, int argc, const char** argv) noexcept;

// pam_sm_open_session(3): PAM_IGNORE for whom the account phase has let in without a job.
[[nodiscard]] int open_session_phase(pam_handle_t* handle, int flags, int argc, const char** argv) noexcept;

// pam_sm_close_session(3).
[[nodiscard]] int close_session_phase(pam_handle_t* handle, int flags, int argc, const char** argv) noexcept;

}  // namespace slurm_adopt
