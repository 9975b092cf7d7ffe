#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Do slurm-adopt and Slurm take each other's tokens, and refuse the same ones? With the slurmctld, scontrol, squeue and
# slurmrestd of a private cluster:
#
#   SLURM_ADOPT_TOOL=$PWD/build/src/slurm-adopt tests/cluster/cluster.sh run --jwt -- tests/e2e/token.sh
#
# One line per check, "ok ..." or "not ok ..."; the exit code is 0 only if every check is ok.

set -euo pipefail

die() {
  printf 'token: %s\n' "$*" >&2
  exit 2
}

[[ -d ${CLUSTER_DIR:-} && -f ${CLUSTER_JWT_KEY:-} && ${CLUSTER_REST:-} ]] || die "run me inside tests/cluster/cluster.sh --jwt"
[[ -x ${SLURM_ADOPT_TOOL:-} ]] || die "SLURM_ADOPT_TOOL is not set to the program slurm-adopt"
unset SLURM_JWT
work=$(mktemp -d)
readonly work key=$CLUSTER_JWT_KEY
job=
umask 077
clean_up() {
  if [[ $job ]]; then scancel "$job" || true; fi
  rm -rf "$work"
}
trap clean_up EXIT

# shellcheck source-path=SCRIPTDIR source=../support/checks.sh
. "${BASH_SOURCE[0]%/*}/../support/checks.sh"

mint() { "$SLURM_ADOPT_TOOL" token mint "$@" --key "$key"; }
# verified TOKEN [REASON]: we take it, or refuse it for that reason.
verified() {
  local answer
  answer=$(SLURM_JWT=$1 "$SLURM_ADOPT_TOOL" token verify --key "$key" --skew 0 --json) || true
  printf '%s\n' "$answer"
  if [[ ${2:-} ]]; then grep -q "\"reason\": \"$2\"" <<<"$answer"; else grep -q '"user": "alice"' <<<"$answer"; fi
}
# A process that is nobody to Slurm but for its token: munge is not asked where SLURM_JWT is set.
with() { SLURM_JWT=$1 setpriv --reuid nobody --regid nogroup --clear-groups "${@:2}"; }
squeue_takes() { with "$1" squeue; }
# Only the job's user (and root) may change it.
may_change_job() { with "$1" scontrol update jobid="$job" comment=changed; }
# rest TOKEN USER PATH: the status line and the body of slurmrestd's answer.
rest() {
  exec 3<>"/dev/tcp/${CLUSTER_REST/://}"
  printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-SLURM-USER-NAME: %s\r\nX-SLURM-USER-TOKEN: %s\r\n\r\n' \
    "$3" "$2" "$1" >&3
  timeout 20 cat <&3
  exec 3<&-
}
rest_pings() { rest "$1" alice /slurm/v0.0.38/ping | tee "$work/answer" && grep -q '"ping": "UP"' "$work/answer"; }
rest_lists() { rest "$1" "${2:-alice}" /slurm/v0.0.38/jobs | tee "$work/answer" && grep -q "\"job_id\": $job" "$work/answer"; }
accepted() {
  ok "$1: squeue" squeue_takes "$2"
  ok "$1: may change alice's job" may_change_job "$2"
  ok "$1: slurmrestd, ping" rest_pings "$2"
  ok "$1: slurmrestd, jobs" rest_lists "$2"
}
refused() {
  ok "$1: refused by us ($3)" verified "$2" "$3"
  not_ok "$1: refused by slurmctld" squeue_takes "$2"
  not_ok "$1: may not change alice's job" may_change_job "$2"
  not_ok "$1: slurmrestd, ping" rest_pings "$2"
  not_ok "$1: slurmrestd, jobs" rest_lists "$2"
}

job=$(setpriv --reuid alice --regid alice --clear-groups sbatch --parsable -D / -o /dev/null --wrap 'sleep 1000')
[[ $job =~ ^[0-9]+$ ]] || die "no job for alice"

# --- theirs, verified by us --------------------------------------------------

theirs=$(scontrol token username=alice lifespan=600)
ok 'a token of scontrol' verified "$theirs"
ok 'a token of scontrol without its prefix' verified "${theirs#SLURM_JWT=}"
not_ok 'a token of scontrol, one character changed' verified "${theirs%?}-"
theirs=$(setpriv --reuid alice --regid alice --clear-groups scontrol token)
ok 'a token that alice got for herself' verified "$theirs"

# --- ours, accepted by Slurm -------------------------------------------------

accepted 'minted' "$(mint alice)"
accepted 'minted with uid and gid' "$(mint alice --ids)"
accepted 'minted with the identity' "$(mint alice --identity)"
accepted 'minted with username' "$(mint alice --user-claim username)"
base64 -w 76 "$key" >"$work/key.text"
accepted 'minted with the key as base64' "$("$SLURM_ADOPT_TOOL" token mint alice --key "$work/key.text" --key-format base64)"
mint alice --output "$work/token"
accepted 'minted into a file' "$(<"$work/token")"
exported=$(mint alice --export)
accepted 'minted for export' "${exported#SLURM_JWT=}"
bobs=$(mint bob)
ok "bob's: squeue" squeue_takes "$bobs"
not_ok "bob's: may not change alice's job" may_change_job "$bobs"
not_ok "bob's: does not speak for alice at slurmrestd" rest_lists "$bobs" alice

# --- what is refused on both sides -------------------------------------------

encoded() { base64 -w 0 | tr '+/' '-_' | tr -d '='; }
good=$(mint alice)
payload=${good#*.}
payload=${payload%.*}
head -c 32 /dev/urandom >"$work/other.key"
chmod 600 "$work/other.key"
refused 'another key' "$("$SLURM_ADOPT_TOOL" token mint alice --key "$work/other.key")" signature
refused 'none' "$(printf '{"alg":"none","typ":"JWT"}' | encoded).$payload." algorithm
refused 'none, with the signature of HS256' "$(printf '{"alg":"none","typ":"JWT"}' | encoded).$payload.${good##*.}" algorithm
refused 'HS512 in the header' "$(printf '{"alg":"HS512","typ":"JWT"}' | encoded).$payload.${good##*.}" algorithm
refused 'another user in the payload' "${good%%.*}.$(printf '{"exp":9999999999,"iat":1,"sun":"alice"}' | encoded).${good##*.}" signature
refused 'no user that Slurm looks for' "$(mint alice --user-claim preferred_username)" claim_missing
refused 'no token' "alice" form
short=$(mint alice --lifespan 1)
ok 'a short one, at once' squeue_takes "$short"
sleep 2.1
refused 'expired' "$short" expired
ok 'and a good one is still taken' squeue_takes "$good"

finish
