// SPDX-License-Identifier: GPL-2.0-or-later
// The module as a file: what it exports, needs and must not use.
#include <dlfcn.h>
#include <elf.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "elf_file.h"
#include "support/temp_directory.h"

namespace slurm_adopt::test {
namespace {

using Names = std::set<std::string>;

const ElfFile& module()
{
    static const ElfFile elf = read_elf(MODULE_PATH);
    return elf;
}

bool is_sanitizers(const std::string& name)
{
    return name.starts_with("__asan") || name.starts_with("__ubsan") || name.starts_with("__sanitizer");
}

TEST(Elf, ExportsTheEntryPointsAndNothingElse)
{
    EXPECT_EQ(module().exported, (Names{"pam_sm_acct_mgmt", "pam_sm_close_session", "pam_sm_open_session"}));
}

TEST(Elf, NeedsLibcAndLibpamOnly)
{
    if (SANITIZED) GTEST_SKIP() << "a sanitized module needs the sanitizers";
    const Names allowed = {"libc.so.6", "libpam.so.0", "libm.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"};
    for (const std::string& library : module().needed) EXPECT_TRUE(allowed.contains(library)) << library;
    EXPECT_TRUE(std::count(module().needed.begin(), module().needed.end(), "libpam.so.0") == 1);
    EXPECT_FALSE(module().has_run_path) << "sshd must not look for libraries elsewhere";
}

TEST(Elf, EverySymbolIsOfThoseLibraries)
{
    if (SANITIZED) GTEST_SKIP() << "a sanitized module needs the sanitizers";
    // Loaded with everything bound at once: what is missing is an error here, not in sshd.
    void* loaded = ::dlopen(MODULE_PATH, RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(loaded, nullptr) << ::dlerror();
    (void)::dlclose(loaded);
    void* libpam = ::dlopen("libpam.so.0", RTLD_NOW);
    void* libc = ::dlopen("libc.so.6", RTLD_NOW);
    void* libm = ::dlopen("libm.so.6", RTLD_NOW);
    const Names of_the_loader = {"__tls_get_addr", "_dl_find_object", "__stack_chk_guard"};
    for (const std::string& name : module().undefined)
        EXPECT_TRUE(of_the_loader.contains(name) || ::dlsym(libpam, name.c_str()) != nullptr ||
                    ::dlsym(libc, name.c_str()) != nullptr || ::dlsym(libm, name.c_str()) != nullptr)
            << name << " comes from somewhere else";
    for (const std::string& name : module().undefined) {
        EXPECT_FALSE(name.starts_with("_Z")) << name << ": C++ is linked statically";
        EXPECT_FALSE(name.starts_with("slurm_") || name.starts_with("cgroup_")) << name;
    }
}

// Functions that change the process that the module is a guest in, or that a guest must not call.
TEST(Elf, UsesNothingThatChangesItsHost)
{
    // Not in the list, because src/os/child.cc starts the helper with them: execve and _exit in the child, kill of the child,
    // and pthread_sigmask, put back before the module returns (HelperClient.TheHostsSignalsAndChildrenAreItsOwn).
    const Names forbidden = {
        "openlog",   "closelog",     "setlogmask",   "syslog",          "vsyslog",  // pam_syslog instead
        "setenv",    "unsetenv",     "putenv",       "clearenv",                    // pam_putenv instead
        "signal",    "sigaction",    "sigprocmask",  "bsd_signal",   "sigset",      "signalfd",
        "alarm",     "setitimer",    "timer_create", "pthread_create",  "thrd_create",  "clone",  // a guest has no threads
        "regcomp",   "regexec",      "setlocale",    "newlocale",       "uselocale",    "system",      "popen",
        "fork",      "vfork",        "execvp",          "execl",        "posix_spawn", "posix_spawnp",
        "daemon",    "exit",         "_Exit",           "quick_exit",   "atexit",      "on_exit",
        "raise",        "chdir",        "fchdir",          "chroot",       "umask",       "setrlimit",
        "setuid",    "seteuid",      "setgid",       "setgroups",       "setns_unsafe", "getpwnam",    "getpwuid",
        "getgrnam",  "getgrgid",     "strtok",       "strerror",        "localtime",    "gmtime",      "gethostbyname",
        "readdir_r", "pam_get_user", "pam_set_item", "pam_fail_delay",  "sleep",        "usleep",      "nanosleep",
        "select",    "tmpnam",       "mktemp",       "tempnam",         "gets",         "strcpy",      "strcat",
        "vsprintf",  // sprintf: libstdc++'s demangler has it
    };
    Names used;
    std::set_intersection(module().undefined.begin(), module().undefined.end(), forbidden.begin(), forbidden.end(),
                          std::inserter(used, used.end()));
    EXPECT_EQ(used, Names{});
}

TEST(Elf, IsHardened)
{
    EXPECT_TRUE((module().flags & DF_BIND_NOW) != 0 || (module().flags_1 & DF_1_NOW) != 0);
    EXPECT_TRUE(module().relro);
    EXPECT_TRUE(module().has_stack_header);
    EXPECT_FALSE(module().executable_stack);
    EXPECT_FALSE(module().writable_and_executable);
    EXPECT_FALSE(module().text_relocations || (module().flags & DF_TEXTREL) != 0);
    EXPECT_TRUE((module().flags_1 & DF_1_NODELETE) != 0) << "libpam closes modules after use";
    if (!SANITIZED) {
        EXPECT_TRUE(module().undefined.contains("__stack_chk_fail")) << "no stack protector";
    }
}

TEST(Elf, IsSmall)
{
    if (SANITIZED) GTEST_SKIP() << "not what is installed";
    const TempDirectory directory;
    const std::string stripped = directory / "module.so";
    const std::string command = std::string(STRIP) + " -o " + stripped + " " MODULE_PATH;
    ASSERT_EQ(std::system(command.c_str()), 0);
    EXPECT_LT(std::filesystem::file_size(stripped), 400U * 1000U);
}

TEST(Elf, TheReaderSeesWhatIsThere)
{
    const ElfFile self = read_elf("/proc/self/exe");
    EXPECT_TRUE(self.undefined.contains("dlopen"));
    EXPECT_TRUE(
        std::any_of(self.needed.begin(), self.needed.end(), [](const std::string& name) { return name == "libpam.so.0"; }));
    if (SANITIZED) {
        EXPECT_TRUE(std::any_of(module().undefined.begin(), module().undefined.end(), is_sanitizers));
    }
    EXPECT_THROW((void)read_elf("/etc/passwd"), std::runtime_error);
}

}  // namespace
}  // namespace slurm_adopt::test
