// SPDX-License-Identifier: GPL-2.0-or-later
// Errors as values: Result<T> holds a T or an Error, never neither.
#pragma once

#include <cassert>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace slurm_adopt {

// What kind of thing went wrong. What follows from it is policy (reason.h), not decided here.
enum class ErrorCode {
    system,     // a system call failed; Error::errno_value says how
    timed_out,  // the deadline passed
    closed,     // the peer ended the conversation
    protocol,   // the peer said something that the protocol does not allow
    refused,    // the peer said no
    untrusted,  // the peer is not who it has to be
    too_large,  // more data than the cap allows
    malformed,  // text or bytes that do not parse
};

struct Error {
    ErrorCode code;
    int errno_value = 0;  // 0 where no system call failed
    std::string context;  // outermost first: "adopt: read reply: Connection reset by peer"

    // The same error, with what was being done put in front.
    [[nodiscard]] Error in(std::string_view what) &&;
};

// An Error of the system call that has just failed (reads errno).
[[nodiscard]] Error system_error(std::string_view what);
[[nodiscard]] Error system_error(std::string_view what, int errno_value);

template <class T>
class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<1>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
    Result(Error error) : state_(std::in_place_index<0>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

    [[nodiscard]] bool ok() const { return state_.index() == 1; }
    explicit operator bool() const { return ok(); }

    [[nodiscard]] T& value() & { return *checked<1>(); }
    [[nodiscard]] const T& value() const& { return *checked<1>(); }
    [[nodiscard]] T&& value() && { return std::move(*checked<1>()); }
    [[nodiscard]] const Error& error() const& { return *checked<0>(); }
    [[nodiscard]] Error&& error() && { return std::move(*checked<0>()); }

private:
    template <std::size_t I>
    auto* checked()
    {
        auto* held = std::get_if<I>(&state_);
        if (held == nullptr) __builtin_trap();  // a caller that did not ask ok() first
        return held;
    }
    template <std::size_t I>
    const auto* checked() const
    {
        const auto* held = std::get_if<I>(&state_);
        if (held == nullptr) __builtin_trap();
        return held;
    }

    std::variant<Error, T> state_;
};

// The value of a Result that carries nothing but success.
struct Done {};

}  // namespace slurm_adopt
