# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Jobs with a GPU each: device files that are other names of /dev/zero and /dev/full, constrained by eBPF on cgroup v2.
# And what is accounted to a job for a session.
# shellcheck disable=SC2154,SC2034  # job, session, client, host, release and gres are common.sh's

two_gpus() {
  mknod -m 666 /dev/fake-gpu0 c 1 5
  mknod -m 666 /dev/fake-gpu1 c 1 7
  printf 'AutoDetect=off\nName=gpu File=/dev/fake-gpu[0-1]\n' >/etc/slurm/gres.conf
  gres=gpu:2
  restart_slurm GresTypes=gpu JobAcctGatherType=jobacct_gather/cgroup JobAcctGatherFrequency=task=1
}

end_of_case() {
  rm -f /dev/fake-gpu? /etc/slurm/gres.conf
  gres=''
  restart_slurm
}

# What a session of alice's has and is in: "READABLE:TOLD CGROUP", the node's numbers of GPUs, and after a slash
# CUDA_VISIBLE_DEVICES, where Slurm counts those that the job has. COMMAND... runs ssh.
look() {
  # shellcheck disable=SC2016
  "$@" -o BatchMode=yes "alice@$host" 'for i in 0 1; do
    if e=$(head -c1 /dev/fake-gpu$i 2>&1 >/dev/null); then printf $i; else case $e in *"not permitted") ;; *) echo "$e" ;; esac; fi
    done; echo ":${SLURM_JOB_GPUS-}/${CUDA_VISIBLE_DEVICES-} $(sed s/^0::// /proc/self/cgroup)"' </dev/null
}

# expect_session WHAT JOB READABLE:TOLD COMMAND...
expect_session() {
  local seen
  seen=$(in_time look "${@:4}") || fail "$1: no session"
  note "$1: $seen"
  expect "$1: the job" is_inside "${seen#* }" "$2"
  expect "$1: its GPU and no other, and told so where asked" test "${seen%% *}" = "$3"
}

# One case for all, because to restart Slurm takes longer than a login.
case_right_job_and_gpu_each_way() {
  local first second import='import_env=SLURM_*,CUDA_VISIBLE_DEVICES'
  # To ask slurmd where a login comes from takes longer than usual here, and without an answer the newest job would be taken.
  local patient='timeout=60 callerid_timeout=30'
  two_gpus
  use_stack off "$(account_line strict)" ''
  install -m 600 -o alice -g alice /root/.ssh/id_ed25519 /root/.ssh/config /home/alice/.ssh/
  new_job alice --gres=gpu:1
  first=$job
  expect_session 'one job, nothing imported' "$first" 0:/ ssh
  # shellcheck disable=SC2016
  login alice 'exec perl -e "\$held = q(x) x 50_000_000; sleep 1000"' &
  children+=($!)
  # Before the other job begins: it would be the newest.
  eventually 120 pgrep -u alice -x perl || fail "no session that stays"
  new_job alice --gres=gpu:1
  second=$job
  # By both lines, with pam_systemd between them.
  use_stack on "$(account_line strict "$patient" "$import")" "$(session_line strict "$patient" "$import")"
  expect_session 'newest' "$second" 1:1/0 ssh
  expect_session 'from the first job' "$first" 0:0/0 as alice srun --overlap "--jobid=$first" ssh
  expect_session 'from the second job' "$second" 1:1/0 as alice srun --overlap "--jobid=$second" ssh

  use_stack off "$(account_line strict "$patient" "$import" sticky=1)" ''
  expect_session 'where another session of the client is' "$first" 0:0/0 ssh
  use_stack off "$(account_line strict "$patient" "$import" job_choice=file)" ''
  as alice slurm-adopt use "$second"
  expect_session 'named in the file' "$second" 1:1/0 ssh
  as alice slurm-adopt use "$first"
  expect_session 'the other named' "$first" 0:0/0 ssh
  as alice slurm-adopt use --clear

  eventually 120 uses_more_than "$first" 50000 || fail "sstat: $(sstat -a -P -j "$first" --format=JobID,MaxRSS,AveCPU)"
  note "sstat of a session of 50 MB: $(sstat -n -P -j "$first.extern" --format=JobID,MaxRSS,AveCPU)"
}

uses_more_than() {  # JOB KB
  local used
  used=$(sstat --noheader --parsable2 --format=MaxRSS -j "$1.extern" | tr -d K)
  ((${used%%.*} > $2))
}
