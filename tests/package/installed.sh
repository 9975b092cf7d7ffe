#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: installed.sh     inside tests/cluster/cluster.sh: a real Slurm with a real sshd, whose stack loads the module as it is
# installed. Who has no job is refused, who has one is adopted into it, and the session ends with the job.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
# This script writes to /etc. Inside a cluster that is a private copy.
if [[ ! -d ${CLUSTER_DIR:-} ]] || ! mountpoint -q /etc; then echo "installed.sh: run me inside tests/cluster/cluster.sh" >&2; exit 2; fi
work=$(mktemp -d)
readonly work
jobs=()
clean_up() {
  if ((${#jobs[@]})); then scancel "${jobs[@]}" || true; fi
  rm -rf "$work"
}
trap clean_up EXIT

# shellcheck source-path=SCRIPTDIR source=../support/checks.sh
. "$here/../support/checks.sh"
# shellcheck source-path=SCRIPTDIR source=logins.sh
. "$here/logins.sh"

lists() { slurm-adopt list | grep -w "$1"; }

use_stack 'account required pam_slurm_adopt.so strict'
submit alice
jobs+=("$job")
ok "bob, who has no job, is refused" is_refused_with bob 'Access denied: you have no job running on '
ok "root gets in" lands_in root none
ok "alice lands in job $job" lands_in alice "$job"
ok "slurm-adopt lists the job" lists "$job"
ok "a session of alice's" stay alice
scancel "$job"
ok "ends with the job" ended
ok "and she is refused" eventually is_refused_with alice 'Access denied: you have no job running on '
finish
