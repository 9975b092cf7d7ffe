// SPDX-License-Identifier: GPL-2.0-or-later
#include "fake_pam.h"

#include <security/pam_ext.h>
#include <syslog.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include "failing_memory.h"

namespace {

using slurm_adopt::test::MemoryIsThere;

std::string formatted(const char* format, std::va_list arguments)
{
    char* text = nullptr;
    if (::vasprintf(&text, format, arguments) < 0) std::abort();
    std::string result(text);
    std::free(text);
    return result;
}

const char* priority_name(int priority)
{
    switch (priority) {
    case LOG_ERR: return "error ";
    case LOG_WARNING: return "warning ";
    case LOG_NOTICE: return "notice ";
    case LOG_INFO: return "info ";
    case LOG_DEBUG: return "debug ";
    default: return "?? ";  // with a facility, or one that we never use
    }
}

}  // namespace

extern "C" {

int pam_get_item(const pam_handle_t* handle, int type, const void** item)
{
    const auto found = handle->items.find(type);
    *item = found == handle->items.end() ? nullptr : found->second.c_str();
    return PAM_SUCCESS;
}

// NOLINTNEXTLINE(cert-dcl50-cpp): libpam's own signature
void pam_syslog(const pam_handle_t* handle, int priority, const char* format, ...)
{
    const MemoryIsThere guard;
    std::va_list arguments;
    va_start(arguments, format);
    handle->log.push_back(priority_name(priority) + formatted(format, arguments));
    va_end(arguments);
}

// NOLINTNEXTLINE(cert-dcl50-cpp)
int pam_prompt(pam_handle_t* handle, int style, char** response, const char* format, ...)
{
    const MemoryIsThere guard;
    if (response != nullptr) *response = nullptr;
    std::va_list arguments;
    va_start(arguments, format);
    const char* kind = style == PAM_ERROR_MSG ? "error " : style == PAM_TEXT_INFO ? "info " : "asked ";
    handle->told.push_back(kind + formatted(format, arguments));
    va_end(arguments);
    return handle->prompt_result;
}

int pam_putenv(pam_handle_t* handle, const char* assignment)
{
    const MemoryIsThere guard;
    if (handle->putenv_result == PAM_SUCCESS) handle->environment.emplace_back(assignment);
    return handle->putenv_result;
}

const char* pam_strerror(pam_handle_t*, int)
{
    return "told to fail";
}

// The account phase must not ask for a name: there is nobody who could answer any more.
int pam_get_user(pam_handle_t*, const char**, const char*)
{
    std::abort();
}

}  // extern "C"
