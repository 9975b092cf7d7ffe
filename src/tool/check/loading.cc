// SPDX-License-Identifier: GPL-2.0-or-later
#include "check/loading.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string_view>

#include "slurm_adopt/fd.h"
#include "slurm_adopt/interrupted.h"
#include "write_all.h"

namespace slurm_adopt::tool {
namespace {

// What the child says: one of these, and behind the last of them why.
constexpr char loaded = 'a';  // plus 1 with an account phase, plus 2 with a session phase
constexpr char not_loaded = '!';

[[noreturn]] void be_child(const Fd& answer, pid_t parent, const std::string& file)
{
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::prctl(PR_SET_DUMPABLE, 0) != 0 || ::getppid() != parent) ::_exit(1);
    std::string said;
    if (void* const module = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL); module == nullptr) {
        const char* const why = ::dlerror();
        said = std::string(1, not_loaded) + (why == nullptr ? file.c_str() : why);
    } else {
        const int account = ::dlsym(module, "pam_sm_acct_mgmt") == nullptr ? 0 : 1;
        const int session = ::dlsym(module, "pam_sm_open_session") == nullptr ? 0 : 2;
        said = std::string(1, static_cast<char>(loaded + account + session));
    }
    ::_exit(write_all(answer.get(), said, "answer").ok() ? 0 : 1);
}

// All that the child says until it ends or the time is over.
Result<std::string> read_all(const Fd& answer, Deadline deadline)
{
    std::string said;
    std::array<char, 1024> buffer{};
    while (said.size() < 16 * buffer.size()) {
        pollfd wait{answer.get(), POLLIN, 0};
        if (uninterrupted([&] { return ::poll(&wait, 1, deadline.poll_timeout()); }) <= 0)
            return Error{ErrorCode::timed_out, 0, "loading it takes too long"};
        const ssize_t got = uninterrupted([&] { return ::read(answer.get(), buffer.data(), buffer.size()); });
        if (got <= 0) break;
        said.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return said;
}

}  // namespace

Result<Phases> phases_of(const std::string& file, Deadline deadline)
{
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_error("pipe");
    Fd answer(ends[0]);
    Fd child_end(ends[1]);
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) return system_error("fork");
    if (child == 0) be_child(child_end, parent, file);
    child_end.reset();
    const auto said = read_all(answer, deadline);
    (void)::kill(child, SIGKILL);  // it has said all, or will not
    int status = 0;
    (void)uninterrupted([&] { return ::waitpid(child, &status, 0); });
    if (!said) return said.error();
    if (said.value().empty())
        return Error{ErrorCode::closed, 0, "loading it ends the process: the file is damaged, or only a part of it is there"};
    if (said.value().front() == not_loaded) return Error{ErrorCode::malformed, 0, said.value().substr(1)};
    const int phases = said.value().front() - loaded;
    return Phases{(phases & 1) != 0, (phases & 2) != 0};
}

}  // namespace slurm_adopt::tool
