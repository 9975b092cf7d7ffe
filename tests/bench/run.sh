#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a login costs with our module and with Slurm's own, measured in one run on a private one-node Slurm.
# Exit code: 0 every target is met, 1 one is missed, 77 cannot run here (not root), 2 anything else.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$here/../.." && pwd)
readonly here project

usage() {
  cat <<'USAGE'
usage: run.sh [OPTION...]

  --quick            few samples and scenarios, for CI
  --write-docs       write the results to doc/bench/, and doc/bench.md, doc/bench.svg and the
                     README's table from them (page.sh)
  --samples N        logins per module and scenario (default 200, --quick 50)
  --scenarios "..."  numbers of jobs: OWN+FOREIGN, the user's own and those of others; the
                     latter must ascend (default "1+0 2+0 5+0 1+1 1+10 1+50 1+100 2+100
                     5+100 0+100 1+200", --quick "1+0 1+50 1+100 0+100");
                     last ones with two jobs, one of which is named in a file, and with
                     two jobs and a source node come always
  --workers "N..."   at 1+50: logins per second with so many at once
                     (default "1 8 64", --quick 64)
  --idle MS          let the node rest that long before each login: then the first
                     thing a login waits for is the kernel (see bench_compare.cc),
                     and no targets are judged (default 0)
  --cpus N           CPUs that the node claims; a job takes one (default: enough)
  --module PATH.so   the module to measure (default: the build's)
  --theirs PATH.so   Slurm's own module (default: that of the package)
  --options "A B..." options of both modules (default "action_no_jobs=deny")
  --build DIR        build directory (default: build, below the project)
  --no-build         use what is there
  --out DIR          keep the figures in DIR/results.tsv
USAGE
}

die() {
  printf 'bench: %s\n' "$*" >&2
  exit 2
}

samples='' scenarios='' workers='' idle=0 cpus='' module='' theirs='' build=$project/build do_build=1 out='' quick=0
write_docs=0 options=action_no_jobs=deny
while (($#)); do
  case $1 in
    --quick) quick=1 && shift ;;
    --write-docs) write_docs=1 && shift ;;
    --samples) samples=$2 && shift 2 ;;
    --scenarios) scenarios=$2 && shift 2 ;;
    --workers) workers=$2 && shift 2 ;;
    --idle) idle=$2 && shift 2 ;;
    --cpus) cpus=$2 && shift 2 ;;
    --module) module=$2 && shift 2 ;;
    --theirs) theirs=$2 && shift 2 ;;
    --options) options=$2 && shift 2 ;;
    --build) build=$2 && shift 2 ;;
    --no-build) do_build=0 && shift ;;
    --out) out=$2 && shift 2 ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
  esac
done
if ((EUID != 0)); then
  echo 'bench: needs root' >&2
  exit 77
fi
# A target that is missed is measured again, so often: the machine may have been busy. The table tells.
if ((quick)); then
  : "${samples:=50}" "${scenarios:=1+0 1+50 1+100 0+100}" "${workers:=64}"
  attempts=24 throughput_attempts=10 rounds=3 round_ms=500
  # On cores that something else keeps awake the floor halves and what we add to it does not (doc/bench.md): of that a
  # change is not guilty. What would be is this.
  floor_limit=2.5
else
  : "${samples:=200}" "${scenarios:=1+0 2+0 5+0 1+1 1+10 1+50 1+100 2+100 5+100 0+100 1+200}" "${workers:=1 8 64}"
  attempts=8 throughput_attempts=4 rounds=5 round_ms=1000 floor_limit=1.5
fi
[[ $samples =~ ^[1-9][0-9]*$ && $idle =~ ^[0-9]+$ ]] || die 'see --help'
[[ $scenarios =~ ^[0-9]+\+[0-9]+( [0-9]+\+[0-9]+)*$ && $workers =~ ^[1-9][0-9]*( [1-9][0-9]*)*$ ]] || die 'see --help'
[[ $cpus ]] || cpus=$(tr ' +' '\n ' <<<"$scenarios" | awk '$1 + $2 > most { most = $1 + $2 } END { print most + 8 }')

install() {
  local package
  local -a missing=()
  for package in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  echo "installing: ${missing[*]}" >&2
  { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"; } \
    </dev/null >/dev/null || die "cannot install ${missing[*]}"
}

install binutils
if ((do_build)); then
  install cmake make g++ libpam0g-dev libgtest-dev libslurm-dev libcgroup-dev libspdlog-dev
  [[ -e $build/CMakeCache.txt ]] || cmake -S "$project" -B "$build" -DSLURM_ADOPT_REST=OFF -DSLURM_ADOPT_TOOL=OFF >/dev/null
  cmake --build "$build" --parallel --target slurm_adopt_bench >/dev/null
fi
if [[ ! $theirs ]]; then
  install libpam-slurm-adopt
  theirs=$(dpkg-query -L libpam-slurm-adopt | grep '/pam_slurm_adopt\.so$')
fi
module=$(realpath -e "${module:-$build/pam/pam_slurm_adopt.so}")
theirs=$(realpath -e "$theirs")
helper=$(realpath -e "$build/src/slurm-adopt-helper")
build=$(realpath -e "$build/tests/bench")

work=$(mktemp -d -p /var/tmp)
trap 'rm -rf "$work"' EXIT
# Copies, so that neither is a file that somebody may be building, and both lie in the same file system.
# sshd loads installed files, and those are stripped.
strip -o "$work/ours.so" "$module"
strip -o "$work/theirs.so" "$theirs"
cp "$build"/{bench_{login,once,compare,syscalls,throughput,peer},pam_floor.so} "$work/"
strip -o "$work/slurm-adopt-helper" "$helper"
chmod 755 "$work" "$work/slurm-adopt-helper" "$work/bench_peer"
sync -f "$work/ours.so" # a page that is yet to be written to the disk would count as dirty memory

rc=0
# Ahead of whatever else the machine does, the cluster's daemons too: a login that waits for its turn behind a
# compiler measures the compiler. Where that is not allowed, the medians are only noisier.
chrt --fifo --pid 1 $$ 2>/dev/null || renice -n -20 $$ >/dev/null 2>&1 || true
BENCH_WORK=$work BENCH_SAMPLES=$samples BENCH_IDLE=$idle BENCH_SCENARIOS=$scenarios BENCH_OPTIONS=$options \
  BENCH_ATTEMPTS=$attempts BENCH_THROUGHPUT_ATTEMPTS=$throughput_attempts BENCH_WORKERS=$workers BENCH_ROUNDS=$rounds \
  BENCH_ROUND_MS=$round_ms BENCH_FLOOR_LIMIT=$floor_limit "$here/../cluster/cluster.sh" run --usual-spool --cpus "$cpus" --bind "$work" -- "$here/measure.sh" || rc=$?
if [[ $out && -e $work/results.tsv ]]; then
  mkdir -p "$out"
  cp "$work/results.tsv" "$out/"
fi
# Targets that are missed are part of the page; a run that broke off is not.
if ((write_docs && rc < 2)); then "$here/page.sh" --v1 "$work/results.tsv"; fi
exit "$rc"
