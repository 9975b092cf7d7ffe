#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Writes doc/bench.md, doc/bench.svg and the README's table from the results in doc/bench/. No figure is written by hand.
#
# usage: page.sh [--v1 RESULTS] [--v2 RESULTS]   keeps these results in doc/bench/ first
#        page.sh --check                         whether the pages are what the results make
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$here/../.." && pwd)
readonly here project data=$project/doc/bench

check=0 v1='' v2=''
while (($#)); do
  case $1 in
    --v1) v1=$(realpath -e "$2"); shift 2 ;;
    --v2) v2=$(realpath -e "$2"); shift 2 ;;
    --check) check=1; shift ;;
    *) sed -n 's/^# *\(usage: \|       page\)/\1/p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
  esac
done

# RESULTS PART NAME
tables() {
  [[ ! -e $1 ]] || awk -f "$here/results.awk" -f "$here/targets.awk" -f "$here/page.awk" -v part="$2" -v name="$3" "$1"
}

both() {
  tables "$data/v1.tsv" "$1" 'A private cluster on the host'
  tables "$data/v2.tsv" "$1" 'An emulated machine'
}

page() {
  cat "$data/intro.md"
  both tables
  cat "$data/bounds.md"
}

# The README with the table between its two marks.
readme() {
  local table
  table=$(printf '| | Slurm'\''s | ours | ratio |\n|---|---|---|---|\n'; both readme)
  TABLE=$table awk '/^<!-- bench -->/ { print; print ENVIRON["TABLE"]; skip = 1 } /^<!-- \/bench -->/ { skip = 0 } !skip' "$project/README.md"
}

plot() {
  awk -f "$here/results.awk" -f "$here/plot.awk" "$data/v1.tsv"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$data"
if [[ $v1 ]]; then install -m 644 "$v1" "$data/v1.tsv"; fi
if [[ $v2 ]]; then install -m 644 "$v2" "$data/v2.tsv"; fi
page >"$work/bench.md"
plot >"$work/bench.svg"
readme >"$work/README.md"
if ((check)); then
  rc=0
  diff -u "$project/doc/bench.md" "$work/bench.md" || rc=1
  diff -u "$project/doc/bench.svg" "$work/bench.svg" || rc=1
  diff -u "$project/README.md" "$work/README.md" || rc=1
  exit "$rc"
fi
install -m 644 "$work/bench.md" "$work/bench.svg" "$project/doc/"
# Into the file that is there: its owner and mode stay.
cat "$work/README.md" >"$project/README.md"
