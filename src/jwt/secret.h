// SPDX-License-Identifier: GPL-2.0-or-later
// Bytes that nobody else is to see: in pages of their own, out of core dumps, swap and children, zeroed at the end.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "slurm_adopt/result.h"

namespace slurm_adopt::jwt {

class Secret {
public:
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    Secret(Secret&& other) noexcept
        : pages_(std::exchange(other.pages_, nullptr)),
          capacity_(std::exchange(other.capacity_, 0)),
          size_(std::exchange(other.size_, 0))
    {
    }
    Secret& operator=(Secret&& other) noexcept
    {
        std::swap(pages_, other.pages_);  // the other one zeroes what was ours
        std::swap(capacity_, other.capacity_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~Secret();

    // `size` zero bytes (more than 0). ErrorCode::system: there is no memory. Where it may not be locked it is used
    // unlocked.
    [[nodiscard]] static Result<Secret> of_size(std::size_t size);

    [[nodiscard]] std::span<unsigned char> bytes() { return {pages_, size_}; }
    [[nodiscard]] std::span<const unsigned char> bytes() const { return {pages_, size_}; }

    // Keeps the first `size` bytes, at most those there are; the others are zeroed.
    void shrink(std::size_t size);

private:
    Secret(unsigned char* pages, std::size_t size) : pages_(pages), capacity_(size), size_(size) {}

    unsigned char* pages_;
    std::size_t capacity_;  // what is mapped
    std::size_t size_;
};

}  // namespace slurm_adopt::jwt
