// SPDX-License-Identifier: GPL-2.0-or-later
// A libpam of the test's own: answers what it is told to, and records what the module does.
#pragma once

#include <security/pam_modules.h>

#include <map>
#include <string>
#include <vector>

// What pam_handle_t points to here.
struct pam_handle {
    std::map<int, std::string> items;  // PAM_USER and so on; one that is missing is NULL, as in Linux-PAM
    int putenv_result = PAM_SUCCESS;
    int prompt_result = PAM_SUCCESS;

    mutable std::vector<std::string> log;  // "warning text"
    std::vector<std::string> told;         // "error text", "info text"
    std::vector<std::string> environment;  // "NAME=value"

    struct Data {
        void* data = nullptr;
        void (*cleanup)(pam_handle*, void*, int) = nullptr;
    };
    std::map<std::string, Data> data;
    int set_data_result = PAM_SUCCESS;

    pam_handle() = default;
    pam_handle(const pam_handle&) = delete;
    pam_handle& operator=(const pam_handle&) = delete;
    ~pam_handle()
    {
        for (auto& [name, entry] : data) entry.cleanup(this, entry.data, PAM_SUCCESS);
    }
};
