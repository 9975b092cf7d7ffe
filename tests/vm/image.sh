#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a virtual machine boots from: the system of a Debian release, made with debootstrap, and the project's packages, built
# inside it at the processor's own speed. Called by run.sh, in namespaces of its own: what it mounts and starts ends
# with them.
#
# usage: image.sh system RELEASE DIRECTORY MIRROR uml|qemu
#                                                   DIRECTORY/root and DIRECTORY/system.ext4, with the modules of linux.uml or,
#                                                   for qemu, with the release's kernel: DIRECTORY/{kernel,initrd}
#        image.sh build DIRECTORY PROJECT OTHER.so BUILD [BENCH]   DIRECTORY/payload.ext4: the packages, built here,
#                                                   and OTHER.so, the tests of guest/, rest_ask as it was built in
#                                                   BUILD, and the programs of the directory BENCH
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
# shellcheck source-path=SCRIPTDIR source=../support/sources.sh
. "$here/../support/sources.sh"

# What runs in the machine, and what builds the packages: Build-Depends in debian/control.
readonly packages=(systemd-sysv libpam-systemd dbus udev kmod iproute2 procps login
  openssh-server openssh-client xauth munge slurmctld slurmd slurm-client slurm-wlm-basic-plugins libpam-slurm-adopt
  slurmrestd slurm-wlm-jwt-plugin
  build-essential debhelper cmake ninja-build libpam0g-dev libslurm-dev libcgroup-dev libcli11-dev libspdlog-dev
  nlohmann-json3-dev libjwt-dev libcurl4-openssl-dev)

die() {
  printf 'image.sh: %s\n' "$*" >&2
  exit 1
}

make_system() {
  local release=$1 dir=$2 mirror=$3 kind=$4 script=/usr/share/debootstrap/scripts/$1 root=$2/root include
  include=$(IFS=,; echo "${packages[*]}")
  if [[ $kind == qemu ]]; then include+=,linux-image-cloud-amd64; fi
  # This debootstrap may be older than the release.
  [[ -e $script ]] || script=/usr/share/debootstrap/scripts/sid
  mkdir -p "$root"
  debootstrap --variant=minbase --include="$include" "$release" "$root" "$mirror" "$script" ||
    { tail -n 20 "$root/debootstrap/debootstrap.log" || true; die "$release: cannot be installed from the mirror"; }
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/debootstrap
  configure "$root"
  if [[ $kind == qemu ]]; then
    cp "$(newest "$root"/boot/vmlinuz-*)" "$dir/kernel"
    cp "$(newest "$root"/boot/initrd.img-*)" "$dir/initrd"
  else
    add_modules "$root"
  fi
  make_disk system "$root" "$dir/system.ext4" 2500M
}

# Those of this host's linux.uml.
add_modules() {
  local version
  mkdir -p "$1/usr/lib/modules"
  cp -a /usr/lib/uml/modules/. "$1/usr/lib/modules/"
  for version in /usr/lib/uml/modules/*; do chroot "$1" depmod "${version##*/}"; done
}

newest() {
  printf '%s\n' "$@" | sort -V | tail -n 1
}

configure() {
  local root=$1 unit
  echo vm >"$root/etc/hostname"
  printf '127.0.0.1 localhost\n198.51.100.1 vm\n' >"$root/etc/hosts"
  # The kernel mounts the root, by the name that the machine has for it.
  : >"$root/etc/fstab"
  # Slurm's own module under another name too, whatever is installed over it.
  mkdir -p "$root/opt/theirs"
  cp "$root/usr/lib/x86_64-linux-gnu/security/pam_slurm_adopt.so" "$root/opt/theirs/"
  # The tests start these when their configuration is there. A login prompt would mix with what the tests write.
  for unit in slurmctld slurmd slurmrestd munge ssh; do chroot "$root" systemctl disable "$unit"; done
  chroot "$root" systemctl mask serial-getty@ttyS0.service getty@tty1.service apt-daily.timer apt-daily-upgrade.timer \
    dpkg-db-backup.timer fstrim.timer e2scrub_all.timer e2scrub_reap.service systemd-networkd-wait-online.service
  # Minutes of an emulated processor, for pages that nobody reads there.
  rm -f "$root/var/lib/man-db/auto-update"
  cp "$here/guest/vm-tests.service" "$root/etc/systemd/system/"
  chroot "$root" systemctl enable vm-tests.service
}

make_disk() {  # LABEL DIRECTORY FILE SIZE
  rm -f "$3"
  mke2fs -q -t ext4 -O ^has_journal -E root_owner=0:0 -L "$1" -d "$2" "$3" "$4"
}

build_project() {
  local dir=$1 project=$2 other=$3 build=$4 bench=$5 root=$1/root payload=$1/payload
  rm -rf "$payload" "$root/build"
  mkdir -p "$payload/packages"
  # A copy: the build writes to its tree.
  copy_sources "$project" "$root/build/slurm-adopt"
  mount -t proc proc "$root/proc"
  # Without what only debuggers read: it is a third of the time.
  chroot "$root" env -u CMAKE_CXX_COMPILER_LAUNCHER --chdir=/build/slurm-adopt LC_ALL=C.UTF-8 DEB_BUILD_OPTIONS=noautodbgsym \
    DEB_CXXFLAGS_STRIP=-g dpkg-buildpackage --build=binary --no-sign --jobs="$(nproc)"
  umount "$root/proc"
  mv "$root"/build/*.deb "$payload/packages/"
  rm -rf "$root/build"
  install -m 755 "$other" "$payload/other.so"
  install -m 755 "$build/tests/rest/rest_ask" "$payload/rest_ask"
  cp -a "$here/guest" "$payload/guest"
  if [[ $bench ]]; then
    install -D -t "$payload/bench" "$bench"/bench_{login,once,compare,syscalls,throughput} "$bench/pam_floor.so" \
      "$project/tests/bench/measuring.sh"
  fi
  chown -R root:root "$payload"
  make_disk payload "$payload" "$dir/payload.ext4" 64M
}

case ${1-} in
  system) make_system "$2" "$3" "$4" "$5" ;;
  build) build_project "$2" "$3" "$4" "$5" "${6-}" ;;
  *) die "usage: see the top of this file" ;;
esac
