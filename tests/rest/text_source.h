// SPDX-License-Identifier: GPL-2.0-or-later
// A text that comes in pieces.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "rest/json_text.h"

namespace slurm_adopt::rest::test {

class TextSource : public Source {
public:
    explicit TextSource(std::string text, std::size_t piece = 1000) : text_(std::move(text)), piece_(piece) {}

    Result<std::string_view> next() override
    {
        const std::string_view rest = std::string_view(text_).substr(given_);
        const std::string_view piece = rest.substr(0, piece_);
        given_ += piece.size();
        return piece;
    }
    [[nodiscard]] std::size_t given() const { return given_; }

private:
    std::string text_;
    std::size_t piece_;
    std::size_t given_ = 0;
};

// The same piece again and again: `times` of it after a beginning, which costs no memory.
class EndlessSource : public Source {
public:
    EndlessSource(std::string beginning, std::string piece, std::size_t times)
        : beginning_(std::move(beginning)), piece_(std::move(piece)), left_(times)
    {
    }

    Result<std::string_view> next() override
    {
        if (!std::exchange(has_begun_, true)) return std::string_view(beginning_);
        if (left_ == 0) return std::string_view();
        --left_;
        given_ += piece_.size();
        return std::string_view(piece_);
    }
    [[nodiscard]] std::size_t given() const { return given_; }

private:
    std::string beginning_;
    std::string piece_;
    std::size_t left_;
    std::size_t given_ = 0;
    bool has_begun_ = false;
};

}  // namespace slurm_adopt::rest::test
