#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Whether the tests of the policy would notice if the policy were another one: makes every single-token mutation of
# src/core/policy.cc, reason.cc and controller_view.cc, compiles each, and runs their unit tests against it. Prints the
# score and every mutation that no test notices; fails with one that equivalent.txt does not explain.
#
# usage: run.sh [PATTERN]     only the mutations of lines that match; JOBS= so many at once, other than one a core
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
# Nothing is left in the source tree.
PYTHONDONTWRITEBYTECODE=1 nice python3 tests/mutation/mutate.py "$directory" "$@"
