#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The bash completion of slurm-adopt, called as bash calls it.
#
# usage: completion.sh PROGRAM MANUAL      the built slurm-adopt, and its manual page
set -euo pipefail

completion=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../contrib/completion" && pwd)/slurm-adopt
program=$(realpath -e "$1")
manual=$(realpath -e "$2")
PATH=$(dirname "$program"):$PATH
# shellcheck source-path=SCRIPTDIR source=../../contrib/completion/slurm-adopt
. "$completion"
failed=0

# complete_words WORD...: what is offered for the last one, in $offered.
complete_words() {
  COMP_WORDS=(slurm-adopt "$@")
  COMP_CWORD=$#
  COMPREPLY=()
  _slurm_adopt slurm-adopt "${!#}" "${COMP_WORDS[COMP_CWORD - 1]}"
  offered=$(printf '%s\n' "${COMPREPLY[@]}" | sort | tr '\n' ' ')
  offered=${offered% }
}
fail() {
  printf 'not ok: %s\n' "$*"
  failed=1
}
# offers "EXPECTED" WORD...: exactly these, sorted.
offers() {
  local expected=$1
  shift
  complete_words "$@"
  if [[ $offered != "$expected" ]]; then fail "'$*' offers '$offered', not '$expected'"; fi
}
# offers_also WORD WORD...: the first among others.
offers_also() {
  local expected=$1
  shift
  complete_words "$@"
  if [[ " $offered " != *" $expected "* ]]; then fail "'$*' offers '$offered', without '$expected'"; fi
}

[[ $(complete -p slurm-adopt) == 'complete -F _slurm_adopt slurm-adopt' ]] || fail 'not registered'
offers 'check disable enable explain list token use' ''
offers 'enable explain' e
offers 'mint show verify' token ''
offers '--confdir --help --json --service --sshd-config --version' check --
offers '--dry-run' disable --d
offers '--stack' --json explain --st
offers_also sshd check --service ss
offers_also sshd check --service = ss
offers '' check --service sshd ''
offers '--confdir' check --service sshd --c
offers root explain roo
offers root explain --service sshd roo
offers root token mint roo
offers root token mint --json --key-owner roo
offers 'base64 raw' token mint --key-format ''
offers 'strict' enable --options str
offers 'action_no_jobs=' enable --options strict action_no
offers 'deny ignore' enable --options strict action_no_jobs =
offers 'ignore' enable --options strict action_no_jobs = i
offers '' enable --options strict timeout = ''
offers_also --module enable --options strict --
directory=$(mktemp -d)
mkdir "$directory/pam.d"
: >"$directory/token"
offers "$directory/pam.d" check --confdir "$directory/"
offers "$directory/pam.d $directory/token" token verify "$directory/"
rm -r "$directory"
offers '' nonsense --no-such

# All that is offered is in the manual.
for path in explain list check enable disable use 'token mint' 'token show' 'token verify'; do
  read -ra words <<<"$path"
  complete_words "${words[@]}" --
  [[ $offered ]] || fail "'$path --' offers nothing"
  for option in $offered; do
    if [[ $option == --help || $option == --version ]]; then continue; fi
    grep -qF -- "${option//-/\\-}" "$manual" || fail "$path $option is not in the manual"
  done
done

if ((failed)); then exit 1; fi
echo 'all as expected'
