# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Hung slurmstepds on cgroup v2, whose paths do not say whose a job is. Jobs of salloc alone have no batch directory
# either: the module has to ask them. The times are the module's own, of its decision lines: the machine is slow.
# shellcheck disable=SC2154  # job, release and host are common.sh's

readonly added_limit_ms=300 rounds=4

# extern_jobs USER NUMBER: jobs that have an extern step and nothing else; their ids are in $jobs.
extern_jobs() {
  local i
  # Each waits some seconds more than its step takes to start.
  for ((i = 0; i < $2; i++)); do
    as "$1" salloc --quiet --no-shell --mem=20 &
    children+=($!)
  done
  eventually 300 running_jobs "$1" "$2" || fail "not all of $2 jobs run: $(squeue)"
  mapfile -t jobs < <(squeue -h -u "$1" -t R -o %A)
  for i in "${jobs[@]}"; do
    eventually 120 listens "$(step_socket "$i")" || fail "job $i has no extern step"
    expect_not "a job of salloc has a batch directory" test -e "$(printf /var/spool/slurmd/job%05d "$i")"
  done
}

running_jobs() {  # USER NUMBER
  (($(squeue -h -u "$1" -t R -o %A | wc -l) == $2))
}

signal_stepds() {  # SIGNAL JOB...
  local id pid
  for id in "${@:2}"; do
    pid=$(extern_pid "$id")
    [[ $pid ]] || fail "job $id has no slurmstepd"
    kill "-$1" "$pid"
  done
}

decided_times() {  # DECISION AND REASON
  decisions | sed -nE "s/^decision=${1/ / reason=} user=alice .* ms=([0-9.]+)( .*)?$/\\1/p"
}

more_decisions() {  # DECISION AND REASON, NUMBER
  (($(decided_times "$1" | wc -l) > $2))
}

# least_ms "DECISION REASON" [ENOUGH]: logins of alice's that all have to come to it; the time of the quickest is in
# $least. Other things run on the machine: it is tried again as long as it took more than ENOUGH.
least_ms() {
  local i before most=$rounds
  # What is above a limit is measured for longer: the machine emulates, and its host may be busy.
  if [[ ${2-} ]]; then most=$((4 * rounds)); fi
  before=$(decided_times "$1" | wc -l)
  for ((i = 0; i < most; i++)); do
    login alice true || [[ $1 == deny* ]] || fail "a login is refused that should come to: $1"
    eventually 30 more_decisions "$1" $((before + i)) || { decisions; fail "no decision: $1"; }
    least=$(decided_times "$1" | tail -n $((i + 1)) | sort -g | head -n 1)
    if [[ ${2-} ]] && is_at_most "$least" "$2"; then break; fi
  done
}

is_at_most() {
  awk -v left="$1" -v right="$2" 'BEGIN {exit !(left + 0 <= right + 0)}'
}

sum() {
  awk -v left="$1" -v right="$2" 'BEGIN {print left + right}'
}

added() {  # BEFORE AFTER
  awk -v before="$1" -v after="$2" 'BEGIN {difference = after - before; printf "%.2f", (difference > 0) ? difference : 0}'
}

case_hung_stepds_of_others() {
  use_stack off "$(account_line strict)" ''
  local adopted refused
  extern_jobs bob 20
  least_ms 'deny no_jobs'
  refused=$least
  new_job alice
  least_ms 'adopt one_job'
  adopted=$least

  signal_stepds STOP "${jobs[0]}"
  least_ms 'adopt one_job' "$(sum "$adopted" $added_limit_ms)"
  note "adopt: $adopted ms, with one hung $least ms"
  report_fault slurmstepd "cgroup v2: another user's extern step hangs; time added" 'adopt one_job' \
    "$added_limit_ms" "$(added "$adopted" "$least")"

  signal_stepds STOP "${jobs[@]:1}"
  least_ms 'adopt one_job' "$(sum "$adopted" $added_limit_ms)"
  note "adopt: $adopted ms, with 20 hung $least ms"
  report_fault slurmstepd "cgroup v2: 20 extern steps of another user hang; time added" 'adopt one_job' \
    "$added_limit_ms" "$(added "$adopted" "$least")"

  scancel "$job"
  eventually 60 gone_step "$job" || fail "job $job does not end"
  least_ms 'deny no_jobs' "$(sum "$refused" $added_limit_ms)"
  note "refused: $refused ms, with 20 hung $least ms"
  report_fault slurmstepd "cgroup v2: 20 extern steps of another user hang, own none; time added" 'deny no_jobs' \
    "$added_limit_ms" "$(added "$refused" "$least")"
}

gone_step() {
  ! listens "$(step_socket "$1")"
}

# Without cgroup v1 only the batch script says whose the silent step is.
case_own_hung_stepd() {
  local script reason='deny adopt_timeout'
  use_stack off "$(account_line strict timeout=2)" ''
  new_job alice
  script=/var/spool/slurmd/job$(printf %05d "$job")/slurm_script
  eventually 60 test -e "$script" || fail "no $script"
  expect "$script is not alice's" test "$(stat -c %U "$script")" = alice
  signal_stepds STOP "$job"
  expect_not "a login is let in although its job's step hangs" login alice true
  eventually 30 more_decisions "$reason" 0 || { decisions; fail "not $reason"; }
  # timeout= and what an emulated processor needs to say so.
  report_fault slurmstepd 'cgroup v2: the own extern step hangs, timeout=2' "$reason" 2200 \
    "$(decided_times "$reason" | tail -n 1)"
}

# states_until_gone SOCKET: what the slurmstepd says of its step's state (request 5), again and again until it has gone.
states_until_gone() {
  perl -MSocket -e '$| = 1;
    for (;;) {
      socket(my $stepd, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
      connect($stepd, pack_sockaddr_un($ARGV[0])) or exit;
      syswrite($stepd, pack("ll", 0x7fff, 5));
      my $answer = "";
      while (length $answer < 8) { last unless sysread($stepd, $answer, 8 - length $answer, length $answer); }
      print length $answer == 8 ? (unpack("ll", $answer))[1] : "closed", "\n";
      select(undef, undef, undef, 0.002);
    }' "$1"
}

# The states that the module tells apart: it takes no job whose step is ending.
case_states_of_a_step() {
  local states=/run/states
  new_job alice
  states_until_gone "$(step_socket "$job")" >"$states" &
  children+=($!)
  eventually 30 test -s "$states" || fail "no answer"
  scancel --quiet "$job"
  eventually 120 no_steps
  note "states of the extern step until it has gone: $(uniq -c "$states" | awk '{printf "%s%s (%s times)", (NR > 1) ? ", " : "", $2, $1}')"
  expect "a step that runs is in state 2" test "$(head -n 1 "$states")" = 2
  # 3, and after it 4.
  expect_not "a step that ends is in no other state" grep -vxE '2|3|4|closed' "$states"
}
