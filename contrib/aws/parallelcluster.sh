#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A custom action of AWS ParallelCluster (OnNodeConfigured, below SlurmQueues): fetches the packages, compares them with their
# checksums, installs them, writes the two lines, and checks the node. Once more on the same node it changes nothing. Whatever
# fails, the exit code is not 0, and the last line of the log says what: doc/aws.md.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: parallelcluster.sh --package URL SHA256 [--package URL SHA256]... [--options "OPTION ..."] [--no-check]

  --package URL SHA256  a .deb or .rpm: s3://, https:// or file://
  --options TEXT        the options of both lines (default: strict), see pam_slurm_adopt(8)
  --no-check            do not fail where "slurm-adopt check" does
TEXT
}

readonly log=/var/log/slurm-adopt-install.log node_config=/etc/parallelcluster/cfnconfig
say() { printf '%s slurm-adopt: %s\n' "$(date --utc +%FT%TZ)" "$*"; }
die() {
  say "failed: $*"
  exit 1
}

packages=() sums=() options=strict check=1
while (($#)); do
  case $1 in
    --package)
      (($# >= 3)) || { usage >&2; exit 2; }
      packages+=("$2") sums+=("$3")
      shift 3 ;;
    --options)
      (($# >= 2)) || { usage >&2; exit 2; }
      options=$2
      shift 2 ;;
    --no-check) check=0 && shift ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done
((${#packages[@]})) || { usage >&2; exit 2; }
[[ $EUID == 0 ]] || { echo 'parallelcluster.sh: needs root' >&2; exit 1; }

fetch() {  # URL FILE
  case $1 in
    s3://*) aws s3 cp --only-show-errors "$1" "$2" ;;
    https://* | file://*) curl --fail --silent --show-error --location --proto '=https,file' --proto-redir '=https' --retry 5 \
      --connect-timeout 20 --max-time 300 --output "$2" "$1" ;;
    *) die "$1: none of s3://, https://, file://" ;;
  esac
}

install_debs() {
  local file name version missing=0
  for file in "${files[@]}"; do
    name=$(dpkg-deb --field "$file" Package) && version=$(dpkg-deb --field "$file" Version) || return
    [[ $(dpkg-query --show --showformat='${db:Status-Status} ${Version}' "$name" 2>/dev/null) == "installed $version" ]] || missing=1
  done
  ((missing)) || { say 'the packages are installed already'; return 0; }
  chmod 755 "$work"  # apt reads them as somebody else
  DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends --allow-downgrades -o DPkg::Lock::Timeout=300 "${files[@]}"
}

install_rpms() {
  local file missing=0
  for file in "${files[@]}"; do
    rpm --query "$(rpm --query --package --queryformat '%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}' "$file")" >/dev/null || missing=1
  done
  ((missing)) || { say 'the packages are installed already'; return 0; }
  # The checksum stands in for the signature.
  "$(type -P dnf || type -P yum)" install --assumeyes --nogpgcheck "${files[@]}"
}

run() {
  local type url file have i
  # Users log in to the head and login nodes without a job.
  if [[ -e $node_config ]]; then
    type=$(sed -n 's/^cfn_node_type=//p' "$node_config")
    [[ $type == ComputeFleet ]] || die "this is a node of type ${type:-unknown}, no compute node: put the action below SlurmQueues"
  fi
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  files=()
  for i in "${!packages[@]}"; do
    url=${packages[i]} file=$work/${packages[i]##*/}
    [[ ${sums[i]} =~ ^[0-9a-f]{64}$ ]] || die "$url: '${sums[i]}' is no sha256"
    fetch "$url" "$file" || die "$url: cannot be fetched"
    have=$(sha256sum <"$file")
    [[ ${have%% *} == "${sums[i]}" ]] || die "$url: has not the sha256 ${sums[i]}, but ${have%% *}"
    files+=("$file")
  done
  case ${files[0]} in
    *.deb) install_debs || die 'the packages cannot be installed' ;;
    *.rpm) install_rpms || die 'the packages cannot be installed' ;;
    *) die "${files[0]##*/}: neither .deb nor .rpm" ;;
  esac
  slurm-adopt enable --options "$options" || die 'the lines cannot be written'
  if ((check)); then
    slurm-adopt check || die 'slurm-adopt check has a FAIL: see above, with the fix'
  fi
  say 'done'
}

# To the log, and to whoever runs the action.
run 2>&1 | tee -a "$log"
