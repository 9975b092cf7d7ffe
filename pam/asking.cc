// SPDX-License-Identifier: GPL-2.0-or-later
#include "asking.h"

#include "slurm_adopt/host_name.h"

namespace slurm_adopt {

HelperSettings helper_settings_of(const Options& options)
{
    return {options.helper.empty() ? SLURM_ADOPT_HELPER_PATH : options.helper, options.slurm_conf, options.log_level};
}

ControllerQuestion controller_question(const Options& options, std::optional<uid_t> uid)
{
    ControllerQuestion question{.uid = uid, .node = options.nodename.empty() ? short_host_name() : options.nodename, .rest = std::nullopt};
    if (options.controller == Controller::rest)
        question.rest = RestSettings{.url = options.rest_url,
                                     .user = options.rest_user,
                                     .token_file = options.rest_token_file,
                                     .key_file = options.rest_key_file,
                                     .ca_file = options.rest_ca_file};
    return question;
}

}  // namespace slurm_adopt
