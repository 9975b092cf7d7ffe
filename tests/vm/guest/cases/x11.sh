# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The X11 forwarding of a job (PrologFlags=contain,x11).

# An X server as far as Slurm's forwarding is concerned, a listening socket; a cookie; and a job started with --x11.
new_x11_job() {
  mkdir -p /tmp/.X11-unix
  rm -f /tmp/.X11-unix/X77
  systemd-socket-activate --listen=/tmp/.X11-unix/X77 cat &
  children+=($!)
  eventually 60 test -S /tmp/.X11-unix/X77
  as alice xauth -q add :77 . 00112233445566778899aabbccddeeff
  as alice env DISPLAY=:77 salloc --x11 sleep 10000 >/run/salloc.out 2>&1 &
  children+=($!)
  eventually 120 grep -q 'Granted job allocation' /run/salloc.out || { cat /run/salloc.out; fail "no allocation"; }
  job=$(sed -nE 's/.*Granted job allocation ([0-9]+).*/\1/p' /run/salloc.out)
  wait_for_step "$job"
}

# shellcheck disable=SC2016
case_display_of_the_job() {
  new_x11_job
  use_stack off "$(account_line strict)" ''
  local seen
  seen=$(login alice 'echo "D=$DISPLAY"; xauth list')
  note "$(head -n 1 <<<"$seen")"
  expect "the display is the job's" grep -q '^D=localhost:' <<<"$seen"
  expect "the cookie is there" grep -q 00112233445566778899aabbccddeeff <<<"$seen"
  use_stack off "$(account_line strict disable_x11=1)" ''
  expect "disable_x11 leaves it out" test "$(login alice 'echo "D=$DISPLAY$XAUTHORITY"')" = D=
}

# shellcheck disable=SC2016
case_job_without_x11() {
  new_job alice
  use_stack off "$(account_line strict)" ''
  expect "no display" test "$(login alice 'echo "D=$DISPLAY$XAUTHORITY"')" = D=
}
