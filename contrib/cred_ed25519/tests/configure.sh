#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What configuring with -DSLURM_ADOPT_CRED_ED25519=ON says where the headers of Slurm are missing or of a release with another
# interface, where OpenSSL is missing, and where Slurm's plugins are not found.
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
readonly project
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# One directory for all, so that the compiler is looked at once; of what is looked for here nothing is kept.
configure() {  # OPTION...
  cmake -S "$project" -B "$work/build" -DSLURM_ADOPT_HELPER=OFF -DSLURM_ADOPT_TOOL=OFF -DSLURM_ADOPT_TESTS=OFF \
    -U 'Slurm_*' -U SLURM_PLUGIN_DIR -U 'OPENSSL_*' -U 'CMAKE_DISABLE_*' -DSLURM_ADOPT_CRED_ED25519=ON "$@" >"$work/log" 2>&1
}

# says NAME TEXT OPTION...: it ends with an error, and says so. The message is folded by CMake.
says() {
  local name=$1 text=$2
  if configure "${@:3}"; then
    echo "not ok $name: it configures" && failed=1
  elif tr -s ' \n' ' ' <"$work/log" | grep -qF -- "$text"; then
    echo "ok $name"
  else
    echo "not ok $name" && tail -n 20 "$work/log" && failed=1
  fi
}

headers_of() {  # HEXADECIMAL-VERSION
  mkdir -p "$work/$1/slurm"
  : >"$work/$1/slurm/slurm.h"
  printf '#define SLURM_VERSION_NUMBER 0x%s\n' "$1" >"$work/$1/slurm/slurm_version.h"
  printf -- '-DSlurm_INCLUDE_DIR=%s' "$work/$1"
}

# Off unless it is asked for; then Slurm and OpenSSL are not even looked for.
if configure -DSLURM_ADOPT_CRED_ED25519=OFF && ! grep -q '^SLURM_PLUGIN_DIR' "$work/build/CMakeCache.txt"; then
  echo 'ok off'
else
  echo 'not ok off' && failed=1
fi
says 'no headers' 'needs the headers of Slurm 22.05 to 23.02, and finds none' -DCMAKE_DISABLE_FIND_PACKAGE_Slurm=ON
for version in 150804:21.8.4 170b00:23.11.0 180b05:24.11.5 1a0505:26.5.5; do
  says "headers of ${version#*:}" "are of ${version#*:}: other releases call credential plugins in another way" \
    "$(headers_of "${version%:*}")"
done
says 'no OpenSSL' 'cred/ed25519 needs OpenSSL 3' -DOPENSSL_INCLUDE_DIR=/nonexistent -DOPENSSL_CRYPTO_LIBRARY=/nonexistent
touch "$work/libslurm.so"
says 'no plugins' "Slurm's plugins are not beside $work/libslurm.so" "-DSlurm_LIBRARY=$work/libslurm.so"

# 23.02 is taken.
if configure "$(headers_of 170207)"; then echo 'ok headers of 23.2.7'; else cat "$work/log" && failed=1; fi

exit $failed
