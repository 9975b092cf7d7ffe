#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The Debian packages: built out of a clean copy, twice and in different surroundings (the same bytes), looked at by lintian,
# and then installed and removed over Slurm's own module by install.sh, in a private copy of this host's root that ends with it.
#
# usage: run.sh [--debs DIRECTORY [PART]...]     with --debs: builds nothing and takes the packages that are in DIRECTORY, for
#                                                all parts of install.sh or those named
# shellcheck disable=SC2317  # what check() calls
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly project
failed=0
work=$(mktemp -d /var/tmp/slurm-adopt-package.XXXXXX)
readonly work
trap 'rm -rf "$work"' EXIT

die() {
  printf 'package: %s\n' "$*" >&2
  exit 2
}

check() {  # TEXT COMMAND...
  local text=$1
  shift
  if "$@" >"$work/log" 2>&1; then
    echo "ok - $text"
  else
    echo "not ok - $text"
    tail -n 40 "$work/log" | sed 's/^/#   /'
    failed=1
  fi
}

copy_sources() {  # what a commit of the tree as it is now would have
  mkdir "$work/source"
  (cd "$project" && git ls-files -z --cached --others --exclude-standard | tar --null --files-from=- -c) | tar -x -C "$work/source"
}

build() {  # DIRECTORY: the packages come to lie beside it
  mkdir -p "$1"
  cp -r --preserve=timestamps "$work/source/." "$1"
  (cd "$1" && dpkg-buildpackage --build=full --no-sign --jobs="$(nproc)") >"$1.log" 2>&1 ||
    { tail -n 60 "$1.log"; die "the packages cannot be built"; }
}

# Compiled anew, whatever compiler cache the first build was told to use.
build_elsewhere() (
  unset CMAKE_CXX_COMPILER_LAUNCHER
  umask 0002
  export TZ=Pacific/Chatham LC_ALL=C HOME=$work
  build "$work/second/at/another/slurm-adopt"
)

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
  check "nothing in /etc is of the package" test ! -e "$root/etc"
  check "the debugging symbols are apart" bash -c "! readelf -S '$root'/usr/lib/*/security/pam_slurm_adopt.so | grep debug_info"
}

debs='' parts=(over_slurms another_libslurm removed refused_option enabled alone same_place)
if [[ ${1-} == --debs && ${2-} ]]; then
  debs=$(realpath -e "$2")
  if (($# > 2)); then parts=("${@:3}"); fi
elif (($#)); then
  die "usage: run.sh [--debs DIRECTORY [PART]...]"
fi
[[ $EUID == 0 ]] || die "needs root"

if [[ ! $debs ]]; then
  copy_sources
  debs=$work/first
  build "$debs/slurm-adopt"
  check "lintian has nothing to say" lintian_is_silent "$debs"
  build_elsewhere
  check "a second build, in another place, comes to the same bytes" same_packages "$debs" "$work/second/at/another"
fi
check_contents "$debs"

# Mount, network and process namespaces of its own: what is mounted and started there ends with it.
unshare --mount --net --pid --fork --kill-child --propagation private \
  "$project/tests/package/in_root.sh" "$work/root" "$debs" "${parts[@]}" || failed=1
exit $failed
