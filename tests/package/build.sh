#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The Debian packages of the tree as it is, twice and in different surroundings: the first ones, with .dsc, .changes and
# build.log, come to lie in build/package, the second ones and their log in build/package/second. Does nothing where they are
# there already, of this very tree; waits where another call is building them.
#
# usage: build.sh [--once]     --once: the first build only
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly project top=$project/build/package
work='' child=''
end() {
  if [[ $child ]]; then
    kill -TERM -- "-$child" || true
    wait "$child" || true
  fi
  # What was ended may be writing still.
  [[ ! $work ]] || rm -rf "$work" || { sleep 1; rm -rf "$work"; }
} 2>/dev/null
trap end EXIT
trap 'exit 143' TERM INT HUP

# shellcheck source-path=SCRIPTDIR source=../support/sources.sh
. "$project/tests/support/sources.sh"

# What the packages come from: the names, modes and contents of the sources, and what compiles them.
fingerprint() {
  {
    (cd "$project" && sources . | xargs -0 stat --format '%n %a' && sources . | xargs -0 sha256sum)
    # debhelper-compat is not a package of its own.
    # shellcheck disable=SC2016  # dpkg-query's
    sed -n '/^Build-Depends:/,/^[^ ]*:/s/^ \([a-z0-9+.-]*\).*/\1/p' "$project/debian/control" |
      xargs dpkg-query -W -f '${Package} ${Version}\n' g++ libc6-dev dpkg-dev 2>/dev/null || true
  } | sha256sum
}

# The packages come to lie beside DIRECTORY. It is the compiler itself that is run, whatever cache the caller has before it. In the
# background and a process group of its own, so that a signal ends all of it at once; not in a session, whose priority is its own
# (sched(7), autogroup).
build() {  # DIRECTORY UMASK [NAME=VALUE]...
  # The modes of the tree are in the source package, and so the same.
  (umask 0022 && mkdir -p "$1" && cp -r --preserve=timestamps "$work/source/." "$1")
  set -m
  # shellcheck disable=SC2016  # of the inner shell
  env --unset=CMAKE_CXX_COMPILER_LAUNCHER --chdir="$1" "${@:3}" \
    sh -c 'umask "$1" && exec dpkg-buildpackage --build=full --no-sign --jobs="$(nproc)"' sh "$2" >"$1.log" 2>&1 9>&- </dev/null &
  child=$!
  set +m
  wait "$child" || { child=''; tail -n 60 "$1.log" >&2; echo "build.sh: the packages cannot be built" >&2; exit 1; }
  child=''
}

first_build() { build "$work/first/slurm-adopt" 0022; }
# In another place, with a umask, time zone, home directory and locale of its own.
second_build() { build "$work/second/at/another/slurm-adopt" 0002 TZ=Pacific/Chatham LC_ALL=C HOME="$work"; }

keep() {  # FROM TO
  mkdir -p "$2"
  find "$2" -maxdepth 1 -type f ! -name lock -delete
  mv "$1/slurm-adopt.log" "$2/build.log"
  mv "$1"/slurm-adopt*_* "$2/"
}

is_current() {  # DIRECTORY TREE
  [[ -e $1/tree && $(<"$1/tree") == "$2" ]]
}

main() {
  local once=0 tree
  case ${1-} in
    --once) once=1 ;;
    '') ;;
    *) echo "usage: build.sh [--once]" >&2; exit 2 ;;
  esac
  mkdir -p "$top"
  exec 9>"$top/lock"
  flock 9
  tree=$(fingerprint)
  if is_current "$top" "$tree" && { ((once)) || is_current "$top/second" "$tree"; }; then return; fi
  work=$(mktemp -d /var/tmp/slurm-adopt-package.XXXXXX)
  copy_sources "$project" "$work/source"
  if ! is_current "$top" "$tree"; then
    first_build
    keep "$work/first" "$top"
    echo "$tree" >"$top/tree"
  fi
  ((!once)) || return 0
  second_build
  keep "$work/second/at/another" "$top/second"
  echo "$tree" >"$top/second/tree"
}

main "$@"
