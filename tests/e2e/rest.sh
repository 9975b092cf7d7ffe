#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Does slurm-adopt-rest find jobs and their states through a real slurmrestd, and say what is wrong where it cannot?
#
#   SLURM_ADOPT_HELPER=$PWD/build/src/slurm-adopt-helper REST_ASK=$PWD/build/tests/rest/rest_ask \
#     tests/cluster/cluster.sh run --jwt -- tests/e2e/rest.sh
#
# One line per check, "ok ..." or "not ok ..."; the exit code is 0 only if every check is ok.

set -euo pipefail

die() {
  printf 'rest: %s\n' "$*" >&2
  exit 2
}

[[ -d ${CLUSTER_DIR:-} && -f ${CLUSTER_JWT_KEY:-} && ${CLUSTER_REST:-} ]] || die "run me inside tests/cluster/cluster.sh --jwt"
[[ -x ${SLURM_ADOPT_HELPER:-} && -x ${SLURM_ADOPT_HELPER%/*}/slurm-adopt-rest ]] || die "SLURM_ADOPT_HELPER is not set to a program beside slurm-adopt-rest"
[[ -x ${REST_ASK:-} ]] || die "REST_ASK is not set to the program rest_ask"
unset SLURM_JWT
umask 077
work=$(mktemp -d)
# Below /run, which is root's: who could replace the socket matters.
programs=/run/rest_programs sockets=/run/rest_sockets
readonly work programs sockets key=$CLUSTER_JWT_KEY url=http://$CLUSTER_REST
daemon=''
clean_up() {
  scancel -u alice || true
  scancel -u bob || true
  if [[ $daemon ]]; then kill "$daemon" || true; fi
  rm -rf "$work" "$programs" "$sockets"
}
trap clean_up EXIT

# What root runs has to be root's, all the way.
install -d -m 755 "$programs"
install -m 755 "$SLURM_ADOPT_HELPER" "${SLURM_ADOPT_HELPER%/*}/slurm-adopt-rest" "$programs/"

# shellcheck source-path=SCRIPTDIR source=../support/checks.sh
. "${BASH_SOURCE[0]%/*}/../support/checks.sh"

ask() {  # URL NODE token|key FILE [WORD]...
  "$REST_ASK" "$programs/slurm-adopt-helper" "$@"
}

# answers PATTERN URL ...: exactly these lines, as an extended regular expression; "" is no job at all.
answers() {
  local pattern=$1 answer
  shift
  answer=$(ask "$@") || return 1
  printf 'answer: %s\n' "$answer"
  [[ $answer =~ ^$pattern$ ]]
}

# fails WORDS LOGGED URL ...: that is said to the module, and that is logged.
fails() {
  local words=$1 logged=$2 answer before
  shift 2
  before=$(wc -c <"$CLUSTER_SYSLOG")
  if answer=$(ask "$@" 2>&1); then return 1; fi
  printf 'answer: %s\n' "$answer"
  sleep 0.3
  tail -c +"$((before + 1))" "$CLUSTER_SYSLOG" | grep slurm-adopt-rest | tee "$work/logged"
  [[ $answer == *"$words"* && $(<"$work/logged") == *"$logged"* ]]
}

within() {  # MILLISECONDS COMMAND...
  local start=${EPOCHREALTIME/./} limit=$1
  shift
  "$@" || return 1
  (((${EPOCHREALTIME/./} - start) / 1000 < limit))
}

eventually() {
  local tries
  for ((tries = 0; tries < 100; tries++)); do
    if "$@" >/dev/null 2>&1; then return 0; fi
    sleep 0.2
  done
  return 1
}

submit() {  # USER [OPTION]...
  setpriv --reuid "$1" --regid "$1" --clear-groups sbatch --parsable -D / -o /dev/null "${@:2}" --wrap 'sleep 1000'
}
is_in_state() { [[ $(squeue -h -j "$1" -o %T) == "$2" ]]; }

alice=$(id -u alice)
bob=$(id -u bob)
job=$(submit alice)
other=$(submit bob)
eventually is_in_state "$other" RUNNING || die "no job of bob's"

# --- jobs ----------------------------------------------------------------------------------------------------------

by_key=("$url" "$CLUSTER_NODE" key "$key")
ok "a user's job, with a key" answers "$job $alice running [0-9]+" "${by_key[@]}" "uid=$alice"
ok "everybody's jobs" answers "($job $alice|$other $bob) running [0-9]+.($job $alice|$other $bob) running [0-9]+" "${by_key[@]}"
ok "a user without jobs" answers '' "${by_key[@]}" "uid=$(id -u carol)"
ok "another node" answers '' "$url" "${CLUSTER_NODE}0" key "$key"
ok "with a token of root's for itself" answers "$job $alice running [0-9]+" "${by_key[@]}" "uid=$alice" user=root
scontrol token username=root lifespan=600 >"$work/token"
ok "with a token of scontrol's" answers "$job $alice running [0-9]+" "$url" "$CLUSTER_NODE" token "$work/token" "uid=$alice"
scontrol token username=carol lifespan=600 >"$work/carols"
ok "with a token of a user's" answers "$job $alice running [0-9]+" "$url" "$CLUSTER_NODE" token "$work/carols" "uid=$alice"

# --- at a unix socket ------------------------------------------------------------------------------------------------

install -d -m 755 -o nobody "$sockets"
setpriv --reuid nobody --regid nogroup --clear-groups env SLURM_JWT=daemon slurmrestd -a rest_auth/jwt -s openapi/v0.0.38 \
  "unix:$sockets/s" >"$work/slurmrestd.log" 2>&1 &
daemon=$!
eventually test -S "$sockets/s" || die "no slurmrestd at a unix socket"
ok "at a unix socket" answers "$job $alice running [0-9]+" "unix:$sockets/s" "$CLUSTER_NODE" key "$key" "uid=$alice"
chmod 777 "$sockets"
ok "not where others could put another one" fails 'cannot be used' 'could replace it' "unix:$sockets/s" "$CLUSTER_NODE" key "$key"

# --- what goes wrong -------------------------------------------------------------------------------------------------

head -c 32 /dev/urandom >"$work/other.key"
ok "another key" fails 'does not take our credential' 'slurmctld does not take our token' "$url" "$CLUSTER_NODE" key "$work/other.key"
scontrol token username=root lifespan=1 >"$work/short"
sleep 2.1
ok "a token that has expired" fails 'cannot be used' 'the token has expired' "$url" "$CLUSTER_NODE" token "$work/short"
chmod 644 "$work/token"
ok "a token that others can read" fails 'cannot be used' 'others than root have permissions' "$url" "$CLUSTER_NODE" token "$work/token"
ok "a port where nobody is" fails 'does not answer' 'Failed to connect' http://127.0.0.1:1 "$CLUSTER_NODE" key "$key"
ok "TLS that is none" fails 'does not answer' 'TLS: ' "https://$CLUSTER_REST" "$CLUSTER_NODE" key "$key" ms=3000
# What runs in slurmctld's or slurmrestd's process while it is stopped is nothing at all.
slurmctld=$(pgrep -x slurmctld) slurmrestd=$(pgrep -o -x slurmrestd)
kill -STOP "$slurmctld"
ok "slurmctld that hangs" within 1500 fails 'does not answer' 'has not answered' "${by_key[@]}" ms=1000
kill -CONT "$slurmctld"
kill -STOP "$slurmrestd"
ok "slurmrestd that hangs" within 1500 fails 'does not answer' 'has not answered' "${by_key[@]}" ms=1000
kill -CONT "$slurmrestd"
ok "and a good one is still taken" eventually answers "$job $alice running [0-9]+" "${by_key[@]}" "uid=$alice"

# --- a job's life ----------------------------------------------------------------------------------------------------

# Long enough to be seen, at both ends.
printf '#!/bin/sh\nsleep 4\n' >"$work/slow"
chmod 755 "$work" "$work/slow"
printf '%s\n' "Prolog=$work/slow" "Epilog=$work/slow" >>/etc/slurm/slurm.conf
scontrol reconfigure
job=$(submit carol --hold)
carol=$(id -u carol)
ok "it waits" answers '' "${by_key[@]}" "uid=$carol"
scontrol release "$job"
ok "its prolog runs" eventually answers "$job $carol starting [0-4]" "${by_key[@]}" "uid=$carol"
ok "it runs" eventually answers "$job $carol running [0-9]+" "${by_key[@]}" "uid=$carol"
scancel "$job"
ok "it ends" eventually answers "$job $carol ending [0-9]+" "${by_key[@]}" "uid=$carol"
ok "it has ended" eventually answers '' "${by_key[@]}" "uid=$carol"

finish
