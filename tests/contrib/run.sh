#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# contrib/ansible and contrib/aws, each in a private copy of this host's root that ends with it: as their pages print it, and
# each way in which it can fail. The packages are those of tests/package/build.sh.
#
# usage: run.sh [--debs DIRECTORY] [ansible|aws]...
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$here/../.." && pwd)
readonly here project
work=$(mktemp -d /var/tmp/slurm-adopt-contrib.XXXXXX)
readonly work
trap 'rm -rf "$work"' EXIT

die() {
  printf 'contrib: %s\n' "$*" >&2
  exit 2
}

debs='' parts=(ansible aws)
if [[ ${1-} == --debs && ${2-} ]]; then
  debs=$(realpath -e "$2")
  shift 2
fi
if (($#)); then parts=("$@"); fi
for part in "${parts[@]}"; do
  [[ $part == @(ansible|aws) ]] || die "usage: run.sh [--debs DIRECTORY] [ansible|aws]..."
done
[[ $EUID == 0 ]] || die "needs root"
if [[ ! $debs ]]; then
  "$project/tests/package/build.sh" --once
  debs=$project/build/package
fi

# Mount, network and process namespaces of its own: what is mounted and started there ends with it. Both at once.
running=()
for part in "${parts[@]}"; do
  unshare --mount --net --pid --fork --kill-child --propagation private "$here/in_root.sh" "$work/$part" "$debs" "$part" \
    >"$work/$part.log" 2>&1 &
  running+=($!)
done
trap 'kill -KILL "${running[@]}" 2>"$work/killed" || true; wait; rm -rf "$work"' EXIT
trap 'exit 143' TERM INT HUP
status=0
for i in "${!parts[@]}"; do
  wait "${running[i]}" || status=1
  sed "s/^/${parts[i]}: /" "$work/${parts[i]}.log"
done
exit $status
