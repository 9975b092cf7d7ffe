// SPDX-License-Identifier: GPL-2.0-or-later
// A JSON text read while it comes, and never kept: the memory that it takes does not grow with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "slurm_adopt/result.h"

namespace slurm_adopt::rest {

// Where the text comes from. Empty: it is over. What is returned is valid until the next call.
class Source {
public:
    Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    virtual ~Source() = default;
    [[nodiscard]] virtual Result<std::string_view> next() = 0;
};

// Ten thousand jobs with all their details are 37 MB in 22.05.
inline constexpr std::size_t longest_text = std::size_t{40} * 1024 * 1024;
// A name, a string or a number, and the blanks before it.
inline constexpr std::size_t longest_token = std::size_t{1024} * 1024;
inline constexpr std::size_t deepest_nesting = 64;

// The characters of a text, one after the other. After the last one, or where there is an error: at_end().
class Characters {
public:
    explicit Characters(Source& source) : source_(source)
    {
        fill();
        refuse_nul();
    }

    [[nodiscard]] bool at_end() const { return chunk_.empty(); }
    [[nodiscard]] char current() const { return chunk_.front(); }
    void advance();
    // A token has been read.
    void token_ends() { token_ = 0; }
    [[nodiscard]] const std::optional<Error>& error() const { return error_; }

private:
    void fill();
    // Where it is reached, however the text comes.
    void refuse_nul();
    void fail(Error error);

    Source& source_;
    std::string_view chunk_;
    std::size_t read_ = 0;
    std::size_t token_ = 0;
    std::optional<Error> error_;
};

// For the parser: an input iterator over Characters; the end is one without.
class CharacterIterator {
public:
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = char;

    CharacterIterator() = default;
    explicit CharacterIterator(Characters& characters) : characters_(&characters) {}

    [[nodiscard]] char operator*() const { return characters_->current(); }
    CharacterIterator& operator++()
    {
        characters_->advance();
        return *this;
    }
    CharacterIterator operator++(int)
    {
        characters_->advance();
        return *this;
    }
    [[nodiscard]] bool operator==(const CharacterIterator& other) const { return at_end() == other.at_end(); }

private:
    [[nodiscard]] bool at_end() const { return characters_ == nullptr || characters_->at_end(); }
    Characters* characters_ = nullptr;
};

// What a text is told to, a value after the other. `depth` is how many objects and lists are open around it.
class Listener {
public:
    Listener() = default;
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    virtual ~Listener() = default;

    // Each returns false to end the reading; error() of the object then says why.
    [[nodiscard]] virtual bool opens(std::size_t depth, bool is_object) = 0;
    [[nodiscard]] virtual bool closes(std::size_t depth) = 0;
    [[nodiscard]] virtual bool has_name(std::size_t depth, std::string_view name) = 0;
    [[nodiscard]] virtual bool has_text(std::size_t depth, std::string_view text) = 0;
    // No number: it is not whole, or too large.
    [[nodiscard]] virtual bool has_number(std::size_t depth, std::optional<std::int64_t> number) = 0;
    [[nodiscard]] virtual bool has_flag(std::size_t depth, bool flag) = 0;
    [[nodiscard]] virtual bool has_null(std::size_t depth) = 0;
};

// Reads the whole text. An error: what Source says, ErrorCode::too_large, or ErrorCode::malformed for what is no JSON.
// A listener that ends the reading is no error: true is returned when all was read, false when the listener wanted no more.
[[nodiscard]] Result<bool> read_json(Source& source, Listener& listener);

}  // namespace slurm_adopt::rest
