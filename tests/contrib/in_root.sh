#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: in_root.sh DIRECTORY DEBS PART     runs PART.sh in a copy of this host's root, below DIRECTORY, with the packages of DEBS in
# /srv/packages and the project in /srv/slurm-adopt. What is written there goes to memory. Only to be called in mount, network and
# process namespaces of its own (run.sh).
set -euo pipefail
directory=$1 debs=$2 part=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

mkdir -p "$directory"
mount -t tmpfs -o mode=755 tmpfs "$directory"
cd "$directory"
mkdir upper work root
mount -t overlay -o "lowerdir=/,upperdir=$PWD/upper,workdir=$PWD/work" overlay root
mount -t proc proc root/proc
mount --rbind /sys root/sys
mount --rbind /dev root/dev
mount -t tmpfs tmpfs root/tmp
mount -t tmpfs tmpfs root/run
mount -t tmpfs tmpfs root/var/tmp
mkdir -p root/run/sshd root/run/lock root/srv/packages root/srv/slurm-adopt
mount --bind -o ro "$here/../.." root/srv/slurm-adopt
cp "$debs"/slurm-adopt_*.deb "$debs"/slurm-adopt-helper_*.deb root/srv/packages/
rm -f root/etc/slurm/slurm.conf root/etc/apt/apt.conf.d/*proxy*
cp "$here"/../tool/pam/debian12/* root/etc/pam.d/
ip link set lo up
exec chroot root /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
  DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
  "/srv/slurm-adopt/tests/contrib/$part.sh"
