# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# keyboard-interactive: sshd runs the account phase in a child that ends before the session begins.
# shellcheck disable=SC2154  # job, session, client, host and release are common.sh's

sshd_asks() {
  printf 'KbdInteractiveAuthentication yes\nAuthenticationMethods keyboard-interactive\n' >/etc/ssh/sshd_config.d/asks.conf
  systemctl restart ssh
}

end_of_case() {
  rm -f /etc/ssh/sshd_config.d/asks.conf
  echo alice:alice-password | chpasswd
  systemctl restart ssh
}

cgroup_with_password() {
  login_with_password alice cat /proc/self/cgroup | sed -n 's/^0:://p'
}

case_account_line_alone() {
  sshd_asks
  use_stack off "$(account_line strict)" ''
  expect_not "a login without a job is let in" login_with_password alice true
  expect "and not for its password" decided 'decision=deny reason=no_jobs user=alice'
  new_job alice
  expect "the session is in the job" is_inside "$(cgroup_with_password)" "$job"
  echo alice:another-password | chpasswd
  expect_not "a wrong password" login_with_password alice true
}

case_account_and_session() {
  sshd_asks
  use_stack on "$(account_line strict)" "$(session_line strict)"
  expect_not "a login without a job is let in" login_with_password alice true
  expect "and not for its password" decided 'decision=deny reason=no_jobs user=alice'
  new_job alice
  expect "the session is in the job" is_inside "$(cgroup_with_password)" "$job"
}

# Slurm's own module, for comparison.
case_slurms_own_is_outside() {
  sshd_asks
  use_stack off "account required /opt/theirs/pam_slurm_adopt.so" ''
  new_job alice
  local cgroup
  cgroup=$(cgroup_with_password)
  note "with Slurm's own module the session is in $cgroup"
  expect "a session" test -n "$cgroup"
  expect_not "Slurm's own module does it too" is_inside "$cgroup" "$job"
}
