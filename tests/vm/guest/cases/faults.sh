# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Hung slurmstepds on cgroup v2, whose paths do not say whose a job is. Jobs of salloc alone have no batch directory
# either: the module has to ask them. The times are the module's own, of its decision lines: the machine is slow.
# shellcheck disable=SC2154  # job, release and host are common.sh's

readonly added_limit_ms=300 rounds=3

# extern_jobs USER NUMBER: jobs that have an extern step and nothing else; their ids are in $jobs, and the pids of their
# slurmstepds in $stepds.
extern_jobs() {
  local i pid
  # Each waits some seconds more than its step takes to start.
  for ((i = 0; i < $2; i++)); do
    as "$1" salloc --quiet --no-shell --mem=20 &
    children+=($!)
  done
  eventually 300 running_jobs "$1" "$2" || fail "not all of $2 jobs run: $(squeue)"
  mapfile -t jobs < <(squeue -h -u "$1" -t R -o %A)
  eventually 120 all_run "${jobs[@]}" || fail "the extern steps' states: $(step_states "${jobs[@]}" | sort | uniq -c)"
  stepds=()
  for i in "${jobs[@]}"; do
    expect_not "a job of salloc has a batch directory" test -e "$(printf /var/spool/slurmd/job%05d "$i")"
    pid=$(extern_pid "$i")
    [[ $pid ]] || fail "job $i has no slurmstepd"
    stepds+=("$pid")
  done
}

running_jobs() {  # USER NUMBER
  (($(squeue -h -u "$1" -t R -o %A | wc -l) == $2))
}

decided_times() {  # DECISION AND REASON
  decisions | sed -nE "s/^decision=${1/ / reason=} user=alice .* ms=([0-9.]+)( .*)?$/\\1/p"
}

has_decided() {  # DECISION AND REASON
  took=$(decided_times "$1" | tail -n 1)
  [[ $took ]]
}

# take_ms "DECISION REASON": a login of alice's that has to come to it; its time is in $took.
take_ms() {
  from_now_on
  login alice true || [[ $1 == deny* ]] || fail "a login is refused that should come to: $1"
  eventually 30 has_decided "$1" || { decisions; fail "no decision: $1"; }
}

is_at_most() {
  awk -v left="$1" -v right="$2" 'BEGIN {exit !(left + 0 <= right + 0)}'
}

least_of() {  # NUMBER...
  printf '%s\n' "$@" | sort -g | sed -n 1p
}

# expect_added "DECISION REASON" NUMBER FAULT: how much longer logins of alice's take that come to it while this number of the
# $stepds hang. The machine emulates and its host is busy, now more and now less: logins with and without the fault take turns, so
# that both have of each, and of either the quickest counts. What is above the limit is measured for longer.
expect_added() {
  local round added without=() with=()
  for ((round = 1; round <= 5 * rounds; round++)); do
    take_ms "$1"
    without+=("$took")
    kill -STOP "${stepds[@]:0:$2}"
    take_ms "$1"
    with+=("$took")
    kill -CONT "${stepds[@]:0:$2}"
    # Each has yet to answer what it was asked meanwhile.
    eventually 60 all_run "${jobs[@]}" || fail "not all extern steps answer again"
    added=$(awk -v before="$(least_of "${without[@]}")" -v after="$(least_of "${with[@]}")" 'BEGIN {printf "%.2f", (after > before) ? after - before : 0}')
    if ((round >= rounds)) && is_at_most "$added" $added_limit_ms; then break; fi
  done
  note "$1: $(least_of "${without[@]}") ms, with $2 hung $(least_of "${with[@]}") ms"
  report_fault slurmstepd "cgroup v2: $3; time added" "$1" "$added_limit_ms" "$added"
}

case_hung_stepds_of_others() {
  use_stack off "$(account_line strict)" ''
  extern_jobs bob 20
  new_job alice
  expect_added 'adopt one_job' 1 "another user's extern step hangs"
  expect_added 'adopt one_job' 20 '20 extern steps of another user hang'
  scancel "$job"
  eventually 60 gone_step "$job" || fail "job $job does not end"
  expect_added 'deny no_jobs' 20 '20 extern steps of another user hang, own none'
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
  kill -STOP "$(extern_pid "$job")"
  expect_not "a login is let in although its job's step hangs" login alice true
  eventually 30 has_decided "$reason" || { decisions; fail "not $reason"; }
  # timeout= and what an emulated processor needs to say so.
  report_fault slurmstepd 'cgroup v2: the own extern step hangs, timeout=2' "$reason" 2200 "$took"
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
