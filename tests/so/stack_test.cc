// SPDX-License-Identifier: GPL-2.0-or-later
// The module in stacks as administrators write them, without a Slurm: users are refused, root and the exempt are not.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/utsname.h>

#include "pam_stack.h"
#include "support/fault_table.h"

namespace slurm_adopt::test {
namespace {

// No real slurmstepd is seen, should this machine have one.
class PrivateNetwork : public testing::Environment {
    void SetUp() override { ASSERT_EQ(::unshare(CLONE_NEWNET), 0) << "these tests need root"; }
};
[[maybe_unused]] const testing::Environment* const registered = testing::AddGlobalTestEnvironment(new PrivateNetwork);

constexpr int denied_by_pam_deny = PAM_AUTH_ERR;  // also of its account phase

struct Case {
    const char* what;
    std::vector<std::string> lines;
    std::string user;
    int code;
    bool told = false;  // the refusal
};

void run(const std::vector<Case>& cases)
{
    for (const Case& each : cases) {
        const StackResult result = PamStack(each.lines).account(each.user);
        EXPECT_EQ(result.code, each.code) << each.what << ": " << ::pam_strerror(nullptr, result.code);
        EXPECT_EQ(result.told.size(), each.told ? 1U : 0U) << each.what;
        EXPECT_TRUE(result.environment.empty()) << each.what;
    }
}

TEST(Stack, AUserWithoutAJob)
{
    run({
        {"required", {"account required MODULE"}, "nobody", PAM_PERM_DENIED, true},
        {"required, then permit",
         {"account required MODULE", "account required pam_permit.so"},
         "nobody",
         PAM_PERM_DENIED,
         true},
        {"requisite stops", {"account requisite MODULE", "account required pam_deny.so"}, "nobody", PAM_PERM_DENIED, true},
        {"sufficient, then permit",
         {"account sufficient MODULE", "account required pam_permit.so"},
         "nobody",
         PAM_SUCCESS,
         true},
        {"optional with permit", {"account optional MODULE", "account required pam_permit.so"}, "nobody", PAM_SUCCESS, true},
        {"success=done",
         {"account [success=done ignore=ignore default=die] MODULE", "account required pam_permit.so"},
         "nobody",
         PAM_PERM_DENIED,
         true},
        {"success=1 default=ignore",
         {"account [success=1 default=ignore] MODULE", "account required pam_deny.so", "account required pam_permit.so"},
         "nobody",
         denied_by_pam_deny,
         true},
        {"quiet", {"account required MODULE quiet"}, "nobody", PAM_PERM_DENIED},
        {"ignored",
         {"account required MODULE action_no_jobs=ignore", "account required pam_permit.so"},
         "nobody",
         PAM_SUCCESS},
        {"ignored, then denied",
         {"account required MODULE action_no_jobs=ignore", "account required pam_deny.so"},
         "nobody",
         denied_by_pam_deny},
    });
    const PamStack silent({"account required MODULE"});
    EXPECT_TRUE(silent.account("nobody", PAM_SILENT).told.empty());
}

TEST(Stack, TheMessage)
{
    utsname host{};
    ASSERT_EQ(::uname(&host), 0);
    const std::string name = host.nodename;
    const StackResult result = PamStack({"account required MODULE"}).account("nobody");
    EXPECT_EQ(result.told,
              std::vector<std::string>{"Access denied: you have no job running on " + name.substr(0, name.find('.')) +
                                       ". Start one there (sbatch, salloc) and log in while it runs."});
}

TEST(Stack, RootPassesThroughAndAnIgnoredModuleDecidesNothing)
{
    run({
        // All modules ignored: libpam itself refuses; a stack needs somebody who says yes, as with every module.
        {"alone", {"account required MODULE"}, "root", PAM_PERM_DENIED},
        {"with permit", {"account required MODULE", "account required pam_permit.so"}, "root", PAM_SUCCESS},
        {"with deny", {"account required MODULE", "account required pam_deny.so"}, "root", denied_by_pam_deny},
        {"broken options",
         {"account required MODULE nonsense=1 strict strict", "account required pam_permit.so"},
         "root",
         PAM_SUCCESS},
        {"requisite", {"account requisite MODULE strict", "account required pam_permit.so"}, "root", PAM_SUCCESS},
        {"sufficient does not grant",
         {"account sufficient MODULE", "account required pam_deny.so"},
         "root",
         denied_by_pam_deny},
        {"ignore_root=0",
         {"account required MODULE ignore_root=0 strict", "account required pam_permit.so"},
         "root",
         PAM_SUCCESS},
    });
}

TEST(Stack, OptionsAndUsers)
{
    run({
        {"exempt user",
         {"account required MODULE exempt_users=nobody", "account required pam_permit.so"},
         "nobody",
         PAM_SUCCESS},
        {"exempt group",
         {"account required MODULE exempt_groups=nogroup", "account required pam_permit.so"},
         "nobody",
         PAM_SUCCESS},
        {"other service",
         {"account required MODULE service=login", "account required pam_permit.so"},
         "nobody",
         PAM_SUCCESS},
        {"spaces in brackets",
         {"account required MODULE [exempt_users=nobody]", "account required pam_permit.so"},
         "nobody",
         PAM_SUCCESS},
        {"wrong option",
         {"account required MODULE action_no_jobs=denyx", "account required pam_permit.so"},
         "nobody",
         PAM_PERM_DENIED,
         true},
        {"unknown user", {"account required MODULE", "account required pam_permit.so"}, "no-such-user", PAM_USER_UNKNOWN},
        {"sockets unreadable",
         {"account required MODULE spool_dir=/nowhere", "account required pam_permit.so"},
         "nobody",
         PAM_SUCCESS},
        {"sockets unreadable, strict",
         {"account required MODULE spool_dir=/nowhere strict", "account required pam_permit.so"},
         "nobody",
         PAM_PERM_DENIED,
         true},
    });
}

TEST(Stack, WithPamAccess)
{
    const PamStack files({"account required pam_permit.so"});
    const std::string admins = files.directory().write("access.conf", "+:nobody:ALL\n-:ALL:ALL\n");
    const std::string others = files.directory().write("others.conf", "+:root:ALL\n-:ALL:ALL\n");
    const auto access = [](const std::string& file) { return "pam_access.so nodefgroup accessfile=" + file; };
    run({
        // As Slurm's documentation has it: who has no job may still be let in by pam_access.
        {"sufficient, then access lets in",
         {"account sufficient MODULE", "account required " + access(admins)},
         "nobody",
         PAM_SUCCESS,
         true},
        {"sufficient, then access refuses",
         {"account sufficient MODULE", "account required " + access(others)},
         "nobody",
         PAM_PERM_DENIED,
         true},
        {"access before bypasses",
         {"account sufficient " + access(admins), "account required MODULE"},
         "nobody",
         PAM_SUCCESS},
        {"access before does not bypass",
         {"account sufficient " + access(others), "account required MODULE"},
         "nobody",
         PAM_PERM_DENIED,
         true},
        {"root by access", {"account sufficient MODULE", "account required " + access(others)}, "root", PAM_SUCCESS},
    });
}

TEST(Stack, WithPamListfile)
{
    const PamStack files({"account required pam_permit.so"});
    const std::string list = files.directory().write("users", "nobody\n");
    const std::string empty = files.directory().write("empty", "");
    const auto listfile = [](const std::string& file) {
        return "account sufficient pam_listfile.so item=user sense=allow onerr=fail file=" + file;
    };
    run({
        {"listed", {listfile(list), "account required MODULE"}, "nobody", PAM_SUCCESS},
        {"not listed", {listfile(empty), "account required MODULE"}, "nobody", PAM_PERM_DENIED, true},
    });
}

TEST(Stack, InAnIncludedFile)
{
    const PamStack included({"account required pam_permit.so"});
    included.write("password-auth", {"account required MODULE"});
    const std::string path = included.directory() / "password-auth";
    for (const std::string& how : {"account include " + path, "account substack " + path, "@include " + path}) {
        const PamStack stack({how, "account required pam_permit.so"});
        EXPECT_EQ(stack.account("nobody").code, PAM_PERM_DENIED) << how;
        EXPECT_EQ(stack.account("root").code, PAM_SUCCESS) << how;
    }
}

TEST(Stack, AMissingModule)
{
    // A dash only keeps libpam from logging it: `required` refuses all the same, root too. Who wants a node without the
    // module to be open has to say module_unknown=ignore.
    const std::string open = "-account [success=ok new_authtok_reqd=ok ignore=ignore module_unknown=ignore default=bad] ";
    run({
        {"with a dash",
         {"-account required /nowhere/pam_slurm_adopt.so", "account required pam_permit.so"},
         "root",
         PAM_MODULE_UNKNOWN},
        {"sufficient",
         {"-account sufficient /nowhere/pam_slurm_adopt.so", "account required pam_permit.so"},
         "nobody",
         PAM_SUCCESS},
        {"module_unknown=ignore",
         {open + "/nowhere/pam_slurm_adopt.so", "account required pam_permit.so"},
         "nobody",
         PAM_SUCCESS},
        {"module_unknown=ignore, but there",
         {open + "MODULE", "account required pam_permit.so"},
         "nobody",
         PAM_PERM_DENIED,
         true},
        {"without",
         {"account required /nowhere/pam_slurm_adopt.so", "account required pam_permit.so"},
         "nobody",
         PAM_MODULE_UNKNOWN},
        {"with a dash, but there",
         {"-account required MODULE", "account required pam_permit.so"},
         "nobody",
         PAM_PERM_DENIED,
         true},
    });
    report_fault({"system", "the module's file is missing, required", "refused by libpam, root too", 0}, 0);
}

TEST(Stack, OtherServicesAreIgnored)
{
    const PamStack stack({"account required MODULE", "account required pam_permit.so"}, "login");
    EXPECT_EQ(stack.account("nobody").code, PAM_SUCCESS);
    const PamStack any({"account required MODULE service=*", "account required pam_permit.so"}, "login");
    EXPECT_EQ(any.account("nobody").code, PAM_PERM_DENIED);
}

// A phase that the module does not have yet: libpam says so, and does not crash.
TEST(Stack, PhasesThatAreNotThere)
{
    const PamStack stack({"auth required MODULE", "account required pam_permit.so"});
    std::vector<std::string> told;
    const pam_conv conversation{[](int, const pam_message**, pam_response**, void*) { return PAM_CONV_ERR; }, nullptr};
    pam_handle_t* handle = nullptr;
    ASSERT_EQ(::pam_start_confdir("sshd", "nobody", &conversation, stack.directory().path().c_str(), &handle), PAM_SUCCESS);
    EXPECT_NE(::pam_authenticate(handle, PAM_SILENT), PAM_SUCCESS);
    (void)::pam_end(handle, PAM_SUCCESS);
}

}  // namespace
}  // namespace slurm_adopt::test
