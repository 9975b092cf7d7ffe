// SPDX-License-Identifier: GPL-2.0-or-later
// The plugin as a file and as Slurm meets it first: its symbols, its libraries, its version, its texts.
#include <gtest/gtest.h>
#include <slurm/slurm_errno.h>
#include <slurm/slurm_version.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include "../refusal.h"
#include "called_plugin.h"
#include "key_files.h"
#include "so/elf_file.h"
#include "support/forked.h"

namespace slurm_adopt::cred_test {
namespace {

using Names = std::set<std::string>;

const test::ElfFile& file()
{
    static const test::ElfFile elf = test::read_elf(CRED_PLUGIN);
    return elf;
}

TEST(Plugin, ExportsTheApiAndNothingElse)
{
    EXPECT_EQ(file().exported, (Names{"cred_p_destroy_key", "cred_p_read_private_key", "cred_p_read_public_key",
                                      "cred_p_sign", "cred_p_str_error", "cred_p_verify_sign", "fini", "init", "plugin_name",
                                      "plugin_type", "plugin_version"}));
}

// What it takes from Slurm, beyond libc and libcrypto; README.md names them.
TEST(Plugin, TakesFourSymbolsOfSlurm)
{
    Names of_slurm;
    for (const Names& names : {file().undefined, file().weak})
        for (const std::string& name : names)
            if (name.starts_with("slurm_")) of_slurm.insert(name);
    EXPECT_EQ(of_slurm, (Names{"slurm_conf", "slurm_error", "slurm_info", "slurm_xcalloc"}));
}

TEST(Plugin, NeedsLibcAndLibcryptoOnly)
{
    if (SANITIZED) GTEST_SKIP() << "a sanitized plugin needs the sanitizers";
    const Names allowed = {"libc.so.6", "libcrypto.so.3", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"};
    for (const std::string& library : file().needed) EXPECT_TRUE(allowed.contains(library)) << library;
    for (const std::string& name : file().undefined) EXPECT_FALSE(name.starts_with("_Z")) << name;
    EXPECT_FALSE(file().has_run_path);
    EXPECT_TRUE(file().relro);
    EXPECT_FALSE(file().executable_stack);
}

TEST(Plugin, SaysWhoItIs)
{
    EXPECT_STREQ(plugin().type, "cred/ed25519");
    EXPECT_STREQ(plugin().name, "Ed25519 credential signature plugin");
    EXPECT_EQ(plugin().version, static_cast<std::uint32_t>(SLURM_VERSION_NUMBER));
}

TEST(Plugin, EachRefusalHasItsOwnTextWhichTheReadmeHasToo)
{
    std::ifstream file(CRED_README);
    const std::string readme(std::istreambuf_iterator<char>(file), {});
    std::set<std::string> texts;
    const int first = static_cast<int>(cred_ed25519::Refusal::bad_argument);
    const int last = static_cast<int>(cred_ed25519::Refusal::signature_mismatch);
    EXPECT_EQ(first, 5300);
    for (int number = first; number <= last; ++number) {
        const std::string text = plugin().str_error(number);
        EXPECT_NE(text, "unknown error") << number;
        EXPECT_TRUE(texts.insert(text).second) << text;
        EXPECT_NE(readme.find("| " + std::to_string(number) + " | " + text + " |"), std::string::npos) << text;
    }
    for (const int number : {0, 1, first - 1, last + 1, 5000, 1 << 30, -2})
        EXPECT_STREQ(plugin().str_error(number), "unknown error");
    // SLURM_ERROR stands for errno.
    errno = last;
    EXPECT_STREQ(plugin().str_error(SLURM_ERROR), plugin().str_error(last));
    errno = 0;
    EXPECT_STREQ(plugin().str_error(SLURM_ERROR), "unknown error");
}

TEST(Plugin, EndsAndBeginsAgain)
{
    const KeyFiles files;
    const std::string path = files.write(make_pair("ED25519").private_pem, 0400);
    void* const before = plugin().read_private_key(path.c_str());
    ASSERT_NE(before, nullptr);
    EXPECT_EQ(plugin().fini(), 0);
    EXPECT_EQ(sign(before, "x").rc, static_cast<int>(cred_ed25519::Refusal::unknown_key));
    plugin().destroy_key(before);
    EXPECT_EQ(plugin().init(), 0);
    const ReadKey after(plugin().read_private_key(path.c_str()));
    EXPECT_EQ(sign(after.get(), "x").rc, 0);
    (void)take_log();
}

// OpenSSL reads its configuration once in a process, so this is another one, which does the second test.
TEST(Plugin, SaysThatOpensslHasNoEd25519)
{
    const KeyFiles files;
    const Pair pair = make_pair("ED25519");
    const std::string configuration =
        files.write("openssl_conf = all\n[all]\nproviders = providers\n[providers]\nbase = base\n"
                    "[base]\nactivate = 1\n",
                    0600, "openssl.cnf");
    const std::string key = files.write(pair.private_pem, 0400);
    test::Forked child([&] {
        (void)::setenv("OPENSSL_CONF", configuration.c_str(), 1);
        (void)::setenv("CRED_TEST_KEY", key.c_str(), 1);
        (void)::execl("/proc/self/exe", "cred_ed25519_test", "--gtest_also_run_disabled_tests",
                      "--gtest_filter=Plugin.DISABLED_WithoutEd25519", nullptr);
        return false;
    });
    EXPECT_TRUE(child.succeeds());
}

TEST(Plugin, DISABLED_WithoutEd25519)
{
    const char* const path = std::getenv("CRED_TEST_KEY");
    ASSERT_NE(path, nullptr);
    EXPECT_EQ(plugin().read_private_key(path), nullptr);
    const auto log = take_log();
    ASSERT_EQ(log.size(), 1U);
    EXPECT_EQ(log.front(), std::string("error: cred/ed25519: private key ") + path + ": " +
                               plugin().str_error(static_cast<int>(cred_ed25519::Refusal::crypto_failure)));
}

// The id in the log is what README.md has an administrator compute; both halves of a pair have the same one.
TEST(Plugin, NamesBothHalvesOfAPairAlike)
{
    const KeyFiles files;
    const Pair pair = make_pair("ED25519");
    const ReadKey private_key(plugin().read_private_key(files.write(pair.private_pem, 0400).c_str()));
    const ReadKey public_key(
        plugin().read_public_key(files.write(pair.public_pem + make_pair("ED25519").public_pem, 0644).c_str()));
    const auto log = take_log();
    ASSERT_EQ(log.size(), 2U);
    const std::string id = log[0].substr(log[0].rfind(' ') + 1);
    EXPECT_EQ(id.size(), 16U);
    EXPECT_NE(log[1].find(": id " + id + " "), std::string::npos) << log[1];
}

}  // namespace
}  // namespace slurm_adopt::cred_test
