#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# One case, in a shell of its own: one_case.sh FILE CASE.
set -euo pipefail

guest=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$guest/common.sh"
# shellcheck source=/dev/null
. "$guest/cases/$1.sh"

trap clean_up EXIT
start_afresh
"case_$2"
