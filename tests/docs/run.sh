#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The documentation: what is written is there (pages.py), the picture of the demo shows what the demo prints, commands that change
# nothing, or what can be made private, are run here, and the quick start is typed in a fresh Debian (quick_start.sh).
#
# usage: run.sh [--debs DIRECTORY | --build]     the packages are those in DIRECTORY; without, those that tests/package/build.sh has
#                                                made of this tree, or makes; with --build the quick start builds them in the
#                                                fresh Debian, as it is printed, which takes minutes more
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly project self=tests/docs/run.sh
cd "$project"
packages=()
case ${1-} in
  --debs) packages=(--debs "$(realpath -e "$2")") ;;
  --build) ;;
  --installed) ;;
  '') if [[ -x tests/package/build.sh ]]; then packages=(--debs build/package); fi ;;
  *) echo "usage: run.sh [--debs DIRECTORY | --build]" >&2; exit 2 ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=../support/checks.sh
. tests/support/checks.sh
# shellcheck source-path=SCRIPTDIR source=typed.sh
. tests/docs/typed.sh

# The demo as it is, but with the module that is built already; and its picture, where all that differs is numbers.
demo() {
  tests/cluster/cluster.sh run --module build/pam/pam_slurm_adopt.so -- contrib/demo.sh inside >"$work/demo" || { cat "$work/demo"; return 1; }
  cat "$work/demo"
}
picture() {
  sed 's|/build/|/build-demo/|' "$work/demo" | awk -f contrib/demo-picture.awk | without_numbers >"$work/demo.svg"
  without_numbers <doc/demo.svg | diff - "$work/demo.svg" || { echo "fix: sudo contrib/demo.sh | awk -f contrib/demo-picture.awk >doc/demo.svg"; return 1; }
}
without_numbers() { sed -E 's/[0-9][0-9.]*/N/g; s/ +/ /g'; }

# Where what is installed goes to: of this mount namespace only.
installed() {
  local security
  security=/usr/lib/$(uname -m)-linux-gnu/security
  mount -t tmpfs -o mode=755 tmpfs /usr/local
  cp -a "$security" "$work/security"
  mount --bind "$work/security" "$security"
  # As root there may be nothing to ask for it.
  mkdir "$work/bin"
  printf '#!/bin/sh\nexec "$@"\n' >"$work/bin/sudo"
  chmod +x "$work/bin/sudo"
  PATH=$work/bin:$PATH
  type_page "$1" $self installed
  ok 'the module is where libpam looks' cmp build/pam/pam_slurm_adopt.so "$security/pam_slurm_adopt.so"
  ok 'the tool is there' /usr/local/bin/slurm-adopt --version
  ok 'and the helper' test -x /usr/local/libexec/slurm-adopt/slurm-adopt-helper
}
in_private() { unshare --mount --propagation private tests/docs/run.sh --installed "$1"; }

if [[ ${1-} == --installed ]]; then
  installed "$2"
  finish
  exit
fi
ok 'the pages: links, paths, texts, who runs each command' python3 tests/docs/pages.py
ok 'the demo' demo
ok 'is what doc/demo.svg shows' picture
type_page UPGRADE.md $self here
for page in doc/build.md doc/migration.md; do ok "$page: installed as it says" in_private "$page"; done
if [[ ${packages[*]} == '--debs build/package' ]]; then ok 'the packages' tests/package/build.sh --once; fi
ok 'the quick start, as it is printed, in a fresh Debian' tests/docs/quick_start.sh "${packages[@]}"
cat "$work/out"
finish
