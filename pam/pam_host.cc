// SPDX-License-Identifier: GPL-2.0-or-later
#include "pam_host.h"

#include <security/pam_ext.h>
#include <syslog.h>

#include <cstdlib>
#include <memory>

namespace slurm_adopt {
namespace {

int syslog_priority(Priority priority)
{
    switch (priority) {
    case Priority::error: return LOG_ERR;
    case Priority::warning: return LOG_WARNING;
    case Priority::notice: return LOG_NOTICE;
    case Priority::info: return LOG_INFO;
    case Priority::debug: return LOG_DEBUG;
    }
    return LOG_ERR;
}

// The name of our data in the handle, which all modules share. With the number of the layout of TakenJob: two builds of
// this module may meet in one stack.
constexpr const char* taken_job_name = "slurm_adopt_taken_job_1";

void forget(pam_handle_t*, void* taken, int)
{
    delete static_cast<TakenJob*>(taken);
}

}  // namespace

std::string_view PamHost::item(int type) const
{
    // Not pam_get_user(): it would prompt, and in the account phase there is nobody to ask any more.
    const void* value = nullptr;
    if (::pam_get_item(handle_, type, &value) != PAM_SUCCESS || value == nullptr) return {};
    return static_cast<const char*>(value);
}

void PamHost::log(Priority priority, const std::string& line)
{
    ::pam_syslog(handle_, syslog_priority(priority), "%s", line.c_str());
}

void PamHost::tell_refusal(const std::string& message)
{
    if (!silent_) (void)pam_error(handle_, "%s", message.c_str());
}

void PamHost::tell(const std::string& message)
{
    if (!silent_) (void)pam_info(handle_, "%s", message.c_str());
}

Result<Done> PamHost::set_environment(const std::string& name, const std::string& value)
{
    const std::string assignment = name + '=' + value;
    const int result = ::pam_putenv(handle_, assignment.c_str());
    if (result == PAM_SUCCESS) return Done{};
    return Error{ErrorCode::refused, 0, "pam_putenv " + name + ": " + ::pam_strerror(handle_, result)};
}

void PamHost::unset_environment(const std::string& name)
{
    (void)::pam_putenv(handle_, name.c_str());
}

std::string PamHost::environment(const std::string& name) const
{
    const char* value = ::pam_getenv(handle_, name.c_str());
    return value == nullptr ? std::string() : value;
}

bool PamHost::has_environment(const std::string& name) const
{
    return ::pam_getenv(handle_, name.c_str()) != nullptr;
}

std::vector<std::string> PamHost::environment_names() const
{
    // A copy of libpam's, for us to free.
    const auto release = [](char** list) {
        for (char** entry = list; *entry != nullptr; ++entry) std::free(*entry);
        std::free(static_cast<void*>(list));
    };
    const std::unique_ptr<char*, decltype(release)> list(::pam_getenvlist(handle_), release);
    std::vector<std::string> names;
    for (char** entry = list.get(); entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view variable = *entry;
        names.emplace_back(variable.substr(0, variable.find('=')));
    }
    return names;
}

bool PamHost::keep(TakenJob taken)
{
    auto owned = std::make_unique<TakenJob>(std::move(taken));
    if (::pam_set_data(handle_, taken_job_name, owned.get(), forget) != PAM_SUCCESS) return false;
    (void)owned.release();
    return true;
}

const TakenJob* PamHost::kept() const
{
    const void* taken = nullptr;
    if (::pam_get_data(handle_, taken_job_name, &taken) != PAM_SUCCESS) return nullptr;
    return static_cast<const TakenJob*>(taken);
}

}  // namespace slurm_adopt
