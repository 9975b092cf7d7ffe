// SPDX-License-Identifier: GPL-2.0-or-later
#include "fake_pam.h"

#include <security/pam_ext.h>
#include <syslog.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

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
    if (handle->putenv_result != PAM_SUCCESS) return handle->putenv_result;
    const std::string whole(assignment);
    const std::string start = whole.substr(0, whole.find('=')) + '=';
    if (whole.find('=') == std::string::npos) {
        std::erase_if(handle->environment, [&](const std::string& known) { return known.starts_with(start); });
        return PAM_SUCCESS;
    }
    for (std::string& known : handle->environment)
        if (known.starts_with(start)) {
            known = whole;
            return PAM_SUCCESS;
        }
    handle->environment.push_back(whole);
    return PAM_SUCCESS;
}

const char* pam_getenv(pam_handle_t* handle, const char* name)
{
    const MemoryIsThere guard;
    const std::string start = std::string(name) + '=';
    for (const std::string& assignment : handle->environment)
        if (assignment.starts_with(start)) return assignment.c_str() + start.size();
    return nullptr;
}

char** pam_getenvlist(pam_handle_t* handle)
{
    const MemoryIsThere guard;
    auto** const list = static_cast<char**>(std::calloc(handle->environment.size() + 1, sizeof(char*)));
    for (std::size_t i = 0; i < handle->environment.size(); ++i) list[i] = ::strdup(handle->environment[i].c_str());
    return list;
}

int pam_set_data(pam_handle_t* handle, const char* name, void* data, void (*cleanup)(pam_handle_t*, void*, int))
{
    const MemoryIsThere guard;
    if (handle->set_data_result != PAM_SUCCESS) return handle->set_data_result;
    pam_handle::Data& entry = handle->data[name];
    if (entry.cleanup != nullptr) entry.cleanup(handle, entry.data, PAM_SUCCESS);
    entry = {data, cleanup};
    return PAM_SUCCESS;
}

int pam_get_data(const pam_handle_t* handle, const char* name, const void** data)
{
    const MemoryIsThere guard;
    const auto found = handle->data.find(name);
    if (found == handle->data.end()) return PAM_NO_MODULE_DATA;
    *data = found->second.data;
    return PAM_SUCCESS;
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
