# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# To be sourced, with tests/support/checks.sh: the commands of a page as they are printed, in the working directory.
# shellcheck disable=SC2154  # work and project are of those who source this

# type_page PAGE TEST STEP [BEFORE]: each command of the page's blocks for this test and step (blocks.awk), after BEFORE COMMAND.
# A command has to succeed, or to end as its comment says: "# exit code N".
type_page() {
  local page=$1 line
  local -a lines
  mapfile -t lines < <(awk -v test="$2" -v step="$3" -f "$project/tests/docs/blocks.awk" "$project/$page")
  ok "$page${3:+, $3}: has commands" test "${#lines[@]}" -gt 0
  for line in "${lines[@]}"; do
    ${4:-true} "$line"
    ok "$page: $line" types "$line"
  done
}

types() {
  local expected=0 status=0
  if [[ $1 =~ '# exit code '([0-9]+) ]]; then expected=${BASH_REMATCH[1]}; fi
  bash -c "$1" >"$work/typed" 2>&1 </dev/null || status=$?
  cat "$work/typed"
  ((status == expected)) || { echo "exit code $status, not $expected"; return 1; }
  shows "$1"
}

# What a command has to show beside its exit code.
shows() {
  local text
  case $1 in
    "ssh alice@node hostname"*) text='Access denied: you have no job running on' ;;
    "ssh alice@node 'echo in job"*) text=/step_extern ;;
    'sudo slurm-adopt check '*'# exit code 1'*) text='FAIL  pam.account.line' ;;
    'sudo slurm-adopt enable --dry-run'*'what would be changed'*) text=pam_slurm_adopt.so ;;
    'sudo slurm-adopt explain alice'*) text=one_job ;;
    *) return 0 ;;
  esac
  grep -qF -- "$text" "$work/typed" || { echo "does not show: $text"; return 1; }
  shown=$((${shown:-0} + 1))
}
