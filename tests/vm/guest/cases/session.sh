# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# With pam_systemd in the stack, which moves a session to a scope of its own, and our session line after it.
# shellcheck disable=SC2154  # job, session, session_id, client, host and release are common.sh's

both_lines() {  # [SYSTEMD]
  use_stack "${1:-on}" "$(account_line strict)" "$(session_line strict)"
}

user_id() {
  id -u alice
}

# Without that of systemd's manager of the user.
sessions_of_alice() {
  local name
  for name in $(loginctl list-sessions --no-legend | awk '$3 == "alice" {print $1}'); do
    [[ $(loginctl show-session "$name" -p Service) != Service=sshd ]] || echo "$name"
  done
}

# What systemd keeps for the sessions of alice.
traces_of_sessions() {
  systemctl list-units --no-legend --plain --type=scope --all 'session-*.scope'
  find /sys/fs/cgroup/user.slice -maxdepth 3 -type d -path "*/user-$(user_id).slice/session-*.scope"
  sessions_of_alice
}

nothing_is_left() {
  [[ ! $(traces_of_sessions) && ! -e /run/user/$(user_id) ]]
}

case_account_line_alone_is_outside() {
  use_stack on "$(account_line strict)" ''
  new_job alice
  local cgroup
  cgroup=$(cgroup_of_login alice)
  note "without our session line the session is in $cgroup"
  expect "pam_systemd has moved it (or this suite tests nothing)" grep -q '^/user\.slice/' <<<"$cgroup"
}

# shellcheck disable=SC2016
case_back_in_the_job() {
  both_lines
  new_job alice
  stay alice
  local seen
  expect "the session is in the job" is_inside "$(sed -n 's/^0:://p' "/proc/$session/cgroup")" "$job"
  seen=$(login alice 'echo "$XDG_RUNTIME_DIR"; stat -c "%U %a" "$XDG_RUNTIME_DIR"')
  expect "XDG_RUNTIME_DIR" test "$seen" = "/run/user/$(user_id)"$'\n'"alice 700"
  # Not any session of hers: logind takes some time to close one whose client has gone.
  expect "logind has a name for the session" test -n "$session_id"
  expect "loginctl lists the session" grep -qx "$session_id" < <(sessions_of_alice)
  note "loginctl: $(loginctl show-session "$session_id" -p Name -p Service -p State -p Class -p Scope | paste -sd ' ')"
  expect "and knows its user" grep -qx Name=alice < <(loginctl show-session "$session_id" -p Name)
  expect "loginctl session-status" loginctl --no-pager session-status "$session_id"
  expect "loginctl user-status" loginctl --no-pager user-status alice
}

case_scancel_ends_it() {
  both_lines
  new_job alice
  stay alice
  expect "the session is in the job" is_inside "$(sed -n 's/^0:://p' "/proc/$session/cgroup")" "$job"
  scancel "$job"
  eventually 60 gone "$session" || fail "the session outlives its job"
}

case_no_job_no_session() {
  both_lines
  expect_not "a login without a job is let in" login alice true
}

case_nothing_is_left() {
  both_lines
  new_job alice
  stay alice
  kill "$session"
  eventually 60 gone "$client"
  eventually 180 nothing_is_left || fail "left: $(traces_of_sessions; ls -d /run/user/*)"
}

case_terminate_session() {
  both_lines
  new_job alice
  stay alice
  loginctl terminate-session "$session_id" || true
  sleep 5
  if gone "$session"; then note "loginctl terminate-session ended the session"; else
    note "loginctl terminate-session does not end the session: its scope is empty"
  fi
}

# The open door: systemd's own manager of the user runs outside every job.
case_systemd_run_is_a_door() {
  both_lines
  new_job alice
  local scope='' service
  # The manager that an earlier case's session has left may just be ending.
  eventually 60 scope_is_a_door || true
  service=$(login alice systemd-run --user --pipe --wait --quiet cat /proc/self/cgroup) || true
  note "systemd-run --user --scope: ${scope:-refused}"
  note "systemd-run --user: ${service:-refused}"
  expect "systemd's manager of the user does what it is known to do" grep -q "user@$(user_id)\\.service" <<<"$scope$service"
}

scope_is_a_door() {
  scope=$(login alice systemd-run --user --scope --quiet cat /proc/self/cgroup)
  grep -q "user@$(user_id)\\.service" <<<"$scope"
}

no_door() {
  local command
  for command in 'systemd-run --user --scope --quiet' 'systemd-run --user --pipe --wait --quiet' 'systemd-run --quiet --pipe'; do
    # shellcheck disable=SC2029
    expect_not "$command works" login alice "$command cat /proc/self/cgroup"
  done
  expect "the session is in the job" is_inside "$(cgroup_of_login alice)" "$job"
  # shellcheck disable=SC2016
  note "XDG_RUNTIME_DIR $(login alice 'echo "${XDG_RUNTIME_DIR-unset}: $(stat -c "%U %a" "$XDG_RUNTIME_DIR" 2>&1)"')"
}

case_masking_closes_the_door() {
  both_lines
  new_job alice
  systemctl stop "user@$(user_id).service"
  systemctl mask --runtime --quiet user@.service
  (no_door) || { systemctl unmask --runtime --quiet user@.service; fail "masked, and still open"; }
  systemctl unmask --runtime --quiet user@.service
}

case_user_light_closes_the_door() {
  if [[ $release == trixie ]]; then
    note "systemd 257 has no class=user-light"
    return 0
  fi
  both_lines class=user-light
  new_job alice
  systemctl stop "user@$(user_id).service"
  no_door
}
