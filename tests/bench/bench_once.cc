// SPDX-License-Identifier: GPL-2.0-or-later
//
// One login (see login.h) and nothing that measures it: for those who count logins and system calls from outside.
//
//   bench_once CONFDIR SERVICE USER
//
// The exit code is the outcome: 0 PAM_SUCCESS and inside a job, 1 PAM_SUCCESS but not inside, 2 refused, 64 and more: an
// error of the bench.
#include "login.h"

int main(int argc, char** argv)
{
    if (argc != 4) return 64;
    if (!bench::prepare(argv[3])) return 67;
    pam_handle_t* handle = nullptr;
    const int result = bench::log_in(argv[1], argv[2], argv[3], "198.51.100.9", handle);
    char text[4096];
    const bool inside = bench::is_inside(text);
    if (handle != nullptr) (void)::pam_end(handle, result);
    if (result != PAM_SUCCESS) return 2;
    return inside ? 0 : 1;
}
