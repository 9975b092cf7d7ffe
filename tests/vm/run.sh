#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The module on other Debian releases, each in a virtual machine with systemd and cgroup v2: Debian 13 (Slurm 24.11) and
# Debian 14 (Slurm 26.05). Makes their images, builds the packages inside them, boots them with the tests of guest/, which
# install those, and reports every case. Exit code 0 only if all of them ran and passed. See --help.
#
# The machines are User Mode Linux: Debian's kernel as a process of this host, which needs no virtualization and is several times
# faster than emulating a processor. --emulate does that, for what depends on the release's own kernel.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$here/../.." && pwd)
readonly here project
readonly build=$project/build
# shellcheck source-path=SCRIPTDIR source=../support/debian_mirror.sh
. "$project/tests/support/debian_mirror.sh"

# CI machines can be slow, and the machine may be emulated; this is when nobody believes in it any more.
readonly machine_limit=45m

usage() {
  cat <<'TEXT'
usage: run.sh [OPTION]... [RELEASE]...      (releases: trixie forky; both, if none is named)

  --module FILE.so   the module that was built on this host, which has to work there too
                     (default: build/pam/pam_slurm_adopt.so)
  --cases REGEX      only the cases whose "FILE NAME" matches
  --emulate          the release's own kernel on a processor that QEMU emulates, in place of User Mode Linux
  --bench            no tests: the bench of build/tests/bench, against Debian's pam_slurm_adopt (trixie only, emulated); its
                     results stay in build/vm/RELEASE/bench.tsv. Exit code 0 only if all targets are met.
  --keep             keep the systems in build/vm and use them the next time
  --prepare          make and keep the systems, compile the project in them, and boot nothing
  --prepared         use the systems of --prepare, where they are complete, and do not keep them

The faults that the cases report are appended to the file that $SLURM_ADOPT_FAULT_ROWS names, if set.
Needs root, debootstrap, and linux.uml (user-mode-linux) or qemu-system-x86_64. Everything it makes is in build/vm; the logs that
stay are build/vm/RELEASE/{install,build,machine,console,report}.log.
TEXT
}

die() {
  printf 'vm: %s\n' "$*" >&2
  exit 1
}

main() {
  module=$project/build/pam/pam_slurm_adopt.so cases=. use=0 keep=0 prepare=0 bench='' kind=uml
  releases=()
  local inside=0
  while (($#)); do
    case $1 in
      --module) module=$(realpath -e "$2"); shift 2 ;;
      --cases) cases=$2; shift 2 ;;
      --emulate) kind=qemu; shift ;;
      --bench) bench=$project/build/tests/bench kind=qemu; shift ;;
      --keep) use=1 keep=1; shift ;;
      --prepare) prepare=1 keep=1; shift ;;
      --prepared) use=1; shift ;;
      --inside) inside=1; shift ;;  # by ourselves only
      -h | --help) usage; exit 0 ;;
      trixie | forky) releases+=("$1"); shift ;;
      *) echo "run.sh: unknown argument '$1'" >&2; usage >&2; exit 2 ;;
    esac
  done
  if [[ $bench ]]; then
    ((${#releases[@]})) || releases=(trixie)
    [[ ${releases[*]} != *forky* ]] || die "--bench: pam_floor.c does not ask as a slurmstepd of 25.11 or later wants it"
  fi
  ((${#releases[@]})) || releases=(trixie forky)
  ((EUID == 0)) || die "needs root"
  local program=linux.uml package=user-mode-linux
  if [[ $kind == qemu ]]; then program=qemu-system-x86_64 package=qemu-system-x86; fi
  command -v "$program" >/dev/null || die "$program is missing: apt-get install $package"
  [[ -e $module ]] || die "$module is missing: build the project first"
  [[ -e $build/tests/rest/rest_ask ]] || die "$build is missing rest_ask: build the project first"
  [[ ! $bench || -e $bench/bench_compare ]] || die "$bench is missing: build the project first (target slurm_adopt_bench)"
  [[ $cases != *' '* ]] || die "--cases: no blanks, write . or \\s"
  top=$project/build/vm
  if ((inside)); then run_all; else in_namespaces; fi
}

# Runs ourselves again in namespaces, so that no mount and no process can stay, however this ends.
in_namespaces() {
  local child='' status=0 signal signalled=0 options=()
  for signal in INT:130 TERM:143 HUP:129; do
    # shellcheck disable=SC2064
    trap "signalled=${signal#*:}; [[ ! \$child ]] || kill -KILL \$child" "${signal%:*}"
  done
  mkdir -p "$top"
  exec 9>"$top/lock"
  flock -n 9 || die "another run uses $top"
  if ((!use)); then remove_systems; elif ((keep)); then rm -f "$top"/*/compiled; fi
  if ((prepare)); then options+=(--prepare); fi
  if [[ $kind == qemu ]]; then options+=(--emulate); fi
  if [[ $bench ]]; then options+=(--bench); fi
  setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child=KILL --mount-proc -- \
    bash "$here/run.sh" --inside --module "$module" --cases "$cases" "${options[@]}" "${releases[@]}" 9>&- </dev/null &
  child=$!
  # A signal that came before there was anything to kill.
  if ((signalled)); then kill -KILL "$child"; fi
  wait "$child" || status=$?
  trap '' INT TERM HUP
  wait "$child" 2>/dev/null || true
  if ((!keep)); then remove_systems; fi
  if ((signalled)); then status=$signalled; fi
  return "$status"
}

remove_systems() {
  rm -rf --one-file-system "$top"/*/root "$top"/*/payload "$top"/*/*.ext4 "$top"/*/written "$top"/*/machine "$top"/*/kernel "$top"/*/initrd "$top"/*/complete \
    "$top"/*/compiled
}

run_all() {
  local mirror release good=0 bad=0 all
  local -a pids=()
  mirror=$(debian_mirror)
  [[ $mirror ]] || die "no Debian mirror in apt's configuration"
  for release in "${releases[@]}"; do
    mkdir -p "$top/$release"
    rm -f "$top/$release"/*.log
    run_release "$release" "$mirror" &
    pids+=($!)
  done
  if ((prepare)); then
    local pid status=0
    for pid in "${pids[@]}"; do wait "$pid" || status=1; done
    return $status
  fi
  wait "${pids[@]}" || true
  for release in "${releases[@]}"; do
    judge "$release"
    if [[ $bench ]]; then judge_bench "$release"; fi
  done
  all=$((good + bad))
  # In the words of ctest, which tests/run.sh counts.
  printf '\n%d%% tests passed, %d tests failed out of %d\n' $((all ? good * 100 / all : 0)) "$bad" "$all"
  ((all > 0 && bad == 0))
}

run_release() {
  local release=$1 mirror=$2 dir=$top/$1 start=$SECONDS
  if [[ ! -e $dir/complete || $(<"$dir/complete") != "$kind" ]]; then
    rm -rf "$dir/root" "$dir/complete" "$dir/compiled"
    "$here/image.sh" system "$release" "$dir" "$mirror" "$kind" >"$dir/install.log" 2>&1 || return
    echo "$kind" >"$dir/complete"
  fi
  echo "$release: installed after $((SECONDS - start)) s"
  # By --prepare, for the run after it.
  if [[ ! -e $dir/compiled ]]; then
    "$here/image.sh" build "$dir" "$project" "$module" "$build" "$bench" >"$dir/build.log" 2>&1 || return
  fi
  rm -f "$dir/compiled"
  echo "$release: built after $((SECONDS - start)) s"
  if ((prepare)); then
    : >"$dir/compiled"
    return 0
  fi
  boot "$dir" || return
  echo "$release: tested after $((SECONDS - start)) s"
}

boot() {
  local dir=$1 kernel="panic=-1 loglevel=4 mitigations=off systemd.show_status=0 vm_cases=$cases${bench:+ vm_bench}"
  "boot_$kind" "$dir" "$kernel"
}

# What it writes to its disk goes to a file that ends with it: the system stays as installed. So with -snapshot below.
boot_uml() {  # DIRECTORY ARGUMENTS-OF-THE-KERNEL
  local dir=$1 status=0
  local -a arguments
  read -ra arguments <<<"$2"
  rm -f "$dir/written"
  timeout --kill-after=10 "$machine_limit" linux.uml mem=2048M "uml_dir=$dir/" umid=machine \
    "ubda=$dir/written,$dir/system.ext4" "ubdbr=$dir/payload.ext4" root=/dev/ubda rw "${arguments[@]}" \
    con=null "con0=null,fd:1" ssl=null "ssl1=null,fd:8" 8>"$dir/report.log" >"$dir/console.log" 2>"$dir/machine.log" || status=$?
  rm -rf "$dir/written" "$dir/machine"
  return $status
}

# The processor without cmpxchg16b: with it the kernel panics under emulation.
boot_qemu() {
  local dir=$1
  timeout --kill-after=10 "$machine_limit" qemu-system-x86_64 -accel tcg,thread=multi -cpu Nehalem,-cx16 -smp 2 -m 2048 \
    -nic none -display none -nodefaults -no-reboot -snapshot -device virtio-rng-pci \
    -drive "file=$dir/system.ext4,format=raw,if=virtio,cache=unsafe" \
    -drive "file=$dir/payload.ext4,format=raw,if=virtio,readonly=on" \
    -serial "file:$dir/console.log" -serial "file:$dir/report.log" -serial null \
    -kernel "$dir/kernel" -initrd "$dir/initrd" -append "root=/dev/vda rw console=ttyS0 $2" >"$dir/machine.log" 2>&1
}

# A console's log has what moves a terminal's cursor.
readable_end() {
  tail -n 30 "$1" | tr -cd '\11\12\40-\176'
}

# fault_rows RELEASE: the rows of doc/faults.md that its cases reported, with the case in the last column.
fault_rows() {
  sed 's/\r$//' "$top/$1/report.log" | awk -v release="$1" '
    $1 == "case" { name = $2 }
    $1 == "fault" { sub(/^fault /, ""); print $0 "\tvm:" release " " name }'
}

# judge RELEASE: prints what its machine reported, and adds to good and bad.
judge() {
  local release=$1 dir=$top/$1 passed planned log
  echo
  echo "== $release"
  if [[ ! -s $dir/report.log ]]; then
    echo "$release: no machine that ran the tests"
    for log in install build machine console; do
      [[ -s $dir/$log.log ]] || continue
      echo "--- the end of $dir/$log.log"
      readable_end "$dir/$log.log"
    done
    bad=$((bad + 1))
    return 0
  fi
  sed "s/^case /case $release./; s/\r$//" "$dir/report.log"
  if [[ ${SLURM_ADOPT_FAULT_ROWS:-} ]]; then fault_rows "$release" >>"$SLURM_ADOPT_FAULT_ROWS"; fi
  passed=$(grep -c '^case [^ ]* ok ' "$dir/report.log") || true
  planned=$(sed -n 's/^plan \([0-9]*\).*/\1/p' "$dir/report.log")
  # A case that was planned and is not there has failed as well: the machine died before.
  if ! grep -q '^done' "$dir/report.log"; then
    echo "$release: the machine ended before it was done; the end of $dir/console.log"
    readable_end "$dir/console.log"
  fi
  ((planned > passed)) || grep -q '^done' "$dir/report.log" || planned=$((passed + 1))
  good=$((good + passed))
  bad=$((bad + planned - passed))
}

# judge_bench RELEASE: its results, and the targets; adds to bad.
judge_bench() {
  local dir=$top/$1 awk=$project/tests/bench part
  sed -n 's/\r$//; s/^| bench //p' "$dir/report.log" >"$dir/bench.tsv" || true
  for part in figures judge; do
    awk -f "$awk/results.awk" -f "$awk/targets.awk" -f "$awk/report.awk" -v part="$part" "$dir/bench.tsv" || bad=$((bad + 1))
  done
}

main "$@"
