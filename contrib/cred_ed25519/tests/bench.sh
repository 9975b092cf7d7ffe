#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Times of cred/ed25519 against cred/munge, both in one process, with the munged of a private cluster. Needs root and a build
# with -DSLURM_ADOPT_CRED_ED25519=ON (target cred_ed25519_tests).
#
# usage: bench.sh [--build DIRECTORY]            prints the table
#        bench.sh [--build DIRECTORY] --write    and writes it into README.md
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$here/../../.." && pwd)
readonly here project readme=$here/../README.md

build=$project/build/cred write=0
while (($#)); do
  case $1 in
    --build) build=$(realpath -e "$2"); shift 2 ;;
    --write) write=1; shift ;;
    *) sed -n 's/^# *\(usage: \|       bench\)/\1/p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
  esac
done

bench=$build/contrib/cred_ed25519/tests/cred_ed25519_bench
[[ -x $bench ]] || { echo "bench.sh: there is no $bench" >&2; exit 1; }
plugins=$(sed -n 's/^SLURM_PLUGIN_DIR:PATH=//p' "$build/CMakeCache.txt")
# Slurm's library writes the plugin's lines to where the table goes.
table=$("$project/tests/cluster/cluster.sh" run -- "$bench" "$plugins/libslurmfull.so" "$plugins/cred_munge.so" \
  "$build/contrib/cred_ed25519/cred_ed25519.so" | grep '^|')
[[ $(wc -l <<<"$table") == 10 ]] || { echo "bench.sh: a table of ten lines was expected" >&2; printf '%s\n' "$table" >&2; exit 1; }
printf '%s\n' "$table"
if ((write)); then
  text=$(TABLE=$table awk '/^<!-- bench -->/ { print; print ENVIRON["TABLE"]; skip = 1 }
    /^<!-- \/bench -->/ { skip = 0 } !skip' "$readme")
  printf '%s\n' "$text" >"$readme"
fi
