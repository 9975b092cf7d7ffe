#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The part of run.sh that runs inside the private cluster: starts jobs, measures, judges, prints.
# $BENCH_WORK holds the programs and modules, and gets results.tsv.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here work=$BENCH_WORK user=alice
readonly -a others=(bob carol adm)
readonly most_attempts=24  # of a measure that misses its target: the machine may have been busy

die() {
  printf 'bench: %s\n' "$*" >&2
  exit 2
}

# --- jobs ----------------------------------------------------------------------

as_user() {
  local name=$1
  shift
  setpriv --reuid "$name" --regid "$(id -g "$name")" --clear-groups "$@"
}

# An array is the quickest way to many jobs; each of its tasks is a job with a job id of its own on the node.
submit() {
  local name=$1 count=$2
  ((count == 0)) ||
    as_user "$name" sbatch -Q --array=1-"$count" --mem=16 -D / -o /dev/null -e /dev/null --wrap 'exec sleep infinity'
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

declare -i foreign_now=0
own_now=0

set_jobs() {
  local own=$1 foreign=$2 i share
  local -i more=$((foreign - foreign_now))
  ((more >= 0)) || die 'the numbers of foreign jobs must ascend'
  for ((i = 0; i < ${#others[@]}; i++)); do
    share=$(((more + i) / ${#others[@]}))
    submit "${others[i]}" "$share"
  done
  if ((own < own_now)); then
    scancel -u "$user"
    wait_for_steps "$foreign"
    own_now=0
  fi
  submit "$user" $((own - own_now))
  own_now=$own foreign_now=foreign
  wait_for_steps $((own + foreign))
}

# The socket of one of the user's own jobs, for the floor module.
own_socket() {
  printf '%s/%s_%s.4294967292\n' "$CLUSTER_SPOOL" "$CLUSTER_NODE" "$(squeue -h -u "$user" -t R -o %A | tail -n 1)"
}

# --- measuring -----------------------------------------------------------------

write_services() {
  mkdir -p "$work/pam.d"
  : >"$work/pam.d/other" # libpam reads it, and complains in the log where there is none
  printf 'account required pam_permit.so\n' >"$work/pam.d/permit"
  printf 'account required %s service=theirs %s\n' "$work/theirs.so" "$BENCH_OPTIONS" >"$work/pam.d/theirs"
  printf 'account required %s service=ours %s helper=%s\n' "$work/ours.so" "$BENCH_OPTIONS" "$work/slurm-adopt-helper" >"$work/pam.d/ours"
  if [[ $own_now != 0 ]]; then printf 'account required %s %s\n' "$work/pam_floor.so" "$(own_socket)" >"$work/pam.d/floor"; fi
}

# Measures the node as it is; appends to results.tsv: own, foreign, attempt, and what bench_compare says.
compare() {
  local attempt=$1
  local -a services=(permit=pass)
  if [[ $own_now != 0 ]]; then
    services+=(floor=adopted theirs=adopted ours=adopted)
  else
    services+=(theirs=refused ours=refused)
  fi
  write_services
  timeout 300 "$work/bench_compare" "$work/bench_login" "$work/pam.d" "$user" "$BENCH_SAMPLES" "$BENCH_IDLE" \
    "${services[@]}" >"$work/once" || die "measuring failed with $own_now own and $foreign_now foreign jobs"
  awk -v OFS='\t' -v own="$own_now" -v foreign="$foreign_now" -v attempt="$attempt" \
    '{ $1 = $1; print own, foreign, attempt, $0 }' "$work/once" >>"$work/results.tsv"
}

# SCENARIO FOREIGN: again and again, until the targets are met or there were enough attempts.
compare_until_met() {
  local attempt
  for ((attempt = 1; attempt <= most_attempts; attempt++)); do
    compare "$attempt"
    if report "$1" "$2" judge >/dev/null; then return 0; fi
  done
}

measure() {
  set_jobs "$1" "$2"
  compare_until_met "$1" "$2"
}

# A login that comes from one of two jobs: with the source node's slurmd to ask, and without.
readonly peer_port=7001
measure_source() {
  local scenario
  scancel -u "$user"
  wait_for_steps "$foreign_now"
  submit "$user" 1
  as_user "$user" sbatch -Q --mem=16 -D / -o /dev/null -e /dev/null --wrap "exec '$work/bench_peer' $peer_port"
  wait_for_steps $((foreign_now + 2))
  export BENCH_PEER=$peer_port
  for scenario in 2-answered 2-refused; do
    [[ $scenario == 2-answered ]] || "$CLUSTER_CTL" stop slurmd
    own_now=$scenario
    compare_until_met "$scenario" "$foreign_now"
  done
  unset BENCH_PEER
}

# --- reporting -----------------------------------------------------------------

# The judgement of one scenario (own, foreign), or of all of them (-, -).
report() {
  awk -f "$here/report.awk" -v only_own="$1" -v only_foreign="$2" -v part="$3" -v idle="$BENCH_IDLE" \
    -v size_ours="$(stat -c %s "$work/ours.so")" -v size_theirs="$(stat -c %s "$work/theirs.so")" "$work/results.tsv"
}

: >"$work/results.tsv"
# Theirs does not pass over a user without jobs quickly either: a refusal asks everybody.
for foreign in $BENCH_FOREIGN; do
  for own in 0 $BENCH_OWN; do
    if ((own == 0 && foreign == 0)); then continue; fi
    measure "$own" "$foreign"
  done
done
measure_source
report - - figures
printf '\n'
report - - judge
