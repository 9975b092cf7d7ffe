#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Shows what the module does, with real Slurm and real ssh, on any Debian 12 host.
# The cluster is private (tests/cluster): nothing on the host changes but the
# packages that had to be installed and the directory build-demo.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/.." && pwd)
readonly here top
readonly cluster=$top/tests/cluster/cluster.sh
readonly build=$top/build-demo

usage() {
  cat <<'USAGE'
usage: contrib/demo.sh [--keep]

Builds the module, starts a private one-node Slurm cluster with an sshd of its
own on loopback, and shows with real ssh: refused without a job, adopted into the
job, ended with the job, refused again. Every step is checked; the exit code says
whether all of them were as they should be. Needs root, on Debian 12.

  --keep   leave the cluster up at the end and say how to log in and how to stop it
USAGE
}

if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
  bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' blue=$'\e[34m' plain=$'\e[0m'
else
  bold='' dim='' red='' green='' blue='' plain=''
fi

title() { printf '\n%s%s%s\n' "$bold$blue" "$*" "$plain"; }
say() { printf '  %s\n' "$*"; }
good() { printf '  %s✓ %s%s\n' "$green" "$*" "$plain"; }
command_line() { printf '  %s$ %s%s\n' "$bold" "$*" "$plain"; }
quoted() { sed "s/^/    $dim|$plain /"; }

bad() {
  printf '  %s✗ %s%s\n' "$red" "$*" "$plain"
  printf '\n  The end of the log:\n'
  tail -n 20 "$CLUSTER_SYSLOG" | quoted
  exit 1
}

# --- outside: packages, build, cluster ----------------------------------------

outside() {
  local keep=()
  while (($#)); do
    case $1 in
      --keep) keep=(--keep) && shift ;;
      -h | --help) usage && exit 0 ;;
      *) usage >&2 && exit 64 ;;
    esac
  done
  ((EUID == 0)) || { printf 'demo.sh needs root: sudo %s\n' "$0" >&2 && exit 1; }

  title 'slurm-adopt: logins that live and die with a Slurm job'
  say 'Packages ...'
  "$cluster" packages cmake make g++ libpam0g-dev
  build_module
  say "Cluster: munge, slurmctld, slurmd and sshd in namespaces of their own ..."
  # In our place, so that a signal to us ends the cluster.
  exec "$cluster" run "${keep[@]}" --module "$build/pam/pam_slurm_adopt.so" -- "$here/demo.sh" inside
}

build_module() {
  local log=$build/demo.log
  say "Module: $build/pam/pam_slurm_adopt.so ..."
  mkdir -p "$build"
  if ! { cmake -S "$top" -B "$build" -DSLURM_ADOPT_TESTS=OFF -DSLURM_ADOPT_HELPER=OFF -DSLURM_ADOPT_REST=OFF -DSLURM_ADOPT_TOOL=OFF &&
    cmake --build "$build" --parallel "$(nproc)" --target pam_slurm_adopt; } >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    exit 1
  fi
  # Whoever cloned the project is to be able to remove it.
  chown -R --reference="$top" "$build"
}

# --- inside the cluster -------------------------------------------------------

out='' rc=0

# login USER COMMAND: ssh as a user would; shows what the user sees.
login() {
  command_line "ssh $1@node $2"
  rc=0
  out=$(ssh -n -o BatchMode=yes "$1@node" "$2" 2>&1) || rc=$?
  printf '%s\n' "$out" | quoted
}

expect_refused() {
  if ((rc != 255)) || [[ $out != *'no job running'* ]]; then bad "$1 should have been refused, for want of a job"; fi
  good "refused: $1 has no job on this node"
}

last_decision() {
  grep -a 'decision=' "$CLUSTER_SYSLOG" | tail -n 1 | sed 's/^[^:]*:[^ ]* //' | quoted
}

inside() {
  local begun=$EPOCHSECONDS job step session killed

  title "1. Two users on node $CLUSTER_NODE, and nobody has a job"
  say "Users alice and bob; sshd asks PAM, and /etc/pam.d/sshd says:"
  grep slurm_adopt /etc/pam.d/sshd | quoted
  login alice 'hostname'
  expect_refused alice
  login bob 'hostname'
  expect_refused bob

  title '2. alice submits a job'
  command_line "sbatch --wrap 'sleep 600'"
  out=$(setpriv --reuid alice --regid alice --init-groups \
    sbatch --parsable --chdir=/ --output=/dev/null --job-name=demo --wrap 'sleep 600')
  job=$out
  for _ in {1..200}; do
    if [[ $(squeue -h -o %t -j "$job") == R && -S $CLUSTER_SPOOL/${CLUSTER_NODE}_$job.4294967291 ]]; then break; fi
    sleep 0.1
  done
  squeue | quoted
  [[ $(squeue -h -o %t -j "$job") == R ]] || bad "job $job does not run"
  good "job $job runs"

  title '3. alice is let in, and her session belongs to the job'
  # shellcheck disable=SC2016
  login alice 'echo SLURM_JOB_ID=$SLURM_JOB_ID; grep -E "freezer|^0::.*job" /proc/self/cgroup'
  step=$(grep -oE '[^:]*/job_'"$job"'/step_extern[^:]*' <<<"$out" | head -n 1) || true
  [[ $rc == 0 && $out == *"SLURM_JOB_ID=$job"* ]] || bad "alice should have been adopted into job $job"
  [[ $step ]] || bad "the session is not in the extern step of job $job"
  good "adopted: the session is in $step"
  say 'What the log says about it:'
  last_decision

  title "4. bob is not: the job is alice's"
  login bob 'hostname'
  expect_refused bob

  title '5. The session ends with the job'
  command_line "ssh alice@node 'sleep 600' &"
  ssh -n -o BatchMode=yes alice@node 'echo in; exec sleep 600' >/run/cluster/demo.out 2>&1 &
  session=$!
  for _ in {1..100}; do
    if [[ -s /run/cluster/demo.out ]]; then break; fi
    sleep 0.1
  done
  [[ $(</run/cluster/demo.out) == in ]] || bad "alice's session does not start"
  pgrep -a -u alice | quoted
  command_line "scancel $job"
  scancel "$job"
  killed=$EPOCHREALTIME
  for _ in {1..200}; do
    kill -0 "$session" 2>/dev/null || break
    sleep 0.1
  done
  if kill -0 "$session" 2>/dev/null; then bad 'the session is still there 20 s after the job was cancelled'; fi
  rc=0
  wait "$session" || rc=$?
  ((rc != 0)) || bad 'the session ended by itself'
  # The extern step goes a moment after the session's connection, and adopts until then.
  for _ in {1..100}; do
    if [[ ! -S $CLUSTER_SPOOL/${CLUSTER_NODE}_$job.4294967292 ]] && ! pgrep -u alice >/dev/null; then break; fi
    sleep 0.1
  done
  if pgrep -a -u alice; then bad 'alice still has processes on the node'; fi
  good "$(awk -v a="$killed" -v b="$EPOCHREALTIME" 'BEGIN { printf "gone %.1f s after scancel, with all of its processes", b - a }')"

  title '6. And alice is refused again'
  login alice 'hostname'
  expect_refused alice

  printf '\n%sAll as it should be%s, in %s s.\n' "$bold$green" "$plain" $((EPOCHSECONDS - begun))
  if ((CLUSTER_KEPT)); then how_to_go_on; else say 'The cluster goes now, with everything that ran in it.'; fi
}

how_to_go_on() {
  title "The cluster stays up: node $CLUSTER_NODE"
  say "log in:        sudo $cluster exec $CLUSTER_NODE -- ssh alice@node"
  say "give a job:    sudo $cluster exec $CLUSTER_NODE -- setpriv --reuid alice --regid alice --init-groups sbatch --chdir=/ --output=/dev/null --wrap 'sleep 600'"
  say "see the log:   sudo $cluster exec $CLUSTER_NODE -- tail -f $CLUSTER_SYSLOG"
  say "root's shell:  sudo $cluster exec $CLUSTER_NODE"
  say "stop it:       sudo $cluster stop $CLUSTER_NODE"
}

if [[ ${1:-} == inside && -n ${CLUSTER_DIR:-} ]]; then inside; else outside "$@"; fi
