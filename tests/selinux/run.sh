#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The policy module contrib/selinux, as doc/selinux.md builds it: compiled, linked into a private copy of this system's policy, and
# asked there what is allowed and what is not. Nothing is loaded: no kernel with SELinux is needed.
# shellcheck disable=SC2317  # what ok() calls
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
here=$project/tests/selinux
type=default  # Debian's name for its policy
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 143' INT TERM

# shellcheck source-path=SCRIPTDIR source=../support/checks.sh
. "$project/tests/support/checks.sh"

compile() {  # DIRECTORY MODULE: without a word of warning
  mkdir -p "$work/$2"
  cp "$1/$2".?? "$work/$2/"
  (cd "$work/$2" && make NAME="$type" -f /usr/share/selinux/devel/Makefile "$2.pp") >"$work/make" 2>&1 || { cat "$work/make"; return 1; }
  ! grep -iE 'warning|error|duplicate' "$work/make"
}

copy_policy() {
  mkdir -p "$work/root/etc" "$work/root/var/lib"
  cp -a /etc/selinux "$work/root/etc/"
  cp -a /var/lib/selinux "$work/root/var/lib/"
}
link_module() { semodule -p "$work/root" -s "$type" -N -X 200 -i "$work/$1/$1.pp"; }
label_of() { grep -F "$1" "$work/root/etc/selinux/$type/contexts/files/file_contexts" | grep ":$2:"; }
ask() { /usr/bin/python3 "$here/rules.py" "$work/root/etc/selinux/$type/policy"/policy.* "$here/$1" || failed=$((failed + 1)); }

ok "the module compiles without a warning" compile "$project/contrib/selinux" slurm_adopt
ok "and so does one with the types that other systems have" compile "$here" slurm_adopt_site
copy_policy
ok "it is linked into this system's policy: every type of it is there" link_module slurm_adopt
ok "the helper has its label" label_of /usr/libexec/slurm-adopt/slurm-adopt-helper slurm_adopt_helper_exec_t
ok "and the one for slurmrestd" label_of /usr/libexec/slurm-adopt/slurm-adopt-rest slurm_adopt_rest_exec_t
((failed == 0)) || finish || exit 1
ask rules
ok "it is linked into a policy that has more types" link_module slurm_adopt_site
ask rules-site
finish
