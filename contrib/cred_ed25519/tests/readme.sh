#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The commands of README.md, every one of them, on a real Slurm: install, make keys, configure, check, replace the keys while
# jobs start. And what it is for: srun, sbatch and sbcast work, and logins are adopted beside it.
#
#   tests/cluster/cluster.sh run --module MODULE -- env CRED_PLUGIN=... contrib/cred_ed25519/tests/readme.sh

set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

blocks_run=0
not_named=()
for package in CLI11 CURL GTest Libcgroup Libjwt nlohmann_json spdlog; do
  not_named+=("-DCMAKE_DISABLE_FIND_PACKAGE_$package=ON")
done
# As root there is nothing to ask sudo for; and the README's directory `build` is one of this test's own. What its packages do
# not bring is taken away from CMake, as from an administrator who has installed no others.
run_block() {  # NAME
  local commands
  commands=$(readme_block "run: $1" | sed -E "s#(-B|--build|--install) build#\1 $work/build#; s#^cmake -S .#& ${not_named[*]}#")
  [[ $commands ]] || die "README.md has no block 'run: $1'"
  (cd "$cred_project" && bash -euo pipefail -c "sudo() { \"\$@\"; }; $commands") || return
}
ok_block() {  # NAME
  blocks_run=$((blocks_run + 1))
  ok "README: $1" run_block "$1"
}

last_key_line() { grep 'cred/ed25519: ' "$CLUSTER_DIR/log/$1.log" | tail -n 1; }
id_of() { openssl pkey "$@" -pubout -outform DER | sha256sum | cut -c 1-16; }
reads() {  # DAEMON LINE-END
  local tries
  for ((tries = 0; tries < 400; tries++)); do
    if [[ $(last_key_line "$1") == *"$2" ]]; then return 0; fi
    sleep 0.05
  done
  last_key_line "$1"
  return 1
}

# --- before: a job of cred/munge ---------------------------------------------

old_job=$(cd / && as_alice sbatch --parsable -o /dev/null --wrap 'sleep 1000')
ok 'a job of cred/munge runs' timeout 30 bash -c "until [[ \$(squeue -h -j $old_job -o %T) == RUNNING ]]; do sleep 0.1; done"

# --- install, keys, slurm.conf -----------------------------------------------

private_plugin_dir
ok_block build
ok 'the plugin is where Slurm looks' cmp "$work/build/contrib/cred_ed25519/cred_ed25519.so" "$plugin_dir/cred_ed25519.so"
ok_block keys
ok 'the modes of the keys' test "$(stat -c '%a %U' $private_key $public_key | tr '\n' ' ')" == '400 root 644 root '
configure_ed25519
ok 'the daemons restart' restart_slurm
ok_block check
first_id=$(id_of -in $private_key)
ok 'the id of the check is the one that slurmctld logs' grep -q "^$first_id\$" "$work/previous"
ok 'slurmctld has read the private key' reads slurmctld "private key $private_key: id $first_id"
ok 'slurmd has read the public key' reads slurmd "public key $public_key: id $first_id"
not_ok 'slurmd never reads the private key' grep -q 'private key' "$CLUSTER_DIR/log/slurmd.log"

# --- jobs --------------------------------------------------------------------

sbatch_works() {
  local job tries
  job=$(cd / && as_alice sbatch --parsable -o "$CLUSTER_DIR/home/alice/out" --wrap 'id -un; srun id -un')
  for ((tries = 0; tries < 300; tries++)); do
    if [[ $(squeue -h -j "$job" 2>/dev/null) ]]; then sleep 0.1; else break; fi
  done
  [[ $(<"$CLUSTER_DIR/home/alice/out") == $'alice\nalice' ]]
}
sbcast_works() {
  (cd / && as_alice timeout 60 srun -N 1 bash -c "sbcast -f /etc/hosts $CLUSTER_DIR/home/alice/hosts") &&
    cmp /etc/hosts "$CLUSTER_DIR/home/alice/hosts"
}
ok 'srun' alice_runs
ok 'sbatch, and srun in it' sbatch_works
ok 'sbcast' sbcast_works
ok 'the job of cred/munge still runs' test "$(squeue -h -j "$old_job" -o %T)" == RUNNING
ok 'a new step in it' alice_runs --overlap "--jobid=$old_job"

# --- adoption beside it ------------------------------------------------------

login_of() { ssh -o BatchMode=yes "$1@node" cat /proc/self/cgroup; }
not_ok 'who has no job is refused' login_of bob
ok 'who has a job of cred/munge logs in' login_of alice
scancel "$old_job"
# Or the login would have a choice: the step of a cancelled job is there until it has ended.
ok 'the job of cred/munge has ended' timeout 60 bash -c \
  "while [[ \$(squeue -h -j $old_job) ]] || compgen -G '$CLUSTER_SPOOL/*_$old_job.*' >/dev/null; do sleep 0.1; done"
new_job=$(cd / && as_alice sbatch --parsable -o /dev/null --wrap 'sleep 1000')
timeout 30 bash -c "until [[ \$(squeue -h -j $new_job -o %T) == RUNNING ]]; do sleep 0.1; done"
ok 'who has a job of cred/ed25519 logs in' login_of alice
ok 'and is in it' grep -q "job_$new_job/step_extern" "$work/previous"
ok 'the module says so' grep -q "decision=adopt reason=one_job user=alice .* job=$new_job .*verified=yes" "$CLUSTER_SYSLOG"

# --- hosts that only start jobs ----------------------------------------------

mkdir "$work/client"
cp -a "$plugin_dir"/*.so* "$work/client/"
rm "$work/client"/cred_*.so
sed "s|^JobCredential.*=.*||; \$a PluginDir=$work/client" /etc/slurm/slurm.conf >"$work/client.conf"
ok 'srun without the plugin and the keys' env SLURM_CONF="$work/client.conf" bash -c "cd / && timeout 60 srun -N 1 true"

# --- SIGHUP, as `systemctl reload` sends it ----------------------------------

# reloads DAEMON TEXT: until it logs that. A signal that reaches slurmd while it reads its configuration is lost, and it does so
# by itself when slurmctld has read its own.
reloads() {
  local tries
  for ((tries = 0; tries < 10; tries++)); do
    mark_logs
    kill -HUP "$(<"$CLUSTER_DIR/pid/$1")"
    if logged_within 5 "$1" "$2"; then return 0; fi
  done
  return 1
}
ok 'SIGHUP: slurmctld reads its key again' reloads slurmctld "cred/ed25519: private key $private_key: id $first_id"
ok 'SIGHUP: slurmd reads its key again' reloads slurmd "cred/ed25519: public key $public_key: id $first_id"
ok 'SIGHUP: and verifies' alice_runs

# --- new keys, while jobs start ----------------------------------------------

: >"$work/started"
start_jobs() {
  while [[ ! -e $work/stop ]]; do
    if alice_runs --quiet >>"$work/starting.out" 2>&1; then echo started; else echo failed; fi >>"$work/started"
  done
}
# Until two jobs more have been started or refused.
two_more_jobs() {
  local wanted=$(($(wc -l <"$work/started") + 3)) tries
  for ((tries = 0; tries < 1200 && $(wc -l <"$work/started") < wanted; tries++)); do sleep 0.05; done
}
start_jobs &
starting=$!
ok_block rotate-1
second_id=$(id_of -in /etc/slurm/cred_private.new)
ok 'slurmd takes both' reads slurmd ": id $first_id $second_id"
ok 'slurmctld signs with the old one' reads slurmctld ": id $first_id"
two_more_jobs
ok_block rotate-2
ok 'slurmctld signs with the new one' reads slurmctld ": id $second_id"
two_more_jobs
ok_block rotate-3
ok 'slurmd takes the new one' reads slurmd ": id $second_id"
two_more_jobs
: >"$work/stop"
wait "$starting"
not_ok 'no job was refused meanwhile' grep -q failed "$work/started"
ok 'and jobs were started' test "$(wc -l <"$work/started")" -ge 5
ok 'every command of the README was run' test "$(grep -c '^ *```sh' "$cred_readme")" == "$blocks_run"
finish
