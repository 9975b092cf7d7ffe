# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The bench (tests/bench) on this machine, cgroup v2, against Debian's own pam_slurm_adopt. It judges nothing here: its
# results go to the host as soon as they are there, a line "| bench ..." each. Only with `run.sh --bench`.
# shellcheck disable=SC2154  # release is common.sh's

readonly work=/root/bench user=alice samples=30
# shellcheck disable=SC2034  # for measuring.sh
readonly theirs_options=action_no_jobs=deny ours_options=action_no_jobs=deny
own_job=''

die() {
  fail "$*"
}

own_socket() {
  step_socket "$own_job"
}

# shellcheck source-path=SCRIPTDIR source=../../../bench/measuring.sh
. /mnt/bench/measuring.sh

prepare() {
  mkdir -p "$work"
  cp /mnt/bench/* "$work/"
  strip -o "$work/ours.so" /usr/lib/x86_64-linux-gnu/security/pam_slurm_adopt.so
  strip -o "$work/theirs.so" /opt/theirs/pam_slurm_adopt.so
  sync -f "$work/ours.so" # a page that is yet to be written to the disk would count as dirty memory
  : >"$work/results.tsv"
  write_slurm_conf
  sed -i 's/ CPUs=[0-9]*/ CPUs=256/' /etc/slurm/slurm.conf
  systemctl restart slurmctld slurmd
  eventually 120 node_is_ready
  # With room for all the logins at once.
  new_job "$user" --mem=1000
  own_job=$job
}

# Sends the results on; main.sh's third descriptor is the report.
publish() {
  sed 's/^/| bench /' "$work/results.tsv" >&3
  : >"$work/results.tsv"
}

# A hundred jobs take their time to end.
end_of_case() {
  eventually 900 no_steps
}

steps_are() {
  [[ $(ss -xlH | grep -c '/vm_[0-9]*\.4294967292') == "$1" && ! $(squeue -h -t PD,CF,CG -o %i) ]]
}

# TOTAL MORE: so many jobs of another user more, with a batch step each; then there are TOTAL steps.
batch_jobs() {
  as bob sbatch -Q --array=1-"$2" --mem=16 --output=/dev/null --wrap 'exec sleep infinity'
  eventually 1200 steps_are "$1" || fail "no $1 steps"
}

# TOTAL MORE: the same without a batch step.
jobs_without_batch() {
  local -i i
  for ((i = 0; i < $2; i++)); do as bob salloc -Q --no-shell --mem=16; done
  eventually 1200 steps_are "$1" || fail "no $1 steps"
}

# SCENARIO
measure_here() {
  measure_logins "$1" 1 "$samples" 0
  count_system_calls "$1"
  publish
}

case_batch_jobs() {
  local workers
  prepare
  describe_machine
  info processor "$(nproc) x $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), emulated by QEMU"
  info idle 0
  measure_here 1+0
  batch_jobs 51 50
  measure_here 1+50
  for workers in 1 8; do  # 64 are more than slurmstepd answers Slurm's own module here
    measure_throughput 1+50 1 "$workers" 3 3000
    publish
  done
  batch_jobs 101 50
  measure_here 1+100
}

case_jobs_of_ones_own() {
  local -i jobs=1 more
  prepare
  for more in 1 3; do
    for ((jobs += more; more > 0; more--)); do new_job "$user" --mem=16; done
    measure_here "$jobs+0"
  done
}

case_extern_steps_only() {
  prepare
  jobs_without_batch 101 100
  measure_here 1+100x
}
