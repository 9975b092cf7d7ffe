// SPDX-License-Identifier: GPL-2.0-or-later
// Whether munge, which signs what libslurm sends, is there to be asked.
#pragma once

#include "slurm_adopt/result.h"
#include "slurm_api.h"

namespace slurm_adopt::helper {

// An error where AuthType is auth/munge and nobody has munged's socket (the one of AuthInfo, or else libmunge's own), nor
// comes back to it in a moment. munged itself does not notice. Where another plugin authenticates, or the socket's path
// cannot be found out, there is nothing to say against it.
[[nodiscard]] Result<Done> check_munge(const Authentication& authentication);

}  // namespace slurm_adopt::helper
