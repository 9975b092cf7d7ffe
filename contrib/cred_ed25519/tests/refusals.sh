#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is refused on a real Slurm, and that its daemons say why and go on: damaged and forged credentials, another public key,
# and every key file that is not as it has to be, at the start of a daemon and at `scontrol reconfigure`.
#
#   tests/cluster/cluster.sh run -- env CRED_PLUGIN=... CRED_DAMAGING=... contrib/cred_ed25519/tests/refusals.sh

set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
[[ -d ${CRED_DAMAGING:-} ]] || die "CRED_DAMAGING is not set to the directory of the plugin that damages"

new_pair() {  # NAME [OPENSSL-GENPKEY-OPTION]...
  openssl genpkey "${@:2}" -out "$work/$1.pem" 2>/dev/null
  openssl pkey -in "$work/$1.pem" -pubout -out "$work/$1.pub"
}
new_pair good -algorithm ed25519
new_pair other -algorithm ed25519
new_pair rsa -algorithm RSA -pkeyopt rsa_keygen_bits:2048
new_pair ec -algorithm EC -pkeyopt ec_paramgen_curve:P-256
openssl pkcs8 -topk8 -in "$work/good.pem" -passout pass:word -out "$work/locked.pem"

private_plugin_dir
cp "$CRED_PLUGIN" "$plugin_dir/"
good_keys() {
  rm -f $private_key $public_key
  install -m 400 "$work/good.pem" $private_key
  install -m 644 "$work/good.pub" $public_key
}
good_keys
configure_ed25519
echo 'AuthInfo=cred_expire=5' >>/etc/slurm/slurm.conf
restart_slurm
pids() { cat "$CLUSTER_DIR/pid/slurmctld" "$CLUSTER_DIR/pid/slurmd"; }
daemons_live() { [[ $(pids) == "$before" ]] && kill -0 "$(<"$CLUSTER_DIR/pid/slurmctld")" "$(<"$CLUSTER_DIR/pid/slurmd")"; }
# A node that could not start a job may be drained, and the job may wait for ever.
tidy() {
  scancel -u alice || true
  scontrol update "nodename=$CLUSTER_NODE" state=resume 2>/dev/null || true
  # shellcheck disable=SC2016
  timeout 60 bash -c 'until [[ ! $(squeue -h) && $(sinfo -h -o %t) == idle ]]; do sleep 0.1; done'
}
started_for_alice() { (cd / && as_alice timeout -s INT -k 5 40 srun -N 1 touch "$CLUSTER_DIR/home/alice/was-here"); }
# No process of the job may have run.
refused() {  # NAME TEXT-IN-SLURMD'S-LOG
  mark_logs
  rm -f "$CLUSTER_DIR/home/alice/was-here"
  not_ok "$1: srun fails" started_for_alice
  not_ok "$1: nothing was started" test -e "$CLUSTER_DIR/home/alice/was-here"
  ok "$1: slurmd says why" logged slurmd "$2"
  ok "$1: the daemons live" daemons_live
  ok "$1: the node comes back" tidy
}
check_line() { printf 'Credential signature check: %s' "$(text_of "$1")"; }

before=$(pids)
ok 'a good credential' alice_runs

# --- credentials that were damaged on the way --------------------------------

sed "\$a PluginDir=$CRED_DAMAGING:$plugin_dir" /etc/slurm/slurm.conf >/etc/slurm/damaging.conf
CRED_DAMAGE=$work/damage SLURM_CONF=/etc/slurm/damaging.conf "$CLUSTER_CTL" restart slurmctld
before=$(pids)
echo none >"$work/damage"
ok 'through the plugin that damages, undamaged' alice_runs
for damage in flip zero credential; do
  echo "$damage" >"$work/damage"
  refused "damage: $damage" "$(check_line 5325)"
done
for damage in cut long; do
  echo "$damage" >"$work/damage"
  refused "damage: $damage" "$(check_line 5324)"
done
# Of another step, with a good signature: Slurm looks at what is in it.
echo none >"$work/damage"
ok 'a credential to replay' alice_runs
echo replay >"$work/damage"
refused 'damage: replay' 'Job credential revoked'
# Signed longer ago than AuthInfo=cred_expire.
echo late >"$work/damage"
refused 'damage: late' 'Job credential expired'
# Slurm itself refuses what has no signature at all.
echo empty >"$work/damage"
refused 'damage: empty' 'Invalid job credential'
echo none >"$work/damage"
ok 'and undamaged again' alice_runs
"$CLUSTER_CTL" restart slurmctld

# --- another key -------------------------------------------------------------

install -m 644 "$work/other.pub" $public_key
"$CLUSTER_CTL" restart slurmd
before=$(pids)
refused 'slurmd has another public key' "$(check_line 5325)"
good_keys
"$CLUSTER_CTL" restart slurmd
before=$(pids)
ok 'and the right one again' alice_runs

# --- key files ---------------------------------------------------------------

# bad_file KIND CASE: the file of that kind is made as the case has it. The number of the refusal comes first in its name.
bad_file() {
  local path=$private_key mode=400 good=good.pem half=pem other_half=pub
  if [[ $1 == public ]]; then path=$public_key mode=644 good=good.pub half=pub other_half=pem; fi
  rm -f "$path"
  case $2 in
    5304-missing) ;;
    5305-link) ln -s "$work/$good" "$path" ;;
    5306-fifo) mkfifo -m "$mode" "$path" ;;
    5307-owner) install -m "$mode" -o alice "$work/$good" "$path" ;;
    5308-world-readable) install -m 644 "$work/$good" "$path" ;;
    5309-group-writable) install -m 664 "$work/$good" "$path" ;;
    5311-empty) install -m "$mode" /dev/null "$path" ;;
    5312-large) (head -c 100000 /dev/zero | install -m "$mode" /dev/stdin "$path") ;;
    5313-text) (echo hello | install -m "$mode" /dev/stdin "$path") ;;
    5314-three) (cat "$work/$good" "$work/$good" "$work/$good" | install -m "$mode" /dev/stdin "$path") ;;
    5315-passphrase) install -m "$mode" "$work/locked.pem" "$path" ;;
    531[67]-other-half) install -m "$mode" "$work/good.$other_half" "$path" ;;
    5319-damaged) (sed '2s/^..../AAAA/' "$work/$good" | install -m "$mode" /dev/stdin "$path") ;;
    5320-rsa) install -m "$mode" "$work/rsa.$half" "$path" ;;
    5320-ec) install -m "$mode" "$work/ec.$half" "$path" ;;
    *) die "no case $2" ;;
  esac
}
both=(5304-missing 5305-link 5306-fifo 5307-owner 5311-empty 5312-large 5313-text 5314-three 5315-passphrase 5319-damaged
  5320-rsa 5320-ec)
private_cases=("${both[@]}" 5308-world-readable 5316-other-half)
public_cases=("${both[@]}" 5309-group-writable 5317-other-half)
line_of() { printf 'error: cred/ed25519: %s key %s: %s' "$1" "$2" "$(text_of "${3%%-*}")"; }

# It ends by itself, with an error and not by a signal.
does_not_start() {
  local rc=0
  timeout -k 5 30 "$@" </dev/null >"$work/start" 2>&1 || rc=$?
  tail -n 5 "$work/start"
  ((rc > 0 && rc < 124))
}
for case in "${private_cases[@]}"; do
  bad_file private "$case"
  mark_logs
  scontrol reconfigure
  ok "private key $case: slurmctld says why at scontrol reconfigure" logged slurmctld "$(line_of private $private_key "$case")"
done
ok 'slurmctld lives' daemons_live
ok 'and signs with the key it had' alice_runs
for case in "${public_cases[@]}"; do
  bad_file public "$case"
  mark_logs
  scontrol reconfigure
  ok "public key $case: slurmd says why at scontrol reconfigure" logged slurmd "$(line_of public $public_key "$case")"
done
ok 'slurmd lives' daemons_live
ok 'and verifies with the key it had' alice_runs

"$CLUSTER_CTL" stop slurmd
"$CLUSTER_CTL" stop slurmctld
for case in "${private_cases[@]}"; do
  bad_file private "$case"
  ok "private key $case: slurmctld does not start" does_not_start slurmctld -D -i
  ok "private key $case: and says why" grep -qF "$(line_of private $private_key "$case")" "$work/start"
done
good_keys
"$CLUSTER_CTL" start slurmctld
for case in "${public_cases[@]}"; do
  bad_file public "$case"
  ok "public key $case: slurmd does not start" does_not_start slurmd -D
  ok "public key $case: and says why" grep -qF "$(line_of public $public_key "$case")" "$work/start"
done
good_keys
rm $private_key
"$CLUSTER_CTL" start slurmd
tidy
ok 'with a good public key, and without the private one, slurmd starts again' alice_runs
good_keys

# --- SlurmUser is not root ---------------------------------------------------

"$CLUSTER_CTL" stop slurmd
"$CLUSTER_CTL" stop slurmctld
sed -i 's/^SlurmUser=.*/SlurmUser=slurm/' /etc/slurm/slurm.conf
mkdir "$CLUSTER_DIR/slurm"
sed -i -E "s#^(StateSaveLocation|SlurmctldPidFile|SlurmctldLogFile)=.*/#\\1=$CLUSTER_DIR/slurm/#" /etc/slurm/slurm.conf
chown slurm "$CLUSTER_DIR/slurm" $private_key $public_key
"$CLUSTER_CTL" start slurmctld
"$CLUSTER_CTL" start slurmd
ok 'slurmctld runs as SlurmUser' test "$(ps -o user= -p "$(<"$CLUSTER_DIR/pid/slurmctld")")" == slurm
ok "with the private key of SlurmUser's own" alice_runs
mark_logs
chown alice $public_key
scontrol reconfigure
ok 'and of nobody else' logged slurmd "$(line_of public $public_key 5307) (owner 2001, SlurmUser $(id -u slurm))"
finish
