// SPDX-License-Identifier: GPL-2.0-or-later
#include "jwt/secret.h"

#include <string.h>
#include <sys/mman.h>

#include <algorithm>

namespace slurm_adopt::jwt {

Result<Secret> Secret::of_size(std::size_t size)
{
    void* const pages = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) return system_error("memory for a key");
    // Each of these may be refused (RLIMIT_MEMLOCK, an old kernel). The key is as good without them.
    (void)::mlock(pages, size);
    (void)::madvise(pages, size, MADV_DONTDUMP);
    (void)::madvise(pages, size, MADV_WIPEONFORK);
    return Secret(static_cast<unsigned char*>(pages), size);
}

void Secret::shrink(std::size_t size)
{
    const std::size_t kept = std::min(size, size_);
    ::explicit_bzero(pages_ + kept, size_ - kept);
    size_ = kept;
}

Secret::~Secret()
{
    if (pages_ == nullptr) return;
    ::explicit_bzero(pages_, capacity_);
    (void)::munmap(pages_, capacity_);
}

}  // namespace slurm_adopt::jwt
