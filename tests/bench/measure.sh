#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The part of run.sh that runs inside the private cluster: starts jobs, measures, judges, prints.
# $BENCH_WORK holds the programs and modules, and gets results.tsv.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here work=$BENCH_WORK user=alice
readonly -a others=(bob carol adm)
# shellcheck disable=SC2034  # for measuring.sh
readonly theirs_options=$BENCH_OPTIONS ours_options="$BENCH_OPTIONS helper=$work/slurm-adopt-helper"

die() {
  printf 'bench: %s\n' "$*" >&2
  exit 2
}

# shellcheck source-path=SCRIPTDIR source=measuring.sh
. "$here/measuring.sh"

# --- jobs ----------------------------------------------------------------------

as_user() {
  local name=$1
  shift
  setpriv --reuid "$name" --regid "$(id -g "$name")" --clear-groups "$@"
}

# An array is the quickest way to many jobs; each of its tasks is a job with a job id of its own on the node. The memory
# is for the user, whose job has to hold all the logins at once.
submit() {
  local name=$1 count=$2 memory=16
  [[ $name != "$user" ]] || memory=2048
  ((count == 0)) || as_user "$name" sbatch -Q --array=1-"$count" --mem="$memory" -D / -o /dev/null -e /dev/null \
    --wrap "exec sleep infinity"
}

extern_steps() {
  local -a sockets=("$CLUSTER_SPOOL"/*.4294967292)
  [[ -e ${sockets[0]} ]] || sockets=()
  echo "${#sockets[@]}"
}

wait_for_steps() {
  local count=$1 tries
  for ((tries = 0; tries < 1200; tries++)); do
    if (($(extern_steps) == count)) && [[ -z $(squeue -h -t PD,CF,CG -o %i) ]]; then
      sleep 1 # the batch steps of the last ones
      return 0
    fi
    sleep 0.1
  done
  die "expected $count extern steps on the node, there are $(extern_steps)"
}

declare -i own_now=0 foreign_now=0

set_jobs() {
  local -i own=$1 foreign=$2 i
  local -i more=$((foreign - foreign_now))
  ((more >= 0)) || die 'the numbers of foreign jobs must ascend'
  for ((i = 0; i < ${#others[@]}; i++)); do
    submit "${others[i]}" $(((more + i) / ${#others[@]}))
  done
  if ((own < own_now)); then
    scancel -u "$user"
    wait_for_steps "$foreign"
    own_now=0
  fi
  submit "$user" $((own - own_now))
  own_now=own foreign_now=foreign
  wait_for_steps $((own + foreign))
}

# The socket of one of the user's own jobs, for the floor module.
own_socket() {
  printf '%s/%s_%s.4294967292\n' "$CLUSTER_SPOOL" "$CLUSTER_NODE" "$(squeue -h -u "$user" -t R -o %A | tail -n 1)"
}

# --- measuring -----------------------------------------------------------------

# ATTEMPTS COMMAND SCENARIO [ARGUMENT...]: again and again, until the scenario's targets are met or there were enough attempts,
# as the machine may have been busy. The last attempt is what counts, and its number is told.
until_met() {
  local attempt
  for ((attempt = 1; attempt <= $1; attempt++)); do
    "$2" "$3" "$attempt" "${@:4}"
    if report judge "$3" "$2" >/dev/null; then return 0; fi
  done
}

# Of two jobs: where it comes from one of them, the node's slurmd is there to ask, or not.
readonly peer_port=7001
measure_source() {
  local scenario
  set_jobs 0 "$foreign_now"
  set_jobs 1 "$foreign_now"
  as_user "$user" sbatch -Q --mem=16 -D / -o /dev/null -e /dev/null --wrap "exec '$work/bench_peer' $peer_port"
  own_now=2
  wait_for_steps $((foreign_now + 2))
  export BENCH_PEER=$peer_port
  for scenario in answered refused; do
    [[ $scenario == answered ]] || "$CLUSTER_CTL" stop slurmd
    until_met "$BENCH_ATTEMPTS" measure_logins "2+$foreign_now@$scenario" "$BENCH_SAMPLES" "$BENCH_IDLE"
  done
  unset BENCH_PEER
}

# --- reporting -----------------------------------------------------------------

# figures, or judge [SCENARIO COMMAND]: only what that command measured there.
report() {
  awk -f "$here/results.awk" -f "$here/targets.awk" -f "$here/report.awk" -v part="$1" -v only="${2-}" -v only_command="${3-}" \
    "$work/results.tsv"
}

: >"$work/results.tsv"
describe_machine
info idle "$BENCH_IDLE"
info floor_limit "$BENCH_FLOOR_LIMIT"
for scenario in $BENCH_SCENARIOS; do
  set_jobs "${scenario%+*}" "${scenario#*+}"
  until_met "$BENCH_ATTEMPTS" measure_logins "$scenario" "$BENCH_SAMPLES" "$BENCH_IDLE"
  count_system_calls "$scenario"
  if [[ $scenario == 1+50 ]]; then
    for workers in $BENCH_WORKERS; do
      until_met "$BENCH_THROUGHPUT_ATTEMPTS" measure_throughput "$scenario" "$workers" "$BENCH_ROUNDS" "$BENCH_ROUND_MS"
    done
  fi
done
measure_source
report figures
report judge
