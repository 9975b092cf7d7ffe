#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: package.sh BUILD PLUGIN_DIR
# The package slurm-cred-ed25519, made of a build: its name, what it needs, what is in it, and that apt would install it here.
set -euo pipefail
build=$1 plugin_dir=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

check() {  # TEXT COMMAND...
  local text=$1
  shift
  if "$@" >"$scratch/log" 2>&1; then
    echo "ok: $text"
  else
    echo "NOT OK: $text"
    sed 's/^/   | /' "$scratch/log"
    failed=1
  fi
}

(cd "$scratch" && cpack -G DEB --config "$build/CPackConfig.cmake" -B "$scratch/out") >"$scratch/cpack.log" 2>&1 ||
  { cat "$scratch/cpack.log"; exit 1; }
mapfile -t packages < <(find "$scratch/out" -maxdepth 1 -name '*.deb')
check "one package is made" test "${#packages[@]}" = 1
package=${packages[0]}
mkdir "$scratch/root"
dpkg-deb -x "$package" "$scratch/root"
release=$(dpkg-query -W -f '${source:Upstream-Version}' slurm-wlm-basic-plugins)
depends=$(dpkg-deb -f "$package" Depends)
echo "   Depends: $depends"

check "it is called slurm-cred-ed25519" test "$(dpkg-deb -f "$package" Package)" = slurm-cred-ed25519
check "it needs the plugins of this release of Slurm" grep -qF "slurm-wlm-basic-plugins (>= $release)" <<<"$depends"
check "and of no later one" grep -q 'slurm-wlm-basic-plugins (<< ' <<<"$depends"
check "it needs OpenSSL 3" grep -qE 'libssl3(t64)?' <<<"$depends"
check "it needs no C++ runtime" test "${depends/libstdc++/}" = "$depends"
check "the plugin is where Slurm looks for it" test -f "$scratch/root$plugin_dir/cred_ed25519.so"
check "for everybody to read and root to write" test "$(stat -c %a "$scratch/root$plugin_dir/cred_ed25519.so")" = 644
check "its README is there" cmp "$(dirname "$(readlink -f "$0")")/../README.md" "$scratch/root/usr/share/doc/slurm-cred-ed25519/README.md"
check "nothing else is" test "$(find "$scratch/root" -type f | wc -l)" = 2
check "apt would install it here" apt-get install --simulate --no-install-recommends "$package"
exit $failed
