#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Fuzzes with libFuzzer (clang), or reports what the corpora cover. See doc/fuzzing.md.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."

usage() {
  cat <<'TEXT'
usage: tests/fuzz/run.sh [--seconds N | --cpu-hours H] [--target T]... [--jobs J] [--seed N] [--timeout N]
       tests/fuzz/run.sh --minimize [--target T]...
       tests/fuzz/run.sh --coverage
       tests/fuzz/run.sh --total

--seconds     for each target (10, if nothing is said)
--cpu-hours   in total, shared among the targets by weight; CPU time is measured, and a target goes on until it has had its share
--jobs        targets at the same time (1)
--seed        the same inputs in the same order each time, as far as the time goes
--timeout     an input that takes so many seconds is a find (20); by the clock: more on a machine that others are busy on
--minimize    puts what was found into tests/fuzz/corpus, as few inputs as reach all that is reached
--coverage    lines of src/ and pam/ that the corpora reach
--total       what all runs since build-fuzz/ was made have come to

Inputs that were found stay in build-fuzz/work, crashes in build-fuzz/crashes. Fails if there is a crash. Every run adds
a line for each target to build-fuzz/cpu.log: target, executions, CPU seconds, edges, features.
TEXT
}

mode=fuzz seconds='' cpu_hours='' jobs=1 seed=0 timeout=20 targets=()
while (($#)); do
  case $1 in
    --seconds) seconds=${2:?}; shift 2 ;;
    --cpu-hours) cpu_hours=${2:?}; shift 2 ;;
    --target) targets+=("${2:?}"); shift 2 ;;
    --jobs) jobs=${2:?}; shift 2 ;;
    --seed) seed=${2:?}; shift 2 ;;
    --timeout) timeout=${2:?}; shift 2 ;;
    --minimize | --coverage | --total) mode=${1#--}; shift ;;
    -h | --help) usage; exit 0 ;;
    *) echo "run.sh: unknown argument '$1'" >&2; usage >&2; exit 2 ;;
  esac
done
[[ -z $seconds || -z $cpu_hours ]] || { echo "run.sh: --seconds or --cpu-hours, not both" >&2; exit 2; }
[[ -n $seconds$cpu_hours ]] || seconds=10

corpus=tests/fuzz/corpus
fuzz=$PWD/build-fuzz
all_targets=()
for file in tests/fuzz/*_fuzz.cc; do
  name=${file##*/}
  all_targets+=("${name%_fuzz.cc}")
done
((${#targets[@]})) || targets=("${all_targets[@]}")
for target in "${targets[@]}"; do
  [[ -e tests/fuzz/${target}_fuzz.cc ]] || { echo "run.sh: no target '$target'; there are: ${all_targets[*]}" >&2; exit 2; }
done

build() {  # PRESET DIRECTORY
  local generator=()
  [[ -e $2/CMakeCache.txt ]] || generator=(-G Ninja)
  { cmake --preset "$1" "${generator[@]}" && cmake --build "$2" --target slurm_adopt_fuzz; } >"$2.log" 2>&1 || {
    tail -n 40 "$2.log" >&2
    return 1
  }
}

# How much of the time each gets: what everything meets gets most.
weight_of() {
  case $1 in
    account) echo 12 ;;
    stepd | helper_client) echo 4 ;;
    *) echo 1 ;;
  esac
}

# One run of one target: appends "executions cpu-seconds cov features" to build-fuzz/runs/TARGET.
run_once() {  # TARGET SECONDS
  local target=$1 log=$fuzz/logs/$1.log status=0
  mkdir -p "$fuzz/work/$target"
  # libFuzzer's own library is built without exceptions and brings functions of std::vector that the linker takes for all:
  # where memory runs out they lose some. Leaks of this target are found by the replay under the sanitizers instead.
  local leaks=1
  [[ $target != account ]] || leaks=0
  # The last line of the log: the children's user and system time, as the shell has measured them (times(2)).
  (
    ASAN_OPTIONS=detect_leaks=$leaks:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1 \
      "$fuzz/tests/fuzz/fuzz_$target" -seed="$seed" -max_total_time="$2" -detect_leaks="$leaks" -timeout="$timeout" \
      -report_slow_units="$timeout" -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$fuzz/crashes/$target-" "$fuzz/work/$target" "$corpus/$target" >"$log" 2>&1 || echo "exit $?" >>"$log"
    times >>"$log"
  )
  grep -q '^exit ' "$log" && status=1
  awk '
    /cov: [0-9]+ ft: [0-9]+/ { for (i = 1; i < NF; ++i) { if ($i == "cov:") cov = $(i + 1); if ($i == "ft:") ft = $(i + 1) } }
    /^stat::number_of_executed_units:/ { runs = $2 }
    { last = $0 }
    END {
      split(last, part, /[ ms]+/)
      printf "%d %.1f %d %d\n", runs, part[1] * 60 + part[2] + part[3] * 60 + part[4], cov, ft
    }' "$log" | tee -a "$fuzz/runs/$target" | sed "s/^/$target /" >>"$fuzz/cpu.log"
  if ((status)); then
    echo "CRASH in $target; the end of $log:" >&2
    grep -E 'does not hold|SUMMARY|Test unit written|ERROR|runtime error' "$log" >&2 || tail -n 20 "$log" >&2
  fi
  return $status
}

cpu_of() { awk '{cpu += $2} END {printf "%d\n", cpu}' "$fuzz/runs/$1"; }

run_target() {  # TARGET SHARE: seconds by the clock, or of CPU time
  local target=$1 share=$2
  : >"$fuzz/runs/$target"
  if [[ -n $seconds ]]; then
    run_once "$target" "$share"
    return
  fi
  while (($(cpu_of "$target") < share)); do
    local left=$((share - $(cpu_of "$target")))
    run_once "$target" $((left > 600 ? 600 : left < 20 ? 20 : left)) || return 1
  done
}

# From lines of "target executions cpu-seconds cov features".
print_table() {  # FILE
  local target
  for target in "${all_targets[@]}"; do echo "corpus $target $(find "$corpus/$target" -type f | wc -l)"; done |
    awk '
      function row(name, runs, speed, cpu, cov, ft, inputs) { printf "| %-16s | %12s | %9s | %7s | %6s | %8s | %6s |\n", name, runs, speed, cpu, cov, ft, inputs }
      $1 == "corpus" { inputs[$2] = $3; next }
      { runs[$1] += $2; cpu[$1] += $3; if ($4 > cov[$1]) cov[$1] = $4; if ($5 > ft[$1]) ft[$1] = $5; if (!($1 in seen)) { seen[$1]; order[n++] = $1 } }
      END {
        row("target", "executions", "a CPU s", "CPU s", "edges", "features", "corpus")
        row("---", "--:", "--:", "--:", "--:", "--:", "--:")
        for (i = 0; i < n; ++i) {
          t = order[i]
          row(t, runs[t], int(runs[t] / (cpu[t] + 0.05)), int(cpu[t]), cov[t], ft[t], inputs[t])
          all_runs += runs[t]
          all_cpu += cpu[t]
        }
        row("all", all_runs, "", int(all_cpu), "", "", "")
      }' - <(sort -s -k1,1 "$1")
}

run_total() {
  print_table "$fuzz/cpu.log"
}

run_fuzz() {
  build fuzz "$fuzz"
  mkdir -p "$fuzz/runs" "$fuzz/logs" "$fuzz/crashes" "$fuzz/work"
  local target weights=0 failed=0 share
  for target in "${targets[@]}"; do weights=$((weights + $(weight_of "$target"))); done
  for target in "${targets[@]}"; do
    share=$seconds
    if [[ -n $cpu_hours ]]; then
      share=$(awk -v h="$cpu_hours" -v w="$(weight_of "$target")" -v all="$weights" 'BEGIN {printf "%d", h * 3600 * w / all + 1}')
    fi
    while (($(jobs -rp | wc -l) >= jobs)); do wait -n || failed=1; done
    run_target "$target" "$share" &
  done
  while [[ -n $(jobs -p) ]]; do wait -n || { (($? == 127)) && break; failed=1; }; done
  for target in "${targets[@]}"; do sed "s/^/$target /" "$fuzz/runs/$target"; done >"$fuzz/runs.table"
  print_table "$fuzz/runs.table"
  # Also of an earlier run: it is not mended by not being looked at.
  if [[ -n $(ls -A "$fuzz/crashes") ]]; then
    echo "crashes:" >&2
    ls "$fuzz/crashes" >&2
    failed=1
  fi
  return $failed
}

run_minimize() {
  build fuzz "$fuzz"
  local target merged
  for target in "${targets[@]}"; do
    merged=$fuzz/merged/$target
    rm -rf "$merged"
    mkdir -p "$merged" "$fuzz/work/$target"
    # The named ones first: what they reach needs no other. By edges, not by how often each is passed: that would be thousands.
    "$fuzz/tests/fuzz/fuzz_$target" -merge=1 -use_counters=0 "$merged" "$corpus/$target" "$fuzz/work/$target" >"$merged.log" 2>&1
    # Those with a name of their own stay; of the others, which are called by their SHA-1, what is needed.
    find "$corpus/$target" -type f -regextype posix-extended -regex '.*/[0-9a-f]{40}' -delete
    comm -23 <(find "$merged" -type f -printf '%f\n' | sort) <(sha1sum "$corpus/$target"/* | cut -d ' ' -f 1 | sort) |
      sed "s|^|$merged/|" | xargs -r cp -t "$corpus/$target"
    printf '%-14s %4d inputs %8d bytes\n' "$target" "$(find "$corpus/$target" -type f | wc -l)" \
      "$(find "$corpus/$target" -type f -printf '%s\n' | awk '{n += $1} END {print n + 0}')"
  done
}

run_coverage() {
  local directory=$PWD/build-fuzz-coverage objects=() target
  build fuzz-coverage "$directory"
  rm -rf "$directory/profiles"
  for target in "${all_targets[@]}"; do
    LLVM_PROFILE_FILE=$directory/profiles/$target.profraw "$directory/tests/fuzz/fuzz_$target" "$corpus/$target" >"$directory/$target.log" 2>&1
    objects+=(${objects:+-object} "$directory/tests/fuzz/fuzz_$target")
  done
  llvm-profdata merge -sparse "$directory"/profiles/*.profraw -o "$directory/all.profdata"
  # One line a file: name, lines, and how many of them were run.
  llvm-cov export -summary-only -format=text -instr-profile "$directory/all.profdata" "${objects[@]}" |
    python3 -c '
import json, os, sys
files = [f for f in json.load(sys.stdin)["data"][0]["files"] if os.path.relpath(f["filename"]).startswith(("src/", "pam/"))]
print("%-34s %6s %7s" % ("file", "lines", "reached"))
total = reached = 0
for f in sorted(files, key=lambda f: f["filename"]):
    lines = f["summary"]["lines"]
    total += lines["count"]
    reached += lines["covered"]
    print("%-34s %6d %6.1f%%" % (os.path.relpath(f["filename"]), lines["count"], lines["percent"]))
print("%-34s %6d %6.1f%%" % ("all", total, 100 * reached / total))'
}

"run_$mode"
