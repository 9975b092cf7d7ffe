// SPDX-License-Identifier: GPL-2.0-or-later
// A module that lets in at first and then no more: with helper=FILE it refuses the account phase from the moment FILE is
// there, which it makes itself; with nodename=dies it ends the process then.
#include <fcntl.h>
#include <security/pam_modules.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

extern "C" __attribute__((visibility("default"))) int pam_sm_acct_mgmt(pam_handle_t*, int, int argc, const char** argv)
{
    bool dies = false;
    const char* file = nullptr;
    for (int i = 0; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word == "nodename=dies") dies = true;
        if (word.starts_with("helper=")) file = argv[i] + 7;
    }
    if (file == nullptr) return PAM_SUCCESS;
    const int fd = ::open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) {
        (void)::close(fd);
        return PAM_SUCCESS;
    }
    if (dies) std::abort();
    return PAM_PERM_DENIED;
}

extern "C" __attribute__((visibility("default"))) int pam_sm_open_session(pam_handle_t*, int, int, const char**)
{
    return PAM_SUCCESS;
}

extern "C" __attribute__((visibility("default"))) int pam_sm_close_session(pam_handle_t*, int, int, const char**)
{
    return PAM_SUCCESS;
}
