// SPDX-License-Identifier: GPL-2.0-or-later
#include "enable/trial.h"

#include <fcntl.h>
#include <poll.h>
#include <security/pam_appl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <map>
#include <utility>

#include "pam_stack/record.h"
#include "slurm_adopt/deadline.h"
#include "slurm_adopt/fd.h"
#include "slurm_adopt/file.h"
#include "slurm_adopt/interrupted.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt::tool {
namespace {

using namespace std::chrono_literals;
using pam_stack::Directories;
using pam_stack::Line;
using pam_stack::LineKind;

constexpr auto longest_trial = 30s;
constexpr std::size_t largest_file = std::size_t{1024} * 1024;

// A directory of service files that only root can look into.
class PrivateDirectory {
public:
    [[nodiscard]] static Result<PrivateDirectory> make()
    {
        std::error_code failed;
        std::string path = std::filesystem::temp_directory_path(failed).string() + "/slurm-adopt-pam.XXXXXX";
        if (failed || ::mkdtemp(path.data()) == nullptr) return system_error(path);
        return PrivateDirectory(std::move(path));
    }
    PrivateDirectory(PrivateDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    PrivateDirectory(const PrivateDirectory&) = delete;
    PrivateDirectory& operator=(const PrivateDirectory&) = delete;
    PrivateDirectory& operator=(PrivateDirectory&&) = delete;
    ~PrivateDirectory()
    {
        std::error_code ignored;
        if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] const std::string& path() const { return path_; }

    [[nodiscard]] Result<Done> write(const std::string& name, std::string_view text) const
    {
        const std::string file = path_ + '/' + name;
        const Fd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        if (!fd) return system_error(file);
        while (!text.empty()) {
            const ssize_t written = uninterrupted([&] { return ::write(fd.get(), text.data(), text.size()); });
            if (written < 0) return system_error(file);
            text.remove_prefix(static_cast<std::size_t>(written));
        }
        return Done{};
    }

private:
    explicit PrivateDirectory(std::string path) : path_(std::move(path)) {}
    std::string path_;
};

// Copies a service file and all that it includes.
class Copies {
public:
    Copies(const Directories& directories, const PrivateDirectory& to) : directories_(directories), to_(to) {}

    [[nodiscard]] Result<Done> copy(const std::string& name, const std::string& file, const std::string& text)
    {
        const auto lines = pam_stack::parse_service_file(text, file);
        if (!lines.ok()) return lines.error();
        auto physical = split(text, '\n');
        std::vector<std::string> said(physical.begin(), physical.end());
        for (const Line& line : lines.value()) {
            if (line.kind == LineKind::module) continue;
            const auto copied = copy_of(line.target);
            if (!copied.ok()) continue;  // of another type perhaps; libpam says what it makes of that
            for (unsigned number = line.place.line; number <= line.last_line; ++number) said[number - 1].clear();
            Line elsewhere = line;
            elsewhere.target = copied.value();
            said[line.place.line - 1] = elsewhere.text();
        }
        std::string rewritten;
        for (const std::string& line : said) rewritten += line + '\n';
        return to_.write(name, rewritten);
    }

private:
    // The full path of the copy; made on first use. The parser has seen that there is no loop.
    [[nodiscard]] Result<std::string> copy_of(const std::string& included)
    {
        const auto file = pam_stack::find_service_file(directories_, included);
        if (!file.ok()) return file.error();
        if (const auto known = names_.find(file.value()); known != names_.end()) return known->second;
        const auto text = read_file(file.value(), largest_file);
        if (!text.ok()) return text.error();
        const std::string name = "included-" + std::to_string(names_.size());
        names_[file.value()] = to_.path() + '/' + name;
        if (auto done = copy(name, file.value(), text.value()); !done.ok()) return done.error();
        return names_[file.value()];
    }

    const Directories& directories_;
    const PrivateDirectory& to_;
    std::map<std::string, std::string> names_;
};

int say_nothing(int, const pam_message**, pam_response**, void*)
{
    return PAM_CONV_ERR;
}

enum class Phase { account, session };

// In the child.
int run_phase(const std::string& directory, const std::string& service, Phase phase)
{
    const pam_conv conversation{say_nothing, nullptr};
    pam_handle_t* handle = nullptr;
    const int started = ::pam_start_confdir(service.c_str(), "root", &conversation, directory.c_str(), &handle);
    if (started != PAM_SUCCESS) return started;
    // What sshd sets (auth-pam.c), for modules that decide by it.
    (void)::pam_set_item(handle, PAM_TTY, "ssh");
    (void)::pam_set_item(handle, PAM_RHOST, "localhost");
    int code = PAM_SYSTEM_ERR;
    switch (phase) {
    case Phase::account: code = ::pam_acct_mgmt(handle, PAM_SILENT); break;
    case Phase::session:
        code = ::pam_open_session(handle, PAM_SILENT);
        (void)::pam_close_session(handle, PAM_SILENT);
        break;
    }
    (void)::pam_end(handle, code);
    return code;
}

[[noreturn]] void be_child(const Fd& answer, pid_t parent, const std::string& directory, const std::string& service,
                           Phase phase)
{
    // Gone with us, and nobody's terminal or process group: a module may do what it likes.
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != parent || ::setpgid(0, 0) != 0) ::_exit(1);
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int standard : {0, 1, 2}) (void)::dup2(null, standard);
    const int code = run_phase(directory, service, phase);
    ::_exit(::write(answer.get(), &code, sizeof code) == static_cast<ssize_t>(sizeof code) ? 0 : 1);
}

Result<int> run_in_child(const std::string& directory, const std::string& service, Phase phase)
{
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_error("pipe");
    Fd answer(ends[0]);
    Fd child_end(ends[1]);
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) return system_error("fork");
    if (child == 0) be_child(child_end, parent, directory, service, phase);
    child_end.reset();

    const Deadline deadline = Deadline::after(longest_trial);
    pollfd wait{answer.get(), POLLIN, 0};
    const int ready = uninterrupted([&] { return ::poll(&wait, 1, deadline.poll_timeout()); });
    int code = PAM_SYSTEM_ERR;
    const bool answered = ready > 0 && ::read(answer.get(), &code, sizeof code) == static_cast<ssize_t>(sizeof code);
    if (!answered) (void)::kill(child, SIGKILL);
    int status = 0;
    (void)uninterrupted([&] { return ::waitpid(child, &status, 0); });
    if (answered) return code;
    if (ready == 0) return Error{ErrorCode::timed_out, 0, "the PAM modules took longer than 30 s"};
    return Error{ErrorCode::closed, 0, "the PAM modules ended the process that tried them"};
}

}  // namespace

std::string pam_code_text(int code)
{
    const char* const text = ::pam_strerror(nullptr, code);
    return std::string(text == nullptr ? "?" : text) + " (" + std::to_string(code) + ')';
}

Result<int> try_account_for_root(const Directories& directories, const std::string& service, const std::string& file,
                                 const std::string& text)
{
    const auto directory = PrivateDirectory::make();
    if (!directory.ok()) return directory.error();
    Copies copies(directories, directory.value());
    if (auto done = copies.copy(service, file, text); !done.ok()) return done.error();
    // A service without lines of a type takes those of `other`.
    if (const auto other = pam_stack::find_service_file(directories, "other"); other.ok() && service != "other") {
        const auto other_text = read_file(other.value(), largest_file);
        if (!other_text.ok()) return other_text.error();
        if (auto done = copies.copy("other", other.value(), other_text.value()); !done.ok()) return done.error();
    }
    return run_in_child(directory.value().path(), service, Phase::account);
}

Result<Done> try_module(const std::string& service, const std::string& module, const std::vector<std::string>& options)
{
    const auto directory = PrivateDirectory::make();
    if (!directory.ok()) return directory.error();
    std::string ours = " required " + module;
    for (const std::string& option : options) {
        const auto word = pam_stack::as_word(option);
        if (!word.ok()) return word.error();
        ours += ' ' + word.value();
    }
    std::string text;
    for (const char* type : {"account", "session"}) text.append(type).append(ours).append("\n").append(type).append(" required pam_permit.so\n");
    if (auto done = directory.value().write(service, text); !done.ok()) return done.error();
    const auto account = run_in_child(directory.value().path(), service, Phase::account);
    if (!account.ok()) return Error(account.error()).in(module);
    if (account.value() != PAM_SUCCESS)
        return Error{ErrorCode::refused, 0,
                     "libpam cannot use " + module + ": " + pam_code_text(account.value()) +
                         "; install the module, or name it with --module (the log of the PAM services says more)"};
    const auto session = run_in_child(directory.value().path(), service, Phase::session);
    if (!session.ok()) return Error(session.error()).in(module);
    if (session.value() != PAM_SUCCESS)
        return Error{ErrorCode::refused, 0,
                     module + " has no session phase: it is Slurm's own module of that name; install slurm-adopt's, or name "
                              "it with --module"};
    return Done{};
}

}  // namespace slurm_adopt::tool
