# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# To be sourced. Work that later suites need, done beside the earlier ones, which wait more than they compute. It has only
# what processor time they leave: the lowest priority, in a session (sched(7), autogroup) of its own.
#
# ahead_start DIRECTORY NAME...  runs "make_NAME", a function of the caller's, one after the other; logs in DIRECTORY
# ahead_wait NAME                waits for it, from then on at the usual priority; at once where it was not started
# ahead_wait_all
# ahead_stop                     ends what still runs; for a trap
# Whether NAME came out well is for the suite to see, which makes what is not there.

ahead_directory=''
ahead_started=''
ahead_pid=''

ahead_start() {
  ahead_directory=$1
  shift
  (($#)) || return 0
  rm -rf "$ahead_directory"
  mkdir -p "$ahead_directory"
  ahead_started=$*
  # A session leader, so that one signal reaches all of it.
  # shellcheck disable=SC2016  # for the shell that runs it
  ahead_names=$* setsid bash -c '
    set +eu
    { echo 19 >/proc/self/autogroup; } 2>/dev/null
    renice -n 19 -p $$ >/dev/null
    for name in $ahead_names; do
      "make_$name" >"$0/$name.log" 2>&1 </dev/null
      echo $? >"$0/$name.done"
    done' "$ahead_directory" &
  ahead_pid=$!
}

ahead_is_running() {
  [[ $ahead_pid ]] && kill -0 "$ahead_pid" 2>/dev/null
}

ahead_hurry() {
  { echo 0 >"/proc/$ahead_pid/autogroup"; } 2>/dev/null || true
  renice -n 0 -g "$ahead_pid" >/dev/null 2>&1 || true
}

ahead_relax() {
  { echo 19 >"/proc/$ahead_pid/autogroup"; } 2>/dev/null || true
  renice -n 19 -g "$ahead_pid" >/dev/null 2>&1 || true
}

ahead_wait() {
  [[ " $ahead_started " == *" $1 "* && ! -e $ahead_directory/$1.done ]] || return 0
  ahead_hurry
  while [[ ! -e $ahead_directory/$1.done ]] && ahead_is_running; do sleep 1; done
  ahead_relax
}

ahead_wait_all() {
  ahead_is_running || return 0
  ahead_hurry
  wait "$ahead_pid" || true
}

ahead_stop() {
  ahead_is_running || return 0
  kill -TERM -- "-$ahead_pid" 2>/dev/null || true
  wait "$ahead_pid" || true
}
