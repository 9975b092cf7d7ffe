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

# Of two jobs the one that the user has named.
measure_named() {
  local home
  home=$(getent passwd "$user" | cut -d: -f6)
  set_jobs 2 "$foreign_now"
  as_user "$user" mkdir -p -m 700 "$home/.config/slurm-adopt"
  squeue -h -u "$user" -t R -o %A | head -n 1 | as_user "$user" tee "$home/.config/slurm-adopt/job" >/dev/null
  until_met "$BENCH_ATTEMPTS" measure_logins "2+$foreign_now@named" "$BENCH_SAMPLES" "$BENCH_IDLE"
}

# Of two jobs, one of which has so many logins of the client's already, one after the other at each number: sticky=0 against
# sticky=1. Where it is off nothing of it runs, so there is no target.
readonly client_port=7022
measure_sticky() {
  local count
  local -i held=0
  local -a holders=()
  set_jobs 0 "$foreign_now"
  set_jobs 2 "$foreign_now"
  write_services 2+0
  printf 'account required %s service=sticky %s sticky=1\n' "$work/ours.so" "$ours_options" >"$work/pam.d/sticky"
  export BENCH_CLIENT=$client_port
  for count in 0 1 20; do
    while ((held < count)); do
      BENCH_HOLD=1 "$work/bench_login" "$work/pam.d" sticky "$user" >"$work/holder" &
      holders+=($!)
      while [[ ! -s $work/holder ]]; do sleep 0.05; done
      : >"$work/holder"
      held+=1
    done
    timeout 600 "$work/bench_compare" "$work/bench_login" "$work/pam.d" "$user" "$BENCH_SAMPLES" "$BENCH_IDLE" permit=pass ours=adopted \
      sticky=adopted >"$work/once" || die "measuring sticky=1 failed with $count logins"
    keep sticky 2+"$foreign_now" "$count"
  done
  unset BENCH_CLIENT
  kill "${holders[@]}"
  wait "${holders[@]}" || true
}

# What options add: NAME OPTIONS, for one job. "off" is all of those that are off by default, named as off.
options_of_a_job() {
  echo 'off job_choice=none sticky=0 exempt_adopt=0 runtime_dir=0 quiet=0'
  echo 'import_env import_env=SLURM_*,CUDA_VISIBLE_DEVICES,ROCR_VISIBLE_DEVICES'
  echo "exempt_groups exempt_groups=$(id -gn "${others[0]}")"
}

# measure_option SCENARIO NAME OUTCOME OPTION...
measure_option() {
  write_services "$1"
  printf 'account required %s service=with %s %s\n' "$work/ours.so" "$ours_options" "${*:4}" >"$work/pam.d/with"
  timeout 600 "$work/bench_compare" "$work/bench_login" "$work/pam.d" "$user" "$BENCH_SAMPLES" "$BENCH_IDLE" permit=pass "ours=$3" "with=$3" \
    >"$work/once" || die "measuring $2 failed"
  keep option "$1" "$2"
}

measure_options() {
  local name options
  set_jobs 0 "$foreign_now"
  echo 'Write to help@example.org.' >"$work/denied"
  measure_option "0+$foreign_now" deny_message_file refused "deny_message_file=$work/denied"
  set_jobs 1 "$foreign_now"
  while read -r name options; do
    measure_option "1+$foreign_now" "$name" adopted "$options"
  done < <(options_of_a_job)
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
measure_options
measure_named
measure_sticky
measure_source
report figures
report options
report judge
