#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: in_root.sh DIRECTORY RPMS PART...     runs these parts of install.sh in a copy of this host's root, below DIRECTORY. What is written there
# goes to memory. Only to be called in mount, network and process namespaces of its own (run.sh).
set -euo pipefail
directory=$1 rpms=$2
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
mkdir root/tmp/rpms
cp "$rpms"/*.rpm root/tmp/rpms/
cp "$here/install.sh" "$here/made_up.sh" "$here/../../debian/tests/installed" root/tmp/
cp "$here"/../tool/pam/debian12/* root/etc/pam.d/
exec chroot root /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 /tmp/install.sh /tmp/rpms "${@:3}"
