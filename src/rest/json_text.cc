// SPDX-License-Identifier: GPL-2.0-or-later
#include "rest/json_text.h"

#include <cstdint>
#include <limits>
#include <utility>

namespace slurm_adopt::rest {
namespace {

using nlohmann::json;

Error too_large(const char* what)
{
    return Error{ErrorCode::too_large, 0, what};
}

class Parser : public json::json_sax_t {
public:
    Parser(Characters& characters, Listener& listener) : characters_(characters), listener_(listener) {}

    bool null() override { return token() && told(listener_.has_null(depth_)); }
    bool boolean(bool flag) override { return token() && told(listener_.has_flag(depth_, flag)); }
    bool number_integer(number_integer_t number) override { return token() && told(listener_.has_number(depth_, number)); }
    bool number_unsigned(number_unsigned_t number) override
    {
        constexpr auto most = std::numeric_limits<std::int64_t>::max();
        std::optional<std::int64_t> whole;
        if (number <= static_cast<number_unsigned_t>(most)) whole = static_cast<std::int64_t>(number);
        return token() && told(listener_.has_number(depth_, whole));
    }
    bool number_float(number_float_t, const string_t&) override { return token() && told(listener_.has_number(depth_, std::nullopt)); }
    bool string(string_t& text) override { return token() && told(listener_.has_text(depth_, text)); }
    bool binary(binary_t&) override { return false; }
    bool key(string_t& name) override { return token() && told(listener_.has_name(depth_, name)); }
    bool start_object(std::size_t) override { return opens(true); }
    bool start_array(std::size_t) override { return opens(false); }
    bool end_object() override { return closes(); }
    bool end_array() override { return closes(); }
    bool parse_error(std::size_t position, const std::string&, const json::exception&) override
    {
        // Not the parser's own words, which hold some of the text.
        error_ = Error{ErrorCode::malformed, 0, "is no JSON at byte " + std::to_string(position)};
        return false;
    }

    [[nodiscard]] const std::optional<Error>& error() const { return error_; }
    [[nodiscard]] bool unwanted() const { return unwanted_; }

private:
    bool token()
    {
        characters_.token_ends();
        return true;
    }
    bool told(bool goes_on)
    {
        if (!goes_on) unwanted_ = true;
        return goes_on;
    }
    bool opens(bool is_object)
    {
        token();
        if (++depth_ > deepest_nesting) {
            error_ = too_large("is nested too deep");
            return false;
        }
        return told(listener_.opens(depth_, is_object));
    }
    bool closes()
    {
        token();
        return told(listener_.closes(depth_--));
    }

    Characters& characters_;
    Listener& listener_;
    std::size_t depth_ = 0;
    std::optional<Error> error_;
    bool unwanted_ = false;
};

}  // namespace

void Characters::advance()
{
    chunk_.remove_prefix(1);
    if (++token_ > longest_token) return fail(too_large("has a text that is too long"));
    if (chunk_.empty()) fill();
    refuse_nul();
}

void Characters::fill()
{
    auto more = source_.next();
    if (!more) return fail(std::move(more).error());
    chunk_ = more.value();
    read_ += chunk_.size();
    if (read_ > longest_text) fail(too_large("has more than 40 MiB"));
}

void Characters::refuse_nul()
{
    // The parser takes it for the end.
    if (!chunk_.empty() && chunk_.front() == '\0') fail(Error{ErrorCode::malformed, 0, "has a NUL, which is no JSON"});
}

void Characters::fail(Error error)
{
    error_ = std::move(error);
    chunk_ = {};
}

Result<bool> read_json(Source& source, Listener& listener)
{
    Characters characters(source);
    Parser parser(characters, listener);
    const bool is_read = json::sax_parse(CharacterIterator(characters), CharacterIterator(), &parser);
    // The parser sees a text that ends early.
    if (characters.error()) return *characters.error();
    if (parser.error()) return *parser.error();
    if (!is_read && !parser.unwanted()) return Error{ErrorCode::malformed, 0, "is no JSON"};
    return is_read;
}

}  // namespace slurm_adopt::rest
