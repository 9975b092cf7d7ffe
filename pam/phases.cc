// SPDX-License-Identifier: GPL-2.0-or-later
#include "phases.h"

#include <pthread.h>
#include <security/pam_ext.h>
#include <syslog.h>

#include <exception>
#include <new>
#include <vector>

#include "login_phase.h"
#include "pam_host.h"

namespace slurm_adopt {
namespace {

// What a thread knows of its exceptions is in memory that the C library gets when it is first looked at, and where there is
// none it ends the whole process: sshd. So it is looked at when the module is loaded, while a failure is libpam's to handle.
[[gnu::constructor]] void get_memory_of_exceptions()
{
    // Volatile, or a compiler that knows that it only looks leaves it out.
    [[maybe_unused]] const volatile int none = std::uncaught_exceptions();
}

int pam_code(const Decision& decision)
{
    switch (decision.verdict) {
    case Verdict::deny:
        return decision.reason == Reason::unknown_user ? PAM_USER_UNKNOWN : PAM_PERM_DENIED;
    case Verdict::ignore:
        return PAM_IGNORE;
    case Verdict::allow:  // an option says so
    case Verdict::adopt:  // the process is inside a job of the user's
        return PAM_SUCCESS;
    }
    return PAM_PERM_DENIED;
}

// A thread cancelled in the middle of us would unwind through a C caller; it can wait until we are done.
class NoCancellation {
public:
    NoCancellation() { (void)::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
    ~NoCancellation() { (void)::pthread_setcancelstate(before_, nullptr); }
    NoCancellation(const NoCancellation&) = delete;
    NoCancellation& operator=(const NoCancellation&) = delete;

private:
    int before_ = PTHREAD_CANCEL_ENABLE;
};

Decision conclude_and_log(pam_handle_t* handle, const LoginPhase& phase, Reason reason) noexcept
{
    const Decision decision = phase.conclude(reason);
    const char* const word = decision.verdict == Verdict::deny     ? "deny"
                             : decision.verdict == Verdict::ignore ? "ignore"
                                                                   : "allow";
    // Short, because it must need no memory of ours. The code is a literal: it ends with NUL.
    ::pam_syslog(handle, LOG_ERR, "decision=%s reason=%s phase=%s", word, reason_code(reason).data(), phase.name());
    return decision;
}

int run(Phase which, pam_handle_t* handle, int flags, int argc, const char** argv) noexcept
{
    const NoCancellation no_cancellation;
    PamHost host(handle, flags);
    try {
        NodeAccess node;
        LoginPhase phase(host, node, Roots{}, which);
        try {
            const std::vector<std::string_view> arguments(argv, argv + (argc > 0 ? argc : 0));
            return pam_code(phase.run(arguments));
        } catch (const std::bad_alloc&) {
            return pam_code(conclude_and_log(handle, phase, Reason::out_of_memory));
        } catch (...) {
            return pam_code(conclude_and_log(handle, phase, Reason::internal_error));
        }
    } catch (...) {
        return host.user() == "root" ? PAM_IGNORE : PAM_BUF_ERR;  // not even memory to begin with
    }
}

}  // namespace

int account_phase(pam_handle_t* handle, int flags, int argc, const char** argv) noexcept
{
    return run(Phase::account, handle, flags, argc, argv);
}

int open_session_phase(pam_handle_t* handle, int flags, int argc, const char** argv) noexcept
{
    return run(Phase::session, handle, flags, argc, argv);
}

int close_session_phase(pam_handle_t* handle, int flags, int argc, const char** argv) noexcept
{
    const NoCancellation no_cancellation;
    PamHost host(handle, flags);
    try {
        const std::vector<std::string_view> arguments(argv, argv + (argc > 0 ? argc : 0));
        NodeAccess node;
        LoginPhase(host, node, Roots{}, Phase::session).close(arguments);
    } catch (...) {  // what is left is swept with the next session
    }
    return PAM_IGNORE;
}

}  // namespace slurm_adopt
