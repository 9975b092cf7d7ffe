// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/environment_import.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace slurm_adopt {
namespace {

using namespace std::string_literals;
using Patterns = std::vector<std::string>;

// "A=1;B=2": as one line, in the order that they are set.
std::string chosen(const std::string& block, const Patterns& patterns)
{
    std::string line;
    for (const Variable& variable : choose_variables(block, patterns).variables)
        line += (line.empty() ? "" : ";") + std::string(variable.name) + '=' + std::string(variable.value);
    return line;
}

TEST(EnvironmentImport, NamesAreThoseOfShells)
{
    for (const char* name : {"A", "_", "a", "SLURM_JOB_ID", "_x1", "Z9"}) EXPECT_TRUE(is_variable_name(name)) << name;
    for (const char* name : {"", "1", "1A", "A-B", "A B", "A.B", "BASH_FUNC_x%%", "x()", "\xc3\xa4", "A\n", "A\x1b"})
        EXPECT_FALSE(is_variable_name(name)) << name;
    EXPECT_FALSE(is_variable_name("A\0B"s));
}

TEST(EnvironmentImport, APatternIsANameOrAPrefix)
{
    EXPECT_TRUE(matches("SLURM_*", "SLURM_JOB_ID"));
    EXPECT_TRUE(matches("SLURM_*", "SLURM_"));
    EXPECT_FALSE(matches("SLURM_*", "SLURM"));
    EXPECT_FALSE(matches("SLURM_*", "XSLURM_A"));
    EXPECT_FALSE(matches("SLURM_*", "slurm_a"));
    EXPECT_TRUE(matches("A", "A"));
    EXPECT_FALSE(matches("A", "AB"));
    EXPECT_FALSE(matches("AB", "A"));
}

TEST(EnvironmentImport, TakesWhatMatchesInItsOrder)
{
    const std::string block = "PATH=/x\0SLURM_B=2\0SLURM_A=1=1\0OTHER=3\0CUDA_VISIBLE_DEVICES=0,1\0SLURM_EMPTY=\0"s;
    EXPECT_EQ(chosen(block, {"SLURM_*", "CUDA_VISIBLE_DEVICES"}),
              "SLURM_B=2;SLURM_A=1=1;CUDA_VISIBLE_DEVICES=0,1;SLURM_EMPTY=");
    EXPECT_EQ(chosen(block, {"OTHER"}), "OTHER=3");
    EXPECT_EQ(chosen(block, {"MISSING", "CUDA_*"}), "CUDA_VISIBLE_DEVICES=0,1");
    EXPECT_EQ(chosen(block, {}), "");
    EXPECT_EQ(chosen("", {"SLURM_*"}), "");
}

TEST(EnvironmentImport, TheFirstOfANameCountsAsForGetenv)
{
    EXPECT_EQ(chosen("A=1\0A=2\0"s, {"A"}), "A=1");
    // Also where it cannot be taken: the process itself sees no other.
    const Import found = choose_variables("A=\n\0A=2\0"s, Patterns{"A"});
    EXPECT_TRUE(found.variables.empty());
    EXPECT_EQ(found.unfit, 1U);
    EXPECT_EQ(value_in("A\0A=1\0A=2\0"s, "A"), "1");
    EXPECT_EQ(value_in("B=1\0"s, "A"), std::nullopt);
    EXPECT_EQ(value_in("AA=1\0A"s, "A"), std::nullopt);
}

TEST(EnvironmentImport, WhatIsNoEntryIsPassedOver)
{
    EXPECT_EQ(chosen("\0\0A\0=\0=A\0==A\0A=1\0"s, {"A*"}), "A=1");
    EXPECT_EQ(chosen("A=1\0B=2"s, {"A", "B"}), "A=1") << "the last one is cut";
    EXPECT_EQ(chosen("A=1", {"A"}), "");
    EXPECT_EQ(chosen("\nA=1\0 A=2\0A =3\0\x1b[A=4\0"s, {"A*"}), "");
}

TEST(EnvironmentImport, EveryByteThatATerminalWouldObeyIsRefused)
{
    for (int byte = 0; byte < 256; ++byte) {
        const std::string value = "x"s + static_cast<char>(byte) + "y";
        EXPECT_EQ(is_plain_text(value), byte >= ' ' && byte < 0x7f) << byte;
    }
    EXPECT_TRUE(is_plain_text(""));
}

// Every sequence of two bytes, and of three and four by the borders of RFC 3629, table 3-7 of Unicode.
TEST(EnvironmentImport, OnlyWellFormedUtf8IsText)
{
    for (int first = 0x80; first < 256; ++first)
        for (int second = 0; second < 256; ++second) {
            const std::string pair = {static_cast<char>(first), static_cast<char>(second)};
            const bool c1 = first == 0xc2 && second < 0xa0;
            EXPECT_EQ(is_plain_text(pair), first >= 0xc2 && first <= 0xdf && second >= 0x80 && second <= 0xbf && !c1)
                << first << ' ' << second;
        }
    const auto encoded = [](unsigned code) {
        std::string bytes;
        if (code < 0x10000) {
            bytes = {static_cast<char>(0xe0 | code >> 12), static_cast<char>(0x80 | (code >> 6 & 0x3f)),
                     static_cast<char>(0x80 | (code & 0x3f))};
        } else {
            bytes = {static_cast<char>(0xf0 | code >> 18), static_cast<char>(0x80 | (code >> 12 & 0x3f)),
                     static_cast<char>(0x80 | (code >> 6 & 0x3f)), static_cast<char>(0x80 | (code & 0x3f))};
        }
        return bytes;
    };
    // Shorter than 0x800 has two bytes, 0xd800 to 0xdfff is no character, nothing is above 0x10ffff.
    for (unsigned code = 0; code < 0x10000; ++code)
        EXPECT_EQ(is_plain_text(encoded(code)), code >= 0x800 && (code < 0xd800 || code > 0xdfff)) << code;
    for (unsigned code = 0x10000; code < 0x1fffff; code += 0x3f1)
        EXPECT_EQ(is_plain_text(encoded(code)), code < 0x110000) << code;
    EXPECT_TRUE(is_plain_text(encoded(0x10ffff)));
    EXPECT_FALSE(is_plain_text(encoded(0x110000)));
    EXPECT_FALSE(is_plain_text("\xf0\x8f\xbf\xbf")) << "four bytes for what has three";
    for (const std::string& whole : {encoded(0x20ac), encoded(0x1f600), "\xc3\xa4"s}) {
        EXPECT_TRUE(is_plain_text("a" + whole + "b"));
        for (std::size_t cut = 1; cut < whole.size(); ++cut) {
            EXPECT_FALSE(is_plain_text(whole.substr(0, cut)));
            EXPECT_FALSE(is_plain_text(whole.substr(cut)));
            EXPECT_FALSE(is_plain_text(whole.substr(0, cut) + "a"));
        }
    }
    EXPECT_EQ(chosen("A=\xff\0B=gr\xc3\xbc\xc3\x9f\0"s, {"A", "B"}), "B=gr\xc3\xbc\xc3\x9f");
}

TEST(EnvironmentImport, WhatLoadsCodeOrIsTheSessionsIsDenied)
{
    // What an attacker would want, one by one: not read from the table.
    for (const char* name : {"LD_PRELOAD",
                             "LD_LIBRARY_PATH",
                             "LD_AUDIT",
                             "GLIBC_TUNABLES",
                             "MALLOC_PERTURB_",
                             "GCONV_PATH",
                             "NLSPATH",
                             "LOCPATH",
                             "HOSTALIASES",
                             "RES_OPTIONS",
                             "PATH",
                             "HOME",
                             "SHELL",
                             "USER",
                             "LOGNAME",
                             "MAIL",
                             "TERM",
                             "TERMINFO",
                             "TERMCAP",
                             "DISPLAY",
                             "XAUTHORITY",
                             "XDG_RUNTIME_DIR",
                             "DBUS_SESSION_BUS_ADDRESS",
                             "SSH_AUTH_SOCK",
                             "SSH_CLIENT",
                             "SSH_ORIGINAL_COMMAND",
                             "SSH_ASKPASS",
                             "BASH_ENV",
                             "ENV",
                             "IFS",
                             "CDPATH",
                             "PS4",
                             "PROMPT_COMMAND",
                             "SHELLOPTS",
                             "BASHOPTS",
                             "BASH_FUNC_ls",
                             "GLOBIGNORE",
                             "FPATH",
                             "ZDOTDIR",
                             "KSH_ENV",
                             "INPUTRC",
                             "LMOD_CMD",
                             "MODULESHOME",
                             "PYTHONPATH",
                             "PYTHONSTARTUP",
                             "PERL5LIB",
                             "PERL5OPT",
                             "RUBYOPT",
                             "RUBYLIB",
                             "NODE_OPTIONS",
                             "NODE_PATH",
                             "JAVA_TOOL_OPTIONS",
                             "_JAVA_OPTIONS",
                             "CLASSPATH",
                             "GIT_SSH_COMMAND",
                             "GIT_EXEC_PATH",
                             "EDITOR",
                             "VISUAL",
                             "PAGER",
                             "LESSOPEN",
                             "LUA_INIT",
                             "PHP_INI_SCAN_DIR",
                             "R_PROFILE",
                             "KRB5_CONFIG",
                             "KRB5CCNAME",
                             "KRB5_KTNAME",
                             "GSS_USE_PROXY",
                             "OPENSSL_CONF",
                             "SSLKEYLOGFILE",
                             "CURL_CA_BUNDLE",
                             "http_proxy",
                             "GTK_MODULES",
                             "QT_PLUGIN_PATH",
                             "SUDO_USER",
                             "SUDO_COMMAND",
                             "LISTEN_FDS",
                             "NOTIFY_SOCKET",
                             "CUDA_INJECTION64_PATH",
                             "NVTX_INJECTION64_PATH",
                             "HSA_TOOLS_LIB",
                             "OMP_TOOL_LIBRARIES",
                             "OMPI_MCA_mca_base_component_path",
                             "SLURM_CONF",
                             "SLURM_JWT",
                             "SLURM_TASK_PROLOG",
                             "SLURM_TASK_EPILOG",
                             "SLURM_SPANK__SLURM_SPANK_OPTION_x_y",
                             "SLURM_PROCID",
                             "SLURM_LOCALID",
                             "SLURM_STEP_ID",
                             "PMI_FD",
                             "PMIX_RANK"}) {
        EXPECT_TRUE(is_denied_variable(name)) << name;
        const std::string text = name;
        for (const std::string& pattern : {text, text.substr(0, 1) + '*', text.substr(0, text.size() - 1) + '*'}) {
            EXPECT_FALSE(is_importable(Patterns{pattern}, name)) << pattern;
            EXPECT_EQ(chosen(text + "=x\0"s, {pattern}), "") << pattern;
        }
    }
}

TEST(EnvironmentImport, APatternIsDeniedWhereAllItsNamesAre)
{
    for (const char* pattern : {"LD_*", "LD_PRELOAD", "LD_P*", "PATH", "PYTHON*", "PYTHONP*", "SLURM_CONF*", "SLURM_JWT", "FOO_PRELOAD", "FOO_PRELOAD*",
                                "FOO_PRELOADS_*", "FOO_PLUGIN", "FOO_PLUGIN_PATH", "FOO_PLUGINS", "FOO_LIBRARY_PATH"})
        EXPECT_TRUE(is_denied_pattern(pattern)) << pattern;
    for (const char* pattern : {"L*", "LD*", "PATH*", "SLURM_*", "SLURM_CON*", "SLURM_JW*", "CUDA_*", "TMPDIR", "FOO_PRELOA*",
                                "FOO_PLUGIN*", "FOO_PLUGIN_PATH*"})
        EXPECT_FALSE(is_denied_pattern(pattern)) << pattern;
    // Not all of them, and those that are denied do not come along.
    EXPECT_EQ(chosen("FOO_PLUGIN=1\0FOO_PLUGIN_COLOUR=2\0FOO_PRELOAD=3\0"s, {"FOO_*"}), chosen("FOO_PLUGIN_COLOUR=2\0"s, {"FOO_*"}));
    EXPECT_NE(chosen("FOO_PLUGIN_COLOUR=2\0"s, {"FOO_PLUGIN*"}), "");
}

// The list is what an administrator decides by.
TEST(EnvironmentImport, TheManPageHasTheWholeList)
{
    std::ifstream file(SOURCE_DIRECTORY "/pam/pam_slurm_adopt.8");
    const std::string page{std::istreambuf_iterator<char>(file), {}};
    const std::size_t from = page.find("Never set, whatever the list says:");
    ASSERT_NE(from, std::string::npos);
    std::string text = page.substr(from, page.find("\n.TP\n", from) - from);
    std::replace(text.begin(), text.end(), '\n', ' ');
    std::string listed;
    for (const DeniedGroup& group : denied_variables()) {
        listed.clear();
        for (const std::string_view name : group.names) listed += (listed.empty() ? "" : ", ") + std::string(name);
        EXPECT_NE(text.find(": " + listed + "."), std::string::npos) << group.why << ": " << listed;
    }
}

TEST(EnvironmentImport, WhatSoundsLikeCodeIsDenied)
{
    for (const char* name : {"X_PRELOAD", "PRELOADED", "NEW_PLUGIN", "NEW_PLUGIN_PATH", "A_PLUGINS", "MYLIBRARY_PATH", "FI_PROVIDER_PATH"})
        EXPECT_TRUE(is_denied_variable(name)) << name;
    EXPECT_FALSE(is_denied_variable("NCCL_DEBUG"));
    const std::string block("SLURM_A=() { :; }\0SLURM_B=1\0", 28);
    const Import found = choose_variables(block, std::vector<std::string>{"SLURM_*"});
    ASSERT_EQ(found.variables.size(), 1U);
    EXPECT_EQ(found.variables[0].name, "SLURM_B");
}

TEST(EnvironmentImport, WhatAJobHasForItsProgramsIsNot)
{
    for (const char* name : {"SLURM_JOB_ID",
                             "SLURM_JOBID",
                             "SLURM_JOB_NODELIST",
                             "SLURM_NNODES",
                             "SLURM_CPUS_PER_TASK",
                             "SLURM_CPUS_ON_NODE",
                             "SLURM_SUBMIT_DIR",
                             "SLURM_JOB_GPUS",
                             "SLURM_JOB_UID",
                             "SLURM_NODENAME",
                             "SLURMD_NODENAME",
                             "SLURM_TASKS_PER_NODE",
                             "SLURM_STEP_GPUS",
                             "CUDA_VISIBLE_DEVICES",
                             "NVIDIA_VISIBLE_DEVICES",
                             "ROCR_VISIBLE_DEVICES",
                             "HIP_VISIBLE_DEVICES",
                             "ZE_AFFINITY_MASK",
                             "GPU_DEVICE_ORDINAL",
                             "OMP_NUM_THREADS",
                             "TMPDIR",
                             "LANG",
                             "LC_ALL",
                             "TZ"}) {
        EXPECT_FALSE(is_denied_variable(name)) << name;
        EXPECT_TRUE(is_importable(Patterns{name}, name)) << name;
    }
}

TEST(EnvironmentImport, TheDeniedAreListedOnceAndAsPatterns)
{
    std::vector<std::string> all;
    for (const DeniedGroup& group : denied_variables()) {
        EXPECT_FALSE(group.names.empty());
        for (const std::string_view name : group.names) {
            const std::string_view stem = name.ends_with('*') ? name.substr(0, name.size() - 1) : name;
            EXPECT_TRUE(is_variable_name(stem)) << name;
            all.emplace_back(name);
        }
    }
    std::sort(all.begin(), all.end());
    EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end());
    // One that another covers is a typo in one of them.
    for (const std::string& one : all)
        for (const std::string& other : all)
            EXPECT_FALSE(&one != &other && other.ends_with('*') && matches(other, one)) << one << " is in " << other;
}

TEST(EnvironmentImport, TheCapsHold)
{
    std::string many;
    for (int i = 0; i < 1000; ++i) many += "A" + std::to_string(i) + "=x" + '\0';
    const Import found = choose_variables(many, Patterns{"A*"});
    EXPECT_EQ(found.variables.size(), most_variables);
    EXPECT_EQ(found.variables.front().name, "A0");
    EXPECT_GT(found.too_many, 0U);

    // What is too large alone does not keep out what is small.
    const std::string large = "A=" + std::string(most_imported - 2, 'x') + '\0' + "B=1" + '\0';
    const Import rest = choose_variables(large, Patterns{"A", "B"});
    ASSERT_EQ(rest.variables.size(), 1U);
    EXPECT_EQ(rest.variables.front(), (Variable{"B", "1"}));
    EXPECT_EQ(rest.too_many, 1U);
    const std::string fits = "A=" + std::string(most_imported - 3, 'x') + '\0' + "B=1" + '\0';
    const Import full = choose_variables(fits, Patterns{"A", "B"});
    ASSERT_EQ(full.variables.size(), 1U);
    EXPECT_EQ(full.variables.front().name, "A");

    std::string same;
    while (same.size() < most_environ) same += "A=x"s + '\0';
    const Import one = choose_variables(same, Patterns{"A"});
    EXPECT_EQ(one.variables.size(), 1U);
}

}  // namespace
}  // namespace slurm_adopt
