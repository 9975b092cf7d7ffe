#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The packages of rpm/slurm-adopt.spec: built by rpmbuild on Debian (macros: what its rpm has not), looked at, and then installed and
# removed over Slurm's own module by install.sh, in a private copy of this host's root that ends with it.
#
# usage: run.sh [--rpms DIRECTORY [PART]...]     with --rpms: builds nothing and takes the packages that are in DIRECTORY, for
#                                                all parts of install.sh or those named
# shellcheck disable=SC2317  # what check() calls
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly project spec=$project/rpm/slurm-adopt.spec
multiarch=$(dpkg-architecture -qDEB_HOST_MULTIARCH)
readonly multiarch
failed=0
work=$(mktemp -d /var/tmp/slurm-adopt-rpm.XXXXXX)
readonly work
trap 'rm -rf "$work"' EXIT
trap 'exit 143' INT TERM

die() {
  printf 'rpm: %s\n' "$*" >&2
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

version=$(sed -n 's/^Version: *//p' "$spec")
version_is_cmakes() { grep "^project(slurm-adopt VERSION $version " "$project/CMakeLists.txt"; }

source_archive() {  # what a commit of the tree as it is now would have
  mkdir -p "$work/SOURCES"
  (cd "$project" && git ls-files -z --cached --others --exclude-standard |
    tar --null --files-from=- --transform "s,^,slurm-adopt-$version/," -cz) >"$work/SOURCES/slurm-adopt-$version.tar.gz"
}

# By nobody, as in mock. In %check two programs are enough: the tests have all run before, and each one costs its compilation.
build() {
  mkdir "$work/home" "$work/rpms"
  cp "$spec" "$project/tests/rpm/macros" "$work/home/"
  chown -R nobody:nogroup "$work"
  setpriv --reuid nobody --regid nogroup --clear-groups --no-new-privs env -u CMAKE_CXX_COMPILER_LAUNCHER HOME="$work/home" \
    rpmbuild --load "$work/home/macros" --define "_topdir $work" --define "_tmppath $work/home" --nodeps -ba \
    --define 'check_targets slurm_adopt_so_test tool_pam_lines_test' "$work/home/${spec##*/}" >"$work/build.log" 2>&1 ||
    { tail -n 60 "$work/build.log"; die "the packages cannot be built"; }
  chown root "$work"
  find "$work/RPMS" -name '*.rpm' -exec mv {} "$work/rpms/" \;
}

rpmlint_is_silent() {
  rpmlint --config "$project/rpm/rpmlint.toml" "$spec" "$work"/SRPMS/*.rpm "$1"/*.rpm >"$work/rpmlint" 2>&1 || { cat "$work/rpmlint"; return 1; }
  cat "$work/rpmlint"
  grep ' 0 errors, 0 warnings' "$work/rpmlint"
}

needed() { readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort | tr '\n' ' '; }
mode_of() { stat -c '%a' "$1"; }
owner_of() {  # PATH: the packages that have it
  local package
  for package in "$rpms"/*.rpm; do
    if rpm -qpl "$package" | grep -x -- "$1" >"$work/owned"; then rpm -qp --qf '%{NAME}\n' "$package"; fi
  done
}
ghosts() { rpm -qp --qf '[%{FILEFLAGS:fflags} %{FILENAMES}\n]' "$rpms"/*.rpm | sed -n 's/^g //p' | sort; }

check_contents() {
  local root=$work/contents lib=/usr/lib/$multiarch libexec=/usr/libexec/slurm-adopt package
  mkdir "$root"
  for package in "$rpms"/*.rpm; do (cd "$root" && rpm2cpio "$package" | cpio --extract --make-directories --quiet); done
  check "the module needs libc and libpam only" \
    test "$(needed "$root$lib/slurm-adopt/pam_slurm_adopt.so")" = "ld-linux-x86-64.so.2 libc.so.6 libpam.so.0 "
  check "what is asked before the installation needs libc only" \
    test "$(needed "$root$libexec/slurm-adopt-lines")" = "ld-linux-x86-64.so.2 libc.so.6 "
  check "nobody but root writes to the programs" test "$(for file in "$root$libexec"/* "$root/usr/bin/slurm-adopt" \
    "$root$lib/slurm-adopt/pam_slurm_adopt.so"; do mode_of "$file"; done | sort -u)" = 755
  check "all files are root's" bash -c "! rpm -qp --qf '[%{FILEUSERNAME} %{FILEGROUPNAME}\n]' '$rpms'/*.rpm | grep -v '^root root$'"
  check "the place of the module is nobody's file" test "$(ghosts)" = "$lib/security/pam_slurm_adopt.so"
  check "slurm-adopt does not need libslurm" bash -c "! rpm -qp --requires '$rpms'/slurm-adopt-$version*.rpm | grep libslurm"
  check "slurm-adopt-helper does" bash -c "rpm -qp --requires '$rpms'/slurm-adopt-helper-*.rpm | grep libslurm"
  check "the helper is in its own package" test "$(owner_of "$libexec/slurm-adopt-helper")" = slurm-adopt-helper
  check "the one for slurmrestd is not" test "$(owner_of "$libexec/slurm-adopt-rest")" = slurm-adopt
  check "the man pages are there" test "$(owner_of /usr/share/man/man8/pam_slurm_adopt.8.gz)" = slurm-adopt
  check "and the examples" test "$(owner_of /usr/share/doc/slurm-adopt/examples/sshd)" = slurm-adopt
  check "and the completion" test "$(owner_of /usr/share/bash-completion/completions/slurm-adopt)" = slurm-adopt
  check "the policy is a module" bash -c "bzcat '$root'/usr/share/selinux/packages/*/slurm_adopt.pp.bz2 | /usr/libexec/selinux/hll/pp | grep sshd_t"
  check "nothing in /etc is of the packages" test ! -e "$root/etc"
}

rpms='' parts=(over_slurms removed refused_option swapped enabled by_hand policy)
if [[ ${1-} == --rpms && ${2-} ]]; then
  rpms=$(realpath -e "$2")
  if (($# > 2)); then parts=("${@:3}"); fi
elif (($#)); then
  die "usage: run.sh [--rpms DIRECTORY [PART]...]"
fi
[[ $EUID == 0 ]] || die "needs root"

check "the version is the tree's" version_is_cmakes
if [[ ! $rpms ]]; then
  source_archive
  build
  rpms=$work/rpms
  check "the tests of %check have run" grep -E '^100% tests passed, 0 tests failed out of [1-9]' "$work/build.log"
  check "rpmlint has nothing to say" rpmlint_is_silent "$rpms"
fi
check_contents

# Mount, network and process namespaces of its own: what is mounted and started there ends with it.
unshare --mount --net --pid --fork --kill-child --propagation private \
  "$project/tests/rpm/in_root.sh" "$work/root" "$rpms" "${parts[@]}" || failed=1
exit $failed
