// SPDX-License-Identifier: GPL-2.0-or-later
#include "munge.h"

#include <dlfcn.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>

#include "slurm_adopt/deadline.h"
#include "slurm_adopt/fd.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt::helper {
namespace {

using namespace std::chrono_literals;

// munged is restarted in a tenth of a second; a login in that moment need not land in the wrong job.
constexpr auto patience_with_restart = 400ms;
constexpr int pause_ms = 20;

std::string socket_of_options(std::string_view info)
{
    constexpr std::string_view key = "socket=";
    for (const std::string_view option : split(info, ','))
        if (option.starts_with(key)) return std::string(option.substr(key.size()));
    return {};
}

// Where libmunge looks is chosen when it is built. The library is the one that Slurm's plugin loads; not linked, because
// nobody needs it with another plugin. The three functions are documented (munge_ctx(3)) and belong to the soname.
std::string socket_of_libmunge()
{
    constexpr int option_socket = 8;  // MUNGE_OPT_SOCKET of munge.h
    void* const library = ::dlopen("libmunge.so.2", RTLD_LAZY | RTLD_LOCAL);
    if (library == nullptr) return {};
    const auto create = reinterpret_cast<void* (*)()>(::dlsym(library, "munge_ctx_create"));
    const auto get = reinterpret_cast<int (*)(void*, int, ...)>(::dlsym(library, "munge_ctx_get"));
    const auto destroy = reinterpret_cast<void (*)(void*)>(::dlsym(library, "munge_ctx_destroy"));
    if (create == nullptr || get == nullptr || destroy == nullptr) return {};
    void* const context = create();
    if (context == nullptr) return {};
    const char* path = nullptr;
    std::string found;
    if (get(context, option_socket, &path) == 0 && path != nullptr) found = path;
    destroy(context);
    return found;
}

// 0: somebody has this socket. Asked for by a socket of another type, which the kernel refuses once it has found the
// owner: munged would write a line for each connection that says nothing.
int look_for_owner(const std::string& path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return ENAMETOOLONG;
    std::copy(path.begin(), path.end(), address.sun_path);
    const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket) return errno;
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return 0;
    return errno == EPROTOTYPE ? 0 : errno;
}

}  // namespace

Result<Done> check_munge(const Authentication& authentication)
{
    if (authentication.type != "auth/munge") return Done{};
    std::string path = socket_of_options(authentication.info);
    if (path.empty()) path = socket_of_libmunge();
    if (path.empty()) return Done{};
    const Deadline deadline = Deadline::after(patience_with_restart);
    for (;;) {
        const int error = look_for_owner(path);
        if (error == 0) return Done{};
        if (deadline.passed()) return system_error("munge does not run: " + path, error);
        (void)::poll(nullptr, 0, pause_ms);
    }
}

}  // namespace slurm_adopt::helper
