#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Each stack of contrib/pam as it is, in the place that its comment names, with a real sshd, real clients and the real Slurm of a
# private cluster: who gets in, where, and who does not; and "slurm-adopt check" finds no fault in it. What they come to
# where something fails: examples.sh.
#
#   tests/cluster/cluster.sh run --bind $PWD/build -- env SLURM_ADOPT_BUILD=$PWD/build tests/e2e/stacks.sh
#
# One line per check, "ok ..." or "not ok ..."; the exit code is 0 only if every check is ok.

set -euo pipefail

die() {
  printf 'stacks: %s\n' "$*" >&2
  exit 2
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here stacks=$here/../../contrib/pam layouts=$here/../tool/pam
# This script writes to /etc. Inside a cluster that is a private copy.
if [[ ! -d ${CLUSTER_DIR:-} ]] || ! mountpoint -q /etc; then die "run me inside tests/cluster/cluster.sh"; fi
[[ ${CLUSTER_KEPT:-} == 0 ]] || die "a cluster that is kept would keep what is mounted here"
build=$(realpath -e "${SLURM_ADOPT_BUILD:?is not set to the build directory}")
readonly build sshd_config=$CLUSTER_DIR/conf/sshd_config
type -P oathtool >/dev/null || die "oathtool is not installed"
work=$(mktemp -d)
chmod 755 "$work"
readonly work
: >"$work/jobs"
clean_up() {
  if [[ -s $work/jobs ]]; then xargs scancel <"$work/jobs" || true; fi
  rm -rf "$work"
}
trap clean_up EXIT
# shellcheck source-path=SCRIPTDIR source=../support/checks.sh
. "${BASH_SOURCE[0]%/*}/../support/checks.sh"

# --- as installed ------------------------------------------------------------

# In the cluster's mount namespace, which ends with it. libpam looks in /lib/security too, on Debian.
install_all() {
  [[ -e /lib/security/pam_slurm_adopt.so ]] || die "no directory to put the module into: install libpam-slurm-adopt"
  install -D -m 644 "$build/pam/pam_slurm_adopt.so" "$work/security/pam_slurm_adopt.so"
  mount --bind "$work/security" /lib/security
  mount -t tmpfs -o mode=755 tmpfs /usr/local
  install -D "$build/src/slurm-adopt-helper" /usr/local/libexec/slurm-adopt/slurm-adopt-helper
  install -D "$build/src/slurm-adopt" /usr/local/bin/slurm-adopt
  cp "$sshd_config" "$work/sshd_config"
}

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
chmod 755 "$work/move"

# layout NAME: all of /etc/pam.d as this distribution has it.
layout() {
  rm -f /etc/pam.d/*
  cp "$layouts/$1"/* /etc/pam.d/
}
# use STACK [FILE]: the stack as it is, in the place of FILE; "only the lines that matter": the others stay.
use() {
  stack=$1 file=/etc/pam.d/${2:-sshd}
  if [[ -e $file ]]; then grep -Ev '^[[:space:]]*(-?(account|session)[[:space:]]|@include common-(account|session))' "$file" >"$work/others" || true
  else : >"$work/others"; fi
  if grep -q '^auth ' "$stacks/$stack"; then : >"$work/others"; fi
  cat "$work/others" "$stacks/$stack" >"$work/new"
  cat "$work/new" >"$file"
  chmod 644 "$file"
  sed -n 's/^# "slurm-adopt check" says WARN \([a-z.-]*\): .*/WARN \1/p' "$stacks/$stack" >"$work/meant"
}
# The stand-in for pam_systemd moves sessions from the place where pam_systemd is.
systemd_moves() {
  local file
  file=$(grep -l 'pam_systemd\.so' /etc/pam.d/*) || { echo 'no pam_systemd in this stack'; return 1; }
  sed -i "s|^-\?session.*pam_systemd\.so.*|&\nsession required pam_exec.so $work/move|" "$file"
}

# --- checks ------------------------------------------------------------------

readonly denied='Access denied: you have no job running on'
# shellcheck disable=SC2016  # what the session runs
readonly whereabouts='job=$(sed -n "s/.*freezer:.*\/job_\([0-9]*\)\/step_extern.*/\1/p" /proc/self/cgroup)
  echo "session: ${job:-outside} ${XDG_RUNTIME_DIR:-none}"'
client=(ssh -o BatchMode=yes)

said() { "${client[@]}" "$@" "$whereabouts" </dev/null >"$work/said" 2>"$work/said.err" || { cat "$work"/said{,.err}; return 1; }; }
sees() { grep -q "^session: $1\$" "$work/said" || { cat "$work/said"; return 1; }; }
is_in() {  # USER JOB
  said "$1@node" && sees "$2 .*"
}
is_outside() { is_in "$1" outside; }
is_refused() {
  if said "$1@node" >"$work/refusal"; then cat "$work/said"; return 1; fi
  cat "$work/refusal"
}
is_refused_and_told() { is_refused "$1" && grep -qF "$denied" "$work/refusal"; }
# No FAIL, and no WARN but what the stack's comment says is meant.
has_no_fault() {  # [SERVICE]
  slurm-adopt check --service "${1:-sshd}" --sshd-config "$sshd_config" >"$work/check" || { cat "$work/check"; return 1; }
  cat "$work/check"
  # A machine for tests declares CPUs that it does not have.
  awk '/^(FAIL|WARN) / && $2 != "slurm.slurmd-parameters" {print $1, $2}' "$work/check" | diff - "$work/meant"
}
# What every stack for sshd says of these.
plain_users() {
  ok "$stack: root" is_outside root
  ok "$stack: user with a job" is_in alice "$alice_job"
  ok "$stack: user without a job" is_refused_and_told "${1:-bob}"
  ok "$stack: check finds no fault" has_no_fault
}
moved_users() {
  ok "$stack: pam_systemd moves sessions" systemd_moves
  ok "$stack: user with a job, moved by pam_systemd" is_in alice "$alice_job"
}

# submit USER: a job that runs; its id in $job.
submit() {
  local _
  job=$(runuser -u "$1" -- sbatch --parsable --mem=1 -D / -o /dev/null --wrap 'sleep 3600')
  echo "$job" >>"$work/jobs"
  for _ in {1..300}; do
    if [[ $(squeue -h -o %t -j "$job") == R && -S $CLUSTER_SPOOL/${CLUSTER_NODE}_$job.4294967291 ]]; then return 0; fi
    sleep 0.1
  done
  die "job $job of $1 did not start"
}

# alice: a job. bob: none. adm: an administrator without a job. carol: an administrator with one.
install_all
submit alice && alice_job=$job
submit carol && carol_job=$job
sed -i '/^admins:/s/:[^:]*$/:carol/' /etc/group

# --- Debian ------------------------------------------------------------------

layout debian12
use sshd
plain_users
ok "$stack: administrator without a job" is_refused_and_told adm
moved_users
sed -i '/^session.*pam_slurm_adopt/d' /etc/pam.d/sshd
ok "$stack without the session line: user with a job, moved by pam_systemd" is_outside alice

layout debian12
install -m 644 "$stacks/slurm-adopt-access.conf" /etc/security/slurm-adopt-access.conf
use sshd-pam_access
plain_users
ok "$stack: administrator with a job" is_in carol "$carol_job"
ok "$stack: administrator without a job" is_outside adm
moved_users
ok "$stack: administrator with a job, moved by pam_systemd" is_in carol "$carol_job"

layout debian12
use sshd-pam_access-first
plain_users
ok "$stack: administrator with a job" is_outside carol
ok "$stack: administrator without a job" is_outside adm
moved_users

layout debian12
printf 'bob\ncarol\n' >/etc/security/slurm-adopt-users
use sshd-pam_listfile
plain_users adm
ok "$stack: user in the list with a job" is_outside carol
ok "$stack: user in the list without a job" is_outside bob
moved_users

layout debian12
use common-session common-session
use common-account common-account
plain_users
moved_users
printf '%s\n' 'auth sufficient pam_rootok.so' '@include common-account' '@include common-session' >/etc/pam.d/su-l
ok "$stack: another service, user without a job" su -l bob -c true

layout debian12
use sshd-without-systemd
plain_users
has_runtime_dir() { said alice@node && sees "$alice_job /run/slurm-adopt/user/2001"; }
ok "$stack: user with a job has a runtime directory" has_runtime_dir
is_gone() {  # sshd closes the session when the client has gone
  local _
  for _ in {1..50}; do
    if [[ ! -e /run/slurm-adopt/user/2001 ]]; then return; fi
    sleep 0.1
  done
  return 1
}
ok "$stack: it is gone with the last session" is_gone
has_none() { said root@node && sees 'outside none'; }
ok "$stack: root has none" has_none
ok "$stack: pam_systemd moves sessions of others" systemd_moves
sed -i '/^session.*pam_slurm_adopt/d' /etc/pam.d/sshd
ok "$stack: user with a job, moved by nobody" is_in alice "$alice_job"

# --- MFA ---------------------------------------------------------------------

readonly secret=JBSWY3DPEHPK3PXPJBSWY3DPEH
for user in alice bob; do
  printf '%s\n" WINDOW_SIZE 17\n" TOTP_AUTH\n' "$secret" >"$CLUSTER_DIR/home/$user/.google_authenticator"
  chown "$user" "$CLUSTER_DIR/home/$user/.google_authenticator"
  chmod 400 "$CLUSTER_DIR/home/$user/.google_authenticator"
done
cat >"$work/answer" <<'SCRIPT'
#!/bin/sh
case $1 in
  *assword*) echo "$ANSWER_PASSWORD" ;;
  *ode*) echo "$ANSWER_CODE" ;;
  *) exit 1 ;;
esac
SCRIPT
chmod 755 "$work/answer"
# with_methods METHODS: of sshd_config.
with_methods() {
  { sed '/^AuthenticationMethods/d' "$work/sshd_config"; printf 'AuthenticationMethods %s\nMatch User root\n  AuthenticationMethods publickey\n' "$1"; } >"$sshd_config"
  "$CLUSTER_CTL" restart sshd
}
# types PASSWORD CODE: from now on, when asked.
types() {
  export ANSWER_PASSWORD=$1 ANSWER_CODE=$2 SSH_ASKPASS=$work/answer SSH_ASKPASS_REQUIRE=force
  client=(timeout 30 ssh -o NumberOfPasswordPrompts=1)
}
code() { oathtool --totp -b "$secret"; }

layout debian12
use sshd-mfa
with_methods keyboard-interactive
types alice-password "$(code)"
ok "$stack: user with a job, password and code" is_in alice "$alice_job"
ok "$stack: pam_systemd moves sessions" systemd_moves
ok "$stack: user with a job, moved by pam_systemd" is_in alice "$alice_job"
types alice-password 000000
ok "$stack: user with a job, wrong code" is_refused alice
types wrong "$(code)"
ok "$stack: user with a job, wrong password" is_refused alice
types bob-password "$(code)"
ok "$stack: user without a job, password and code" is_refused_and_told bob
client=(ssh -o BatchMode=yes)
ok "$stack: user with a job, a key alone" is_refused alice
ok "$stack: root" is_outside root
ok "$stack: check finds no fault" has_no_fault
# A key and a code.
sed -i '/^@include common-auth/d' /etc/pam.d/sshd
with_methods publickey,keyboard-interactive
types '' "$(code)"
ok "$stack: user with a job, key and code" is_in alice "$alice_job"
ok "$stack: user without a job, key and code" is_refused_and_told bob
types '' 000000
ok "$stack: user with a job, key and wrong code" is_refused alice
client=(ssh -o BatchMode=yes)
ok "$stack: user with a job, the key alone" is_refused alice
ok "$stack: key and code: check finds no fault" has_no_fault
cp "$work/sshd_config" "$sshd_config"
"$CLUSTER_CTL" restart sshd

# --- su -l -------------------------------------------------------------------

layout debian12
use su-l su-l
as_su() { su -l "$1" -c "$whereabouts" >"$work/said" 2>&1 </dev/null || { cat "$work/said"; return 1; }; }
su_is_in() { as_su "$1" && sees "$2 .*"; }
su_is_refused_and_told() { refuses as_su "$1" && grep -qF "$denied" "$work/said"; }
ok "$stack: root" su_is_in root outside
ok "$stack: user with a job" su_is_in alice "$alice_job"
ok "$stack: user without a job" su_is_refused_and_told bob
ok "$stack: pam_systemd moves sessions" systemd_moves
ok "$stack: user with a job, moved by pam_systemd" su_is_in alice "$alice_job"
ok "$stack: check finds no fault" has_no_fault su-l
plain_su() { su bob -c true; }
cp "$layouts"/debian12/common-account /etc/pam.d/su
printf 'auth sufficient pam_rootok.so\nsession required pam_unix.so\n' >>/etc/pam.d/su
ok "$stack: su without -l, user without a job" plain_su

# --- Red Hat -----------------------------------------------------------------

layout redhat9
use sshd-redhat
plain_users
moved_users

layout redhat9
use password-auth password-auth
plain_users
moved_users
printf '%s\n' 'auth sufficient pam_rootok.so' 'account include password-auth' 'session include password-auth' >/etc/pam.d/su-l
ok "$stack: another service, user without a job" su -l bob -c true
# The same as system-auth.
mv /etc/pam.d/password-auth /etc/pam.d/system-auth
sed -i 's/password-auth/system-auth/' /etc/pam.d/sshd
stack='password-auth as system-auth'
plain_users

finish
