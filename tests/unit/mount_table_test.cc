// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/mount_table.h"

#include <gtest/gtest.h>

#include "slurm_adopt/file.h"

namespace slurm_adopt {
namespace {

constexpr const char* v1 = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
                           "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
                           "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
                           "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
                           "37 31 0:34 / /sys/fs/cgroup/freezer rw,relatime shared:11 master:2 - cgroup cgroup rw,freezer\n"
                           "40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd\n";
constexpr const char* v2 =
    "30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n";

std::string find(std::string_view table, const std::string& controllers, const std::string& path)
{
    return cgroup_directory(table, CgroupEntry{controllers, path}).value_or("none");
}

TEST(MountTable, CgroupV1)
{
    EXPECT_EQ(find(v1, "freezer", "/slurm/uid_1/job_2"), "/sys/fs/cgroup/freezer/slurm/uid_1/job_2");
    EXPECT_EQ(find(v1, "memory", "/a"), "/sys/fs/cgroup/memory/a");
    EXPECT_EQ(find(v1, "name=systemd", "/a"), "/sys/fs/cgroup/systemd/a");
    EXPECT_EQ(find(v1, "pids", "/a"), "none");
    EXPECT_EQ(find(v1, "free", "/a"), "none");
    EXPECT_EQ(find(v1, "", "/a"), "none") << "no cgroup2 there";
}

TEST(MountTable, CoMountedControllers)
{
    EXPECT_EQ(find(v1, "cpu,cpuacct", "/a"), "/sys/fs/cgroup/cpu,cpuacct/a");
    EXPECT_EQ(find(v1, "cpuacct,cpu", "/a"), "/sys/fs/cgroup/cpu,cpuacct/a");
    EXPECT_EQ(find(v1, "cpu", "/a"), "/sys/fs/cgroup/cpu,cpuacct/a");
    EXPECT_EQ(find(v1, "cpu,memory", "/a"), "none");
}

TEST(MountTable, CgroupV2AndHybrid)
{
    EXPECT_EQ(find(v2, "", "/system.slice/n1_slurmstepd.scope/job_7/step_extern"),
              "/sys/fs/cgroup/system.slice/n1_slurmstepd.scope/job_7/step_extern");
    EXPECT_EQ(find(v2, "freezer", "/a"), "none");
    const std::string hybrid = std::string(v1) + "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
    EXPECT_EQ(find(hybrid, "", "/a"), "/sys/fs/cgroup/unified/a");
    EXPECT_EQ(find(hybrid, "freezer", "/a"), "/sys/fs/cgroup/freezer/a");
    EXPECT_EQ(find(v2, "", "/"), "/sys/fs/cgroup/");
}

TEST(MountTable, ABindMountShowsOnlyAPart)
{
    const char* part = "37 31 0:34 /docker/x /cg/freezer rw - cgroup cgroup rw,freezer\n";
    EXPECT_EQ(find(part, "freezer", "/docker/x/slurm/job_1"), "/cg/freezer/slurm/job_1");
    EXPECT_EQ(find(part, "freezer", "/docker/x"), "/cg/freezer");
    EXPECT_EQ(find(part, "freezer", "/docker/xy/slurm"), "none");
    EXPECT_EQ(find(part, "freezer", "/slurm/job_1"), "none");
    // The first mount that contains it counts, not the first of the hierarchy.
    EXPECT_EQ(find(std::string(part) + v1, "freezer", "/slurm/job_1"), "/sys/fs/cgroup/freezer/slurm/job_1");
}

TEST(MountTable, MountsOfOtherControllersAndFileSystemsAreSkipped)
{
    const char* others = "1 0 0:1 / /mnt/not rw - fuse.cgroup cgroup rw,freezer\n"
                         "2 0 0:2 / /mnt/nor rw - tmpfs cgroup rw,freezer\n"
                         "3 0 0:3 / /mnt/cpu rw - cgroup cgroup rw,cpu\n"
                         "4 0 0:4 / /mnt/v2 rw - cgroup2 cgroup2 rw,freezer\n";
    EXPECT_EQ(find(others, "freezer", "/a"), "none");
    EXPECT_EQ(find(std::string(others) + v1, "freezer", "/a"), "/sys/fs/cgroup/freezer/a");
}

TEST(MountTable, OctalEscapesAreUndone)
{
    const char* escaped = "37 31 0:34 /my\\040root /mnt/a\\040b\\011c\\012d\\134e\\043 rw - cgroup cgroup rw,freezer\n";
    EXPECT_EQ(find(escaped, "freezer", "/my root/x"), "/mnt/a b\tc\nd\\e#/x");
    EXPECT_EQ(find(escaped, "freezer", "/my\\040root/x"), "none");
    EXPECT_EQ(find("1 2 0:3 / /mnt/a\\04 rw - cgroup cgroup rw,freezer\n", "freezer", "/x"), "/mnt/a\\04/x") << "cut off";
    EXPECT_EQ(find("1 2 0:3 / /mnt/a\\089b rw - cgroup cgroup rw,freezer\n", "freezer", "/x"), "/mnt/a\\089b/x");
    EXPECT_EQ(find("1 2 0:3 / /mnt/\\303\\251 rw - cgroup cgroup rw,freezer\n", "freezer", "/x"), "/mnt/\xc3\xa9/x");
}

TEST(MountTable, GarbageHasNoDirectory)
{
    for (const char* text : {"", "\n\n", " - \n", "a - b\n", " - cgroup2 cgroup2 rw\n", "1 2 3 / - cgroup2 x y\n",
                             "1 2 0:3 / /mnt rw - cgroup2\n", "1 2 0:3 / /mnt rw cgroup2 cgroup2 rw\n"})
        EXPECT_EQ(find(text, "", "/a"), "none") << text;
    EXPECT_EQ(find(std::string(1'000'000, ' '), "", "/a"), "none");
}

TEST(MountTable, TheKernelsOwnTableIsUnderstood)
{
    const auto table = read_file("/proc/self/mountinfo", 16'000'000);
    const auto cgroups = read_file("/proc/self/cgroup", longest_proc_cgroup);
    ASSERT_TRUE(table);
    ASSERT_TRUE(cgroups);
    std::size_t found = 0;
    for (const CgroupEntry& entry : parse_proc_cgroup(cgroups.value()))
        if (cgroup_directory(table.value(), entry)) ++found;
    EXPECT_GT(found, 0U) << cgroups.value();
}

}  // namespace
}  // namespace slurm_adopt
