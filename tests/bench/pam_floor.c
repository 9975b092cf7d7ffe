/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The floor of what any module can reach: the conversation with one slurmstepd whose socket is given
 * (`account required pam_floor.so /path/to/socket`) and nothing else. It finds nothing, checks nothing, waits
 * without a deadline and logs nothing, so it is for measuring only.
 */
#include <security/pam_modules.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { ANY_RELEASE = 0x7fff, STEP_UID = 20, ADD_EXTERN_PID = 22, X11_DISPLAY = 23, GET_NS_FD = 26 };

static int receive(int fd, void* buffer, size_t size)
{
    return recv(fd, buffer, size, MSG_WAITALL) == (ssize_t)size;
}

static int adopt(const char* path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int32_t hello[] = {ANY_RELEASE, STEP_UID};
    const int32_t requests[] = {ADD_EXTERN_PID, (int32_t)getpid(), X11_DISPLAY, GET_NS_FD};
    int32_t greeting[2]; /* version, uid */
    int32_t answers[4];  /* adopted, display, length of XAUTHORITY (0 in a job without X11), descriptors */
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int done = 0;

    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    if (fd < 0) return 0;
    if (connect(fd, (const struct sockaddr*)&address, sizeof address) == 0 &&
        send(fd, hello, sizeof hello, MSG_NOSIGNAL) == (ssize_t)sizeof hello && receive(fd, greeting, sizeof greeting) &&
        send(fd, requests, sizeof requests, MSG_NOSIGNAL) == (ssize_t)sizeof requests &&
        receive(fd, answers, sizeof answers))
        done = answers[0] == 0;
    close(fd);
    return done;
}

__attribute__((visibility("default"))) int pam_sm_acct_mgmt(pam_handle_t* handle, int flags, int argc, const char** argv)
{
    (void)handle;
    (void)flags;
    return argc == 1 && adopt(argv[0]) ? PAM_SUCCESS : PAM_PERM_DENIED;
}
