// SPDX-License-Identifier: GPL-2.0-or-later
#include "pam_stack.h"

#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace slurm_adopt::test {
namespace {

int converse(int count, const pam_message** messages, pam_response** responses, void* data)
{
    auto& told = *static_cast<std::vector<std::string>*>(data);
    for (int i = 0; i < count; ++i) told.emplace_back(messages[i]->msg);
    *responses = static_cast<pam_response*>(std::calloc(static_cast<std::size_t>(count), sizeof(pam_response)));
    return *responses == nullptr ? PAM_BUF_ERR : PAM_SUCCESS;
}

}  // namespace

PamStack::PamStack(std::vector<std::string> lines, std::string service) : service_(std::move(service))
{
    write(service_, lines);
}

void PamStack::write(const std::string& name, const std::vector<std::string>& lines) const
{
    std::string text;
    for (std::string line : lines) {
        for (std::size_t at; (at = line.find("MODULE")) != std::string::npos;) line.replace(at, 6, MODULE_PATH);
        text += line + '\n';
    }
    directory_.write(name, text);
}

StackResult PamStack::account(const std::string& user, int flags) const
{
    StackResult result;
    const pam_conv conversation{converse, &result.told};
    pam_handle_t* handle = nullptr;
    if (::pam_start_confdir(service_.c_str(), user.c_str(), &conversation, directory_.path().c_str(), &handle) !=
        PAM_SUCCESS)
        throw std::runtime_error("pam_start_confdir");
    (void)::pam_set_item(handle, PAM_RHOST, "192.0.2.7");
    (void)::pam_set_item(handle, PAM_TTY, "ssh");
    result.code = ::pam_acct_mgmt(handle, flags);
    if (char** environment = ::pam_getenvlist(handle); environment != nullptr) {
        for (char** variable = environment; *variable != nullptr; ++variable) {
            result.environment.emplace_back(*variable);
            std::free(*variable);
        }
        std::free(environment);
    }
    (void)::pam_end(handle, result.code);
    return result;
}

}  // namespace slurm_adopt::test
