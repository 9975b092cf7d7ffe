# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The account phase, by public key. pam_systemd is off: it would move the session out again (see session.sh). Some
# of these run a second time with the module that was built on Debian 12 (see main.sh).
# shellcheck disable=SC2154  # job, session, client, host and release are common.sh's

case_no_job_is_refused() {
  use_stack off "$(account_line strict)" ''
  expect_not "a login without a job is let in" login alice true
  expect "it is said why" decided 'decision=deny reason=no_jobs user=alice'
  new_job bob
  expect_not "another user's job opens the node" login alice true
}

case_one_job() {
  use_stack off "$(account_line strict)" ''
  new_job alice
  local cgroup
  cgroup=$(cgroup_of_login alice)
  note "the session is in $cgroup"
  expect "the session is in the job" is_inside "$cgroup" "$job"
  expect "the kernel confirms it" decided "decision=adopt reason=one_job user=alice .*job=$job .*verified=yes"
  # shellcheck disable=SC2016
  expect "SLURM_JOB_ID" test "$(login alice 'echo $SLURM_JOB_ID')" = "$job"
  if [[ $release == trixie ]]; then
    expect "the directory is named after the job" grep -q "/job_$job/step_extern/" <<<"$cgroup"
  else
    expect "the directory is named by SLUID" grep -qE '/s[0-9A-Z]+/step_extern/' <<<"$cgroup"
    expect_not "the directory is named after the job" grep -q /job_ <<<"$cgroup"
  fi
}

case_newest_of_several() {
  use_stack off "$(account_line strict)" ''
  local first
  new_job alice
  first=$job
  sleep 1.1
  new_job alice
  expect "the newest job is taken" is_inside "$(cgroup_of_login alice)" "$job"
  scancel "$job"
  eventually 60 gone_step "$job"
  expect "then the one that is left" is_inside "$(cgroup_of_login alice)" "$first"
}

gone_step() {
  ! listens "$(step_socket "$1")"
}

case_scancel_ends_the_session() {
  use_stack off "$(account_line strict)" ''
  new_job alice
  stay alice
  expect "the session is in the job" is_inside "$(sed -n 's/^0:://p' "/proc/$session/cgroup")" "$job"
  scancel "$job"
  eventually 60 gone "$session" || fail "the session outlives its job"
  eventually 60 gone "$client" || fail "the client has not noticed"
}

case_hung_step_is_refused_in_time() {
  use_stack off "$(account_line strict timeout=5)" ''
  new_job alice
  kill -STOP "$(extern_pid "$job")"
  expect_not "a login that cannot be adopted is let in" login alice true
  # Nobody says whose a job is that does not answer: no_jobs where nothing else tells, adopt_timeout where something does.
  # The machine is slow, so by the module's own clock.
  expect "it is refused in time" decided 'decision=deny reason=(no_jobs|adopt_timeout) user=alice .*ms=([0-9]{1,3}|[1-6][0-9]{3})\.'
  note "$(decisions | tail -n 1)"
  kill -CONT "$(extern_pid "$job")"
  expect "then it is let in" login alice true
}

case_action_no_jobs_ignore() {
  use_stack off "$(account_line strict action_no_jobs=ignore)" ''
  expect "who has no job is let in" login alice true
  expect "it is said" decided 'decision=ignore reason=no_jobs user=alice'
  new_job alice
  expect "who has one is adopted" is_inside "$(cgroup_of_login alice)" "$job"
}

case_root_passes() {
  use_stack off "$(account_line strict)" ''
  expect "root is let in" login root true
}

case_exempt_are_told_nothing() {
  use_stack off "$(account_line strict exempt_groups=bob exempt_users=alice exempt_adopt=1)" ''
  expect "an exempt group's member without a job is let in" test "$(login_aloud bob echo in 2>&1)" = in
  new_job alice
  local said
  said=$(login_aloud alice cat /proc/self/cgroup 2>&1)
  expect "an exempt user with a job is told nothing" test "$(wc -l <<<"$said")" = 1
  expect "and adopted where asked" is_inside "${said#0::}" "$job"
  new_job bob
  said=$(login_aloud bob cat /proc/self/cgroup 2>&1)
  expect "an exempt group's member with a job is told nothing" test "$(wc -l <<<"$said")" = 1
  expect "and adopted where asked" is_inside "${said#0::}" "$job"
  scancel "$job"
  eventually 60 gone_step "$job"
  use_stack off "$(account_line strict)" ''
  said=$(login_aloud bob true 2>&1) && fail "who is not exempt is let in"
  expect "who is not exempt is told" grep -q 'you have no job' <<<"$said"
}
