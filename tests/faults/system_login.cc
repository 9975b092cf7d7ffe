// SPDX-License-Identifier: GPL-2.0-or-later
//
// A host of PAM modules as sshd is one: the real libpam with the built module, in a process of its own.
//
//   system_login CONFDIR USER MODE
//
// MODE:     account, session (both phases and the end of the session), again (both phases twice on one handle), handles
//           (two handles, their calls interleaved), no-end (neither session nor handle are ended), threads (four handles in
//           four threads), child (in a child of its own, as sshd's keyboard-interactive; both have to be in the step),
//           interrupted (signals all the time), sigchld (ignored by the host), descriptors=N (N are left; account phase)
// Prints one line for each call: "account|session|close CODE INSIDE MILLISECONDS", INSIDE: 1 in a step_extern of /proc.
// What of it is the module's own is marked by marks_module.cc, which stands before and after it in the stack.
#include <dlfcn.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <pwd.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

const char* directory = nullptr;
const char* user = nullptr;

int converse(int count, const pam_message**, pam_response** responses, void*)
{
    *responses = static_cast<pam_response*>(std::calloc(static_cast<std::size_t>(count), sizeof(pam_response)));
    return *responses == nullptr ? PAM_BUF_ERR : PAM_SUCCESS;
}

double milliseconds_now()
{
    timespec now{};
    (void)::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

bool inside_a_step()
{
    std::array<char, 4096> text{};
    const int fd = ::open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
    std::size_t length = 0;
    while (fd >= 0 && length < text.size() - 1) {
        const ssize_t got = ::read(fd, text.data() + length, text.size() - 1 - length);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        length += static_cast<std::size_t>(got);
    }
    if (fd >= 0) (void)::close(fd);
    return std::strstr(text.data(), "/step_extern") != nullptr;
}

// The client's, as sshd has it: where the user has several jobs the module asks the helper about it.
void connect_client()
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::bind(listener, any, size) != 0 || ::listen(listener, 1) != 0 || ::getsockname(listener, any, &size) != 0 ||
        ::connect(client, any, size) != 0 || ::accept(listener, nullptr, nullptr) < 0)
        std::exit(72);
    (void)::close(listener);
}

pam_handle_t* start()
{
    static const pam_conv conversation{converse, nullptr};
    pam_handle_t* handle = nullptr;
    if (::pam_start_confdir("sshd", user, &conversation, directory, &handle) != PAM_SUCCESS ||
        ::pam_set_item(handle, PAM_RHOST, "127.0.0.1") != PAM_SUCCESS)
        std::exit(70);
    return handle;
}

int call(const char* name, pam_handle_t* handle, int (*phase)(pam_handle_t*, int))
{
    const double began = milliseconds_now();
    const int code = phase(handle, 0);
    const double took = milliseconds_now() - began;
    std::printf("%s %d %d %.3f\n", name, code, inside_a_step() ? 1 : 0, took);
    return code;
}

void both_phases(pam_handle_t* handle, bool ends = true)
{
    if (call("account", handle, ::pam_acct_mgmt) != PAM_SUCCESS) return;
    const int opened = call("session", handle, ::pam_open_session);
    if (ends && opened == PAM_SUCCESS) (void)call("close", handle, ::pam_close_session);
}

void* log_in_once(void*)
{
    pam_handle_t* handle = start();
    (void)call("account", handle, ::pam_acct_mgmt);
    (void)::pam_end(handle, PAM_SUCCESS);
    return nullptr;
}

void in_threads()
{
    std::array<pthread_t, 4> threads{};
    for (pthread_t& thread : threads)
        if (::pthread_create(&thread, nullptr, log_in_once, nullptr) != 0) std::exit(71);
    for (const pthread_t thread : threads) (void)::pthread_join(thread, nullptr);
}

// The module takes a parent for sshd's monitor that runs the same program in the same group and holds the same connection.
void in_a_child()
{
    const pid_t child = ::fork();
    if (child == 0) {
        (void)call("account", start(), ::pam_acct_mgmt);
        (void)std::fflush(stdout);
        ::_exit(0);
    }
    (void)::waitpid(child, nullptr, 0);
    std::printf("parent 0 %d 0\n", inside_a_step() ? 1 : 0);
}

void two_handles()
{
    pam_handle_t* one = start();
    pam_handle_t* other = start();
    (void)call("account", one, ::pam_acct_mgmt);
    (void)call("account", other, ::pam_acct_mgmt);
    (void)call("session", one, ::pam_open_session);
    (void)call("session", other, ::pam_open_session);
    (void)call("close", one, ::pam_close_session);
    (void)::pam_end(one, PAM_SUCCESS);
    (void)call("close", other, ::pam_close_session);
    (void)::pam_end(other, PAM_SUCCESS);
}

// Without SA_RESTART: every call that can be interrupted is.
void with_signals_all_the_time()
{
    struct sigaction action {};
    action.sa_handler = [](int) {};
    (void)::sigaction(SIGALRM, &action, nullptr);
    pam_handle_t* handle = start();
    const itimerval often{.it_interval = {0, 100}, .it_value = {0, 100}};
    const itimerval never{};
    (void)::setitimer(ITIMER_REAL, &often, nullptr);
    both_phases(handle);
    (void)::setitimer(ITIMER_REAL, &never, nullptr);
    (void)::pam_end(handle, PAM_SUCCESS);
}

void leave_descriptors(int count)
{
    const rlimit few{64, 64};
    (void)::setrlimit(RLIMIT_NOFILE, &few);
    int last = 0;
    for (int fd = 0; (fd = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)) >= 0;) last = fd;
    while (count-- > 0) (void)::close(last--);
}

}  // namespace

#ifdef __SANITIZE_ADDRESS__
// Leaks are looked for by a process that traces us: not without a /proc, or with no process left, as we are run here.
// Not by the environment, which is read from /proc too.
extern "C" __attribute__((visibility("default"))) const char* __asan_default_options()
{
    return "detect_leaks=0";
}
#endif

int main(int argc, char** argv)
{
    if (argc != 4) return 64;
    directory = argv[1];
    user = argv[2];
    const char* mode = argv[3];
    connect_client();
    const auto is = [mode](const char* name) { return std::strcmp(mode, name) == 0; };
    if (::getpwnam(user) == nullptr) return 67;  // as sshd has it done by then

    if (is("threads")) {
        in_threads();
    } else if (is("child")) {
        in_a_child();
    } else if (is("handles")) {
        two_handles();
    } else if (is("interrupted")) {
        with_signals_all_the_time();
    } else {
        if (is("sigchld")) (void)::signal(SIGCHLD, SIG_IGN);
        pam_handle_t* handle = start();
        constexpr std::string_view left = "descriptors=";
        const bool few = std::string_view(mode).substr(0, left.size()) == left;
        if (few) leave_descriptors(std::atoi(mode + left.size()));
        if (few || is("account"))
            (void)call("account", handle, ::pam_acct_mgmt);
        else
            both_phases(handle, !is("no-end"));
        if (is("again")) both_phases(handle);
        if (!is("no-end")) (void)::pam_end(handle, PAM_SUCCESS);
    }
    using Failed = int();
    if (auto* failed = reinterpret_cast<Failed*>(::dlsym(RTLD_DEFAULT, "slurm_adopt_failed_mallocs")); failed != nullptr)
        std::printf("failed-mallocs %d 0 0\n", failed());
    (void)std::fflush(stdout);
    if (is("no-end")) ::_exit(0);
    return 0;
}
