// SPDX-License-Identifier: GPL-2.0-or-later
#include "fake_stepd.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "cluster.h"

namespace slurm_adopt::e2e {
namespace {

// slurmstepd's own numbers, 22.05.
constexpr std::int32_t version = 38 << 8;
constexpr std::int32_t request_state = 5;
constexpr std::int32_t request_uid = 20;
constexpr std::int32_t request_adopt = 22;
constexpr std::int32_t request_x11 = 23;
constexpr std::int32_t request_namespace = 26;

int listen_at(const std::string& path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) throw std::runtime_error("too long: " + path);
    std::memcpy(address.sun_path, path.c_str(), path.size());
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(fd, 64) != 0)
        throw std::runtime_error("cannot listen at " + path);
    (void)::chmod(path.c_str(), 0777);
    return fd;
}

bool read_int(int fd, std::int32_t& number)
{
    return ::recv(fd, &number, sizeof number, MSG_WAITALL) == sizeof number;
}

void write_int(int fd, std::int32_t number)
{
    (void)::send(fd, &number, sizeof number, MSG_NOSIGNAL);
}

void send_descriptor(int fd, int descriptor)
{
    char data = 0;
    iovec vector{&data, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    (void)::sendmsg(fd, &message, MSG_NOSIGNAL);
}

void offer_namespace(int fd, NamespaceOffer offer)
{
    switch (offer) {
    case NamespaceOffer::none:
        write_int(fd, 0);
        return;
    case NamespaceOffer::error:
        write_int(fd, -1);
        return;
    case NamespaceOffer::not_a_namespace: {
        const int descriptor = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        write_int(fd, descriptor);
        send_descriptor(fd, descriptor);
        (void)::close(descriptor);
        return;
    }
    }
}

void converse(int fd, const FakeStepdSpec& spec, const std::string& cgroup)
{
    std::int32_t number = 0;
    if (!read_int(fd, number)) return;
    write_int(fd, version);
    while (read_int(fd, number)) {
        switch (number) {
        case request_state:
            write_int(fd, 2);  // running
            break;
        case request_uid:
            write_int(fd, static_cast<std::int32_t>(spec.owner));
            break;
        case request_adopt:
            if (!read_int(fd, number)) return;
            if (spec.adopts && !cgroup.empty()) std::ofstream(cgroup + "/cgroup.procs") << number << std::flush;
            write_int(fd, 0);
            break;
        case request_x11:
            write_int(fd, 0);
            write_int(fd, 0);
            break;
        case request_namespace:
            offer_namespace(fd, spec.offer);
            break;
        default:
            return;
        }
    }
}

[[noreturn]] void serve(int listener, const FakeStepdSpec& spec, const std::string& cgroup, int* counter, int ready)
{
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!cgroup.empty()) std::ofstream(cgroup + "/cgroup.procs") << ::getpid() << std::flush;
    if (spec.runs_as != 0 && (::setgid(spec.runs_as) != 0 || ::setuid(spec.runs_as) != 0)) ::_exit(1);
    // Credentials of a socket's peer are those it had when it began to listen.
    if (::listen(listener, 64) != 0 || ::write(ready, "r", 1) != 1) ::_exit(1);
    ::signal(SIGCHLD, SIG_IGN);
    for (;;) {
        const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) continue;
        __atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
        if (::fork() == 0) {
            (void)::close(listener);
            converse(fd, spec, cgroup);
            ::_exit(0);
        }
        (void)::close(fd);
    }
}

std::string make_cgroup(const FakeStepdSpec& spec)
{
    const std::string freezer = "/sys/fs/cgroup/freezer";
    if (!std::filesystem::exists(freezer)) throw std::runtime_error("no cgroup v1 freezer");
    const std::string path = freezer + "/slurm_" + cluster().node + "/uid_" + std::to_string(spec.owner) + "/job_" +
                             std::to_string(spec.job_id) + "/step_extern";
    std::filesystem::create_directories(path);
    return path;
}

}  // namespace

FakeStepd::FakeStepd(const FakeStepdSpec& spec)
{
    path_ = (spec.directory.empty() ? cluster().spool : spec.directory) + '/' + cluster().node + '_' + std::to_string(spec.job_id) +
            ".4294967292";
    if (spec.runs_as == 0) cgroup_ = make_cgroup(spec);
    counter_ = static_cast<int*>(::mmap(nullptr, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    *counter_ = 0;
    const int listener = listen_at(path_);
    (void)::chown(path_.c_str(), spec.runs_as, spec.runs_as);
    int ready[2];
    if (::pipe2(ready, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    pid_ = ::fork();
    if (pid_ == 0) serve(listener, spec, cgroup_, counter_, ready[1]);
    (void)::close(listener);
    (void)::close(ready[1]);
    char byte = 0;
    const bool serves = ::read(ready[0], &byte, 1) == 1;  // it is in its cgroup and has its uid
    (void)::close(ready[0]);
    if (!serves) throw std::runtime_error("the fake slurmstepd did not start");
}

FakeStepd::~FakeStepd()
{
    (void)::kill(pid_, SIGKILL);
    (void)::waitpid(pid_, nullptr, 0);
    std::filesystem::remove(path_);
    for (int levels = 0; levels < 2 && !cgroup_.empty(); ++levels) {
        (void)::rmdir(cgroup_.c_str());
        cgroup_ = std::filesystem::path(cgroup_).parent_path();
    }
    (void)::munmap(counter_, sizeof(int));
}

int FakeStepd::connections() const
{
    return __atomic_load_n(counter_, __ATOMIC_RELAXED);
}

PlantedSocket::PlantedSocket(const std::string& path, uid_t owner) : path_(path), fd_(listen_at(path))
{
    (void)::chown(path.c_str(), owner, owner);
}

PlantedSocket::PlantedSocket(PlantedSocket&& other) noexcept : path_(std::move(other.path_)), fd_(other.fd_)
{
    other.fd_ = -1;
}

PlantedSocket::~PlantedSocket()
{
    if (fd_ < 0) return;
    (void)::close(fd_);
    (void)::unlink(path_.c_str());
}

}  // namespace slurm_adopt::e2e
