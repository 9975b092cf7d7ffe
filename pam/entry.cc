// SPDX-License-Identifier: GPL-2.0-or-later
// The entry points that libpam looks up, and nothing else (pam(3)).
#include <security/pam_modules.h>

#include "phases.h"

#define SLURM_ADOPT_EXPORT extern "C" __attribute__((visibility("default")))

SLURM_ADOPT_EXPORT int pam_sm_acct_mgmt(pam_handle_t* handle, int flags, int argc, const char** argv)
{
    return slurm_adopt::account_phase(handle, flags, argc, argv);
}

SLURM_ADOPT_EXPORT int pam_sm_open_session(pam_handle_t* handle, int flags, int argc, const char** argv)
{
    return slurm_adopt::open_session_phase(handle, flags, argc, argv);
}

SLURM_ADOPT_EXPORT int pam_sm_close_session(pam_handle_t* handle, int flags, int argc, const char** argv)
{
    return slurm_adopt::close_session_phase(handle, flags, argc, argv);
}
