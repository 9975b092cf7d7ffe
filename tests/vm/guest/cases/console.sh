# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Services without a network connection: su and login(1), with our lines in the files that all services include.
# shellcheck disable=SC2154  # job, session, client, host and release are common.sh's

common_lines() {  # OPTION...
  use_stack on '' ''
  account_line strict "$@" >>/etc/pam.d/common-account
  session_line strict "$@" >>/etc/pam.d/common-session
}

cgroup_of_su() {
  su -l alice -c 'cat /proc/self/cgroup' </dev/null | sed -n 's/^0:://p'
}

case_su() {
  common_lines service=sshd,su-l,login
  expect_not "su without a job" cgroup_of_su
  expect "it is said why" decided 'decision=deny reason=no_jobs user=alice .*service=su-l'
  new_job alice
  expect "the session is in the job" is_inside "$(cgroup_of_su)" "$job"
}

case_su_is_untouched_by_default() {
  common_lines
  expect "su works without a job" test -n "$(cgroup_of_su)"
  new_job alice
  expect_not "su is adopted" is_inside "$(cgroup_of_su)" "$job"
  expect "sshd is" is_inside "$(cgroup_of_login alice)" "$job"
}

# On the spare serial port: login(1) hangs up its terminal.
console_login() {
  rm -f /home/alice/of-login
  systemd-run --quiet --wait --collect -p StandardInput=tty -p StandardOutput=tty -p TTYPath=/dev/ttyS2 \
    -p RuntimeMaxSec=120 /bin/login -f alice
}

case_login() {
  common_lines service=sshd,su-l,login
  echo 'cat /proc/self/cgroup >~/of-login; exit' >/home/alice/.bash_profile
  console_login || true
  expect_not "login without a job" test -e /home/alice/of-login
  new_job alice
  console_login || true
  rm -f /home/alice/.bash_profile
  expect "somebody has logged in" test -s /home/alice/of-login
  expect "the session is in the job" is_inside "$(sed -n 's/^0:://p' /home/alice/of-login)" "$job"
}
