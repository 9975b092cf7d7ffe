# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Tokens and slurmrestd of this release: each takes the other's tokens, and slurm-adopt-rest finds the job.
# shellcheck disable=SC2154  # job and release are common.sh's

readonly key=/etc/slurm/adopt.key  # for us; slurmctld's own has to be slurm's
readonly rest=http://127.0.0.1:6820
readonly rest_ask=/mnt/rest_ask

end_of_case() {
  touch /run/go_on
  restart_slurm
}

# What the module would start is in the directory of the helper.
ask() {  # WORD...
  "$rest_ask" /usr/libexec/slurm-adopt/slurm-adopt-helper "$rest" "$@"
}

told() {  # ANSWER WORD...
  local answer
  answer=$(ask "${@:2}" 2>&1) || true
  grep -qE "$1" <<<"$answer" || { echo "slurm-adopt-rest: $answer"; journalctl -q --no-pager -t slurm-adopt-rest -o cat | tail -n 3; return 1; }
}

start_slurmrestd() {
  head -c 32 /dev/urandom >"$key"
  chmod 400 "$key"
  install -m 600 -o slurm -g slurm "$key" /etc/slurm/jwt.key
  rm -f /run/go_on
  printf '#!/bin/bash\nuntil [[ -e /run/go_on ]]; do sleep 0.2; done\n' >/etc/slurm/prolog
  chmod 755 /etc/slurm/prolog
  restart_slurm AuthAltTypes=auth/jwt AuthAltParameters=jwt_key=/etc/slurm/jwt.key Prolog=/etc/slurm/prolog
  # Neither root nor SlurmUser. SLURM_JWT=daemon: each request brings its own token.
  setpriv --reuid daemon --regid daemon --clear-groups env SLURM_JWT=daemon slurmrestd -a rest_auth/jwt -s openapi/slurmctld \
    127.0.0.1:6820 &
  children+=($!)
  eventually 60 bash -c ': </dev/tcp/127.0.0.1/6820'
}

verified_as_alice() {  # TOKEN
  SLURM_JWT=$1 slurm-adopt token verify --key "$key" --skew 5 --json | grep -q '"user": "alice"'
}

# A process that is nobody to Slurm but for its token.
with_token() {  # TOKEN COMMAND...
  SLURM_JWT=$1 setpriv --reuid nobody --regid nogroup --clear-groups "${@:2}"
}

case_tokens_and_jobs() {
  local token uid
  uid=$(id -u alice)
  start_slurmrestd
  job=$(as alice sbatch --parsable --output=/dev/null --wrap 'exec sleep 10000')
  eventually 60 told "^$job $uid starting [0-9]+$" vm key "$key" "uid=$uid" || fail "a job whose prolog runs is starting"
  touch /run/go_on
  eventually 60 told "^$job $uid running [0-9]+$" vm key "$key" "uid=$uid" || fail "then it runs"
  note "$(journalctl -q --no-pager -t slurm-adopt-rest -o cat | tail -n 1)"

  token=$(slurm-adopt token mint alice --key "$key")
  expect "slurmctld takes a token that we have made" with_token "$token" squeue
  expect "and knows whose it is" with_token "$token" scontrol update "jobid=$job" comment=changed
  expect_not "it does not take one that was changed" with_token "${token%?}-" squeue
  expect "we take a token of Slurm's" verified_as_alice "$(scontrol token username=alice lifespan=600)"
  expect_not "we do not take one that was changed" verified_as_alice "$(scontrol token username=alice lifespan=600)x"

  install -m 400 /dev/null /run/token
  scontrol token username=slurm lifespan=600 >/run/token
  expect "slurmrestd takes a token of Slurm's" told "^$job " vm token /run/token
  expect_not "another user has no job here" told . vm key "$key" "uid=$(id -u bob)"
  expect_not "the job is not on another node" told . vm2 key "$key"
  head -c 32 /dev/urandom >/run/other.key
  chmod 400 /run/other.key
  expect "another key is refused, and we are told so" told 'does not take our credential' vm key /run/other.key
  note "$(journalctl -q --no-pager -t slurm-adopt-rest -o cat | tail -n 1)"
}
