// SPDX-License-Identifier: GPL-2.0-or-later
// The PAM application behind a pam_handle_t (Linux-PAM 1.4 and later).
#pragma once

#include <security/pam_modules.h>

#include "host.h"

namespace slurm_adopt {

class PamHost final : public Host {
public:
    // `flags` as the entry point got them: with PAM_SILENT the user is told nothing.
    PamHost(pam_handle_t* handle, int flags) : handle_(handle), silent_((static_cast<unsigned>(flags) & PAM_SILENT) != 0) {}

    [[nodiscard]] std::string_view user() const override { return item(PAM_USER); }
    [[nodiscard]] std::string_view service() const override { return item(PAM_SERVICE); }
    [[nodiscard]] std::string_view remote_host() const override { return item(PAM_RHOST); }
    void log(Priority priority, const std::string& line) override;
    void tell_refusal(const std::string& message) override;
    void tell(const std::string& message) override;
    [[nodiscard]] Result<Done> set_environment(const std::string& name, const std::string& value) override;
    void unset_environment(const std::string& name) override;
    [[nodiscard]] std::string environment(const std::string& name) const override;
    [[nodiscard]] bool has_environment(const std::string& name) const override;
    [[nodiscard]] std::vector<std::string> environment_names() const override;
    [[nodiscard]] bool keep(TakenJob taken) override;
    [[nodiscard]] const TakenJob* kept() const override;

private:
    [[nodiscard]] std::string_view item(int type) const;

    pam_handle_t* handle_;
    bool silent_;
};

}  // namespace slurm_adopt
