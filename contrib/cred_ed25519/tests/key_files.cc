// SPDX-License-Identifier: GPL-2.0-or-later
#include "key_files.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <memory>
#include <stdexcept>

namespace slurm_adopt::cred_test {
namespace {

struct Free {
    void operator()(EVP_PKEY* key) const { ::EVP_PKEY_free(key); }
    void operator()(BIO* bio) const { ::BIO_free_all(bio); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Bio = std::unique_ptr<BIO, Free>;

Key make_key(const std::string& algorithm)
{
    Key key;
    if (algorithm == "RSA")
        key.reset(::EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048}));
    else if (algorithm == "EC")
        key.reset(::EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
    else
        key.reset(::EVP_PKEY_Q_keygen(nullptr, nullptr, algorithm.c_str()));
    if (key == nullptr) throw std::runtime_error("no key of " + algorithm);
    return key;
}

std::string text_of(const Bio& bio)
{
    char* data = nullptr;
    const long size = ::BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

Bio new_bio()
{
    return Bio(::BIO_new(::BIO_s_mem()));
}

}  // namespace

Pair make_pair(const std::string& algorithm)
{
    const Key key = make_key(algorithm);
    const Bio private_bio = new_bio();
    const Bio public_bio = new_bio();
    if (::PEM_write_bio_PKCS8PrivateKey(private_bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
        ::PEM_write_bio_PUBKEY(public_bio.get(), key.get()) != 1)
        throw std::runtime_error("no PEM of " + algorithm);
    return Pair{text_of(private_bio), text_of(public_bio)};
}

std::string private_pem_as(const std::string& format)
{
    std::string word = "word";
    auto* const bytes = reinterpret_cast<unsigned char*>(word.data());
    const Key key = make_key(format == "passphrase" ? "ED25519" : "RSA");
    const Bio bio = new_bio();
    int written = 0;
    if (format == "passphrase")
        written = ::PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), ::EVP_aes_256_cbc(), word.data(),
                                                  static_cast<int>(word.size()), nullptr, nullptr);
    else if (format == "traditional")
        written = ::PEM_write_bio_PrivateKey_traditional(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    else if (format == "old-passphrase")
        written = ::PEM_write_bio_PrivateKey_traditional(bio.get(), key.get(), ::EVP_aes_256_cbc(), bytes,
                                                         static_cast<int>(word.size()), nullptr, nullptr);
    if (written != 1) throw std::runtime_error("no PEM as " + format);
    return text_of(bio);
}

std::string KeyFiles::write(const std::string& text, mode_t mode, const std::string& name) const
{
    std::string path = directory_.write(name, text);
    if (::chmod(path.c_str(), mode) != 0) throw std::runtime_error("chmod " + path);
    return path;
}

}  // namespace slurm_adopt::cred_test
