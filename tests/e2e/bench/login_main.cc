// SPDX-License-Identifier: GPL-2.0-or-later
// slurm_adopt_e2e_login SERVICE USER [COMMAND]: the account phase as sshd drives it, in a process of its own;
// without netlink sockets if NO_NETLINK is in the environment; the session phase too if OPEN_SESSION is.
// Reports on standard output, one "key:value" a line; then runs COMMAND, whose output follows a line "output:".
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <security/pam_appl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

namespace {

int converse(int count, const pam_message** messages, pam_response** responses, void*)
{
    *responses = static_cast<pam_response*>(std::calloc(static_cast<std::size_t>(count), sizeof(pam_response)));
    if (*responses == nullptr) return PAM_BUF_ERR;
    for (int i = 0; i < count; ++i) std::printf("message:%s\n", messages[i]->msg);
    return PAM_SUCCESS;
}

// What systemd's RestrictAddressFamilies= does to a service.
bool forbid_netlink()
{
    sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program{static_cast<unsigned short>(sizeof filter / sizeof *filter), filter};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc < 3) return 64;
    if (std::getenv("NO_NETLINK") != nullptr && !forbid_netlink()) return 71;
    const pam_conv conversation{converse, nullptr};
    pam_handle_t* handle = nullptr;
    if (pam_start(argv[1], argv[2], &conversation, &handle) != PAM_SUCCESS) return 70;
    (void)pam_set_item(handle, PAM_RHOST, "127.0.0.1");
    (void)pam_set_item(handle, PAM_TTY, "ssh");
    const auto started = std::chrono::steady_clock::now();
    const int result = pam_acct_mgmt(handle, 0);
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - started);
    std::printf("result:%d\nmicroseconds:%lld\n", result, static_cast<long long>(took.count()));
    if (result == PAM_SUCCESS && std::getenv("OPEN_SESSION") != nullptr) std::printf("session:%d\n", pam_open_session(handle, 0));
    if (char** list = pam_getenvlist(handle)) {
        for (char** entry = list; *entry != nullptr; ++entry) std::printf("environment:%s\n", *entry);
    }
    std::ifstream cgroup("/proc/self/cgroup");
    for (std::string line; std::getline(cgroup, line);) std::printf("cgroup:%s\n", line.c_str());
    (void)pam_end(handle, result);
    if (argc > 3 && result == PAM_SUCCESS) {
        std::printf("output:\n");
        std::fflush(stdout);
        (void)execl("/bin/sh", "sh", "-c", argv[3], static_cast<char*>(nullptr));
        return 127;
    }
    return 0;
}
