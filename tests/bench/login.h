// SPDX-License-Identifier: GPL-2.0-or-later
//
// One login as sshd's monitor makes it, without the C++ runtime, as there is none in sshd: it would be in memory
// already when a module brings its own.
#pragma once
#include <fcntl.h>
#include <pwd.h>
#include <security/pam_appl.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace bench {

// Swallows what the modules have to say: no terminal is part of what is measured.
inline int converse(int count, const pam_message**, pam_response** responses, void*)
{
    *responses = static_cast<pam_response*>(std::calloc(static_cast<std::size_t>(count), sizeof(pam_response)));
    return *responses == nullptr ? PAM_BUF_ERR : PAM_SUCCESS;
}

// What sshd has done by the time it asks PAM: the name service is loaded and knows the user, the time zone is known.
inline bool prepare(const char* user)
{
    if (::getpwnam(user) == nullptr) {
        std::fprintf(stderr, "bench: no user %s\n", user);
        return false;
    }
    ::tzset();
    return true;
}

// pam_start and pam_acct_mgmt; the PAM result. `handle` is for pam_end.
inline int log_in(const char* confdir, const char* service, const char* user, const char* host, pam_handle_t*& handle)
{
    const pam_conv conversation{.conv = converse, .appdata_ptr = nullptr};
    int result = ::pam_start_confdir(service, user, &conversation, confdir, &handle);
    if (result == PAM_SUCCESS) result = ::pam_set_item(handle, PAM_RHOST, host);
    if (result == PAM_SUCCESS) result = ::pam_acct_mgmt(handle, 0);
    return result;
}

// Reads a whole file of /proc into `text`, as much as fits.
template <std::size_t size>
const char* read_proc(const char* path, char (&text)[size])
{
    const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
    std::size_t length = 0;
    while (fd >= 0 && length < size - 1) {
        const ssize_t got = ::read(fd, text + length, size - 1 - length);
        if (got <= 0) break;
        length += static_cast<std::size_t>(got);
    }
    if (fd >= 0) (void)::close(fd);
    text[length] = '\0';
    return text;
}

// Whether this process is in the extern step of a job.
template <std::size_t size>
bool is_inside(char (&text)[size])
{
    return std::strstr(read_proc("/proc/self/cgroup", text), "/step_extern") != nullptr;
}

}  // namespace bench
