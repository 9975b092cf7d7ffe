#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Does each stack of contrib/pam do to whom what its comment says? With pamtester, the real libpam and the real
# Slurm of a private cluster:
#
#   SLURM_ADOPT_MODULE=$PWD/build/pam/pam_slurm_adopt.so tests/cluster/cluster.sh run -- tests/e2e/examples.sh
#
# One line per check, "ok ..." or "not ok ..."; the exit code is 0 only if every check is ok.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
examples=$(realpath -e "$here/../../contrib/pam")
readonly here examples
checks=0 failed=0

die() {
  printf 'examples: %s\n' "$*" >&2
  exit 2
}

# This script writes to /etc. Inside a cluster that is a private copy.
if [[ ! -d ${CLUSTER_DIR:-} ]] || ! mountpoint -q /etc; then die "run me inside tests/cluster/cluster.sh"; fi
[[ -n ${SLURM_ADOPT_MODULE:-} ]] || die "SLURM_ADOPT_MODULE is not set"
module=$(realpath -e "$SLURM_ADOPT_MODULE") || die "no such file: $SLURM_ADOPT_MODULE"
readonly module
type -P pamtester >/dev/null || die "pamtester is not installed"

work=$(mktemp -d)
readonly work
: >"$work/jobs"
cp -a /etc/pam.d "$work/pam.d"
cp -a /etc/group "$work/group"
clean_up() {
  rm -f /etc/pam.d/* /etc/security/slurm-adopt-access.conf /etc/security/slurm-adopt-users
  cp -a "$work/pam.d/." /etc/pam.d/
  cp -a "$work/group" /etc/group
  if [[ -s $work/jobs ]]; then xargs scancel <"$work/jobs" || true; fi
  rm -rf "$work"
}
trap clean_up EXIT

# What a session would see: whether the kernel shows it in an extern step, and which job PAM named.
cat >"$work/where" <<'SCRIPT'
#!/bin/sh
if grep -q /step_extern /proc/self/cgroup; then place=inside; else place=outside; fi
echo "session: $place job=${SLURM_JOB_ID:-none}"
SCRIPT
# As pam_systemd does on a node with logind: the process that asks PAM is moved out of its job.
cat >"$work/move" <<'SCRIPT'
#!/bin/sh
while IFS=: read -r _ controllers path; do
  case $path in */step_extern*) ;; *) continue ;; esac
  if [ -n "$controllers" ]; then
    echo "$PPID" >"/sys/fs/cgroup/${controllers#name=}/tasks"
  else
    echo "$PPID" >/sys/fs/cgroup/cgroup.procs
  fi
done <"/proc/$PPID/cgroup"
SCRIPT
chmod 755 "$work" "$work/where" "$work/move"

# --- stacks ------------------------------------------------------------------

# use EXAMPLE [FILE]: the example as /etc/pam.d/FILE, by default sshd, with the module that is to be tested in place
# of the installed one.
use() {
  local file=/etc/pam.d/${2:-sshd}
  example=$1
  sed -E "s|^([^#]*)pam_slurm_adopt\.so|\1$module|" "$examples/$example" >"$file"
  grep -q "^[^#]*$module" "$file" || die "$example does not load the module"
  if [[ ${2:-sshd} == sshd ]]; then report_place sshd; fi
}

# service NAME LINE...: a service file of these lines.
service() {
  printf '%s\n' "${@:2}" >"/etc/pam.d/$1"
  report_place "$1"
}

# The last line only tells where the session is.
report_place() {
  printf 'session required pam_exec.so stdout %s/where\n' "$work" >>"/etc/pam.d/$1"
}

# move_out FILE: a line above the first one that names us in the session section moves the session out of its job.
move_out() {
  sed -i "0,/^session.*$(basename "$module")/s||session required pam_exec.so $work/move\n&|" "/etc/pam.d/$1"
  grep -q "$work/move" "/etc/pam.d/$1" || die "$1 has no session line of ours"
}

# --- checks ------------------------------------------------------------------

report() {
  local ok=$1 what=$2
  checks=$((checks + 1))
  if ((ok)); then
    printf 'ok %d - %s\n' "$checks" "$what"
  else
    failed=$((failed + 1))
    printf 'not ok %d - %s\n' "$checks" "$what"
    sed 's/^/#   /' "$work/output"
  fi
}

# expect WHO USER OUTCOME [SERVICE]: OUTCOME is refused, outside, inside:JOB, or moved (adopted, but outside by now).
expect() {
  local outcome=$3 with=${4:-sshd} let_in=0 ok=0
  if pamtester -I rhost=192.0.2.7 "$with" "$2" acct_mgmt open_session >"$work/output" 2>&1 </dev/null; then let_in=1; fi
  case $outcome in
    refused) if ((!let_in)) && ! grep -q '^session:' "$work/output"; then ok=1; fi ;;
    outside) if ((let_in)) && grep -qx 'session: outside job=none' "$work/output"; then ok=1; fi ;;
    moved) if ((let_in)) && grep -qx 'session: outside job=[0-9]*' "$work/output"; then ok=1; fi ;;
    inside:*) if ((let_in)) && grep -qx "session: inside job=${outcome#*:}" "$work/output"; then ok=1; fi ;;
    *) die "no such outcome: $outcome" ;;
  esac
  report "$ok" "$example: $1: $outcome"
}

# expect_expired WHO USER OUTCOME: with a password that root has let expire. OUTCOME is refused, or asked (for a new one).
expect_expired() {
  local outcome=$3 ok=0
  chage -d 0 "$2"
  if pamtester -I rhost=192.0.2.7 sshd "$2" acct_mgmt >"$work/output" 2>&1 </dev/null; then
    echo 'let in as if nothing had expired' >>"$work/output"
  elif grep -q 'new one required' "$work/output"; then
    if [[ $outcome == asked ]]; then ok=1; fi
  elif [[ $outcome == refused ]]; then
    ok=1
  fi
  chage -d 19000 "$2"
  report "$ok" "$example: $1: $outcome"
}

# told WHO TEXT, untold WHO TEXT: what the last login was shown.
told() {
  local ok=0
  if grep -qF "$2" "$work/output"; then ok=1; fi
  report "$ok" "$example: $1 is told: $2"
}

untold() {
  local ok=1
  if grep -qF "$2" "$work/output"; then ok=0; fi
  report "$ok" "$example: $1 is not told: $2"
}

# logged WHAT TEXT, not_logged WHAT TEXT: what the system log holds, from the beginning.
logged() {
  local ok=0 _
  # rsyslogd may be behind.
  for _ in {1..50}; do
    if grep -qF "$2" "$CLUSTER_SYSLOG"; then ok=1 && break; fi
    sleep 0.1
  done
  report "$ok" "$example: $1: is in the log"
}

not_logged() {
  local ok=1
  if grep -qF "$2" "$CLUSTER_SYSLOG"; then ok=0; fi
  report "$ok" "$example: $1: is not in the log"
}

# expect_stuck WHO USER JOB OUTCOME: while the slurmstepd of the user's job does not answer. What strict is for.
expect_stuck() {
  local stepd
  stepd=$(pgrep -f "^slurmstepd: \[$3\.extern\]") || die "no slurmstepd of job $3"
  kill -STOP "$stepd"
  expect "$1" "$2" "$4"
  kill -CONT "$stepd"
}

# submit USER: a job whose extern step is there; its id in $job.
submit() {
  local _
  job=$(runuser -u "$1" -- sbatch --parsable --mem=1 --output=/dev/null --wrap 'sleep 3600')
  printf '%s\n' "$job" >>"$work/jobs"
  for _ in {1..300}; do
    if [[ -S $CLUSTER_SPOOL/${CLUSTER_NODE}_$job.4294967292 && $(squeue -h -o %t -j "$job") == R ]]; then return 0; fi
    sleep 0.1
  done
  die "job $job of $1 did not start"
}

# --- who is who --------------------------------------------------------------

# alice: a job. bob: none. adm: an administrator without a job. carol: an administrator with one.
submit alice && alice_job=$job
submit carol && carol_job=$job
readonly alice_job carol_job
sed -i '/^admins:/s/:[^:]*$/:carol/' /etc/group
readonly denied='Access denied: you have no job running on'
access=/etc/security/slurm-adopt-access.conf
list=/etc/security/slurm-adopt-users
readonly access list

# What pam-auth-update writes into common-account.
readonly debian_account=('account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so' 'account requisite pam_deny.so'
  'account required pam_permit.so')

# --- sshd --------------------------------------------------------------------

use sshd
expect 'root' root outside
expect 'user with a job' alice "inside:$alice_job"
expect 'user without a job' bob refused
told 'user without a job' "$denied"
expect 'administrator without a job' adm refused
expect_stuck 'user whose adoption fails' alice "$alice_job" refused
move_out sshd
expect 'user with a job, moved out' alice "inside:$alice_job"
sed -i "/^session.*pam_slurm_adopt/d" /etc/pam.d/sshd
expect 'user with a job, moved out, no session line' alice moved
use sshd
cp -a /etc/pam.d/common-account "$work/common-account"
printf '%s\n' "${debian_account[@]}" >/etc/pam.d/common-account
expect_expired 'user with a job whose password has expired' alice asked
expect_expired 'user without a job whose password has expired' bob refused
told 'user without a job whose password has expired' "$denied"
sed -i "/^account.*pam_slurm_adopt/{h; d}; /^@include common-account/{p; x}" /etc/pam.d/sshd
expect_expired 'our line below common-account, user without a job whose password has expired' bob asked
cp -a "$work/common-account" /etc/pam.d/common-account
service sshd "account required $module strict"
expect 'our line alone in the stack, root' root refused
# "-" only keeps libpam from saying so in the log; what follows from a missing file is up to the control.
service sshd 'account required pam_unix.so' "account required $work/missing.so strict"
expect 'no module file, root' root refused
logged 'no module file' "$work/missing.so"
service sshd 'account required pam_unix.so' "-account required $work/gone.so strict"
expect 'no module file and a leading "-", root' root refused
not_logged 'no module file and a leading "-"' "$work/gone.so"
service sshd 'account required pam_unix.so' "-account sufficient $work/gone.so strict"
expect 'no module file, a leading "-" and sufficient, user without a job' bob outside
not_logged 'no module file, a leading "-" and sufficient' "$work/gone.so"

# --- sshd-pam_access ---------------------------------------------------------

install -m 644 "$examples/slurm-adopt-access.conf" "$access"
use sshd-pam_access
expect 'root' root outside
expect 'user with a job' alice "inside:$alice_job"
expect 'administrator with a job' carol "inside:$carol_job"
expect 'administrator without a job' adm outside
told 'administrator without a job' "$denied"
expect 'user without a job' bob refused
told 'user without a job' "$denied"
expect_stuck 'user whose adoption fails' alice "$alice_job" refused
expect_stuck 'administrator whose adoption fails' carol "$carol_job" outside
move_out sshd
expect 'user with a job, moved out' alice "inside:$alice_job"
use sshd-pam_access
sed -i "/@include common-session/a session required pam_exec.so $work/move" /etc/pam.d/sshd
expect 'administrator with a job, moved out' carol "inside:$carol_job"
use sshd-pam_access
sed -i "s|strict$|strict quiet|" /etc/pam.d/sshd
expect 'quiet, administrator without a job' adm outside
untold 'administrator without a job, with quiet,' "$denied"
sed -i "/pam_access/d; s|\\[success=1 default=ignore\\]|required|; s|strict quiet$|strict exempt_groups=admins|" /etc/pam.d/sshd
expect 'exempt_groups= instead, administrator without a job' adm outside
untold 'exempt administrator' "$denied"
expect 'exempt_groups= instead, administrator with a job' carol outside
expect 'exempt_groups= instead, user without a job' bob refused
use sshd-pam_access
: >"$access"
expect 'empty access.conf, user without a job' bob outside
rm "$access"
expect 'no access.conf, root' root refused
expect 'no access.conf, administrator without a job' adm refused
expect 'no access.conf, user with a job' alice "inside:$alice_job"
install -m 644 "$examples/slurm-adopt-access.conf" "$access"
expect_expired 'user with a job whose password has expired' alice asked
expect_expired 'administrator without a job whose password has expired' adm asked
expect_expired 'user without a job whose password has expired' bob refused

# --- sshd-pam_access-first ---------------------------------------------------

install -m 644 "$examples/slurm-adopt-access.conf" "$access"
use sshd-pam_access-first
expect 'root' root outside
expect 'administrator without a job' adm outside
untold 'administrator' "$denied"
expect 'administrator with a job' carol outside
expect 'user with a job' alice "inside:$alice_job"
expect 'user without a job' bob refused
expect_stuck 'user whose adoption fails' alice "$alice_job" refused
: >"$access"
expect 'empty access.conf, user without a job' bob outside
rm "$access"
expect 'no access.conf, root' root outside
expect 'no access.conf, administrator without a job' adm refused
expect 'no access.conf, user with a job' alice "inside:$alice_job"
install -m 644 "$examples/slurm-adopt-access.conf" "$access"
expect_expired 'user without a job whose password has expired' bob refused

# --- sshd-pam_listfile -------------------------------------------------------

install -m 644 /dev/null "$list"
printf 'bob\ncarol\n' >"$list"
use sshd-pam_listfile
expect 'root' root outside
expect 'user in the list without a job' bob outside
untold 'user in the list' "$denied"
expect 'user in the list with a job' carol outside
expect 'user with a job' alice "inside:$alice_job"
expect 'user without a job' adm refused
expect_stuck 'user whose adoption fails' alice "$alice_job" refused
expect_expired 'user in the list whose password has expired' bob asked
expect_expired 'user without a job whose password has expired' adm refused
rm "$list"
expect 'no list, user without a job' bob refused
expect 'no list, user with a job' alice "inside:$alice_job"
expect 'no list, root' root outside

# --- common-account, common-session ------------------------------------------

use common-session common-session
use common-account common-account
service sshd '@include common-account' '@include common-session'
service cron '@include common-account' '@include common-session'
expect 'sshd, root' root outside
expect 'sshd, user with a job' alice "inside:$alice_job"
expect 'sshd, user without a job' bob refused
expect_expired 'sshd, user without a job whose password has expired' bob refused
expect_stuck 'sshd, user whose adoption fails' alice "$alice_job" refused
expect 'cron, root' root outside cron
expect 'cron, user with a job' alice outside cron
expect 'cron, user without a job' bob outside cron
move_out common-session
expect 'sshd, user with a job, moved out' alice "inside:$alice_job"
use common-session common-session
sed -i 's/strict$/strickt/' /etc/pam.d/common-account
expect 'misspelled option, cron, root' root outside cron
expect 'misspelled option, cron, user' bob refused cron
expect 'misspelled option, sshd, user with a job' alice refused
cp -a "$work/pam.d/common-account" /etc/pam.d/common-account
sed -i 's/strict$/strickt/' /etc/pam.d/common-session
service cron '@include common-account' '@include common-session'
expect 'misspelled option in common-session, cron, root' root outside cron
sed -i '/pam_exec/d' /etc/pam.d/cron  # what stands below a refusal runs all the same
expect 'misspelled option in common-session, cron, user' bob refused cron
cp -a "$work/pam.d/common-session" /etc/pam.d/common-session

# --- sshd-redhat -------------------------------------------------------------

readonly shared=('account required pam_unix.so' 'account sufficient pam_localuser.so'
  'account sufficient pam_usertype.so issystem' 'account required pam_permit.so' 'session required pam_unix.so')
service password-auth "${shared[@]}"
sed -i '/pam_exec/d' /etc/pam.d/password-auth
use sshd-redhat
expect 'root' root outside
expect 'user with a job' alice "inside:$alice_job"
expect 'user without a job' bob refused
told 'user without a job' "$denied"
expect_stuck 'user whose adoption fails' alice "$alice_job" refused
move_out sshd
expect 'user with a job, moved out' alice "inside:$alice_job"
service sshd 'account include password-auth' "account required $module strict"
expect 'our line below the include, local user without a job' bob outside

# --- password-auth -----------------------------------------------------------

use password-auth password-auth
service sshd 'account include password-auth' 'session include password-auth'
service cron 'account include password-auth' 'session include password-auth'
expect 'sshd, root' root outside
expect 'sshd, user with a job' alice "inside:$alice_job"
expect 'sshd, user without a job' bob refused
expect_stuck 'sshd, user whose adoption fails' alice "$alice_job" refused
expect 'cron, root' root outside cron
expect 'cron, user without a job' bob outside cron
sed -i 's/strict$/strickt/' /etc/pam.d/password-auth
expect 'misspelled option, cron, root' root outside cron
expect 'misspelled option, cron, user' bob refused cron

# --- doc/session.md ----------------------------------------------------------

# use_document NAME: the stack's lines below the mark of this name in the document, as sshd's.
use_document() {
  local document=$here/../../doc/session.md lines
  example="session.md, $1"
  mapfile -t lines < <(sed -n "/^<!-- tests\/e2e\/examples.sh: $1 -->\$/,/^\$/{/^account\|^session/p}" "$document" |
    sed "s|pam_slurm_adopt\.so|$module|")
  ((${#lines[@]} > 0)) || die "no example $1 in $document"
  service sshd 'account required pam_unix.so' "${lines[@]}"
}

# ssh_from ADDRESS: where alice's session is, by the cluster's sshd.
ssh_from() {
  ssh -oBatchMode=yes -oBindAddress="$1" alice@node cat /proc/self/cgroup </dev/null
}

# expect_ssh WHO ADDRESS JOB
expect_ssh() {
  local ok=0
  ssh_from "$2" >"$work/output" 2>&1 || true
  if grep -q "/job_$3/step_extern" "$work/output"; then ok=1; fi
  report "$ok" "$example: $1: inside:$3"
}

use_document sticky
ssh -oBatchMode=yes -oBindAddress=127.0.0.1 alice@node 'echo here; exec sleep 600' </dev/null >"$work/first" 2>&1 &
first=$!
for _ in {1..200}; do
  if grep -qs here "$work/first"; then break; fi
  sleep 0.1
done
submit alice
expect_ssh 'a login from the client of an open one' 127.0.0.1 "$alice_job"
expect_ssh 'a login from elsewhere' 127.0.0.8 "$job"
kill "$first"
wait "$first" || true
for _ in {1..100}; do
  if ssh_from 127.0.0.1 2>/dev/null | grep -q "/job_$job/"; then break; fi
done
expect_ssh 'a login after the open one has ended' 127.0.0.1 "$job"
scancel "$job"

# --- the lines of doc/options.md, README.md and the manual page ---------------

# use_lines WHAT LINE...: as sshd's.
use_lines() {
  example=$1
  shift
  (($#)) || die "no lines: $example"
  service sshd 'account required pam_unix.so' "${@//pam_slurm_adopt.so/$module}"
}

# use_option NAME: those of its section in options.md.
use_option() {
  local lines
  mapfile -t lines < <(awk -v heading="### \`$1\`" '/^#/ {is_it = $0 == heading} is_it && /^(account|session) /' "$pages/doc/options.md")
  use_lines "options.md, $1" "${lines[@]}"
}

# use_page FILE WORDS: the two of the page with these words in them; \- is how a manual page says -.
use_page() {
  local lines
  mapfile -t lines < <(sed 's/\\-/-/g' "$pages/$1" | grep -E "^(account|session) .*$2")
  ((${#lines[@]} <= 2)) || die "$1 has more than one example with: $2"
  use_lines "$1, $2" "${lines[@]}"
}

# name JOB|nothing: what alice's file says.
name() {
  rm -rf "$alice_home/.config/slurm-adopt"
  [[ $1 != nothing ]] || return 0
  # shellcheck disable=SC2016
  runuser -u alice -- sh -c 'mkdir -p "$1" && echo "$2" >"$1/job"' sh "$alice_home/.config/slurm-adopt" "$1"
}

# What is named may be one of two jobs.
choice_by_file() {  # OUTCOME WITHOUT
  name nothing
  expect 'none is named' alice "$1"
  name "$alice_job"
  expect 'one is named' alice "inside:$alice_job"
  name "$job"
  expect 'the other one is named' alice "inside:$job"
}

pages=$(realpath -e "$here/../..")
alice_home=$(getent passwd alice | cut -d: -f6)
readonly pages alice_home
mkdir /etc/slurm-adopt
echo bob >/etc/slurm-adopt/exempt
echo '%u, %h, %j: help@example.org' >/etc/slurm-adopt/denied

use_page README.md exempt_users=@
expect 'user in the file without a job' bob outside
untold 'user in the file' "$denied"
expect 'administrator without a job' adm outside
untold 'administrator without a job' "$denied"
expect 'administrator with a job' carol "inside:$carol_job"
expect 'user with a job' alice "inside:$alice_job"
scancel "$carol_job"
for _ in {1..300}; do
  [[ -S $CLUSTER_SPOOL/${CLUSTER_NODE}_$carol_job.4294967292 ]] || break
  sleep 0.1
done
expect 'administrator whose job has ended' carol outside
untold 'administrator whose job has ended' "$denied"
use_page pam/pam_slurm_adopt.8 exempt_users=@
expect 'user in the file without a job' bob outside
expect 'administrator without a job' adm outside

use_option deny_message_file
expect 'user without a job' bob refused
told 'user without a job' "$denied"
told 'user without a job' "bob, $CLUSTER_NODE, -: help@example.org"

use_option import_env
ok=0
if ssh -oBatchMode=yes alice@node 'echo "nodes: $SLURM_JOB_NUM_NODES"' </dev/null 2>&1 | tee "$work/output" | grep -qx 'nodes: 1'; then ok=1; fi
report "$ok" "$example: a session has the job's variables"

submit alice
use_option job_choice
choice_by_file refused
use_page pam/pam_slurm_adopt.8 'strict job_choice=file'
choice_by_file refused
use_option choose
choice_by_file "inside:$job"
use_page README.md import_env=
choice_by_file "inside:$job"
use_page pam/pam_slurm_adopt.8 import_env=
choice_by_file "inside:$job"
name nothing
use_option sticky
expect 'no other login' alice "inside:$job"
scancel "$job"

printf '%d checks, %d failed\n' "$checks" "$failed"
((failed == 0))
