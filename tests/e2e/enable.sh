#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Does an administrator get a node right with "slurm-adopt enable" and "slurm-adopt check" alone? On a private Slurm with a
# real sshd and Debian's own stack for it: enable, log in, one mistake after the other, each found by check and gone when its
# fix is followed, and disable.
#
#   tests/cluster/cluster.sh run --bind $PWD/build -- env SLURM_ADOPT_BUILD=$PWD/build tests/e2e/enable.sh
#
# One line per check, "ok ..." or "not ok ..."; the exit code is 0 only if every check is ok.
# shellcheck disable=SC2016  # what mistake() evaluates

set -euo pipefail

die() {
  printf 'enable: %s\n' "$*" >&2
  exit 2
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here stock=$here/../tool/pam/debian12 stack=/etc/pam.d/sshd conf=/etc/slurm/slurm.conf
# This script writes to /etc. Inside a cluster that is a private copy.
if [[ ! -d ${CLUSTER_DIR:-} ]] || ! mountpoint -q /etc; then die "run me inside tests/cluster/cluster.sh"; fi
[[ ${CLUSTER_KEPT:-} == 0 ]] || die "a cluster that is kept would keep what is mounted here"
build=$(realpath -e "${SLURM_ADOPT_BUILD:?is not set to the build directory}")
readonly build sshd_config=$CLUSTER_DIR/conf/sshd_config
work=$(mktemp -d)
readonly work
: >"$work/jobs"
clean_up() {
  if [[ -s $work/jobs ]]; then xargs scancel <"$work/jobs" || true; fi
  rm -rf "$work"
}
trap clean_up EXIT

# --- as installed ------------------------------------------------------------

# In the cluster's mount namespace, which ends with it. libpam looks in /lib/security too, on Debian.
install_all() {
  local usual=/lib/security/pam_slurm_adopt.so
  [[ -e $usual ]] || die "no $usual to put the module in the place of: install libpam-slurm-adopt"
  install -D -m 644 "$build/pam/pam_slurm_adopt.so" "$work/security/pam_slurm_adopt.so"
  chmod 755 "$work"
  mount --bind "$work/security" /lib/security
  mount -t tmpfs -o mode=755 tmpfs /usr/local
  install -D "$build/src/slurm-adopt-helper" /usr/local/libexec/slurm-adopt/slurm-adopt-helper
  install -D "$build/src/slurm-adopt" /usr/local/bin/slurm-adopt
  cp "$stock"/* /etc/pam.d/
  "$CLUSTER_CTL" restart sshd
}

# --- checks ------------------------------------------------------------------

# shellcheck source-path=SCRIPTDIR source=../support/checks.sh
. "${BASH_SOURCE[0]%/*}/../support/checks.sh"

node_check() { slurm-adopt check --sshd-config "$sshd_config"; }
# found STATUS CHECK: check says so.
found() {
  node_check >"$work/check" || true
  cat "$work/check"
  grep -Eq "^$1 +${2//./\\.} " "$work/check"
}
# The fix that is printed below a check.
fix_of() { awk -v name="$1" '$2 == name {getline; sub(/^ *fix: /, ""); print; exit}' "$work/check"; }
all_well() {
  node_check >"$work/check" || { cat "$work/check"; return 1; }
  cat "$work/check"
  # A machine for tests declares CPUs that it does not have.
  ! grep -E '^(FAIL|WARN) ' "$work/check" | grep -v ' slurm.slurmd-parameters '
}

# logs_in USER [JOB]: by public key; inside that job, or outside of every job.
logs_in() {
  local place
  place=$(ssh -o BatchMode=yes "$1@node" 'sed -n "s/.*freezer:.*\/job_\([0-9]*\)\/step_extern.*/\1/p" /proc/self/cgroup; echo in') || return
  [[ $place == "${2:+$2$'\n'}in" ]] || { printf 'in: %s\n' "$place"; return 1; }
}
# Root gets in meanwhile: it is not sshd that is gone.
is_refused() { logs_in root && refuses logs_in "$@"; }

# submit USER: a job of one's own that runs; its id in $job.
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

# mistake NAME STATUS CHECK BREAK FOLLOW [EFFECT]: BREAK is run; check has to name it; EFFECT is what a login comes to
# meanwhile; FOLLOW does what the fix says, with its text in $fix; then all is well again.
mistake() {
  local name=$1 status=$2 check=$3 break=$4 follow=$5 fix
  eval "$break"
  ok "$name: check says $status $check" found "$status" "$check"
  fix=$(fix_of "$check")
  ok "$name: there is a fix: $fix" test -n "$fix"
  if [[ ${6:-} ]]; then eval "ok '$name: $6' $6"; fi
  eval "$follow"
  ok "$name: followed, all is well" all_well
}
restart_slurm() {
  "$CLUSTER_CTL" stop slurmd
  "$CLUSTER_CTL" stop slurmctld
  "$CLUSTER_CTL" start slurmctld
  "$CLUSTER_CTL" start slurmd
}
edit() { sed -i "$@"; }
# shellcheck disable=SC2317  # called by eval
restart_sshd_with() { edit "$1" "$sshd_config"; "$CLUSTER_CTL" restart sshd; }
# Called with the printed fix, which is a command here.
run_it() { sh -c "$1" >/dev/null; }

# --- a node as Debian has it, and a job of alice's ---------------------------

install_all
submit alice && alice_job=$job
ok 'before: bob logs in without a job' logs_in bob
ok 'before: alice is outside of her job' logs_in alice
ok 'before: check says that no line is there' found FAIL pam.account.line
ok 'the fix is the command' test "$(fix_of pam.account.line)" = 'slurm-adopt enable --service sshd'
ok 'enable --dry-run' slurm-adopt enable --dry-run
ok 'and nothing is changed' cmp "$stock/sshd" "$stack"
ok 'enable' slurm-adopt enable
ok 'bob is refused' is_refused bob
ok 'alice is in her job' logs_in alice "$alice_job"
ok 'root logs in' logs_in root
ok 'check: all is well' all_well
cp "$stack" "$work/enabled"
ok 'enable again' slurm-adopt enable
ok 'changes nothing' cmp "$work/enabled" "$stack"

# --- an expired password -----------------------------------------------------

cat >"$work/answer" <<'SCRIPT'
#!/bin/sh
case $1 in
  *'ew password:'*) echo 'quite-Another-4711' ;;
  *) echo "$OLD_PASSWORD" ;;
esac
SCRIPT
chmod 755 "$work/answer"
# types_password USER METHOD
types_password() {
  OLD_PASSWORD=$1-password SSH_ASKPASS=$work/answer SSH_ASKPASS_REQUIRE=force timeout 30 ssh -o PubkeyAuthentication=no \
    -o PreferredAuthentications="$2" -o NumberOfPasswordPrompts=1 "$1@node" 'echo a shell' </dev/null
}
# By keyboard-interactive, where sshd has PAM ask for a new password.
changes_password() { types_password "$1" keyboard-interactive; }
# With the others sshd itself lets the user do nothing but run passwd.
changes_password_only_so() { is_refused "$1" && refuses types_password "$1" password && changes_password "$1"; }
expire() {
  printf '%s:%s-password\n' "$1" "$1" | chpasswd -c SHA512
  chage -d 0 "$1"
}
expire bob
ok 'expired, without a job: refused with keyboard-interactive' refuses changes_password bob
ok 'and with a public key' is_refused bob
expire alice
ok 'expired, with a job: a new password, and a shell' changes_password alice
ok 'then as ever' logs_in alice "$alice_job"
below_common_account() {
  # The three lines of ours, from where they are to below the include.
  awk '/^# Begin slurm-adopt.*account/ {hold = 3} hold-- > 0 {kept = kept $0 "\n"; next} {print}
    /^@include common-account/ {printf "%s", kept}' "$stack" >"$work/moved"
  cat "$work/moved" >"$stack"
}
mistake 'our line below common-account' FAIL pam.account.reached below_common_account 'slurm-adopt enable >/dev/null' \
  'changes_password_only_so bob'
expire bob
ok 'above again: refused again' refuses changes_password bob
chage -d 19000 bob

# --- mistakes in the stack and in files --------------------------------------

mistake 'the lines are gone' FAIL pam.account.line 'slurm-adopt disable >/dev/null' 'run_it "$fix"' 'logs_in bob'
mistake 'the module is somebody else'\''s' FAIL module.owner 'chown 12 /lib/security/pam_slurm_adopt.so' 'run_it "$fix"'
mistake 'the module is writable' FAIL module.owner 'chmod 666 /lib/security/pam_slurm_adopt.so' 'run_it "$fix"'
mistake 'the module is cut off' FAIL module.ours \
  'cp /lib/security/pam_slurm_adopt.so "$work/module"; truncate -s 5000 /lib/security/pam_slurm_adopt.so' \
  'cp "$work/module" /lib/security/pam_slurm_adopt.so' 'refuses logs_in root'
mistake 'the PAM file is writable' FAIL pam.owner 'chmod 666 "$stack"' 'run_it "$fix"'
mistake 'sufficient' FAIL pam.account.control 'edit "s/^account required pam_slurm/account sufficient pam_slurm/" "$stack"' \
  'edit "s/^account sufficient pam_slurm/account required pam_slurm/" "$stack"' 'logs_in bob'
mistake 'everybody refused above' FAIL pam.account.reached \
  'edit "/^account required pam_slurm/i account requisite pam_deny.so" "$stack"' 'edit "/^account requisite pam_deny/d" "$stack"' \
  'refuses logs_in root'
mistake 'a mistyped group' WARN pam.lists 'slurm-adopt enable --options "strict exempt_groups=admnis" >/dev/null' \
  'slurm-adopt enable --options strict >/dev/null' 'is_refused adm'
stepd_of_alice() { pgrep -f "^slurmstepd: \[$alice_job\.extern\]"; }
mistake 'a stopped slurmstepd' FAIL steps.extern 'kill -STOP "$(stepd_of_alice)"' 'kill -CONT "$(stepd_of_alice)"' 'is_refused alice'
mistake 'an auth line' FAIL pam.phases 'edit "1i auth required pam_slurm_adopt.so" "$stack"' 'edit "/^auth.*slurm_adopt/d" "$stack"'
mistake 'the helper is writable' WARN helper.file 'chmod 777 /usr/local/libexec/slurm-adopt' 'run_it "$fix"'
mistake 'the helper is gone' WARN helper.file 'mv /usr/local/libexec/slurm-adopt/slurm-adopt-helper "$work/helper"' \
  'mv "$work/helper" /usr/local/libexec/slurm-adopt/slurm-adopt-helper' 'found WARN slurm.conf'
mistake 'optional' FAIL pam.account.control 'edit "s/^account required pam_slurm/account optional pam_slurm/" "$stack"' \
  'edit "s/^account optional pam_slurm/account required pam_slurm/" "$stack"' 'logs_in bob'
mistake 'a typo' FAIL pam.options 'edit "s/^\(account.*slurm_adopt.so\) strict/\1 stric/" "$stack"' \
  'edit "s/^\(account.*slurm_adopt.so\) stric$/\1 strict/" "$stack"' "is_refused alice $alice_job"
mistake 'a sufficient line above' WARN pam.account.reached 'edit "/pam_nologin/a account sufficient pam_localuser.so" "$stack"' \
  'edit "/sufficient pam_localuser/d" "$stack"' 'logs_in bob'
mistake 'a sufficient line in an include above' FAIL pam.account.reached \
  'echo "account sufficient pam_localuser.so" >/etc/pam.d/local; edit "/pam_nologin/a @include local" "$stack"' \
  'slurm-adopt enable >/dev/null' 'logs_in bob'
edit '/@include local/d' "$stack"
rm /etc/pam.d/local
slurm-adopt enable >/dev/null
ok 'and the file is as before' cmp "$work/enabled" "$stack"
mistake 'no session line' FAIL pam.session.line 'edit "/^session.*slurm_adopt/d" "$stack"' \
  'slurm-adopt disable --force >/dev/null; slurm-adopt enable >/dev/null'
mistake 'not strict' WARN pam.strict 'slurm-adopt enable --options timeout=5 >/dev/null' \
  'slurm-adopt enable --options strict >/dev/null'
mistake 'for another node' FAIL slurm.node 'slurm-adopt enable --options "strict nodename=other" >/dev/null' \
  'slurm-adopt enable --options strict >/dev/null' "is_refused alice $alice_job"
mistake 'another spool directory' FAIL slurm.spool-dir 'slurm-adopt enable --options "strict spool_dir=/var/empty" >/dev/null' \
  'slurm-adopt enable --options strict >/dev/null' "is_refused alice $alice_job"

# --- mistakes in sshd_config -------------------------------------------------

mistake 'UsePAM no' FAIL sshd.use-pam 'restart_sshd_with "s/^UsePAM yes/UsePAM no/"' 'restart_sshd_with "s/^UsePAM no/UsePAM yes/"' \
  'logs_in bob'
mistake 'a Match block without proof' FAIL sshd.match \
  'printf "Match User guest\n  AuthenticationMethods none\n" >>"$sshd_config"' 'edit "/^Match User guest/,\$d" "$sshd_config"'

# --- mistakes of Slurm -------------------------------------------------------

mistake 'no munge' WARN munge.socket '"$CLUSTER_CTL" stop munged' '"$CLUSTER_CTL" start munged' "logs_in alice $alice_job"
mistake 'no slurmd' WARN slurm.slurmd-port '"$CLUSTER_CTL" stop slurmd' '"$CLUSTER_CTL" start slurmd' "logs_in alice $alice_job"
mistake 'no slurm.conf' WARN slurm.conf 'mv "$conf" "$conf.away"' 'mv "$conf.away" "$conf"' "logs_in alice $alice_job"
mistake 'no task/cgroup' WARN slurm.task-plugin 'edit s,^TaskPlugin=.*,TaskPlugin=task/affinity, "$conf"' \
  'edit s,^TaskPlugin=.*,TaskPlugin=task/cgroup, "$conf"'
mistake 'linuxproc' FAIL slurm.proctrack 'edit s,^ProctrackType=.*,ProctrackType=proctrack/linuxproc, "$conf"' \
  'edit s,^ProctrackType=.*,ProctrackType=proctrack/cgroup, "$conf"'

# Jobs that run then have no extern step.
edit '/^PrologFlags=/d' "$conf"
restart_slurm
submit carol
ok 'no PrologFlags=contain: check says so' found FAIL slurm.prolog-flags
ok 'and names the job' found FAIL steps.extern
ok 'a user with such a job is refused' is_refused carol
echo 'PrologFlags=contain' >>"$conf"
restart_slurm
ok 'followed: that job is still named' found FAIL steps.extern
scancel "$job"
for _ in {1..100}; do
  if [[ ! $(squeue -h -j "$job" 2>/dev/null) ]]; then break; fi
  sleep 0.1
done
submit carol
ok 'a new one adopts' logs_in carol "$job"
ok 'followed, all is well' all_well

# --- and back ----------------------------------------------------------------

answer_is_lost() { slurm-adopt "$@" >/dev/full; }
not_ok 'check: an answer that is lost is none' answer_is_lost check --sshd-config "$sshd_config"
not_ok 'list: an answer that is lost is none' answer_is_lost list
not_ok 'check: a service is a name' slurm-adopt check --service ../shadow
ok 'disable' slurm-adopt disable
ok 'the file is what Debian installed, byte for byte' cmp "$stock/sshd" "$stack"
ok 'no backup is left' refuses ls "$stack".slurm-adopt-backup
ok 'bob logs in without a job as before' logs_in bob
ok 'alice is outside of her job as before' logs_in alice

finish
