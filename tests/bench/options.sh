#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What options add to a login, against the same module without them, login by login in turn. In a private cluster with one
# batch job of the user's:
#
#   tests/bench/options.sh BUILD [SAMPLES]
#
# Prints a line per case: its name, the microseconds of a login without and with it, what it adds, the aim and the bound. It is
# measured until the aim is met, six times at most. The exit code is 0 only if each case has kept to its bound: that is twice the
# aim, because the machine may be busy, and a child waits for a core then.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here

die() {
  printf 'options: %s\n' "$*" >&2
  exit 2
}

# NAME AIM OPTIONS: what it is to add at most, in microseconds.
cases() {
  echo 'import_env 300 import_env=SLURM_*,CUDA_VISIBLE_DEVICES,ROCR_VISIBLE_DEVICES'
}

build=$(realpath -e "${1:?usage: options.sh BUILD [SAMPLES]}")
samples=${2:-200}
readonly build samples attempts=${3:-6}

if [[ -z ${CLUSTER_DIR:-} ]]; then
  ((EUID == 0)) || exit 77
  exec "$here/../cluster/cluster.sh" run --usual-spool --bind "$build" -- "$here/options.sh" "$build" "$samples"
fi

# As in run.sh.
chrt --fifo --pid 1 $$ 2>/dev/null || renice -n -20 $$ >/dev/null 2>&1 || true
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
strip -o "$work/ours.so" "$build/pam/pam_slurm_adopt.so"
cp "$build"/tests/bench/{bench_login,bench_compare} "$work/"
mkdir "$work/pam.d"
: >"$work/pam.d/other"
printf 'account required %s strict service=plain\n' "$work/ours.so" >"$work/pam.d/plain"

setpriv --reuid alice --regid "$(id -g alice)" --clear-groups sbatch -Q -D / -o /dev/null --wrap \
  "touch /tmp/options.begun; exec sleep infinity" || die 'no job'
for ((tries = 0; tries < 200; tries++)); do
  [[ ! -e /tmp/options.begun ]] || break
  sleep 0.1
done
[[ -e /tmp/options.begun ]] || die 'the job does not begin'

failed=0
while read -r name aim options; do
  printf 'account required %s strict service=with %s\n' "$work/ours.so" "$options" >"$work/pam.d/with"
  kept=0 in_bound=0
  for ((attempt = 1; attempt <= attempts && !kept; attempt++)); do
    "$work/bench_compare" "$work/bench_login" "$work/pam.d" alice "$samples" 0 plain=adopted with=adopted >"$work/once" ||
      die 'measuring failed'
    # NAME SAMPLES Q1 MEDIAN Q3 ...
    awk -v name="$name" -v aim="$aim" '
      { median[$1] = $4 }
      END {
        added = median["with"] - median["plain"]
        printf "%-20s without %.0f, with %.0f, adds %.0f microseconds (aim %.0f, bound %.0f)\n", name, median["plain"], median["with"],
          added, aim, 2 * aim
        exit added <= aim ? 0 : added <= 2 * aim ? 3 : 4
      }' "$work/once" && status=0 || status=$?
    ((status != 3)) || in_bound=1
    ((status)) || kept=1
  done
  ((kept || in_bound)) || failed=1
done < <(cases)
exit "$failed"
