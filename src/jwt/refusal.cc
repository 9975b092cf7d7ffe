// SPDX-License-Identifier: GPL-2.0-or-later
#include "jwt/refusal.h"

namespace slurm_adopt::jwt {

std::string_view name_of(Refusal refusal)
{
    switch (refusal) {
    case Refusal::too_large: return "too_large";
    case Refusal::form: return "form";
    case Refusal::encoding: return "encoding";
    case Refusal::json: return "json";
    case Refusal::duplicate: return "duplicate";
    case Refusal::header: return "header";
    case Refusal::algorithm: return "algorithm";
    case Refusal::signature: return "signature";
    case Refusal::claim_missing: return "claim_missing";
    case Refusal::claim_wrong: return "claim_wrong";
    case Refusal::expired: return "expired";
    case Refusal::not_yet_valid: return "not_yet_valid";
    case Refusal::issued_in_future: return "issued_in_future";
    }
    return "unknown";
}

}  // namespace slurm_adopt::jwt
