// SPDX-License-Identifier: GPL-2.0-or-later
// PAM stacks: service files with includes. The input is files, each its name and then its text, a form feed between two; the
// first is the service's. A name without a slash is one in /etc/pam.d. No real file is opened: stat() and open() are bound to
// these here.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <map>
#include <string>
#include <vector>

#include "input.h"
#include "pam_stack/flow.h"
#include "pam_stack/stack.h"
#include "require.h"
#include "slurm_adopt/text.h"

using namespace slurm_adopt;
using namespace slurm_adopt::pam_stack;
using fuzz::require;

namespace {

using Files = std::map<std::string, std::string, std::less<>>;

// Those there are while a stack is read; null: the real ones.
const Files*& files_there()
{
    static const Files* files = nullptr;
    return files;
}

class FilesAreThere {
public:
    explicit FilesAreThere(const Files& files) { files_there() = &files; }
    FilesAreThere(const FilesAreThere&) = delete;
    FilesAreThere& operator=(const FilesAreThere&) = delete;
    ~FilesAreThere() { files_there() = nullptr; }
};

int descriptor_of(const std::string& text)
{
    const int fd = ::memfd_create("file", MFD_CLOEXEC);
    require(fd >= 0 && ::pwrite(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()), "the test has its files");
    return fd;
}

}  // namespace

extern "C" {

int __real_stat(const char*, struct stat*);
int __wrap_stat(const char* path, struct stat* status)
{
    if (files_there() == nullptr) return __real_stat(path, status);
    *status = {};
    if (files_there()->contains(path)) return 0;
    errno = ENOENT;
    return -1;
}

int __real_open(const char*, int, ...);
int __wrap_open(const char* path, int flags, ...)
{
    if (files_there() != nullptr) {
        const auto file = files_there()->find(path);
        if (file != files_there()->end()) return descriptor_of(file->second);
        errno = ENOENT;
        return -1;
    }
    std::va_list more;
    va_start(more, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
    va_end(more);
    return __real_open(path, flags, mode);
}

}  // extern "C"

namespace {

struct Read {
    std::string service;  // its path
    Files files;
};

Read files_of(std::string_view input)
{
    Read read;
    for (const std::string_view section : split(input, '\f')) {
        const std::size_t end = std::min(section.find('\n'), section.size());
        std::string path(section.substr(0, end));
        if (path.find('/') == std::string::npos) path.insert(0, "/etc/pam.d/");
        path.resize(std::min(path.find('\0'), path.size()));
        if (read.service.empty()) read.service = path;
        read.files.try_emplace(path, section.substr(std::min(end + 1, section.size())));
    }
    return read;
}

// The stack once more, by other means: where its modules are, in the order of running. libpam has an entry for each module and
// one for each substack, which stands for all that is below it.
class Model {
public:
    Model(const Files& files, Type type) : files_(files), type_(type) {}

    // False where there is no stack.
    [[nodiscard]] bool add(const std::string& path, bool in_substack = false)
    {
        const auto file = files_.find(path);
        if (file == files_.end() || chain_.size() == 16 || std::count(chain_.begin(), chain_.end(), path) != 0) return false;
        const auto lines = parse_service_file(file->second, path);
        if (!lines) return false;
        chain_.push_back(path);
        for (const Line& line : lines.value()) {
            if (line.type && *line.type != type_) continue;
            if (++count_ > most_lines) return false;
            const bool begins_substack = line.kind == LineKind::substack;
            if (!in_substack && (line.kind == LineKind::module || begins_substack)) ++entries_;
            if (line.kind == LineKind::module) modules_.push_back({line.place.text(), entries_ - 1});
            else if (!add(path_of(line.target), in_substack || begins_substack)) return false;
        }
        chain_.pop_back();
        return true;
    }
    struct Place {
        std::string text;
        std::size_t position;
    };
    [[nodiscard]] const std::vector<Place>& modules() const { return modules_; }

private:
    [[nodiscard]] std::string path_of(const std::string& name) const
    {
        if (name.front() == '/') return name;
        const std::string path = "/etc/pam.d/" + name;
        return files_.contains(path) ? path : "/usr/lib/pam.d/" + name;
    }

    const Files& files_;
    Type type_;
    std::size_t count_ = 0;
    std::vector<std::string> chain_;
    std::size_t entries_ = 0;
    std::vector<Place> modules_;
};

void check_module(const Stack& stack, const Module& module, Type type)
{
    require(module.line.kind == LineKind::module && module.line.type == type, "what is run is a module of the type");
    require(module.top < stack.own.size() && module.included_by.size() < 16, "a module has a way that leads to it");
    const Line& first = module.included_by.empty() ? module.line : module.included_by.front();
    require(stack.own[module.top].place.text() == first.place.text(), "the way begins in the service's own file");
    const auto substacks = std::count_if(module.included_by.begin(), module.included_by.end(),
                                         [](const Line& line) { return line.kind == LineKind::substack; });
    require(module.substack == static_cast<unsigned>(substacks), "substacks are counted");
    const auto& files = stack.files;
    require(std::count(files.begin(), files.end(), module.line.place.file) == 1, "a module's file is one of those read");
    require(!ends_the_phase(module) || module.line.control.action("success").kind == ActionKind::done, "what ends the phase is done");
}

// libpam's rule: a jump of n goes to the n+1st position below.
void check_jumps(const Stack& stack)
{
    constexpr std::size_t enough = 24;
    const auto positions = jump_positions(stack);
    require(positions.size() == stack.modules.size(), "each module has a position");
    for (std::size_t index = 1; index <= std::min(positions.size(), enough); ++index) {
        std::vector<std::size_t> expected;
        std::size_t place = positions[index - 1] + 1;  // of a line that is put in there
        if (index < positions.size() && positions[index] > place) place = positions[index];
        for (std::size_t i = 0; i < index; ++i) {
            const std::size_t first = positions[i] + 1;
            const std::size_t jump = stack.modules[i].line.control.longest_jump();
            if (stack.modules[i].substack == 0 && place >= first && place - first < jump) expected.push_back(i);
        }
        require(jumps_over(stack, index) == expected, "a jump leaves out what is below it, as far as it goes");
    }
}

void check_stack(const Read& read, Type type)
{
    Result<Stack> stack = Error{ErrorCode::malformed, 0, "not read"};
    {
        const FilesAreThere there(read.files);
        stack = resolve_stack({}, read.service, read.files.at(read.service), type);
    }
    Model model(read.files, type);
    require(model.add(read.service) == stack.ok(), "there is a stack where each file can be read and no chain is too long");
    if (!stack) {
        require(stack.error().context.starts_with(read.service) || stack.error().context.find(':') != std::string::npos, "an error has its place");
        return;
    }
    const std::vector<Module>& modules = stack.value().modules;
    require(modules.size() == model.modules().size(), "no module is left out, none is there twice");
    for (std::size_t i = 0; i < modules.size(); ++i) {
        require(modules[i].line.place.text() == model.modules()[i].text, "modules are in the order of running");
        require(modules[i].position == model.modules()[i].position, "modules are counted as jumps count them");
        check_module(stack.value(), modules[i], type);
        require(i == 0 || modules[i - 1].top <= modules[i].top, "modules are in the order of the service's own lines");
    }
    require(stack.value().files.front() == read.service, "the service's own file is the first");
    check_jumps(stack.value());
    for (const Module& module : find_modules(stack.value(), "pam_slurm_adopt.so"))
        require(module.line.target.ends_with("pam_slurm_adopt.so"), "a module is found by its name");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const Read read = files_of(fuzz::Input(data, size).rest());
    for (const Type type : {Type::auth, Type::account, Type::password, Type::session}) check_stack(read, type);
    return 0;
}
