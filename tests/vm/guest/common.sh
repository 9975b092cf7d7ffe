# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the cases are written with: jobs, the cgroups of jobs and sessions, logins, and saying what is wrong.

readonly debian_pam=/root/debian-pam  # sshd, common-account and common-session as Debian installs them
readonly host=198.51.100.1
readonly module=${MODULE:-pam_slurm_adopt.so}
release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
# shellcheck disable=SC2034  # for the cases
readonly release
children=()

fail() {
  printf 'failed: %s\n' "$*"
  exit 1
}

# Shown on the host, whatever becomes of the case.
note() {
  printf 'note: %s\n' "$*"
}

# report_fault PART FAULT EXPECTED BOUND_MS MEASURED_MS: a row of doc/faults.md; see tests/support/fault_table.h.
report_fault() {
  awk -v bound="$4" -v measured="$5" 'BEGIN {exit !(measured != "" && measured + 0 <= bound)}' || fail "$1: $2: '$5' ms, at most $4"
  printf 'fault: %s\t%s\t%s\t%s\t%.2f\n' "$@"
}

# expect WHAT IS MEANT: COMMAND...
expect() {
  local meaning=$1
  shift
  "$@" || fail "$meaning ($*)"
}

expect_not() {
  local meaning=$1
  shift
  if "$@"; then fail "$meaning (not: $*)"; fi
}

# eventually SECONDS COMMAND...
eventually() {
  local until=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < until)) || { printf 'never came true: %s\n' "$*"; return 1; }
    sleep 0.3
  done
}

# --- Slurm ---------------------------------------------------------------------------------------------------------

# write_slurm_conf [LINE]...: with these lines more, and if $gres is set, with these of the node's, constrained.
write_slurm_conf() {
  local devices=no
  cat >/etc/slurm/slurm.conf <<'END'
ClusterName=vm
SlurmctldHost=vm(198.51.100.1)
SlurmUser=slurm
SlurmdSpoolDir=/var/spool/slurmd
StateSaveLocation=/var/spool/slurmctld
SlurmctldLogFile=/var/log/slurm/slurmctld.log
SlurmdLogFile=/var/log/slurm/slurmd.log
AuthType=auth/munge
CredType=cred/munge
MailProg=/bin/true
MpiDefault=none
MessageTimeout=60
ProctrackType=proctrack/cgroup
TaskPlugin=task/cgroup
PrologFlags=contain,x11
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerNode=300
SchedulerType=sched/builtin
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=1000
PriorityType=priority/basic
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
KillWait=2
CompleteWait=0
ReturnToService=2
NodeName=vm NodeAddr=198.51.100.1 CPUs=64 RealMemory=100000 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
END
  printf '%s\n' "$@" >>/etc/slurm/slurm.conf
  if [[ ${gres-} ]]; then
    sed -i "s/^NodeName=.*/& Gres=$gres/" /etc/slurm/slurm.conf
    devices=yes
  fi
  # slurmd gives up when systemd has not made its scope after a second.
  printf '%s\n' ConstrainRAMSpace=yes ConstrainCores=no ConstrainDevices=$devices SystemdTimeout=60000 >/etc/slurm/cgroup.conf
}

node_is_ready() {
  [[ $(sinfo -h -o %t) == @(idle|mix|alloc) ]]
}

# restart_slurm [LINE]...: with these lines more in slurm.conf.
restart_slurm() {
  write_slurm_conf "$@"
  systemctl restart slurmctld slurmd
  eventually 120 node_is_ready
}

step_socket() {
  echo "/var/spool/slurmd/vm_$1.4294967292"
}

as() {  # USER COMMAND...
  setpriv --reuid "$1" --regid "$1" --init-groups env --chdir="/home/$1" HOME="/home/$1" USER="$1" "${@:2}"
}

# new_job USER [SBATCH OPTION]...: its id is in $job.
new_job() {
  job=$(as "$1" sbatch --parsable --output=/dev/null "${@:2}" --wrap 'exec sleep 10000')
  wait_for_step "$job"
}

# wait_for_step JOB: until its extern step runs. It listens before it has its cgroup and its X11 forwarding.
wait_for_step() {
  eventually 120 all_run "$1" || fail "job $1 has no extern step that runs (its state: $(step_states "$1"))"
}

listens() {
  [[ $(ss -xlH src "$1") ]]
}

# step_states JOB...: what the slurmstepds say of their extern steps' states (request 5), a line each; "none" who says nothing.
step_states() {
  local id sockets=()
  for id in "$@"; do sockets+=("$(step_socket "$id")"); done
  perl -MSocket -e '$SIG{PIPE} = "IGNORE";
    alarm 30;
    for my $path (@ARGV) {
      my ($stepd, $answer) = (undef, "");
      if (socket($stepd, AF_UNIX, SOCK_STREAM, 0) && connect($stepd, pack_sockaddr_un($path))) {
        syswrite($stepd, pack("ll", 0x7fff, 5));
        while (length $answer < 8) { last unless sysread($stepd, $answer, 8 - length $answer, length $answer); }
      }
      print length $answer == 8 ? (unpack("ll", $answer))[1] : "none", "\n";
    }' "${sockets[@]}"
}

all_run() {  # JOB...
  [[ $(step_states "$@" | sort -u) == 2 ]]
}

# The process of a job's extern step: who listens at its socket. What it has just forked has the socket too, until it is
# another program.
extern_pid() {
  ss -xlpH src "$(step_socket "$1")" | { grep -oE 'pid=[0-9]+' || true; } | cut -d = -f 2 | sort -n | sed -n 1p
}

# The cgroup of a job's extern step, as the kernel says it of slurmstepd itself.
extern_cgroup() {
  sed -nE 's|^0::(.*/step_extern)(/.*)?$|\1|p' "/proc/$(extern_pid "$1")/cgroup"
}

# Of the controller's: one whose step has gone may still be completing.
no_jobs() {
  [[ ! $(squeue -h -o %A) ]]
}

no_steps() {
  ! ss -xlH | grep '/vm_[0-9]*\.4294967292' >/dev/null
}

end_all_jobs() {
  local pid
  if no_steps; then return 0; fi
  for pid in $(pgrep slurmstepd); do kill -CONT "$pid" || true; done
  # Of two options -u only the last one counts.
  scancel --quiet -u alice
  scancel --quiet -u bob
  eventually 120 no_steps && eventually 120 no_jobs
}

# --- packages ------------------------------------------------------------------------------------------------------

# Ours, built on this release. The helper's Pre-Depends has to be there first.
install_packages() {
  dpkg -i /mnt/packages/slurm-adopt_*.deb
  dpkg -i /mnt/packages/slurm-adopt-helper_*.deb
}

# --- PAM -----------------------------------------------------------------------------------------------------------

# use_stack SYSTEMD ACCOUNT SESSION: Debian's own stack of sshd. SYSTEMD is what pam_systemd's line is to be: its
# options, "on" for none, "off" for no line. ACCOUNT and SESSION are lines after common-account and common-session.
use_stack() {
  local systemd=$1 account=$2 session=$3
  cp "$debian_pam"/* /etc/pam.d/
  grep -q 'pam_systemd\.so' /etc/pam.d/common-session || fail "Debian's common-session has no pam_systemd"
  case $systemd in
    off) sed -i '/pam_systemd\.so/d' /etc/pam.d/common-session ;;
    on) ;;
    *) sed -i "s|pam_systemd\\.so.*|pam_systemd.so $systemd|" /etc/pam.d/common-session ;;
  esac
  insert_after /etc/pam.d/sshd '@include common-account' "$account"
  insert_after /etc/pam.d/sshd '@include common-session' "$session"
}

insert_after() {  # FILE LINE NEW
  [[ $3 ]] || return 0
  awk -v at="$2" -v new="$3" '{print} $0 == at {print new; found = 1} END {exit !found}' "$1" >"$1.new" ||
    fail "$1 has no line '$2'"
  mv "$1.new" "$1"
}

account_line() {
  echo "account required $module $*"
}

session_line() {
  echo "session required $module $*"
}

# --- logins --------------------------------------------------------------------------------------------------------

# login USER COMMAND...: by public key.
login() {
  ssh -o BatchMode=yes "$1@$host" "${@:2}" </dev/null
}

# login_aloud USER COMMAND...: and what PAM says is shown, which root's configuration of the client hides.
login_aloud() {
  ssh -o BatchMode=yes -o LogLevel=INFO -o IgnoreUnknown=WarnWeakCrypto -o WarnWeakCrypto=no "$1@$host" "${@:2}" </dev/null
}

# login_with_password USER COMMAND...: by keyboard-interactive.
login_with_password() {
  printf '#!/bin/sh\necho %s-password\n' "$1" >/root/askpass  # /run is mounted noexec
  chmod 755 /root/askpass
  SSH_ASKPASS=/root/askpass SSH_ASKPASS_REQUIRE=force ssh -o PreferredAuthentications=keyboard-interactive \
    -o NumberOfPasswordPrompts=1 "$1@$host" "${@:2}" </dev/null
}

cgroup_of_login() {  # USER
  login "$1" cat /proc/self/cgroup | sed -n 's/^0:://p'
}

# stay USER: a session that stays; its shell's pid is in $session, what logind calls it in $session_id, and the client's pid in
# $client.
stay() {
  rm -f "/home/$1/pid"
  # shellcheck disable=SC2016
  login "$1" 'echo $$ "${XDG_SESSION_ID-}" >pid.new; mv pid.new pid; exec sleep 10000' &
  client=$!
  children+=("$client")
  eventually 120 test -s "/home/$1/pid" || fail "no session of $1"
  # shellcheck disable=SC2034  # for the cases
  read -r session session_id <"/home/$1/pid"
}

is_inside() {  # CGROUP JOB
  local step
  step=$(extern_cgroup "$2")
  [[ $step && $1 == "$step"/* ]] || { echo "in '$1', the step is '$step'"; return 1; }
}

gone() {  # PID
  [[ ! -e /proc/$1/stat ]] || [[ $(cut -d ' ' -f 3 "/proc/$1/stat") == Z ]]
}

# Only what is logged from now on is this case's.
from_now_on() {
  case_began=$(date +%s.%N)
}

# logged [SINCE]: what the journal has since then, or since the case began. A login may be over before journald has read
# what it had to say.
logged() {
  journalctl --sync
  journalctl -q --no-pager -o cat --since "@${1-$case_began}"
}

# The decisions of our module since the case began.
decisions() {
  logged | grep -oE 'decision=.*' || true
}

# in_time COMMAND...: what it says that logs in. The module has some tenths of a second for a job's variables, and a second
# for a file in a home, which is less than an emulated processor needs if its host is busy: whose login went without them is tried
# again.
in_time() {
  local began said tries
  for ((tries = 0; tries < 5; tries++)); do
    began=$(date +%s.%N)
    said=$("$@") || return
    grep -qE 'import_env: .*(no answer in time|at its deadline|hangs).*none of its variables|could not be read in time' <(logged "$began") || break
    note "a login went without what the module had no time for: once more" >&2
  done
  printf '%s\n' "$said"
}

decided() {  # WORDS
  decisions | grep -qE -- "$1" || { echo "decisions:"; decisions; return 1; }
}

# --- a case --------------------------------------------------------------------------------------------------------

start_afresh() {
  end_all_jobs
  from_now_on
}

# A file of cases that changes more of the machine has its own.
end_of_case() {
  :
}

clean_up() {
  local status=$? child
  set +e
  for child in "${children[@]}"; do kill "$child" 2>/dev/null; done
  cp "$debian_pam"/* /etc/pam.d/
  end_all_jobs
  end_of_case
  return "$status"
}
