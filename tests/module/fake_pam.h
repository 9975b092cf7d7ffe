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
};
