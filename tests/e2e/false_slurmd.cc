// SPDX-License-Identifier: GPL-2.0-or-later
// Loaded into a slurmd: whatever connection it is asked about, it finds the process whose pid is in the file
// $FALSE_CALLERID_PID_FILE. All else about its answer is true, its signature too.
#include <sys/types.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

// As in src/common/callerid.h of Slurm 22.05.
struct CallerIdConnection {
    std::uint32_t port_src;
    std::uint32_t port_dst;
    unsigned char ip_src[16];
    unsigned char ip_dst[16];
    int af;
};

extern "C" {

int callerid_find_inode_by_conn(CallerIdConnection, ino_t* inode)
{
    *inode = 1;
    return 0;
}

int find_pid_by_inode(pid_t* found, ino_t)
{
    const char* path = std::getenv("FALSE_CALLERID_PID_FILE");
    std::FILE* file = path == nullptr ? nullptr : std::fopen(path, "re");
    if (file == nullptr) return -1;
    int pid = 0;
    const bool is_read = std::fscanf(file, "%d", &pid) == 1;
    (void)std::fclose(file);
    *found = pid;
    return is_read ? 0 : -1;
}

}  // extern "C"
