# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Jobs and logins by ssh on a private cluster (tests/cluster/cluster.sh); to be sourced. Wants $work, a directory.
# shellcheck disable=SC2154  # work is of those who source this

# Debian's own stack for sshd, with LINE above common-account.
use_stack() {  # LINE
  cp "${BASH_SOURCE[0]%/*}"/../tool/pam/debian12/* /etc/pam.d/
  sed -i "/^@include common-account/i $1" /etc/pam.d/sshd
}

# The job in which USER's session is; "none" outside of every job.
job_of_login() {
  ssh -n -o BatchMode=yes "$1@node" 'sed -n "s/.*freezer:.*\/job_\([0-9]*\)\/step_extern.*/\1/p; \$a none" /proc/self/cgroup' | head -n 1
}
lands_in() {  # USER JOB
  local in
  in=$(job_of_login "$1")
  [[ $in == "$2" ]] || { echo "in: $in"; return 1; }
}
is_refused_with() {  # USER TEXT
  if ssh -n -o BatchMode=yes "$1@node" true >"$work/ssh" 2>&1; then echo "let in"; return 1; fi
  grep -F -- "$2" "$work/ssh" || { cat "$work/ssh"; return 1; }
}

# submit USER: a job of one's own that runs; its id in $job.
submit() {
  local _
  job=$(runuser -u "$1" -- sbatch --parsable --mem=1 -D / -o /dev/null --wrap 'sleep 3600')
  for _ in {1..300}; do
    if [[ $(squeue -h -o %t -j "$job") == R && -S $CLUSTER_SPOOL/${CLUSTER_NODE}_$job.4294967292 ]]; then return 0; fi
    sleep 0.1
  done
  echo "login.sh: job $job of $1 did not start" >&2
  return 1
}
# stay USER: a session that stays; its client's pid in $client.
stay() {
  local _
  ssh -n -o BatchMode=yes "$1@node" 'echo here; exec sleep 3600' >"$work/session" 2>&1 &
  client=$!
  for _ in {1..100}; do
    if grep -q here "$work/session"; then return 0; fi
    sleep 0.1
  done
  cat "$work/session"
  return 1
}
eventually() {
  local _
  for _ in {1..50}; do
    if "$@"; then return 0; fi
    sleep 0.2
  done
  return 1
}
stays() { kill -0 "$client"; }
ended() {
  local _
  for _ in {1..200}; do
    if ! kill -0 "$client" 2>"$work/kill"; then return 0; fi
    sleep 0.1
  done
  return 1
}
