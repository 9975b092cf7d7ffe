// SPDX-License-Identifier: GPL-2.0-or-later
// Root always passes through, whatever is broken.
#include <gtest/gtest.h>
#include <security/pam_appl.h>

#include "cluster.h"
#include "job.h"
#include "login.h"

namespace slurm_adopt::e2e {
namespace {

int root_ssh()
{
    return ssh("root", "true").code;
}

TEST(Root, PassesThroughAndIsNotAdopted)
{
    const Job job = Job::allocate("root");
    const Stack sshd("sshd", sshd_stack({account_line("strict")}));
    EXPECT_EQ(ssh_job("root"), 0);
    EXPECT_EQ(pam_login("root", "strict").result, PAM_IGNORE);
}

TEST(Root, PassesThroughWithBrokenOptions)
{
    for (const char* options : {"denyx", "action_no_jobs=denyx", "timeout=", "strict strict", "ignore_root=maybe", "nonsense=1 ignore_root=0"}) {
        EXPECT_EQ(pam_login("root", options).result, PAM_IGNORE) << options;
        const Stack sshd("sshd", sshd_stack({account_line(options)}));
        EXPECT_EQ(root_ssh(), 0) << options;
    }
}

TEST(Root, PassesThroughWithoutAnySlurm)
{
    const Stopped slurmd("slurmd");
    const Stopped slurmctld("slurmctld");
    const Stopped munged("munged");
    const Hidden conf("/etc/slurm/slurm.conf");
    const Stack sshd("sshd", sshd_stack({account_line("strict")}));
    EXPECT_EQ(root_ssh(), 0);
    EXPECT_EQ(ssh_job("alice"), -1);
    EXPECT_EQ(pam_login("root", "strict").result, PAM_IGNORE);
    EXPECT_EQ(pam_login("root", "strict ignore_root=0").result, PAM_IGNORE);
}

TEST(Root, PassesThroughWithoutAnyListOfSockets)
{
    for (const char* options : {"strict service=*", "strict ignore_root=0 service=*"}) {
        const Stack stack(transparent_stack(options));
        const Login login = pam_login_by("e2e", "root", without_socket_lists);
        EXPECT_EQ(login.result, PAM_IGNORE) << options << login.error;
    }
}

TEST(Root, PassesThroughAnSshdWithoutProc)
{
    // A second sshd, to which /proc is an empty directory.
    const Stack sshd("sshd", sshd_stack({account_line("strict")}));
    Background server({.argv = {"unshare", "--mount", "sh", "-c",
                                "mount -t tmpfs tmpfs /proc && exec /usr/sbin/sshd -D -e -f /run/cluster/conf/sshd_config -p 2223 -o PidFile=none"},
                       .environment = {}});
    EXPECT_TRUE(eventually([] { return ssh("root", "true", {"-p2223"}).ok(); })) << server.output();
    EXPECT_EQ(ssh("alice", "true", {"-p2223"}).code, 255);
}

TEST(Root, IsAdoptedWhenAskedFor)
{
    const Job job = Job::allocate("root");
    EXPECT_EQ(pam_login("root", "strict ignore_root=0").job, job.id());
    const Stack sshd("sshd", sshd_stack({account_line("strict ignore_root=0")}));
    const LogMark mark;
    EXPECT_EQ(ssh_job("root"), static_cast<int>(job.id()));
    EXPECT_EQ(mark.decision("root")["decision"], "adopt") << mark.decision("root").line;
}

TEST(Root, PassesThroughWhereItCannotBeAdopted)
{
    EXPECT_EQ(pam_login("root", "strict ignore_root=0").result, PAM_IGNORE) << "no job";
    const Stack sshd("sshd", sshd_stack({account_line("strict ignore_root=0")}));
    EXPECT_EQ(ssh_job("root"), 0);

    const Job first = Job::allocate("root");
    const Job second = Job::allocate("root");
    EXPECT_EQ(pam_login("root", "strict ignore_root=0 action_unknown=deny").result, PAM_IGNORE) << "two jobs";
    EXPECT_EQ(pam_login("root", "strict ignore_root=0").job, second.id());
}

}  // namespace
}  // namespace slurm_adopt::e2e
