# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Which job a session is in, what it has of that job, and who is told nothing: sticky=1, job_choice=file, import_env= and
# pam_access, where slurmstepd of 24.11 and 26.05 and cgroup v2 are.
# shellcheck disable=SC2154  # job, session, client, host and release are common.sh's

readonly control=/root/control

end_of_case() {
  umount --lazy /home/alice/.config/slurm-adopt 2>/dev/null
  rm -rf /home/alice/.config/slurm-adopt /home/alice/hostile* "$control" /etc/security/vm.conf
}

# session_in JOB WHAT [OPTION OF ssh]...: a login is in this job.
session_in() {
  local cgroup
  cgroup=$(ssh -o BatchMode=yes "${@:3}" "alice@$host" cat /proc/self/cgroup </dev/null) || fail "$2: no session"
  expect "$2" is_inside "${cgroup#0::}" "$1"
}

# A client's connections: one of many channels that stays, others while it does, and each the successor of the one before.
case_twenty_reconnects_stay_in_one_job() {
  use_stack off "$(account_line strict sticky=1)" ''
  new_job alice
  local first=$job i last old
  ssh -o BatchMode=yes -o ControlPath=$control -MN "alice@$host" </dev/null &
  last=$!
  children+=("$last")
  eventually 120 ssh -o ControlPath=$control -O check "alice@$host" || fail "no connection"
  new_job alice
  for i in 1 2 3; do session_in "$first" "channel $i" -o "ControlPath=$control"; done
  for ((i = 1; i <= 10; i++)); do session_in "$first" "connection $i beside the first"; done
  expect "by what it was chosen" decided "decision=adopt reason=sticky user=alice .*job=$first "
  for ((i = 11; i <= 20; i++)); do
    old=$last
    stay alice
    last=$(pgrep -P "$client" -x ssh)
    expect "connection $i" is_inside "$(sed -n 's/^0:://p' "/proc/$session/cgroup")" "$first"
    kill "$old"
  done
  expect "all of them by the same" test "$(decisions | grep -c "reason=sticky user=alice .*job=$first ")" -ge 20
  kill "$last"
  eventually 90 is_taken "$job" || fail "the last has ended, and the newest is not taken"
}

is_taken() {  # JOB
  is_inside "$(cgroup_of_login alice)" "$1"
}

# A job's process, a sleep with 1.2 MB of environment. What comes first is what is read.
hostile_job() {
  cat >/home/alice/hostile.pl <<'END'
my @good = ("SLURM_JOB_ID=$ENV{SLURM_JOB_ID}", 'OURS_GOOD=yes');
my @bad = ("OURS_LINES=a\nOURS_SECOND=b", "OURS_ESCAPE=\e]0;x\a", "OURS_BYTES=\xff\xfe", 'OURS_FUNCTION=() { :; }', 'OURS_GOOD=twice',
  'OURS_NO-NAME=x', '=x', 'nothing', 'LD_PRELOAD=/tmp/x.so', 'LD_AUDIT=/tmp/x.so', 'PATH=/tmp', 'BASH_ENV=/tmp/x', 'IFS=x',
  'PYTHONPATH=/tmp', 'PERL5OPT=-Mx', 'HOME=/tmp', 'SLURM_CONF=/tmp/x', 'SLURM_JOB_UID=0');
my @environ = (@good, @bad, map("OURS_LONG$_=" . 'x' x 100_000, 1 .. 12));
open(my $begun, '>', '/home/alice/hostile') or die;
my ($program, $name, $time) = ('/bin/sleep', 'sleep', '10001');
my ($arguments, $variables) = (pack('p2Q', $name, $time, 0), pack('p' . @environ . 'Q', @environ, 0));
syscall(59, $program, $arguments, $variables);
die "execve: $!";
END
  rm -f /home/alice/hostile
  job=$(as alice sbatch --parsable --output=/dev/null --wrap 'exec perl /home/alice/hostile.pl')
  wait_for_step "$job"
  eventually 120 test -e /home/alice/hostile || fail "its script has not begun"
  eventually 60 pgrep -u alice -xf "sleep 10001" || fail "its script has failed"
}

case_hostile_environ_does_no_harm() {
  use_stack off "$(account_line strict 'import_env=SLURM_*,OURS_*,LD_*,PATH*,BASH_*,IFS*,PYTHON*,PERL*,HOME* log_level=verbose')" ''
  hostile_job
  expect "there is a megabyte of it" test "$(wc -c <"/proc/$(pgrep -u alice -xf "sleep 10001")/environ")" -gt 1200000
  local seen names
  seen=$(in_time login alice 'env --null | base64 -w 0') || fail "no session"
  expect "it is adopted" decided "decision=adopt reason=one_job user=alice .*job=$job "
  note "$(logged | grep -o 'import_env: .*' | tail -n 1)"
  # Two of the long ones are in what is read, and neither is small enough for what is set.
  names=$(base64 -d <<<"$seen" | grep -zE '^(OURS|LD_|BASH_ENV|IFS|PYTHON|PERL|SLURM)' | sort -z | tr '\0' '\n')
  expect "what it has of the job" test "$names" = "OURS_GOOD=yes
SLURM_JOB_ID=$job
SLURM_JOB_UID=$(id -u alice)
SLURM_NODENAME=vm"
  expect "its own PATH and HOME" base64 -d <<<"$seen" >/run/vm-environment
  expect_not "its PATH is the job's" grep -qz '^PATH=/tmp' /run/vm-environment
  expect_not "its HOME is the job's" grep -qz '^HOME=/tmp' /run/vm-environment
  expect_not "a control byte is in the log" grep -q $'\e' <(logged)
}

environment_of_login() {
  login alice env --null | grep -zE "^(SLURM_|CUDA_)" | tr '\0' '\n'
}

# By both lines, with pam_systemd between them. Of a job of salloc the controller says what it is.
case_variables_of_a_job_that_has_only_a_step() {
  local options=(strict 'import_env=SLURM_*,CUDA_*' log_level=verbose) seen
  use_stack on "$(account_line "${options[@]}")" "$(session_line "${options[@]}")"
  as alice salloc --quiet --no-shell --job-name=without-a-step &
  children+=($!)
  eventually 120 runs_one_job || fail "no job: $(squeue)"
  job=$(squeue -h -u alice -t R -o %A)
  wait_for_step "$job"
  expect "what is known without asking" test "$(environment_of_login | sort)" = "SLURM_JOB_ID=$job
SLURM_JOB_UID=$(id -u alice)
SLURM_NODENAME=vm"
  use_stack on "$(account_line "${options[@]}" controller=rpc)" "$(session_line "${options[@]}" controller=rpc)"
  # A login waits for it for a second, which is not much for an emulated processor whose host is busy.
  eventually 180 controllers_view_comes || fail "not the controller's view: $seen; $(logged | grep 'import_env: ' | tail -n 3)"
  note "of the controller: $(paste -sd ' ' <<<"$seen"); $(decisions | grep -o 'phase=account ms=[0-9.]*' | tail -n 1)"
  as alice srun --quiet --overlap "--jobid=$job" --export=ALL,CUDA_VISIBLE_DEVICES=7 sleep 10002 &
  children+=($!)
  eventually 120 pgrep -u alice -xf "[^ ]*sleep 10002" || fail "no step"
  seen=$(in_time environment_of_login)
  expect "of the step's process" grep -qx CUDA_VISIBLE_DEVICES=7 <<<"$seen"
  expect "the session is in the job" is_inside "$(cgroup_of_login alice)" "$job"
}

controllers_view_comes() {
  local name
  seen=$(environment_of_login)
  for name in JOB_NAME=without-a-step JOB_PARTITION=all JOB_NODELIST=vm JOB_NUM_NODES=1; do
    grep -qx "SLURM_$name" <<<"$seen" || return 1
  done
}

runs_one_job() {
  [[ $(squeue -h -u alice -t R -o %A | wc -l) == 1 ]]
}

# not_followed WHY: a login is in the newest job all the same, and it is said why, this time.
not_followed() {
  from_now_on
  session_in "$job" "$1"
  expect "$1: logged" grep -qF ".config/slurm-adopt/job is not followed: $1" <(logged)
}

# silent_file_system DIRECTORY: whose server, of the pid in $silent, never says a word. mount(8) would look at it, and wait.
silent_file_system() {
  modprobe fuse
  perl -e 'open(my $fuse, "+<", "/dev/fuse") or die "/dev/fuse: $!";
    my ($source, $type, $options) = ("silent", "fuse", "fd=" . fileno($fuse) . ",rootmode=40000,user_id=0,group_id=0,allow_other");
    syscall(165, $source, $ARGV[0], $type, 0, $options) == 0 or die "mount: $!";
    sleep 10000' "$1" &
  silent=$!
  children+=("$silent")
  eventually 60 grep -q " $1 fuse " /proc/self/mounts || fail "not mounted"
}

case_a_home_may_be_anything() {
  use_stack off "$(account_line strict job_choice=file)" ''
  local directory=/home/alice/.config/slurm-adopt file=/home/alice/.config/slurm-adopt/job first
  new_job alice
  first=$job
  sleep 1.1
  new_job alice
  as alice slurm-adopt use "$first"
  session_in "$first" "named"
  as alice mv "$file" "$directory/other"
  as alice ln -s other "$file"
  not_followed 'it is a symbolic link'
  rm "$file"
  as alice mkfifo "$file"
  not_followed 'it is no regular file'
  rm "$file"
  as alice mkdir "$file"
  not_followed 'it is no regular file'
  rmdir "$file"
  install -m 644 -o bob "$directory/other" "$file"
  not_followed 'it belongs to somebody else'
  rm "$file"
  as alice mv "$directory" /home/alice/elsewhere
  as alice ln -s ../elsewhere "$directory"
  not_followed 'its directory is a symbolic link'
  rm "$directory"
  as alice mkdir "$directory"

  silent_file_system "$directory"
  not_followed 'it could not be read in time'
  expect "in time, by the module's own clock" decided "decision=adopt reason=newest_job user=alice .*job=$job .*ms=[1-4][0-9]{3}\\."
  note "$(decisions | tail -n 1)"
  kill "$silent"
  eventually 60 gone "$silent"
  umount --lazy "$directory"
  as alice slurm-adopt use "$first"
  session_in "$first" "named again"
}

# As administrators of most clusters have it: pam_access(8) above our line.
case_administrators_by_pam_access_are_told_nothing() {
  printf '+:(bob):ALL\n-:ALL:ALL\n' >/etc/security/vm.conf
  use_stack off "account sufficient pam_access.so accessfile=/etc/security/vm.conf
$(account_line strict)" ''
  expect "a member of the group is let in, and told nothing" test "$(login_aloud bob echo in 2>&1)" = in
  local said
  said=$(login_aloud alice true 2>&1) && fail "who is none is let in"
  note "$said"
  expect "who is none is told why not" grep -q 'you have no job' <<<"$said"
  new_job bob
  said=$(login_aloud bob cat /proc/self/cgroup 2>&1)
  expect "with a job neither" test "$(wc -l <<<"$said")" = 1
}
