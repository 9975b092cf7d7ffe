// SPDX-License-Identifier: GPL-2.0-or-later
#include "fake_stepd.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <stdexcept>
#include <thread>

#include "support/listening_socket.h"
#include "support/stream_pair.h"

namespace slurm_adopt::test {
namespace {

// One connection, in a thread of its own as in slurmstepd.
class Conversation {
public:
    Conversation(const StepdScript& script, const StepCgroup& step, FakeStepd::Seen& seen, int fd, int number)
        : script_(script), step_(step), seen_(seen), socket_(fd), faulty_(number < script.faulty_connections)
    {
    }

    void run()
    {
        std::int32_t client_version = 0;
        if (!receive(client_version) || !send(Step::version, script_.version)) return;
        for (std::int32_t code = 0; receive(code);)
            if (!answer(code)) return;
    }

private:
    bool answer(std::int32_t code)
    {
        switch (code) {
        case 5:
            if (has_adopted_) return send(Step::adopted_state, script_.adopted_state.value_or(script_.state));
            if (!send(Step::state, script_.state)) return false;
            die_if_so_scripted();
            return true;
        case 20:
            ++seen_.uid;
            return send(Step::uid, static_cast<std::int32_t>(script_.uid));
        case 22: return adopt();
        case 23: ++seen_.x11; return x11();
        case 26: ++seen_.namespace_26; return one_namespace();
        case 28: ++seen_.namespaces_28; return script_.version >= release_25_11 && all_namespaces();
        default: return false;
        }
    }

    void die_if_so_scripted() const
    {
        if (script_.dies_after_answer.count() == 0) return;
        std::this_thread::sleep_for(script_.dies_after_answer);
        ::_exit(0);
    }

    bool adopt()
    {
        ++seen_.adopt;
        has_adopted_ = true;
        std::int32_t pid = 0;
        if (!receive(pid)) return false;
        std::this_thread::sleep_for(script_.before_adopting);
        if (script_.moves && (!script_.moves_only_first || seen_.adopt == 1) && !step_.adopted.empty()) (void)move_to_cgroup(step_.adopted, pid);
        return send(Step::adopt, script_.adopt_result);
    }

    bool x11()
    {
        if (!send(Step::x11, script_.display)) return false;
        const std::string path = script_.xauthority.empty() ? "" : script_.xauthority + '\0';
        const auto length = script_.xauthority_length.value_or(static_cast<std::int32_t>(path.size()));
        return send(Step::x11_length, length) && (path.empty() || send_bytes(Step::xauthority, path.data(), path.size()));
    }

    bool one_namespace()
    {
        // 25.11 and later: no namespace, no answer.
        if (script_.namespaces.empty() && script_.version >= release_25_11) return true;
        const std::int32_t count = script_.namespaces.empty() ? 0 : script_.namespaces.front().fd;
        if (!send(Step::namespaces, script_.namespace_count.value_or(count))) return false;
        return script_.namespaces.empty() || send_descriptor(script_.namespaces.front().fd);
    }

    bool all_namespaces()
    {
        const auto count = static_cast<std::int32_t>(script_.namespaces.size());
        if (!send(Step::namespaces, script_.namespace_count.value_or(count))) return false;
        return std::all_of(script_.namespaces.begin(), script_.namespaces.end(), [&](const OfferedNamespace& each) {
            return send_bytes(Step::descriptor, &each.type, sizeof each.type) && send_descriptor(each.fd);
        });
    }

    bool send_descriptor(int fd)
    {
        return !fails_at(Step::descriptor) && send_descriptors(socket_, std::vector<int>(script_.descriptors_at_once, fd));
    }

    // True if this is where the script ends the conversation.
    bool fails_at(Step step)
    {
        if (script_.fault == Fault::none || script_.at != step || !faulty_) return false;
        if (script_.fault == Fault::hang)
            while (true) ::pause();
        if (script_.fault == Fault::die) ::_exit(0);
        if (script_.fault == Fault::half_then_close) (void)::send(socket_.get(), "xy", 2, MSG_NOSIGNAL);
        return true;
    }

    bool send(Step step, std::int32_t number) { return send_bytes(step, &number, sizeof number); }
    bool send_bytes(Step step, const void* bytes, std::size_t size)
    {
        if (fails_at(step)) return false;
        if (script_.between_bytes.count() == 0)
            return ::send(socket_.get(), bytes, size, MSG_NOSIGNAL) == static_cast<ssize_t>(size);
        for (std::size_t i = 0; i < size; ++i) {
            std::this_thread::sleep_for(script_.between_bytes);
            if (::send(socket_.get(), static_cast<const char*>(bytes) + i, 1, MSG_NOSIGNAL) != 1) return false;
        }
        return true;
    }
    bool receive(std::int32_t& number)
    {
        return ::recv(socket_.get(), &number, sizeof number, MSG_WAITALL) == static_cast<ssize_t>(sizeof number);
    }

    const StepdScript& script_;
    const StepCgroup& step_;
    FakeStepd::Seen& seen_;
    Fd socket_;
    bool faulty_;
    bool has_adopted_ = false;
};

[[noreturn]] void serve(const std::string& path, const StepdScript& script, const StepCgroup& step, FakeStepd::Seen& seen,
                        int ready)
{
    if (!step.slurmstepd.empty() && !move_to_cgroup(step.slurmstepd, 0)) ::_exit(2);
    if (script.listener != 0 && ::seteuid(script.listener) != 0) ::_exit(3);
    const Fd listener = listen_at(path, script.backlog);
    (void)::seteuid(0);
    if (script.root_owns_the_file && ::chown(path.c_str(), 0, 0) != 0) ::_exit(4);
    (void)::chmod(path.c_str(), 0777);
    if (::write(ready, "r", 1) != 1) ::_exit(5);
    if (!script.accepts)
        while (true) ::pause();
    std::this_thread::sleep_for(script.accepts_after);
    for (int number = 0;; ++number) {
        const int fd = ::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) continue;
        ++seen.connections;
        std::thread([&, fd, number] { Conversation(script, step, seen, fd, number).run(); }).detach();
    }
}

}  // namespace

FakeStepd::FakeStepd(CgroupTree& tree, const std::string& spool, unsigned job_id, const StepdScript& script, Layout layout,
                     uid_t owner)
    : socket_(spool + '/' + step_socket_name(tree.node(), job_id)), step_(tree.make_step(layout, owner, job_id))
{
    void* shared = ::mmap(nullptr, sizeof(Seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) throw std::runtime_error("mmap");
    seen_ = new (shared) Seen{};
    int ready[2];
    if (::pipe(ready) != 0) throw std::runtime_error("pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
        (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)::close(ready[0]);
        try {
            serve(socket_, script, step_, *seen_, ready[1]);
        } catch (const std::exception& error) {
            (void)std::fprintf(stderr, "fake slurmstepd: %s\n", error.what());
            ::_exit(6);
        }
    }
    (void)::close(ready[1]);
    char byte = 0;
    const bool listening = ::read(ready[0], &byte, 1) == 1;
    (void)::close(ready[0]);
    if (!listening) throw std::runtime_error("the fake slurmstepd did not start");
}

FakeStepd::~FakeStepd()
{
    (void)::kill(pid_, SIGKILL);
    (void)::waitpid(pid_, nullptr, 0);
    (void)::unlink(socket_.c_str());
    (void)::munmap(seen_, sizeof(Seen));
}

void FakeStepd::pull_in(pid_t pid) const
{
    if (!move_to_cgroup(step_.adopted, pid)) throw std::runtime_error("cannot move into " + step_.adopted);
}

void FakeStepd::stop() const
{
    (void)::kill(pid_, SIGSTOP);
    int status = 0;
    (void)::waitpid(pid_, &status, WUNTRACED);
}

}  // namespace slurm_adopt::test
