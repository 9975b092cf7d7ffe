// SPDX-License-Identifier: GPL-2.0-or-later
// A module as Slurm's own: an account phase, and no session phase.
#include <security/pam_modules.h>

extern "C" __attribute__((visibility("default"))) int pam_sm_acct_mgmt(pam_handle_t*, int, int, const char**)
{
    return PAM_SUCCESS;
}
