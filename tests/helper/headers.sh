#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# slurm-adopt-helper against the Slurm of other Debian releases: compiles src/helper with the headers of 24.11
# (Debian 13) and 26.05 (Debian 14), and runs its part of libslurm's undocumented interface with those libraries.
# The packages are fetched with an apt configuration of their own and unpacked; nothing is installed.
#
# usage: headers.sh [DIRECTORY]     packages unpacked in DIRECTORY are kept, and used the next time
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly project

die() {
  printf 'headers.sh: %s\n' "$*" >&2
  exit 1
}

if (($#)); then
  mkdir -p "$1"
  top=$(realpath "$1")
else
  top=$(mktemp -d)
  trap 'rm -rf "$top"' EXIT
fi
readonly top

# shellcheck source-path=SCRIPTDIR source=../support/debian_mirror.sh
. "$project/tests/support/debian_mirror.sh"
mirror=$(debian_mirror)
[[ $mirror ]] || die "no Debian mirror in apt's configuration"

apt_of() {  # SUITE COMMAND...
  local suite=$1
  shift
  APT_CONFIG=$top/$suite/apt.conf "$@"
}

# fetch SUITE: $top/SUITE/root has the headers and what a program with libslurm needs to run.
fetch() {
  local suite=$1 dir=$top/$1 library
  if [[ -e $dir/complete ]]; then return 0; fi
  rm -rf "$dir"
  mkdir -p "$dir"/{lists/partial,cache/archives/partial,packages,root}
  printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$mirror" "$suite" >"$dir/sources.list"
  : >"$dir/status"
  cat >"$dir/apt.conf" <<END
Dir::Etc::SourceList "$dir/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State::Lists "$dir/lists";
Dir::State::status "$dir/status";
Dir::Cache "$dir/cache";
Acquire::Languages "none";
APT::Sandbox::User "root";
END
  apt_of "$suite" apt-get update -q >"$dir/log" 2>&1 || { tail -n 5 "$dir/log" >&2; die "$suite: the package lists cannot be fetched"; }
  library=$(apt_of "$suite" apt-cache depends libslurm-dev | awk '$1 == "Depends:" && $2 ~ /^libslurm[0-9]/ {print $2}')
  [[ $library ]] || die "$suite: has no libslurm-dev"
  (cd "$dir/packages" && apt_of "$suite" apt-get download -q libslurm-dev "$library" slurm-wlm-basic-plugins \
    libc6 libmunge2 >>"$dir/log" 2>&1) || { tail -n 5 "$dir/log" >&2; die "$suite: the packages cannot be fetched"; }
  local package
  for package in "$dir"/packages/*.deb; do dpkg -x "$package" "$dir/root"; done
  : >"$dir/complete"
}

write_conf() {  # FILE PLUGINS
  cat >"$1" <<END
PluginDir=$2
ClusterName=x
SlurmctldHost=ctl(198.51.100.254)
AuthType=auth/munge
AuthInfo=socket=/x
MpiDefault=none
PrologFlags=contain
ProctrackType=proctrack/cgroup
TaskPlugin=task/cgroup
UsePAM=1
SlurmdSpoolDir=/var/spool/x/%n
SlurmdPort=6001
NodeName=DEFAULT CPUs=2
NodeName=n[1-3] NodeAddr=198.51.100.[1-3] State=UNKNOWN
NodeName=a.b_c NodeHostname=elsewhere
NodeName=v6 NodeAddr=2001:db8::9
NodeName=p NodeAddr=198.51.100.8 NodeHostname=n1 Port=7002
NodeName=z NodeHostname=zhost NodeAddr=by-name Port=7001
PartitionName=p Nodes=ALL Default=YES
END
}

check() {  # SUITE VERSION
  local suite=$1 version=$2 root=$top/$1/root library source found expected
  library=$(dirname "$(find "$root/usr/lib" -name libslurm.so)")
  local -a compile=("${CXX:-g++}" -std=c++20 -Wall -Wextra -Werror -I"$project/include" -I"$project/src/helper" -I"$project/src/confined" -isystem "$root/usr/include"
    -DFMT_HEADER_ONLY -DSPDLOG_FMT_EXTERNAL -DSLURM_ADOPT_VERSION='"0"')
  for source in "$project"/src/helper/*.cc "$project/tests/helper/fake_slurm.cc"; do
    "${compile[@]}" -fsyntax-only "$source" || die "$suite: $source does not compile with Slurm $version"
  done
  "${compile[@]}" -static-libstdc++ -static-libgcc -o "$top/$suite/nodes_of_conf" \
    "$project/tests/helper/nodes_of_conf.cc" "$project"/src/helper/slurm_{api,config}.cc "$project/src/core/result.cc" \
    -L"$library" -lslurm -Wl,--allow-shlib-undefined || die "$suite: does not link with Slurm $version"
  write_conf "$top/$suite/slurm.conf" "$library/slurm-wlm"
  found=$(SLURM_CONF=$top/$suite/slurm.conf "$library/ld-linux-x86-64.so.2" --library-path "$library" \
    "$top/$suite/nodes_of_conf") || die "$suite: does not run with Slurm $version"
  expected="198.51.100.1 198.51.100.2 198.51.100.3 elsewhere 2001:db8::9 198.51.100.8 by-name n1 n2 n3 v6 zhost auth/munge socket=/x"
  expected+=" contain=1 x11=0 pam=1 proctrack/cgroup task/cgroup /var/spool/x/%n 198.51.100.2:6001 198.51.100.8:7002 7 -"
  [[ $(tail -n +2 <<<"$found" | tr '\n' ' ') == "$expected " ]] || die "$suite: unexpected nodes or AuthInfo: $found"
  [[ $(head -n 1 <<<"$found") == "$version".* ]] || die "$suite: has Slurm $(head -n 1 <<<"$found"), not $version"
  printf '%s: Slurm %s: compiles, links, and knows the nodes\n' "$suite" "$(head -n 1 <<<"$found")"
}

for suite in trixie:24.11 forky:26.05; do
  fetch "${suite%:*}"
  check "${suite%:*}" "${suite#*:}"
done
