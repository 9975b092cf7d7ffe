// SPDX-License-Identifier: GPL-2.0-or-later
// What may be in a key file, and the text for everything else. Nothing is ever asked of a terminal.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>

#include "../refusal.h"
#include "called_plugin.h"
#include "key_files.h"

namespace slurm_adopt::cred_test {
namespace {

using cred_ed25519::Refusal;

class KeyContent : public ::testing::Test {
protected:
    KeyContent() : pair(make_pair("ED25519"))
    {
        set_slurm_user(0);
        (void)take_log();
    }

    // Empty where it was taken, else what the log says behind the name of the file.
    std::string read(bool is_private, const std::string& text) const
    {
        const std::string path = files.write(text, 0400);
        const ReadKey key(is_private ? plugin().read_private_key(path.c_str()) : plugin().read_public_key(path.c_str()));
        const auto log = take_log();
        if (log.size() != 1) return "lines: " + std::to_string(log.size());
        if (key.get() != nullptr) return "";
        return log.front().substr(log.front().find(path) + path.size() + 2);
    }

    static std::string line(Refusal why, const std::string& detail = "")
    {
        return plugin().str_error(static_cast<int>(why)) + (detail.empty() ? "" : " (" + detail + ")");
    }

    KeyFiles files;
    Pair pair;
};

TEST_F(KeyContent, APairIsTakenHoweverItsLinesEnd)
{
    EXPECT_EQ(read(true, pair.private_pem), "");
    EXPECT_EQ(read(false, pair.public_pem), "");
    std::string dos;
    for (const char c : pair.private_pem) dos += c == '\n' ? std::string("\r\n") : std::string(1, c);
    EXPECT_EQ(read(true, dos), "");
    EXPECT_EQ(read(true, "\n \n" + pair.private_pem + "\n\n"), "");
}

TEST_F(KeyContent, KeysOfOtherAlgorithmsAreRefused)
{
    const std::pair<const char*, const char*> others[] = {
        {"RSA", "rsaEncryption"}, {"EC", "id-ecPublicKey"}, {"ED448", "ED448"}, {"X25519", "X25519"}};
    for (const auto& [algorithm, name] : others) {
        const Pair other = make_pair(algorithm);
        EXPECT_EQ(read(true, other.private_pem), line(Refusal::no_ed25519, name));
        EXPECT_EQ(read(false, other.public_pem), line(Refusal::no_ed25519, name));
    }
}

TEST_F(KeyContent, TheOtherHalfIsRefused)
{
    EXPECT_EQ(read(true, pair.public_pem), line(Refusal::public_instead));
    EXPECT_EQ(read(false, pair.private_pem), line(Refusal::private_instead));
    EXPECT_EQ(read(false, private_pem_as("passphrase")), line(Refusal::passphrase));
}

TEST_F(KeyContent, APassphraseIsNeverAskedFor)
{
    (void)::alarm(20);
    EXPECT_EQ(read(true, private_pem_as("passphrase")), line(Refusal::passphrase));
    EXPECT_EQ(read(true, private_pem_as("old-passphrase")), line(Refusal::passphrase));
    (void)::alarm(0);
}

TEST_F(KeyContent, OtherBlocksAreRefusedByTheirName)
{
    EXPECT_EQ(read(true, private_pem_as("traditional")), line(Refusal::other_format, "RSA PRIVATE KEY"));
    for (const char* label : {"OPENSSH PRIVATE KEY", "EC PRIVATE KEY", "CERTIFICATE"}) {
        const std::string text = std::string("-----BEGIN ") + label + "-----\nAAAA\n-----END " + label + "-----\n";
        EXPECT_EQ(read(true, text), line(Refusal::other_format, label));
    }
    EXPECT_EQ(read(false, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
              line(Refusal::other_format, "CERTIFICATE"));
}

TEST_F(KeyContent, MoreBlocksThanAllowedAreRefused)
{
    const Pair other = make_pair("ED25519");
    EXPECT_EQ(read(true, pair.private_pem + other.private_pem), line(Refusal::too_many_blocks));
    EXPECT_EQ(read(true, pair.private_pem + pair.public_pem), line(Refusal::too_many_blocks));
    EXPECT_EQ(read(false, pair.public_pem + other.public_pem), "");
    EXPECT_EQ(read(false, pair.public_pem + other.public_pem + pair.public_pem), line(Refusal::too_many_blocks));
    EXPECT_EQ(read(false, pair.public_pem + make_pair("RSA").public_pem), line(Refusal::no_ed25519, "rsaEncryption"));
    EXPECT_EQ(read(false, pair.public_pem + pair.private_pem), line(Refusal::private_instead));
}

TEST_F(KeyContent, WhatIsNoPemIsRefused)
{
    for (const char* text : {"\n", "hello\n", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI root@ctl\n", "\0\0\0\0"})
        EXPECT_EQ(read(true, std::string(text) + "."), line(Refusal::no_pem)) << text;
    EXPECT_EQ(read(true, "\n\n"), line(Refusal::no_pem));
    EXPECT_EQ(read(true, pair.private_pem + "and more\n"), line(Refusal::no_pem));
    EXPECT_EQ(read(true, "-----BEGIN PRIVATE KEY\nAAAA\n"), line(Refusal::no_pem, "a BEGIN line without its end"));
    for (const char* label : {"X\033[31mY", "X\rY", "X\177Y", "X\303\244Y"})
        EXPECT_EQ(read(true, std::string("-----BEGIN ") + label + "-----\nAAAA\n-----END " + label + "-----\n"),
                  line(Refusal::no_pem, "a BEGIN line that is not printable"));
    const std::string no_end = pair.private_pem.substr(0, pair.private_pem.find("-----END"));
    EXPECT_EQ(read(true, no_end), line(Refusal::no_pem, "a block without its END line"));
    EXPECT_EQ(read(true, no_end + "-----END PUBLIC KEY-----\n"), line(Refusal::no_pem, "a block without its END line"));
}

TEST_F(KeyContent, DamagedOnesAreRefused)
{
    const auto block = [](const std::string& body) {
        return "-----BEGIN PRIVATE KEY-----\n" + body + "\n-----END PRIVATE KEY-----\n";
    };
    const std::string body = "MC4CAQAwBQYDK2VwBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    EXPECT_EQ(read(true, block(body)), "");
    EXPECT_EQ(read(true, block("")), line(Refusal::malformed, "Base64 cut short"));
    EXPECT_EQ(read(true, block(body.substr(1))), line(Refusal::malformed, "Base64 cut short"));
    EXPECT_EQ(read(true, block("A===")), line(Refusal::malformed, "Base64 cut short"));
    EXPECT_EQ(read(true, block("MC=C" + body.substr(4))), line(Refusal::malformed, "not Base64"));
    EXPECT_EQ(read(true, block("MC!C" + body.substr(4))), line(Refusal::malformed, "not Base64"));
    EXPECT_EQ(read(true, block(body.substr(4))), line(Refusal::malformed, "no PKCS#8"));
    EXPECT_EQ(read(true, block(body.substr(0, 60))), line(Refusal::malformed, "no PKCS#8"));
    EXPECT_EQ(read(true, block(body + "AAAA")), line(Refusal::malformed, "bytes behind the key"));
    // 31 bytes; parameters (NULL) behind the algorithm.
    EXPECT_EQ(read(true, block("MC0CAQAwBQYDK2VwBCEEHwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")),
              line(Refusal::malformed, "a private key of the wrong size"));
    EXPECT_EQ(read(true, block("MDACAQAwBwYDK2VwBQAEIgQgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")),
              line(Refusal::malformed, "parameters where Ed25519 has none"));
    const std::string public_block =
        "-----BEGIN PUBLIC KEY-----\nMCkwBQYDK2VwAyAA" + std::string(42, 'A') + "==\n-----END PUBLIC KEY-----\n";
    EXPECT_EQ(read(false, public_block), line(Refusal::malformed, "a public key of the wrong size"));
}

// The points of order 1, 2, 4 and 8, in each of their encodings; and numbers beside them.
TEST_F(KeyContent, PointsOfSmallOrderAreNoKeys)
{
    const auto block = [](const std::string& point) {
        return "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA" + point + "\n-----END PUBLIC KEY-----\n";
    };
    for (const char* point : {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA=",
                              "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA=",
                              "JuiVj8KyJ7BFw/SJ8u+Y8NXfrAXTxjM5sTgCiG1T/AU=", "JuiVj8KyJ7BFw/SJ8u+Y8NXfrAXTxjM5sTgCiG1T/IU=",
                              "xxdqcD1N2E+6PAt2DRBnDyogU/osOczGTsf9d5KsA3o=", "xxdqcD1N2E+6PAt2DRBnDyogU/osOczGTsf9d5KsA/o=",
                              "7P///////////////////////////////////////38=", "7P////////////////////////////////////////8=",
                              "7f///////////////////////////////////////38=", "7v///////////////////////////////////////38=",
                              "7v////////////////////////////////////////8="})
        EXPECT_EQ(read(false, block(point)), line(Refusal::malformed, "a point of small order")) << point;
    for (const char* point : {"AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "6////////////////////////////////////////38=",
                              "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE="})
        EXPECT_EQ(read(false, block(point)), "") << point;
}

// Every byte of a good file changed: refused or taken, never a crash.
TEST_F(KeyContent, NoByteOfAFileIsBelieved)
{
    for (const bool is_private : {true, false}) {
        const std::string& good = is_private ? pair.private_pem : pair.public_pem;
        for (std::size_t at = 0; at < good.size(); ++at)
            for (const unsigned flip : {0x01U, 0x20U, 0x80U, 0xffU}) {
                std::string bad = good;
                bad[at] = static_cast<char>(static_cast<unsigned char>(bad[at]) ^ flip);
                (void)read(is_private, bad);
                (void)read(is_private, good.substr(0, at));
            }
    }
    EXPECT_EQ(read(true, pair.private_pem), "");
}

TEST_F(KeyContent, TheLogNeverHasAPartOfAKey)
{
    const std::string secret = pair.private_pem.substr(60, 20);
    std::string damaged = pair.private_pem;
    damaged.insert(damaged.find('\n') + 10, "!");
    for (const std::string& text : {damaged, pair.private_pem + pair.private_pem, pair.private_pem + "x"})
        EXPECT_EQ(read(true, text).find(secret), std::string::npos);
    EXPECT_EQ(read(false, pair.private_pem).find(secret), std::string::npos);
}

}  // namespace
}  // namespace slurm_adopt::cred_test
