#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: login.sh DEBS     inside tests/cluster/cluster.sh, in a root of its own (in_root.sh): a real Slurm with a real sshd, whose
# stack loads Slurm's module, as it is installed. Ours is installed over it while users log in, its helper goes, it is removed,
# and Slurm's is installed again. Nobody changes the stack, and the same users get in and are kept out all the while.
set -euo pipefail

debs=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly debs here stack=/etc/pam.d/sshd
[[ -d ${CLUSTER_DIR:-} && $PWD == / ]] || { echo "login.sh: run me inside the cluster of in_root.sh" >&2; exit 2; }
work=$(mktemp -d)
readonly work

# shellcheck source-path=SCRIPTDIR source=../support/checks.sh
. "$here/../support/checks.sh"
# shellcheck source-path=SCRIPTDIR source=packages.sh
. "$here/packages.sh"
# shellcheck source-path=SCRIPTDIR source=logins.sh
. "$here/logins.sh"

by_ours() { is_refused_with bob 'Access denied: you have no job running on '; }
by_theirs() { is_refused_with bob 'Access denied by pam_slurm_adopt'; }
login_meanwhile() { lands_in root none && lands_in alice "$alice_job"; }
stack_is_as_before() { cmp "$work/stack" "$stack"; }
logged() { grep -F -- "$1" "$CLUSTER_SYSLOG"; }

slow_steps
make_theirs
use_stack 'account required pam_slurm_adopt.so'
cp -a "$stack" "$work/stack"
submit alice
alice_job=$job

ok "before: bob, who has no job, is refused by Slurm's module" by_theirs
ok "alice lands in job $alice_job" lands_in alice "$alice_job"
ok "root gets in" lands_in root none
ok "a session of alice's" stay alice

ok "both packages are installed, while root and alice log in" while_logging_in install_ours
ok "the stack is as it was" stack_is_as_before
ok "bob is refused by ours" by_ours
ok "alice lands in job $alice_job" lands_in alice "$alice_job"
ok "which our module says in the log" logged "decision=adopt reason=one_job user=alice"
ok "root gets in" lands_in root none
ok "the session from before goes on" stays
kill "$client"
ok "a session of alice's" stay alice

submit alice
ok "with two jobs alice lands in the newest" lands_in alice "$job"
# What a new soname of libslurm does: the helper that was built for the old one goes, until it is built again.
ok "the helper goes" apt remove slurm-adopt-helper
ok "with two jobs alice lands in the newest" lands_in alice "$job"
ok "bob is refused by ours" by_ours
ok "root gets in" lands_in root none
scancel "$job"
for _ in {1..200}; do
  [[ -S $CLUSTER_SPOOL/${CLUSTER_NODE}_$job.4294967292 ]] || break
  sleep 0.1
done

ok "ours is removed, while root and alice log in" while_logging_in apt remove slurm-adopt
ok "the stack is as it was" stack_is_as_before
ok "bob is refused by Slurm's module" by_theirs
ok "alice lands in job $alice_job" lands_in alice "$alice_job"
ok "Slurm's package is installed again" apt install --reinstall "$work"/libpam-slurm-adopt_*.deb
ok "bob is refused by Slurm's module" by_theirs
ok "alice lands in job $alice_job" lands_in alice "$alice_job"
ok "the session that ours let in goes on" stays
scancel "$alice_job"
ok "and ends with the job" ended
ok "alice is refused then" eventually is_refused_with alice 'Access denied by pam_slurm_adopt'

finish
