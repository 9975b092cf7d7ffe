// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/job_process.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <tuple>
#include <utility>

#include "slurm_adopt/asked_child.h"
#include "slurm_adopt/directory.h"
#include "slurm_adopt/environment_import.h"
#include "slurm_adopt/file.h"
#include "slurm_adopt/interrupted.h"
#include "slurm_adopt/mount_table.h"
#include "slurm_adopt/reading_lock.h"
#include "slurm_adopt/stepd_place.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt {
namespace {

// Of a job with thousands of processes, what is looked at. Each takes about ten microseconds.
constexpr std::size_t most_steps = 8;
constexpr std::size_t most_tasks = 4;           // of a step
constexpr std::size_t most_processes = 8;       // of a task
constexpr std::size_t most_environs = 4;        // of all
constexpr std::size_t longest_list = 4096;      // cgroup.procs: 512 pids at least
constexpr std::size_t longest_status = 16'384;  // "Groups:" may be long
constexpr std::size_t longest_cgroup = 16'384;
constexpr int directory = O_PATH | O_DIRECTORY | O_CLOEXEC;
constexpr int listing = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
constexpr int reading = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

// The job as it was in sight before any namespace was joined.
struct JobView {
    Fd proc;                               // of `Roots`
    Fd job;                                // the job's cgroup directory: where the kernel tracks its steps
    Fd readings;                           // the marks of readings that hang (reading_lock.h); empty: there can be none
    std::vector<CgroupEntry> directories;  // the job's, in every hierarchy that its extern step is in
};

bool is_tracking(const CgroupEntry& entry)
{
    return entry.controllers.empty() || entry.controllers == "freezer";
}

// The usual mount point saves reading a table that may have thousands of lines.
Fd open_cgroup(const Roots& roots, const CgroupEntry& cgroup)
{
    if (!cgroup.controllers.empty())
        if (Fd usual(::open((roots.freezer + cgroup.path).c_str(), listing)); usual) return usual;
    const auto mountinfo = read_mountinfo(roots.proc);
    const auto path = mountinfo ? cgroup_directory(mountinfo.value(), cgroup) : std::nullopt;
    return path ? Fd(::open(path->c_str(), listing)) : Fd();
}

Fd open_below(const Fd& above, const std::string& name)
{
    return Fd(::openat(above.get(), name.c_str(), listing));
}

// What is left of a number's text: "0+1" is a step of a heterogeneous job's component.
std::optional<std::uint32_t> leading_number(std::string_view text)
{
    return parse_number<std::uint32_t>(text.substr(0, text.find_first_not_of("0123456789")));
}

// By age: the batch step and the interactive one begin with the job.
std::vector<std::string> own_steps_of(const Fd& job)
{
    constexpr std::string_view prefix = "step_";
    std::vector<std::tuple<int, std::uint32_t, std::string>> steps;
    for (std::string& step : names_in(job, prefix)) {
        if (step == "step_extern") continue;
        const auto number = leading_number(std::string_view(step).substr(prefix.size()));
        const int rank = step == "step_batch" ? 0 : step == "step_interactive" ? 1 : number ? 2 : 3;
        steps.emplace_back(rank, number.value_or(0), std::move(step));
    }
    std::sort(steps.begin(), steps.end());
    std::vector<std::string> sorted;
    for (auto& [rank, number, name] : steps) sorted.push_back(std::move(name));
    return sorted;
}

// cgroup v2 has a directory for each task (user/task_0); the freezer has all of a step's processes in one.
std::vector<std::string> tasks_of(const Fd& job, const std::string& step)
{
    constexpr std::string_view prefix = "task_";
    std::vector<std::pair<std::uint32_t, std::string>> tasks;
    const std::string user = step + "/user";
    const Fd open = open_below(job, user);
    if (!open) return {step, step + "/task_0"};
    for (const std::string& task : names_in(open, prefix))
        if (const auto number = leading_number(std::string_view(task).substr(prefix.size())))
            tasks.emplace_back(*number, user + '/' + task);
    std::sort(tasks.begin(), tasks.end());
    std::vector<std::string> sorted;
    for (auto& [number, name] : tasks) sorted.push_back(std::move(name));
    return sorted;
}

// Numbers, as /proc has them.
std::vector<std::string> processes_of(const JobView& view, const std::string& task, uid_t uid)
{
    std::vector<std::string> found;
    const Fd list(::openat(view.job.get(), (task + "/cgroup.procs").c_str(), reading));
    char text[longest_list];
    const ssize_t length = list ? ::read(list.get(), text, sizeof text) : -1;
    if (length <= 0) return found;
    for (const std::string_view line : split({text, static_cast<std::size_t>(length)}, '\n')) {
        if (found.size() == most_processes) break;
        std::string name(line);
        struct stat status {};
        if (!parse_number<unsigned>(line) || ::fstatat(view.proc.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (status.st_uid == uid) found.push_back(std::move(name));
    }
    return found;
}

// ---- In a child: who reads stat or environ waits for a lock and for pages that are the user's (hung.h). It allocates nothing. ----

// Field 22 of proc_pid_stat(5); the second one is a name in brackets, which may contain anything. 0: it has ended.
std::uint64_t start_in(std::string_view stat) noexcept
{
    const std::size_t end = stat.rfind(") ");
    if (end == std::string_view::npos) return 0;
    stat.remove_prefix(end + 2);
    for (int field = 3; field < 22; ++field) {
        const std::size_t blank = stat.find(' ');
        if (blank == std::string_view::npos) return 0;
        stat.remove_prefix(blank + 1);
    }
    return parse_number<std::uint64_t>(stat.substr(0, stat.find(' '))).value_or(0);
}

std::uint64_t start_of(int proc, const std::string& process) noexcept
{
    char text[4096];
    const Fd held(::openat(proc, process.c_str(), directory));
    const Fd file(held ? ::openat(held.get(), "stat", reading) : -1);
    const ssize_t length = file ? uninterrupted([&] { return ::read(file.get(), text, sizeof text); }) : -1;
    return length > 0 ? start_in({text, static_cast<std::size_t>(length)}) : 0;
}

// At the end of an answer: what it is of, and how long its parts are, but for the first one.
struct Source {
    std::size_t place = 0;   // in the list of processes
    std::size_t status = 0;  // the second part, in bytes
    std::size_t cgroup = 0;  // the third one
    bool is_whole = false;   // A process may end while it is read.
};

// What the file has is one part of an answer. 0 or an errno.
int answer_with(int out, const Fd& process, const char* name, std::size_t most, std::size_t& size) noexcept
{
    const Fd file(::openat(process.get(), name, reading));
    if (!file) return errno;
    char buffer[4096];
    for (;;) {
        const ssize_t got = uninterrupted([&] { return ::read(file.get(), buffer, sizeof buffer); });
        if (got <= 0) return got < 0 ? errno : 0;
        const auto length = static_cast<std::size_t>(got);
        if (length > most - size) return EFBIG;
        if (const int error = write_answer(out, buffer, length); error != 0) return error;
        size += length;
    }
}

// The environ of the first of them to begin that still has one; then whose it is by now, and where; and a Source. Or ESRCH.
int answer_with_first(int out, int proc, const std::vector<std::string>& processes, std::size_t most) noexcept
{
    constexpr std::uint64_t tried = ~std::uint64_t{0};
    std::array<std::uint64_t, most_processes> starts{};
    starts.fill(tried);
    for (std::size_t i = 0; i < processes.size(); ++i) starts[i] = processes.size() > 1 ? start_of(proc, processes[i]) : 0;
    for (auto next = std::min_element(starts.begin(), starts.end()); *next != tried;
         next = std::min_element(starts.begin(), starts.end())) {
        *next = tried;
        Source source{.place = static_cast<std::size_t>(next - starts.begin())};
        // All of it is of this one, whoever has its number later.
        const Fd process(::openat(proc, processes[source.place].c_str(), directory));
        const Fd environ(process ? ::openat(process.get(), "environ", reading) : -1);
        if (!environ) continue;
        source.is_whole = copy_answer(out, environ.get(), most - 1) == 0 &&  // a longer one is cut, and that is no error
                          answer_with(out, process, "status", longest_status, source.status) == 0 &&
                          answer_with(out, process, "cgroup", longest_cgroup, source.cgroup) == 0;
        return write_answer(out, reinterpret_cast<const char*>(&source), sizeof source);
    }
    return ESRCH;
}

// ---- In sshd again. ----

bool is_of_job(std::string_view block, std::uint32_t job_id)
{
    const auto said = value_in(block, "SLURM_JOB_ID");
    return said &&
           (*said == std::to_string(job_id) || (parse_number<std::uint32_t>(*said) && value_in(block, "SLURM_HET_SIZE")));
}

// Real, effective, saved and file system uid: slurmstepd has the user's as effective one at times.
bool belongs_to(std::string_view status, uid_t uid)
{
    const std::string id = '\t' + std::to_string(uid);
    return status.find("\nUid:" + id + id + id + id + '\n') != std::string_view::npos;
}

JobView view_of_job(const Roots& roots, const std::vector<CgroupEntry>& step)
{
    JobView view;
    auto directories = job_directories(step);
    const auto tracking = std::find_if(directories.begin(), directories.end(), is_tracking);
    if (tracking == directories.end()) return view;
    view.job = open_cgroup(roots, *tracking);
    if (view.job) view.proc = Fd(::open(roots.proc.c_str(), directory));
    if (view.proc) view.readings = open_reading_locks(environ_readings);
    view.directories = std::move(directories);
    return view;
}

std::vector<std::string> first_of(std::vector<std::string> names, std::size_t most)
{
    if (names.size() > most) names.resize(most);
    return names;
}

}  // namespace

// Step by step and task by task, until one has what is looked for.
struct JobEnvironment::Search {
    Search(JobView job_view, uid_t user, std::uint32_t job, std::size_t longest)
        : view(std::move(job_view)), uid(user), job_id(job), most(longest)
    {
    }
    Search(const Search&) = delete;
    Search& operator=(const Search&) = delete;
    ~Search()
    {
        if (asked && !asked->abandon()) mark_hanging_reading(view.readings, uid);
    }

    // Whether there is a question under way, put now if it was not. Not where nobody is left to ask.
    Result<bool> ask(Deadline deadline)
    {
        while (!asked) {
            if (!find_processes() || environs == most_environs || deadline.passed()) return false;
            ++environs;
            if (has_hanging_reading(view.readings, uid))
                return Error{ErrorCode::timed_out, 0, "an earlier login still hangs in reading a process's environ"};
            const auto question = [this](int out, int proc) noexcept { return answer_with_first(out, proc, processes, most); };
            auto child = start_asking(question, view.proc.get(), view.readings.get(), nullptr);
            if (child) asked.emplace(std::move(child).value());
            else processes.clear();
        }
        return true;
    }

    // None: it came to nothing that can be given, and whose it was is not asked again.
    Result<std::optional<Answer>> answer(Deadline deadline)
    {
        AskedChild child = *std::move(asked);
        asked.reset();
        auto answered = child.answer(most + longest_status + longest_cgroup + sizeof(Source), deadline);
        if (!answered && answered.error().code == ErrorCode::timed_out) {
            mark_hanging_reading(view.readings, uid);
            return std::move(answered).error();
        }
        Source source;
        const bool is_good = answered && take_parts(answered.value().bytes, source);
        if (is_good) return std::optional(std::move(answered).value());
        if (answered && source.place < processes.size()) processes.erase(processes.begin() + static_cast<std::ptrdiff_t>(source.place));
        else processes.clear();
        return std::optional<Answer>();
    }

private:
    // Leaves the environ of an answer; false: it is of no process of the job's.
    bool take_parts(std::string& bytes, Source& source) const
    {
        source.place = processes.size();
        if (bytes.size() < sizeof source) return false;
        std::memcpy(&source, bytes.data() + bytes.size() - sizeof source, sizeof source);
        const std::size_t size = bytes.size() - sizeof source;
        if (!source.is_whole || source.status > size || source.cgroup > size - source.status) return false;
        const std::string_view cgroup = std::string_view(bytes).substr(size - source.cgroup, source.cgroup);
        const std::string_view status = std::string_view(bytes).substr(size - source.cgroup - source.status, source.status);
        // The cgroup's list had its number before the reading; these have been read after the environ.
        const bool is_users = belongs_to(status, uid) && is_inside(parse_proc_cgroup(cgroup), view.directories);
        bytes.resize(size - source.cgroup - source.status);
        return is_users && is_of_job(bytes, job_id);
    }

    const JobView view;
    const uid_t uid;
    const std::uint32_t job_id;
    const std::size_t most;
    std::vector<std::string> processes;  // who may have it: those of a task, but for the ones that did not

    bool find_processes()
    {
        if (!has_begun) steps = first_of(own_steps_of(view.job), most_steps);
        has_begun = true;
        while (processes.empty()) {
            if (next_task < tasks.size()) {
                processes = processes_of(view, tasks[next_task++], uid);
                continue;
            }
            if (next_step == steps.size()) return false;
            tasks = first_of(tasks_of(view.job, steps[next_step++]), most_tasks);
            next_task = 0;
        }
        return true;
    }

    bool has_begun = false;
    std::vector<std::string> steps;
    std::size_t next_step = 0;
    std::vector<std::string> tasks;
    std::size_t next_task = 0;
    std::size_t environs = 0;
    std::optional<AskedChild> asked;
};

JobEnvironment::JobEnvironment() noexcept = default;
JobEnvironment::JobEnvironment(JobEnvironment&& other) noexcept = default;
JobEnvironment& JobEnvironment::operator=(JobEnvironment&& other) noexcept = default;
JobEnvironment::~JobEnvironment() = default;

JobEnvironment::JobEnvironment(const Roots& roots, const std::vector<CgroupEntry>& step, uid_t uid, std::uint32_t job_id,
                               std::size_t most)
{
    if (uid == 0) return;
    JobView view = view_of_job(roots, step);
    if (view.job && view.proc) search_ = std::make_unique<Search>(std::move(view), uid, job_id, most);
}

void JobEnvironment::begin(Deadline deadline)
{
    // What is in its way now is so when it is read.
    if (search_) (void)search_->ask(deadline);
}

Result<std::optional<Answer>> JobEnvironment::read(Deadline deadline)
{
    const auto search = std::exchange(search_, nullptr);
    if (!search) return std::optional<Answer>();
    for (;;) {
        const auto asked = search->ask(deadline);
        if (!asked) return asked.error();
        if (!asked.value()) return std::optional<Answer>();
        auto found = search->answer(deadline);
        if (!found || found.value()) return found;
    }
}

}  // namespace slurm_adopt
