# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# One line per check, "ok ..." or "not ok ..." with what the command said; to be sourced. Wants $work, a directory.
# shellcheck disable=SC2154  # work is of those who source this
checks=0 failed=0
: >"$work/out"

# ok NAME COMMAND...: it succeeds. Its output is in $work/previous for the next one.
ok() {
  local name=$1
  shift
  checks=$((checks + 1))
  mv "$work/out" "$work/previous"
  if "$@" >"$work/out" 2>&1; then
    printf 'ok %d - %s\n' "$checks" "$name"
  else
    printf 'not ok %d - %s\n' "$checks" "$name"
    sed 's/^/#   /' "$work/out"
    failed=$((failed + 1))
  fi
}
refuses() { ! "$@"; }
# not_ok NAME COMMAND...: it does not.
not_ok() {
  local name=$1
  shift
  ok "$name" refuses "$@"
}
# The last line; false where a check was not ok.
finish() {
  printf '%d checks, %d failed\n' "$checks" "$failed"
  ((failed == 0))
}
