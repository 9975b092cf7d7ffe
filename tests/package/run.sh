#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The Debian packages: built out of a clean copy, twice and in different surroundings (build.sh; the same bytes), looked at by
# lintian, and then installed and removed over Slurm's own module by install.sh, in a private copy of this host's root that ends
# with it.
#
# usage: run.sh [--debs DIRECTORY [PART]...]     with --debs: builds nothing and takes the packages that are in DIRECTORY, for
#                                                all parts of in_root.sh or those named
# shellcheck disable=SC2317  # what check() calls
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly project
failed=0
work=$(mktemp -d /var/tmp/slurm-adopt-package.XXXXXX)
readonly work
trap '[[ ! ${again-} ]] || kill "$again" || true; rm -rf "$work"' EXIT

die() {
  printf 'package: %s\n' "$*" >&2
  exit 2
}

check() {  # TEXT COMMAND...
  local text=$1
  shift
  if "$@" >"$work/log" 2>&1; then
    echo "ok - $text" | tee -a "$work/report"
  else
    echo "not ok - $text" | tee -a "$work/report"
    tail -n 40 "$work/log" | sed 's/^/#   /'
    failed=1
  fi
}

same_packages() {
  local file
  for file in "$1"/*.{deb,dsc,tar.xz}; do
    cmp "$file" "$2/${file##*/}" || return 1
  done
}

lintian_is_silent() {
  lintian --pedantic --display-info --display-experimental --allow-root --fail-on pedantic,info,warning,error \
    "$1"/*.changes >"$work/lintian" 2>"$work/lintian.err" || { cat "$work"/lintian{,.err}; return 1; }
  cat "$work/lintian"
  [[ ! -s $work/lintian ]]
}

needed() { readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort | tr '\n' ' '; }

hardened() {  # hardening=+all
  local file elf
  for file; do
    elf=$(readelf --wide --file-header --segments --dynamic "$file")
    [[ $elf == *'Type: '*' DYN '* && $elf == *GNU_RELRO* && $elf == *BIND_NOW* ]] || { echo "$file"; return 1; }
  done
}

holds() {  # ROOT
  local path
  for path in usr/bin/slurm-adopt usr/libexec/slurm-adopt/slurm-adopt-rest usr/share/man/man8/{slurm-adopt,pam_slurm_adopt}.8.gz \
    usr/share/bash-completion/completions/slurm-adopt usr/share/doc/slurm-adopt/{copyright,examples/sshd}; do
    [[ -e $1/$path ]] || { echo "no $path"; return 1; }
  done
  for path in "$project"/contrib/selinux/slurm_adopt.*; do
    cmp "$path" "$1/usr/share/slurm-adopt/selinux/${path##*/}" || return 1
  done
}

# What a module, and what runs before its package is there, may need.
check_contents() {
  local root=$work/contents
  dpkg-deb -x "$1"/slurm-adopt_*.deb "$root"
  dpkg-deb -e "$1"/slurm-adopt_*.deb "$root/DEBIAN"
  check "the module needs libc and libpam only" \
    test "$(needed "$root"/usr/lib/*/security/pam_slurm_adopt.so)" = "ld-linux-x86-64.so.2 libc.so.6 libpam.so.0 "
  check "what preinst runs needs libc only" test "$(needed "$root/DEBIAN/slurm-adopt-lines")" = "ld-linux-x86-64.so.2 libc.so.6 "
  check "and is what the package installs" cmp "$root/DEBIAN/slurm-adopt-lines" "$root/usr/libexec/slurm-adopt/slurm-adopt-lines"
  check "slurm-adopt does not depend on libslurm" \
    bash -c "! dpkg-deb -f '$1'/slurm-adopt_*.deb Pre-Depends Depends | grep libslurm"
  check "slurm-adopt-helper does" bash -c "dpkg-deb -f '$1'/slurm-adopt-helper_*.deb Depends | grep 'libslurm[0-9]'"
  check "bindnow, relro and a position of its own" hardened "$root"/usr/lib/*/security/pam_slurm_adopt.so "$root"/usr/{bin,libexec/slurm-adopt}/*
  check "nothing in /etc is of the package" test ! -e "$root/etc"
  check "what it holds" holds "$root"
  check "the debugging symbols are apart" bash -c "! readelf -S '$root'/usr/lib/*/security/pam_slurm_adopt.so | grep debug_info"
}

debs='' parts=(login over_slurms another_libslurm removed refused_option enabled alone same_place autopkgtest)
if [[ ${1-} == --debs && ${2-} ]]; then
  debs=$(realpath -e "$2")
  if (($# > 2)); then parts=("${@:3}"); fi
elif (($#)); then
  die "usage: run.sh [--debs DIRECTORY [PART]...]"
fi
[[ $EUID == 0 ]] || die "needs root"

again=''
if [[ ! $debs ]]; then
  "$project/tests/package/build.sh" --once || die "the packages cannot be built"
  debs=$project/build/package
  # Meanwhile, for the rest mostly waits.
  nice "$project/tests/package/build.sh" &
  again=$!
  check "lintian has nothing to say" lintian_is_silent "$debs"
fi
check_contents "$debs"

# Mount, network and process namespaces of its own: what is mounted and started there ends with it, however this ends.
# HUP: unshare blocks TERM.
setpriv --pdeathsig HUP unshare --mount --net --pid --fork --kill-child=TERM --propagation private \
  "$project/tests/package/in_root.sh" "$work/root" "$debs" "${parts[@]}" | tee -a "$work/report" || failed=1
if [[ $again ]]; then
  wait "$again" || failed=1
  again=''
  check "a second build, in another place, comes to the same bytes" same_packages "$debs" "$debs/second"
fi
# The checks of ours, and the tests as autopkgtest tells them; in the words of ctest, which tests/run.sh counts.
good=$(grep -cE '^ok |^[a-z]+ +PASS' "$work/report" || true)
bad=$(grep -cE '^not ok |^[a-z]+ +(FAIL|SKIP|FLAKY)' "$work/report" || true)
if ((failed && !bad)); then bad=1; fi
printf '\n%d%% tests passed, %d tests failed out of %d\n' $((good + bad ? good * 100 / (good + bad) : 0)) "$bad" $((good + bad))
exit $failed
