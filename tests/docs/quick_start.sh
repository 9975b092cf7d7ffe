#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Does the quick start work when it is typed as it is printed? A fresh Debian, made with debootstrap, with Slurm and sshd as a
# node has them, in namespaces of its own; there the commands of doc/quick-start.md, from the build of the packages to going
# back, and those of other pages that say "run by: tests/docs/quick_start.sh". Real Slurm, real ssh.
#
# usage: quick_start.sh [--debs DIRECTORY] [RELEASE]     RELEASE is bookworm unless named. --debs: builds nothing and takes the
#                                                        packages that are in DIRECTORY
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$here/../.." && pwd)
readonly here project
readonly self=tests/docs/quick_start.sh
# shellcheck source-path=SCRIPTDIR source=../support/debian_mirror.sh
. "$project/tests/support/debian_mirror.sh"
# shellcheck source-path=SCRIPTDIR source=../cluster/common.sh
. "$project/tests/cluster/common.sh"

outside() {
  local debs='' release=bookworm mirror child='' status=0 signal
  while (($#)); do
    case $1 in
      --debs) debs=$(realpath -e "$2"); shift 2 ;;
      -*) die "usage: quick_start.sh [--debs DIRECTORY] [RELEASE]" ;;
      *) release=$1; shift ;;
    esac
  done
  need_root
  mirror=$(debian_mirror)
  [[ $mirror ]] || die "no Debian mirror in apt's configuration"
  work=$(mktemp -d /var/tmp/slurm-adopt-quick-start.XXXXXX)
  for signal in INT TERM HUP; do
    # shellcheck disable=SC2064
    trap "[[ ! \$child ]] || kill -KILL \$child" "$signal"
  done
  trap clean_up EXIT
  setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child=KILL --mount-proc -- \
    bash "$here/quick_start.sh" --system "$work/root" "$release" "$mirror" "$debs" </dev/null &
  child=$!
  wait "$child" || status=$?
  wait "$child" 2>/dev/null || true
  return "$status"
}

# A cluster that could not end by itself has left the cgroups of its jobs.
clean_up() {
  local name
  for name in "$work"/root/var/tmp/"$cluster_prefix".*/node; do
    [[ ! -s $name ]] || unshare --mount bash "$project/tests/cluster/cluster.sh" remove-cgroups "$(<"$name")" || true
  done
  rm -rf --one-file-system "$work"
}

# A node, and the tree on it as somebody would have got it.
system() {
  local root=$1 release=$2 mirror=$3 debs=$4 script=/usr/share/debootstrap/scripts/$2 start=$SECONDS
  # This debootstrap may be older than the release.
  [[ -e $script ]] || script=/usr/share/debootstrap/scripts/sid
  # What is thrown away in a moment need not be on the disk.
  mkdir -p "$root/etc/dpkg/dpkg.cfg.d"
  echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
  debootstrap --variant=minbase --include="sudo,ca-certificates,$(IFS=,; echo "${cluster_packages[*]}")" \
    "$release" "$root" "$mirror" "$script" >"$root.log" 2>&1 || { tail -n 30 "$root.log"; die "$release cannot be installed"; }
  echo "# $release installed after $((SECONDS - start)) s"
  mount --bind "$root" "$root"
  mount -t proc proc "$root/proc"
  mount --rbind /sys "$root/sys"
  mount --rbind /dev "$root/dev"
  echo "deb $mirror $release main" >"$root/etc/apt/sources.list"
  cp /etc/resolv.conf "$root/etc/"
  # How this host's apt gets through to the mirror.
  find /etc/apt/apt.conf.d -name '*proxy*' -exec cp -t "$root/etc/apt/apt.conf.d" {} +
  # The cluster writes a stack of its own; this one is typed at.
  cp "$root/etc/pam.d/sshd" "$root/root/sshd.pam"
  mkdir "$root/root/slurm-adopt"
  (cd "$project" && git ls-files -z --cached --others --exclude-standard | tar --null --files-from=- -c) |
    tar -x --no-same-owner -C "$root/root/slurm-adopt"
  if [[ $debs ]]; then cp "$debs"/slurm-adopt_*.deb "$debs"/slurm-adopt-helper_*.deb "$root/root/"; fi
  # Its own root, not only that of a process: who enters the cluster's namespaces comes out there.
  cd "$root"
  mkdir outside
  pivot_root . outside
  exec chroot . /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive bash /root/slurm-adopt/$self --node "$debs"
}

# The commands that need the network, and then the others where Slurm runs.
node() {
  local debs=$1 status=0
  umount -l /outside
  rmdir /outside
  cd /root/slurm-adopt
  begin
  if [[ ! $debs ]]; then type_page doc/quick-start.md $self build; fi
  if [[ $debs ]]; then ok "the lists of packages" apt-get update -q; fi
  type_page doc/quick-start.md $self install
  finish || status=1
  tests/cluster/cluster.sh run --no-install -- bash "$here/quick_start.sh" --typist || status=1
  exit $status
}

begin() {
  work=$(mktemp -d)
  # shellcheck source-path=SCRIPTDIR source=../support/checks.sh
  . "$project/tests/support/checks.sh"
  # shellcheck source-path=SCRIPTDIR source=typed.sh
  . "$here/typed.sh"
}

# --- inside ------------------------------------------------------------------

before() {
  case $1 in
    'sudo slurm-adopt enable --dry-run'*) ok "nothing is changed before" cmp /root/sshd.pam /etc/pam.d/sshd ;;
    # What the other pages say is typed while alice has a job.
    'sudo -u alice scancel'*)
      ok "a token, as somebody would have it" slurm-adopt token mint root --key /etc/slurm/jwt_hs256.key --output TOKENFILE
      type_page doc/migration.md $self enabled
      type_page doc/troubleshooting.md $self enabled
      type_page README.md $self enabled
      ok "what README.md has taken out is written again" slurm-adopt enable ;;
    'sudo apt-get remove'*)
      ok "the stack is as it was, byte for byte" cmp /root/sshd.pam /etc/pam.d/sshd
      type_page doc/migration.md $self disabled ;;
  esac
}

prepare() {
  cp /root/sshd.pam /etc/pam.d/sshd
  # For "token verify".
  install -d /etc/slurm
  (umask 077 && head -c 32 /dev/urandom >/etc/slurm/jwt_hs256.key)
}

typist() {
  begin
  prepare
  type_page doc/quick-start.md $self '' before
  ok "no file of ours is left" test ! -e /usr/bin/slurm-adopt -a ! -e /usr/libexec/slurm-adopt
  ok "what has to be shown was looked for" test "${shown:-0}" -ge 7
  finish
}

case ${1-} in
  --system) system "${@:2}" ;;
  --node) node "$2" ;;
  --typist) typist ;;
  *) outside "$@" ;;
esac
