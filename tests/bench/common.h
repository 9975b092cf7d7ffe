// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the programs that compare services have in common.
#pragma once
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

// SERVICE=OUTCOME of the command line. OUTCOME is what every login of that service must come to: `pass` (PAM_SUCCESS),
// `adopted` (PAM_SUCCESS, and the process is inside an extern step) or `refused`.
struct Expectation {
    std::string service;
    std::string outcome;
};

inline std::vector<Expectation> expectations(int argc, char** argv, int first)
{
    std::vector<Expectation> all;
    for (int i = first; i < argc; ++i) {
        const std::string_view argument = argv[i];
        const std::size_t equals = argument.find('=');
        if (equals == std::string_view::npos) throw std::runtime_error("no outcome: " + std::string(argument));
        all.push_back({std::string(argument.substr(0, equals)), std::string(argument.substr(equals + 1))});
    }
    return all;
}

// The exit code of bench_once that means `outcome`.
inline int exit_code_of(const std::string& outcome)
{
    constexpr std::array<std::string_view, 3> outcomes{"adopted", "pass", "refused"};
    const auto* at = std::find(outcomes.begin(), outcomes.end(), outcome);
    if (at == outcomes.end()) throw std::runtime_error("no such outcome: " + outcome);
    return static_cast<int>(at - outcomes.begin());
}

inline double quantile(std::vector<double> values, double part)
{
    std::sort(values.begin(), values.end());
    const double at = part * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(at);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return values[below] + (values[above] - values[below]) * (at - static_cast<double>(below));
}

// A positive number of the command line.
inline int number(const char* text)
{
    const int value = std::atoi(text);
    if (value < 1) throw std::runtime_error(std::string("must be a positive number: ") + text);
    return value;
}

// The program: its exit code, and what is wrong on stderr.
inline int guarded(const char* program, void (*run)(int, char**), int argc, char** argv)
{
    try {
        run(argc, argv);
        return 0;
    } catch (const std::exception& problem) {
        (void)std::fprintf(stderr, "%s: %s\n", program, problem.what());
        return 1;
    }
}

}  // namespace bench
