# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What people do with ssh, by public key, with our account and session lines and pam_systemd.
# shellcheck disable=SC2154  # job, session, client, host and release are common.sh's

prepare() {
  use_stack on "$(account_line strict)" "$(session_line strict)"
  new_job alice
}

inside() {  # WHAT /PROC/PID/CGROUP'S TEXT
  expect "$1 is in the job" is_inside "$(tr -d '\r' <<<"$2" | sed -n 's/^0:://p')" "$job"
}

case_command() {
  prepare
  inside "a command" "$(login alice cat /proc/self/cgroup)"
  local status=0
  login alice 'exit 7' || status=$?
  expect "its exit code" test "$status" = 7
}

case_shell() {
  prepare
  inside "a shell" "$(ssh -T "alice@$host" <<<'cat /proc/self/cgroup')"
}

case_terminal() {
  prepare
  inside "a command with a terminal" "$(ssh -tt "alice@$host" 'tty >/dev/null && cat /proc/self/cgroup' </dev/null)"
}

case_scp() {
  prepare
  head -c 100000 /dev/urandom >/run/sent
  scp -q /run/sent "alice@$host:sent"
  scp -q "alice@$host:sent" /run/received
  expect "the file arrives" cmp /run/sent /run/received
  # Read by the server's side of the connection.
  scp -q "alice@$host:/proc/self/cgroup" /run/of-scp
  inside scp "$(</run/of-scp)"
  scp -q -O "alice@$host:sent" /run/received2
  expect "the file arrives, old protocol" cmp /run/sent /run/received2
}

case_sftp() {
  prepare
  rm -f /run/of-sftp
  sftp -q -b - "alice@$host" <<<'get /proc/self/cgroup /run/of-sftp' >/dev/null
  inside sftp "$(</run/of-sftp)"
}
