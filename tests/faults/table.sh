#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes doc/faults.md out of the rows that a run of the fault suites has reported, or holds the page against them.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."

usage() {
  cat <<'TEXT'
usage: table.sh write ROWS   writes doc/faults.md
       table.sh check ROWS   fails where the page and the rows differ in more than the measured times

ROWS: the file that $SLURM_ADOPT_FAULT_ROWS named while the tests ran (`tests/run.sh` keeps build/test-logs/faults.rows).
TEXT
}

page() {  # ROWS
  cat <<'TEXT'
# What goes wrong, and what the login comes to

Made by `tests/faults/table.sh` out of a run of `tests/run.sh`, one row for each fault that a test makes: by a
slurmstepd of the tests' own where the real one cannot show it, else on real Slurm. *Expected* is the decision and the
reason as they are in the log, or a few words. *Bound* is what the test allows, with room for a machine that has other work;
*measured* the longest that this run saw. Tests that say how much something *adds* take the quickest of some tries on both
sides. Both are for the module's call unless the row says more.
TEXT
  local part title
  for part in slurmstepd system storm attacker; do
    case $part in
      slurmstepd) title='slurmstepd' ;;
      system) title='The system' ;;
      storm) title='Storms' ;;
      attacker) title='Attackers' ;;
    esac
    printf '\n## %s\n\n| fault | expected | bound | measured | test |\n|---|---|---|---|---|\n' "$title"
    # The longest of several runs of one row.
    LC_ALL=C sort -t $'\t' -k2,2 -k6,6 "$1" | awk -F '\t' -v part="$part" '
      function time(ms) { return ms == 0 ? "-" : ms < 10 ? sprintf("%.2f ms", ms) : ms < 10000 ? sprintf("%.0f ms", ms) : sprintf("%.0f s", ms / 1000) }
      function flush() { if (key != "") printf "| %s | %s | %s | %s | `%s` |\n", fault, expected, time(bound), (bound && !longest ? "0.00 ms" : time(longest)), test }
      $1 != part { next }
      $1 $2 $3 $4 $6 != key { flush(); key = $1 $2 $3 $4 $6; longest = 0 }
      { fault = $2; expected = $3; bound = $4; test = $6; if ($5 > longest) longest = $5 }
      END { flush() }'
  done
}

without_times() {
  awk -F ' [|] ' -v OFS=' | ' 'NF == 5 { $4 = "" } { print }'
}

if (($# != 2)) || [[ ! -r $2 ]]; then usage >&2; exit 2; fi
case $1 in
  write) page "$2" >doc/faults.md ;;
  check)
    diff <(without_times <doc/faults.md) <(page "$2" | without_times) ||
      { echo "doc/faults.md is not what the tests do; make it anew: tests/faults/table.sh write $2" >&2; exit 1; } ;;
  *) usage >&2; exit 2 ;;
esac
