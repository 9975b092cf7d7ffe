#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs in the virtual machine, as root, started by vm-tests.service: sets the machine up, runs every case in a shell of
# its own, and reports over the second serial port, a line each:
#   plan NUMBER
#   case NAME ok|FAILED SECONDS
#   fault PART TAB FAULT TAB EXPECTED TAB BOUND_MS TAB MEASURED_MS, of the case above
#   | what a case noted, or the details of its failure; it belongs to the case above
#   done
set -euo pipefail

guest=$(dirname "${BASH_SOURCE[0]}")
case_limit_s=900
# The bench measures for long, and is not one of the tests: only when it is asked for.
bench=0
if grep -qw vm_bench /proc/cmdline; then bench=1 case_limit_s=2400; fi
readonly guest bench case_limit_s
exec 3>/dev/ttyS1

report() {
  printf '%s\n' "$*" >&3
}

# The cases of a file, in the order in which they stand there.
cases_of() {
  sed -nE 's/^case_([a-z0-9_]+)\(\).*/\1/p' "$guest/cases/$1.sh"
}

run_case() {  # FILE CASE [NAME=VALUE]
  local output=/run/vm-case.out since start=$EPOCHREALTIME status=0 shown=$1.$2${3:+.debian12}
  since=$(date '+%F %T')
  # A case has to give up its own children; a group of its own takes care of those it forgets.
  env "${@:3}" timeout --kill-after=10 "$case_limit_s" bash "$guest/one_case.sh" "$1" "$2" >"$output" 2>&1 </dev/null || status=$?
  local took
  took=$(awk -v from="$start" -v to="$EPOCHREALTIME" 'BEGIN {printf "%.1f", to - from}')
  if ((status == 0)); then
    report "case $shown ok $took"
    sed -n 's/^fault: /fault /p' "$output" >&3
    sed -n 's/^note: /| /p' "$output" >&3
  else
    report "case $shown FAILED $took"
    if ((status == 124 || status == 137)); then report "| not finished within $case_limit_s s"; fi
    { tail -n 60 "$output"; echo "--- journal"; journalctl --no-pager -q -o short-precise --since "$since" -n 60; } |
      sed 's/^/| /' >&3
  fi
}

# What is to run: "FILE CASE" and, where a case runs with another module too, its environment.
plan() {
  local file name
  if ((bench)); then
    for name in $(cases_of bench); do echo "bench $name"; done
    return 0
  fi
  for file in package account x11 session keyboard publickey limits gres choice container console runtime_dir rest faults; do
    for name in $(cases_of "$file"); do echo "$file $name"; done
  done
  # The module that was built on Debian 12.
  for name in no_job_is_refused one_job newest_of_several scancel_ends_the_session; do
    echo "account $name MODULE=/opt/other/pam_slurm_adopt.so"
  done
  echo "session back_in_the_job MODULE=/opt/other/pam_slurm_adopt.so"
  echo "keyboard account_line_alone MODULE=/opt/other/pam_slurm_adopt.so"
}

main() {
  local -a planned fields
  local line
  bash "$guest/setup.sh" || { report "setup failed"; journalctl --no-pager -q -b | tail -n 60 | sed 's/^/| /' >&3; exit 1; }
  mapfile -t planned < <(plan | grep -E "$(sed -n 's/.*\bvm_cases=\([^ ]*\).*/\1/p' /proc/cmdline)")
  report "plan ${#planned[@]}"
  for line in "${planned[@]}"; do
    read -ra fields <<<"$line"
    run_case "${fields[@]}"
  done
  report "done"
}

main
