// SPDX-License-Identifier: GPL-2.0-or-later
// Loaded and unloaded a thousand times, with a call each: nothing grows.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "pam_stack.h"
#include "support/descriptors.h"
#include "support/fault_table.h"

namespace slurm_adopt::test {
namespace {

struct Footprint {
    std::size_t mappings = 0;
    long data_kib = 0;  // VmData: private and writable
    std::size_t descriptors = 0;
};

Footprint footprint()
{
    Footprint now;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) ++now.mappings;
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmRSS:")) now.data_kib = std::stol(line.substr(6));
    now.descriptors = open_descriptors().size();
    return now;
}

void expect_no_growth(const Footprint& before, const Footprint& after)
{
    EXPECT_EQ(after.descriptors, before.descriptors);
    EXPECT_LE(after.mappings, before.mappings + (SANITIZED ? 50 : 4));
    // A byte lost in each of the thousand calls would be seen only by the sanitizers; a page, here.
    if (!SANITIZED) {
        EXPECT_LE(after.data_kib, before.data_kib + 1024);
    }
}

using AccountManagement = int (*)(pam_handle_t*, int, int, const char**);

pam_handle_t* start_handle(const std::string& directory)
{
    static const pam_conv conversation{[](int, const pam_message**, pam_response**, void*) { return PAM_CONV_ERR; },
                                       nullptr};
    pam_handle_t* handle = nullptr;
    (void)::pam_start_confdir("sshd", "nobody", &conversation, directory.c_str(), &handle);
    return handle;
}

TEST(Load, AThousandTimesByHand)
{
    const PamStack stack({"account required pam_permit.so"});
    pam_handle_t* handle = start_handle(stack.directory().path());
    ASSERT_NE(handle, nullptr);
    const auto once = [&] {
        void* module = ::dlopen(MODULE_PATH, RTLD_NOW | RTLD_LOCAL);
        ASSERT_NE(module, nullptr) << ::dlerror();
        const auto account = reinterpret_cast<AccountManagement>(::dlsym(module, "pam_sm_acct_mgmt"));
        ASSERT_NE(account, nullptr);
        const char* arguments[] = {"strict", "log_level=quiet"};
        EXPECT_EQ(account(handle, PAM_SILENT, 2, arguments), PAM_PERM_DENIED);
        EXPECT_EQ(::dlclose(module), 0);
    };
    for (int i = 0; i < 20; ++i) once();
    (void)::malloc_trim(0);
    const Footprint before = footprint();
    for (int i = 0; i < 1000; ++i) once();
    (void)::malloc_trim(0);
    expect_no_growth(before, footprint());
    (void)::pam_end(handle, PAM_SUCCESS);
    report_fault({"system", "loaded, called and unloaded a thousand times", "nothing grows", 0}, 0);
}

TEST(Load, AThousandTimesByLibpam)
{
    const PamStack stack({"account required MODULE strict log_level=quiet"});
    for (int i = 0; i < 20; ++i) (void)stack.account("nobody");
    (void)::malloc_trim(0);
    const Footprint before = footprint();
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(stack.account("nobody").code, PAM_PERM_DENIED);
    (void)::malloc_trim(0);
    expect_no_growth(before, footprint());
}

TEST(Load, NullAndNegativeArguments)
{
    const PamStack stack({"account required pam_permit.so"});
    pam_handle_t* handle = start_handle(stack.directory().path());
    void* module = ::dlopen(MODULE_PATH, RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(module, nullptr);
    const auto account = reinterpret_cast<AccountManagement>(::dlsym(module, "pam_sm_acct_mgmt"));
    EXPECT_EQ(account(handle, PAM_SILENT, 0, nullptr), PAM_PERM_DENIED);
    EXPECT_EQ(account(handle, PAM_SILENT, -1, nullptr), PAM_PERM_DENIED);
    EXPECT_EQ(account(handle, -1, 0, nullptr), PAM_PERM_DENIED) << "every flag";
    (void)::dlclose(module);
    (void)::pam_end(handle, PAM_SUCCESS);
    report_fault({"system", "called with no arguments, a negative number of them, every flag", "deny no_jobs", 0}, 0);
}

}  // namespace
}  // namespace slurm_adopt::test
