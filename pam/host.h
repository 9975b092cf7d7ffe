// SPDX-License-Identifier: GPL-2.0-or-later
// What a phase needs of the PAM application, so that a phase can be run without one.
#pragma once

#include <string>
#include <string_view>

#include "slurm_adopt/options.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt {

enum class Priority { error, warning, notice, info, debug };  // of syslog(3)

class Host {
public:
    Host() = default;
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;
    virtual ~Host() = default;

    // Empty where the application has not set it; valid until the application changes it.
    [[nodiscard]] virtual std::string_view user() const = 0;
    [[nodiscard]] virtual std::string_view service() const = 0;
    [[nodiscard]] virtual std::string_view remote_host() const = 0;

    virtual void log(Priority priority, const std::string& line) = 0;
    virtual void tell_refusal(const std::string& message) = 0;
    virtual void tell(const std::string& message) = 0;

    // Into the environment of the session to come.
    [[nodiscard]] virtual Result<Done> set_environment(const std::string& name, const std::string& value) = 0;
};

}  // namespace slurm_adopt
