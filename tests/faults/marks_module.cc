// SPDX-License-Identifier: GPL-2.0-or-later
// A PAM module that says where another one's work begins and ends: "optional marks_module.so begin" before it, "end" after
// it. To what is preloaded (preload.h) and to who watches the system calls (watched_program.h).
#include <dlfcn.h>
#include <security/pam_modules.h>
#include <unistd.h>

#include <cstring>

#include "preload.h"
#include "watched_marks.h"

namespace {

using namespace slurm_adopt::test;

int mark(int count, const char** arguments)
{
    const bool begins = count == 1 && std::strcmp(arguments[0], "begin") == 0;
    auto* const watch = reinterpret_cast<WatchFunction*>(::dlsym(RTLD_DEFAULT, watch_function_name));
    if (!begins) (void)::syscall(mark_end);
    if (watch != nullptr) watch(begins ? 1 : 0);  // none: nothing is preloaded
    if (begins) (void)::syscall(mark_begin);
    return PAM_IGNORE;
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int pam_sm_acct_mgmt(pam_handle_t*, int, int count, const char** arguments)
{
    return mark(count, arguments);
}

__attribute__((visibility("default"))) int pam_sm_open_session(pam_handle_t*, int, int count, const char** arguments)
{
    return mark(count, arguments);
}

__attribute__((visibility("default"))) int pam_sm_close_session(pam_handle_t*, int, int count, const char** arguments)
{
    return mark(count, arguments);
}

}  // extern "C"
