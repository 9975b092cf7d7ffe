#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: in_root.sh DIRECTORY DEBS PART...     runs these parts in a copy of this host's root, below DIRECTORY: login is login.sh,
# autopkgtest is debian/tests, and the others are install.sh's. What is written there goes to memory. Only to be called in mount, network and process
# namespaces of its own (run.sh).
set -euo pipefail
directory=$1 debs=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

mkdir -p "$directory"
mount -t tmpfs -o mode=755 tmpfs "$directory"
cd "$directory"
mkdir upper work root
mount -t overlay -o "lowerdir=/,upperdir=$PWD/upper,workdir=$PWD/work" overlay root
mount -t proc proc root/proc
mount --rbind /dev root/dev
mount -t tmpfs tmpfs root/tmp
mount -t tmpfs tmpfs root/run
mount -t tmpfs tmpfs root/var/tmp
mount --rbind /sys root/sys
mkdir root/tmp/debs root/run/sshd root/run/lock root/srv/slurm-adopt
mount --bind -o ro "$here/../.." root/srv/slurm-adopt
cp "$debs"/slurm-adopt_*.deb "$debs"/slurm-adopt-helper_*.deb root/tmp/debs/
cp "$debs"/slurm-adopt_*.{dsc,tar.xz} root/tmp/debs/ || true  # for autopkgtest only
rm -f root/etc/slurm/slurm.conf root/etc/apt/apt.conf.d/*proxy*
cp "$here"/../tool/pam/debian12/* root/etc/pam.d/
ip link set lo up
# Not chroot: nsenter, which cluster.sh uses, ends up in the namespace's own root.
cd root
mkdir -p mnt/host
pivot_root . mnt/host
umount -l /mnt/host
rmdir /mnt/host

in_root() {  # COMMAND...
  local status=0
  /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@" </dev/null &
  child=$!
  wait "$child" || status=$?
  child=''
  return "$status"
}

# shellcheck disable=SC2317  # for the trap
# What is told to end ends the private cluster first: its jobs have cgroups, which are the host's.
end() {
  local _
  [[ ! $child ]] || kill -TERM "$child" || true
  for _ in {1..200}; do
    pgrep -f 'cluster\.sh janitor' >/dev/null || break
    sleep 0.1
  done
  exit 143
}
child=''
trap end TERM INT HUP

readonly project=/srv/slurm-adopt
status=0 parts=()
for part in "${@:3}"; do
  if [[ $part != @(login|autopkgtest) ]]; then parts+=("$part"); fi
done
if [[ " ${*:3} " == *" login "* ]]; then
  in_root "$project/tests/cluster/cluster.sh" run --no-install --bind /tmp/debs -- "$project/tests/package/login.sh" /tmp/debs || status=1
fi
if ((${#parts[@]})); then in_root "$project/tests/package/install.sh" /tmp/debs "${parts[@]}" || status=1; fi
# The tests of debian/tests as they stand in the source package. Last, for it leaves the packages installed.
if [[ " ${*:3} " == *" autopkgtest "* ]]; then
  in_root autopkgtest --no-built-binaries /tmp/debs/*.deb /tmp/debs/*.dsc -- null || status=1
fi
exit "$status"
