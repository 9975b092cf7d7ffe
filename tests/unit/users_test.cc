// SPDX-License-Identifier: GPL-2.0-or-later
// The real user database; a failing one is with the module's tests.
#include "slurm_adopt/users.h"

#include <grp.h>
#include <gtest/gtest.h>
#include <pwd.h>

namespace slurm_adopt {
namespace {

TEST(FindUser, KnownAndUnknown)
{
    const auto root = find_user("root");
    ASSERT_TRUE(root);
    ASSERT_TRUE(root.value());
    EXPECT_EQ(root.value()->uid, 0U);
    EXPECT_EQ(root.value()->gid, 0U);
    for (const char* name : {"no-such-user-here", "", "root ", "Root", "0", "root\n"}) {
        const auto user = find_user(name);
        ASSERT_TRUE(user) << name;
        EXPECT_FALSE(user.value()) << name;
    }
    EXPECT_FALSE(find_user(std::string(5000, 'x')).value());
}

TEST(InAnyGroup, PrimaryAndSupplementary)
{
    const passwd* nobody = ::getpwnam("nobody");
    ASSERT_NE(nobody, nullptr);
    const gid_t gid = nobody->pw_gid;
    const group* primary = ::getgrgid(gid);
    ASSERT_NE(primary, nullptr);
    const std::string name = primary->gr_name;
    EXPECT_TRUE(in_any_group("nobody", gid, {name}).value());
    EXPECT_TRUE(in_any_group("nobody", gid, {"no-such-group", name}).value());
    EXPECT_FALSE(in_any_group("nobody", gid, {"root"}).value());
    EXPECT_FALSE(in_any_group("nobody", gid, {}).value());
    EXPECT_FALSE(in_any_group("nobody", gid, {"no-such-group"}).value()) << "a name of no group matches nobody";
    EXPECT_FALSE(in_any_group("nobody", gid, {"0", std::to_string(gid)}).value()) << "a number is no name";
    EXPECT_FALSE(in_any_group("no-such-user-here", gid, {"root"}).value());
}

}  // namespace
}  // namespace slurm_adopt
