#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# contrib/aws/slurm-adopt-aws-jwt with a real slurmrestd: what it leaves, token or key, is taken by "slurm-adopt check", which asks
# the controller as a login would. The aws command is a stand-in that has the cluster's key. What it refuses: tests/contrib/aws.sh.
#
#   tests/cluster/cluster.sh run --jwt --bind $PWD/build -- env SLURM_ADOPT_BUILD=$PWD/build tests/e2e/aws.sh
set -euo pipefail

die() {
  printf 'aws: %s\n' "$*" >&2
  exit 2
}

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly project
if [[ ! -d ${CLUSTER_DIR:-} ]] || ! mountpoint -q /etc; then die "run me inside tests/cluster/cluster.sh"; fi
[[ ${CLUSTER_KEPT:-} == 0 ]] || die "a cluster that is kept would keep what is mounted here"
[[ ${CLUSTER_REST:-} ]] || die "run me with --jwt"
build=$(realpath -e "${SLURM_ADOPT_BUILD:?is not set to the build directory}")
work=$(mktemp -d)
readonly build work
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=../support/checks.sh
. "$project/tests/support/checks.sh"

# In the cluster's mount namespace, which ends with it.
mount -t tmpfs -o mode=755 tmpfs /usr/local
for program in slurm-adopt-helper rest/slurm-adopt-rest slurm-adopt-rest; do
  if [[ -e $build/src/$program ]]; then install -D -t /usr/local/libexec/slurm-adopt "$build/src/$program"; fi
done
install -D "$build/src/slurm-adopt" /usr/local/bin/slurm-adopt
install -D -m 755 "$project/contrib/aws/slurm-adopt-aws-jwt" /usr/local/sbin/slurm-adopt-aws-jwt
printf '#!/bin/sh\nbase64 --wrap=0 %s\necho\n' "$CLUSTER_JWT_KEY" >/usr/local/bin/aws
chmod 755 /usr/local/bin/aws
cp "$project"/tests/tool/pam/debian12/* /etc/pam.d/
readonly file=/etc/slurm-adopt/rest/secret

# answers OPTION: with this option in the account line the controller answers.
answers() {
  printf 'account required pam_slurm_adopt.so strict controller=rest rest_url=http://%s %s\n' "$CLUSTER_REST" "$1" >/etc/pam.d/sshd
  slurm-adopt check >"$work/check" || true
  cat "$work/check"
  grep -q '^OK *controller.answers ' "$work/check"
}

not_ok 'no token yet' answers "rest_token_file=$file"
ok 'a token' slurm-adopt-aws-jwt --secret x --token "$file" --user root
ok 'the controller answers' answers "rest_token_file=$file"
ok 'a token that lasts a second' slurm-adopt-aws-jwt --secret x --token "$file" --lifespan 1
sleep 2
not_ok 'has expired' answers "rest_token_file=$file"
ok 'and is replaced' slurm-adopt-aws-jwt --secret x --token "$file"
ok 'by one that is taken' answers "rest_token_file=$file"
rm "$file"
ok 'the key' slurm-adopt-aws-jwt --secret x --key "$file"
ok 'is taken' answers "rest_key_file=$file"
printf '#!/bin/sh\nhead -c 32 /dev/zero | base64\n' >/usr/local/bin/aws
ok 'another key' slurm-adopt-aws-jwt --secret x --key "$file"
not_ok 'is not' answers "rest_key_file=$file"

finish
