# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# runtime_dir=1 where pam_systemd is off the stack.
# shellcheck disable=SC2154  # job, session, client, host and release are common.sh's

# shellcheck disable=SC2016
case_given_and_taken_away() {
  use_stack off "$(account_line strict runtime_dir=1)" "$(session_line strict runtime_dir=1)"
  new_job alice
  stay alice
  local seen directory
  seen=$(login alice 'echo "$XDG_RUNTIME_DIR"; stat -c "%U %a" "$XDG_RUNTIME_DIR"; echo kept >"$XDG_RUNTIME_DIR/file"')
  note "$(paste -sd ' ' <<<"$seen")"
  directory=$(head -n 1 <<<"$seen")
  expect "a directory, the user's own" test "$(sed -n 2p <<<"$seen")" = "alice 700"
  expect "it stays as long as there is a session" test "$(<"$directory/file")" = kept
  kill "$session"
  eventually 60 test ! -e "$directory" || fail "$directory is still there after the last session"
}

# shellcheck disable=SC2016
case_not_without_the_option() {
  use_stack off "$(account_line strict)" "$(session_line strict)"
  new_job alice
  expect "no XDG_RUNTIME_DIR" test "$(login alice 'echo "D=$XDG_RUNTIME_DIR"')" = D=
}
