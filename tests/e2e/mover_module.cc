// SPDX-License-Identifier: GPL-2.0-or-later
// mover_module.so DIRECTORY: a PAM module whose session phase moves the process into a cgroup, as pam_systemd does.
#include <fcntl.h>
#include <security/pam_modules.h>
#include <unistd.h>

#include <cstdio>

extern "C" {

int pam_sm_open_session(pam_handle_t*, int, int argc, const char** argv)
{
    char path[256];
    const int length = argc == 1 ? std::snprintf(path, sizeof path, "%s/cgroup.procs", argv[0]) : -1;
    if (length < 0 || length >= static_cast<int>(sizeof path)) return PAM_SESSION_ERR;
    const int file = ::open(path, O_WRONLY | O_CLOEXEC);
    const bool is_moved = file >= 0 && ::write(file, "0", 1) == 1;  // 0: the one that writes
    if (file >= 0) (void)::close(file);
    return is_moved ? PAM_SUCCESS : PAM_SESSION_ERR;
}

int pam_sm_close_session(pam_handle_t*, int, int, const char**)
{
    return PAM_SUCCESS;
}

}  // extern "C"
