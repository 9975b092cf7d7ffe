# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What measures a node as it is, into results.tsv. Sourced by measure.sh (in the private cluster) and by the bench of the
# virtual machines. It wants of them:
#   $work             the programs, ours.so, theirs.so and pam_floor.so, and where results.tsv comes to be
#   $user             who logs in
#   $ours_options, $theirs_options   of the two modules
#   own_socket        a command that prints the socket of one of the user's jobs
#   die MESSAGE
#
# A scenario is OWN+FOREIGN, the numbers of the user's jobs and of those of others; then x: these have extern steps only
# (and no batch step), or @answered, @refused: the login comes from a node whose slurmd answers, or has none; or @named: the user
# has named a job (job_choice=file, ours only).
# Lines of results.tsv, separated by tabs:
#   info KEY VALUE
#   login SCENARIO ATTEMPT SERVICE SAMPLES Q1 MEDIAN Q3 FAULTS RSS DIRTY MAPPINGS            microseconds, kB
#   sticky SCENARIO LOGINS SERVICE SAMPLES Q1 MEDIAN Q3 FAULTS RSS DIRTY MAPPINGS            LOGINS of the client are there
#   option SCENARIO NAME SERVICE SAMPLES Q1 MEDIAN Q3 FAULTS RSS DIRTY MAPPINGS              "with" the option, and "ours" without
#   syscalls SCENARIO SERVICE RUNS Q1 MEDIAN Q3
#   throughput SCENARIO ATTEMPT WORKERS SERVICE ROUNDS Q1 MEDIAN Q3 FAILED                   logins per second
# shellcheck disable=SC2154  # those variables

readonly syscall_runs=5

info() {
  printf 'info\t%s\t%s\n' "$1" "$2" >>"$work/results.tsv"
}

# The machine, for those who read the figures.
describe_machine() {
  info date "$(date -u +%F)"
  info system "$(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release), Linux $(uname -r | sed 's/-.*//')"
  info processor "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | sort | uniq -c | sed 's/^ *//; s/ / x /' | paste -sd ',')"
  info slurm "$(slurmd -V | sed 's/^slurm[^0-9]*//')"
  info cgroup "$(if [[ -e /sys/fs/cgroup/freezer ]]; then echo v1; else echo v2; fi)"
  info size_ours "$(stat -c %s "$work/ours.so")"
  info size_theirs "$(stat -c %s "$work/theirs.so")"
}

# SCENARIO
has_own_jobs() {
  [[ $1 != 0+* ]]
}

write_services() {
  mkdir -p "$work/pam.d"
  : >"$work/pam.d/other" # libpam reads it, and complains in the log where there is none
  printf 'account required pam_permit.so\n' >"$work/pam.d/permit"
  printf 'account required %s service=theirs %s\n' "$work/theirs.so" "$theirs_options" >"$work/pam.d/theirs"
  printf 'account required %s service=ours %s%s\n' "$work/ours.so" "$ours_options" \
    "$(if [[ $1 == *@named ]]; then echo ' job_choice=file'; fi)" >"$work/pam.d/ours"
  if has_own_jobs "$1"; then
    printf 'account required %s %s\n' "$work/pam_floor.so" "$(own_socket)" >"$work/pam.d/floor"
    services=(permit=pass floor=adopted theirs=adopted ours=adopted)
  else
    services=(permit=pass theirs=refused ours=refused)
  fi
}

# Adds lines to results.tsv: the words given, then a line of the program's.
keep() {
  awk -v OFS='\t' -v words="$*" 'BEGIN { gsub(" ", OFS, words) } { $1 = $1; print words, $0 }' "$work/once" >>"$work/results.tsv"
}

# SCENARIO ATTEMPT SAMPLES IDLE
measure_logins() {
  write_services "$1"
  timeout 600 "$work/bench_compare" "$work/bench_login" "$work/pam.d" "$user" "$3" "$4" "${services[@]}" >"$work/once" ||
    die "measuring failed with jobs $1"
  keep login "$1" "$2"
}

# SCENARIO
count_system_calls() {
  write_services "$1"
  timeout 300 "$work/bench_syscalls" "$work/bench_once" "$work/pam.d" "$user" "$syscall_runs" "${services[@]}" >"$work/once" ||
    die "counting system calls failed with jobs $1"
  keep syscalls "$1"
}

# SCENARIO ATTEMPT WORKERS ROUNDS MILLISECONDS
measure_throughput() {
  write_services "$1"
  timeout 600 "$work/bench_throughput" "$work/bench_once" "$work/pam.d" "$user" "${@:3}" "${services[@]}" >"$work/once" ||
    die "measuring throughput failed with jobs $1"
  keep throughput "$1" "$2" "$3"
}
