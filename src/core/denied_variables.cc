// SPDX-License-Identifier: GPL-2.0-or-later
// What no session gets from a job, whatever import_env= says: by the documentation of each program. A prefix where a program
// has many such variables, or gets more with every release.
#include <algorithm>
#include <array>

#include "slurm_adopt/environment_import.h"

namespace slurm_adopt {
namespace {

using namespace std::string_view_literals;

// ld.so(8), malloc(3), iconv(1), hostname(7), resolv.conf(5), catopen(3), tzset(3).
constexpr std::array libc = {"LD_*"sv,        "GLIBC_*"sv, "MALLOC_*"sv, "GCONV_PATH"sv, "GETCONF_DIR"sv, "HOSTALIASES"sv,
                             "LOCALDOMAIN"sv, "LOCPATH"sv, "NIS_*"sv,    "NLSPATH"sv,    "RES_OPTIONS"sv, "RESOLV_*"sv,
                             "TZDIR"sv,       "SHLIB_*"sv, "LIBPATH"sv,  "DYLD_*"sv,     "_RLD*"sv,       "LDR_*"sv};
// environ(7), login(1), sshd(8), pam_systemd(8): they are the session's own.
constexpr std::array session = {"PATH"sv,          "HOME"sv,       "SHELL"sv,        "USER"sv,      "LOGNAME"sv,
                                "MAIL"sv,          "PWD"sv,        "OLDPWD"sv,       "SHLVL"sv,     "_"sv,
                                "HOSTNAME"sv,      "TERM*"sv,      "TTY"sv,          "COLUMNS"sv,   "LINES"sv,
                                "DISPLAY"sv,       "XAUTHORITY"sv, "ICEAUTHORITY"sv, "WAYLAND_*"sv, "SESSION_*"sv,
                                "XDG_*"sv,         "DBUS_*"sv,     "SSH_*"sv,        "SSHD_*"sv,    "SUDO_*"sv,
                                "PAM_*"sv,         "SYSTEMD_*"sv,  "NOTIFY_*"sv,     "LISTEN_*"sv,  "INVOCATION_ID"sv,
                                "JOURNAL_STREAM"sv};
// bash(1), dash(1), ksh(1), zsh(1), tcsh(1), readline(3), and the module commands that login shells run.
constexpr std::array shells = {"BASH*"sv,       "ENV"sv,        "IFS"sv,        "CDPATH"sv,   "PS0"sv,
                               "PS1"sv,         "PS2"sv,        "PS3"sv,        "PS4"sv,      "PROMPT*"sv,
                               "SHELLOPTS"sv,   "GLOBIGNORE"sv, "EXECIGNORE"sv, "FIGNORE"sv,  "POSIXLY_CORRECT"sv,
                               "KSH_ENV"sv,     "FPATH"sv,      "FCEDIT"sv,     "ZDOTDIR"sv,  "NULLCMD"sv,
                               "READNULLCMD"sv, "TMPPREFIX"sv,  "HIST*"sv,      "INPUTRC"sv,  "CSHEDIT"sv,
                               "MODULE*"sv,     "LMOD_*"sv,     "_LM*"sv,       "__LMOD_*"sv, "LOADEDMODULES"sv};
// The programs' own manuals: where they load code from, or what they run.
constexpr std::array languages = {
    "PYTHON*"sv,  "PERL*"sv,   "RUBY*"sv,   "GEM_*"sv,         "BUNDLE_*"sv,     "NODE_*"sv,      "NPM_*"sv,
    "LUA_*"sv,    "TCL*"sv,    "PHP*"sv,    "JAVA_*"sv,        "_JAVA_*"sv,      "JDK_*"sv,       "CLASSPATH"sv,
    "R_*"sv,      "JULIA_*"sv, "GUILE_*"sv, "AWKPATH"sv,       "AWKLIBPATH"sv,   "GIT_*"sv,       "CVS_*"sv,
    "SVN_*"sv,    "RSYNC_*"sv, "EDITOR"sv,  "VISUAL"sv,        "PAGER"sv,        "BROWSER"sv,     "LESS*"sv,
    "MANPAGER"sv, "MANPATH"sv, "GCC_*"sv,   "COMPILER_PATH"sv, "LIBRARY_PATH"sv, "DEBUGINFOD_*"sv,
    "VIMINIT"sv,  "EXINIT"sv,  "DOTNET_*"sv, "CORECLR_*"sv,     "COR_*"sv};
// Libraries: their configuration, plugins, secrets.
constexpr std::array libraries = {
    "KRB5*"sv,      "GSS*"sv,        "SASL_*"sv,    "LDAP*"sv,      "OPENSSL_*"sv,   "SSL*"sv,      "CURL_*"sv,
    "GNUTLS_*"sv,   "P11_*"sv,       "GNUPGHOME"sv, "GPG_*"sv,      "NSS_*"sv,       "GTK*"sv,      "QT_*"sv,
    "GIO_*"sv,      "GST_*"sv,       "G_*"sv,       "HTTP_PROXY"sv, "HTTPS_PROXY"sv, "ALL_PROXY"sv, "NO_PROXY"sv,
    "http_proxy"sv, "https_proxy"sv, "all_proxy"sv, "no_proxy"sv,   "ftp_proxy"sv};
// Tools that GPU and MPI libraries load into every program.
constexpr std::array tools = {"CUDA_INJECTION*"sv,
                              "NVTX_*"sv,
                              "HSA_TOOLS_*"sv,
                              "ROCP_*"sv,
                              "ROCPROFILER_*"sv,
                              "ROCTRACER_*"sv,
                              "ZE_ENABLE_*"sv,
                              "ZET_*"sv,
                              "OMP_TOOL*"sv,
                              "OCL_ICD_*"sv,
                              "OPENCL_*"sv,
                              "VK_*"sv,
                              "OMPI_*"sv,
                              "PRTE_*"sv,
                              "OPAL_*"sv,
                              "MPICH_*"sv,
                              "I_MPI_*"sv,
                              "UCX_MODULE*"sv,
                              "NCCL_NET_PLUGIN"sv,
                              "NCCL_TUNER_PLUGIN"sv,
                              "NCCL_PROFILER_PLUGIN"sv,
                              "FI_PROVIDER*"sv,
                              "UCC_COMPONENT_PATH"sv,
                              "UCC_CONFIG_FILE"sv,
                              "UCX_CONFIG_DIR"sv,
                              "NCCL_CONF_FILE"sv,
                              "INTEL_LIBITTNOTIFY*"sv,
                              "INTEL_JIT_PROFILER*"sv,
                              "UR_ADAPTERS_*"sv,
                              "XPTI_*"sv,
                              "ACC_PROFLIB"sv,
                              "ZEL_*"sv,
                              "RDMAV_DRIVERS"sv,
                              "IBV_DRIVERS"sv,
                              "HYDRA_*"sv,
                              "CUDA_HOME"sv,
                              "CUDA_PATH"sv,
                              "SINGULARITY*"sv,
                              "APPTAINER*"sv,
                              "LIBGL_*"sv,
                              "LIBVA_*"sv,
                              "__EGL_*"sv,
                              "__GLX_*"sv};
// srun(1), sbatch(1): where Slurm's own programs load code from, what they run, and the user's token.
constexpr std::array slurm = {"SLURM_CONF*"sv,   "SLURM_JWT"sv,         "SLURM_TASK_PROLOG"sv, "SLURM_TASK_EPILOG"sv,
                              "SLURM_PROLOG*"sv, "SLURM_EPILOG*"sv,     "SLURM_SPANK*"sv,      "_SLURM_SPANK_*"sv,
                              "SPANK_*"sv,       "SLURM_SRUN_MULTI*"sv, "SLURM_CLI_FILTER*"sv, "SLURM_PLUGIN*"sv,
                              "SLURM_SACK_*"sv,  "SLURMRESTD_*"sv,      "SACCTMGR_*"sv};
// One task's of one step: a program of a session that took itself for it would wait for the others.
constexpr std::array task = {"SLURM_PROCID"sv,
                             "SLURM_LOCALID"sv,
                             "SLURM_TASK_PID"sv,
                             "SLURM_GTIDS"sv,
                             "SLURM_STEP_ID"sv,
                             "SLURM_STEPID"sv,
                             "SLURM_STEP_LAUNCHER_PORT"sv,
                             "SLURM_SRUN_COMM_*"sv,
                             "SLURM_LAUNCH_NODE_IPADDR"sv,
                             "PMI_*"sv,
                             "PMI2_*"sv,
                             "PMIX_*"sv,
                             "SLURM_CPU_BIND*"sv,
                             "SLURM_MEM_BIND*"sv,
                             "SLURM_DISTRIBUTION"sv,
                             "SLURM_STEP_NODELIST"sv,
                             "SLURM_STEP_NUM_*"sv,
                             "SLURM_STEP_TASKS_PER_NODE"sv,
                             "SLURM_STEP_RESV_PORTS"sv,
                             "SLURM_PTY_*"sv};

// What the next library will call it.
constexpr std::string_view inside = "PRELOAD";
constexpr std::array endings = {"_PLUGIN"sv, "_PLUGIN_PATH"sv, "_PLUGINS"sv, "LIBRARY_PATH"sv};

template <std::size_t... Sizes>
constexpr auto joined(const std::array<std::string_view, Sizes>&... groups)
{
    std::array<std::string_view, (Sizes + ...)> names{};
    auto end = names.begin();
    ((end = std::copy(groups.begin(), groups.end(), end)), ...);
    return names;
}

constexpr auto all = joined(libc, session, shells, languages, libraries, tools, slurm, task);

// So that only those are looked at which begin as a name does.
constexpr auto first_letters = [] {
    std::array<char, all.size()> letters{};
    std::transform(all.begin(), all.end(), letters.begin(), [](std::string_view name) { return name.front(); });
    return letters;
}();

constexpr auto table = [] {
    std::size_t begin = 0;
    const auto next = [&begin](const char* why, const auto& group) {
        const std::size_t size = group.size();
        begin += size;
        return DeniedGroup{why, std::span<const std::string_view>(all).subspan(begin - size, size)};
    };
    return std::array{
        next("the loader and the C library", libc),
        next("the session's own", session),
        next("shells and module commands", shells),
        next("interpreters, compilers and programs that run others", languages),
        next("libraries: configuration, plugins, secrets", libraries),
        next("tools that are loaded into every program", tools),
        next("Slurm's own programs: plugins, what they run, secrets", slurm),
        next("one task's of one step", task),
    };
}();

}  // namespace

std::span<const DeniedGroup> denied_variables()
{
    return table;
}

bool is_denied_pattern(std::string_view pattern)
{
    if (!pattern.ends_with('*')) return is_denied_variable(pattern);
    const std::string_view stem = pattern.substr(0, pattern.size() - 1);
    // The endings say nothing here: behind "X_PLUGIN*" there are names that end otherwise.
    if (stem.find(inside) != std::string_view::npos) return true;
    return std::any_of(all.begin(), all.end(),
                       [&](std::string_view denied) { return denied.ends_with('*') && matches(denied, stem); });
}

bool is_denied_variable(std::string_view name)
{
    const auto ends = [name](std::string_view end) { return name.ends_with(end); };
    if (name.find(inside) != std::string_view::npos || std::any_of(endings.begin(), endings.end(), ends)) return true;
    if (name.empty()) return false;
    const std::string_view letters(first_letters.data(), first_letters.size());
    for (std::size_t at = letters.find(name.front()); at != std::string_view::npos; at = letters.find(name.front(), at + 1))
        if (matches(all[at], name)) return true;
    return false;
}

}  // namespace slurm_adopt
