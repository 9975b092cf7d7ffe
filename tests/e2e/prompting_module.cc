// SPDX-License-Identifier: GPL-2.0-or-later
// prompting_module.so PROMPT=ANSWER...: a PAM module that asks one question after the other, as modules for a second
// factor do, and compares. Loaded by sshd: it needs nothing but libc and libpam.
#include <security/pam_ext.h>
#include <security/pam_modules.h>

#include <cstdlib>
#include <cstring>

namespace {

bool is_answered(pam_handle_t* handle, const char* question)
{
    const char* const answer = std::strchr(question, '=');
    if (answer == nullptr) return false;
    char* given = nullptr;
    const int length = static_cast<int>(answer - question);
    if (pam_prompt(handle, PAM_PROMPT_ECHO_OFF, &given, "%.*s: ", length, question) != PAM_SUCCESS || given == nullptr)
        return false;
    const bool right = std::strcmp(given, answer + 1) == 0;
    std::free(given);
    return right;
}

}  // namespace

extern "C" {

int pam_sm_authenticate(pam_handle_t* handle, int, int argc, const char** argv)
{
    bool right = argc > 0;
    for (int i = 0; i < argc && right; ++i) right = is_answered(handle, argv[i]);
    return right ? PAM_SUCCESS : PAM_AUTH_ERR;
}

int pam_sm_setcred(pam_handle_t*, int, int, const char**)
{
    return PAM_SUCCESS;
}

}  // extern "C"
