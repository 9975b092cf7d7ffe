// SPDX-License-Identifier: GPL-2.0-or-later
// What is logged and told: names, services and hosts that others have chosen must not forge a line, a key or an escape.
#include <algorithm>
#include <array>
#include <string>

#include "input.h"
#include "require.h"
#include "slurm_adopt/messages.h"
#include "slurm_adopt/text.h"

using namespace slurm_adopt;
using fuzz::require;

namespace {

bool is_plain(std::string_view text)
{
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

void check_text(std::string_view text)
{
    const std::string shown = printable(text);
    require(is_plain(shown) && shown.size() == std::min<std::size_t>(text.size(), 256), "printable() is ASCII, 256 bytes at most");
    require(printable(shown) == shown, "printable() changes nothing twice");
    const std::string value = log_value(text);
    require(is_plain(value) && !value.empty() && value.size() <= 256 && value.find_first_of(" =") == std::string::npos,
            "log_value() is one word");
    if (is_printable(text)) require(text.find_first_of("\n\r\x1b") == std::string_view::npos, "is_printable() means no control characters");
}

void check_line(const std::string& line)
{
    constexpr std::array keys = {"decision=", "reason=", "user=", "uid=", "service=", "rhost=",
                                 "jobs=", "job=", "phase=", "ms=", "verified=", "on_failure="};
    require(is_plain(line), "the decision line is ASCII");
    const auto parts = split(line, ' ');
    require(parts.size() == keys.size(), "the decision line has its keys, and no more");
    for (std::size_t i = 0; i < keys.size(); ++i)
        require(parts[i].starts_with(keys[i]) && std::count(parts[i].begin(), parts[i].end(), '=') == 1 && parts[i].back() != '=',
                "each key in its place with one value");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::Input input(data, size);
    constexpr Verdict verdicts[] = {Verdict::deny, Verdict::ignore, Verdict::allow, Verdict::adopt};
    constexpr unsigned reasons = static_cast<unsigned>(Reason::unknown_user) + 1;
    LoginRecord record;
    record.decision = {input.pick(verdicts), static_cast<Reason>(input.byte() % reasons)};
    record.jobs = input.word();
    record.job_id = input.word();
    record.took = std::chrono::microseconds(input.word());
    const unsigned bits = input.byte();
    record.verified = (bits & 1) != 0;
    record.fails_open = (bits & 2) != 0;
    if ((bits & 4) != 0) record.uid = input.word();
    for (std::string* each : {&record.user, &record.service, &record.rhost, &record.node, &record.phase}) {
        *each = input.text();
        check_text(*each);
    }
    check_text(input.rest());
    check_line(decision_line(record));
    const std::string message = user_message(record);
    require(is_plain(message), "what a user is told is ASCII, one line");
    require(record.decision.verdict == Verdict::deny || record.decision.verdict == Verdict::adopt || message.empty(),
            "who is passed over is told nothing");
    return 0;
}
