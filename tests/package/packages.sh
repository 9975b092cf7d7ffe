# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Installing and removing packages in a root of its own, and making such as stand for Slurm's; to be sourced. Wants $work, a
# directory, $debs, the one with our packages, and $module, the path of ours.
# shellcheck disable=SC2154  # they are of those who source this

# With maintainer scripts that dawdle before each step, so that a moment in which something is missing lasts.
slow_steps() {
  local program
  mkdir "$work/slow"
  for program in dpkg-divert ln mv rm; do
    printf '#!/bin/sh\nsleep 0.3\nexec /usr/bin/%s "$@"\n' "$program" >"$work/slow/$program"
    chmod +x "$work/slow/$program"
  done
}

apt() {
  apt-get "$1" -y --no-install-recommends --allow-downgrades -o DPkg::Path="$work/slow:$PATH" "${@:2}" >"$work/said" 2>&1 || { cat "$work/said"; return 1; }
}
# typed HEADING: the commands of the first block below that heading of doc/packages.md, as they are printed, beside the packages.
# What apt asks is answered.
typed() {
  local commands
  commands=$(awk -v heading="$1" '$0 == heading {below = 1} below && /^```$/ {exit} inside {print} below && /^```sh$/ {inside = 1}' \
    "${BASH_SOURCE[0]%/*}/../../doc/packages.md")
  [[ $commands == *slurm-adopt* ]] || { echo "nothing to type below '$1'"; return 1; }
  printf 'DPkg::Path "%s";\n' "$work/slow:$PATH" >"$work/apt.conf"
  (
    # shellcheck disable=SC2317  # what is evaluated
    sudo() { "$@"; }
    cd "$debs" && export APT_CONFIG=$work/apt.conf && eval "$commands" <<<y
  )
}
install_ours() { apt install "$debs"/slurm-adopt_*.deb "$debs"/slurm-adopt-helper_*.deb; }
is_installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

# make_deb NAME VERSION [FILE PATH]...: a package with copies of these files at these paths.
make_deb() {
  local root=$work/$1_$2
  mkdir -p "$root/DEBIAN"
  printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: x <x@x.invalid>\nDescription: x\n' "$1" "$2" >"$root/DEBIAN/control"
  while (($# > 3)); do
    install -D -m 644 "$3" "$root$4"
    set -- "$1" "$2" "${@:5}"
  done
  dpkg-deb --root-owner-group -b "$root" "$root.deb" >"$work/dpkg-deb"
}

# Slurm's own package as it is on Debian 12, to be had without a mirror; its module in $work/theirs.so.
make_theirs() {
  cp /lib/security/pam_slurm_adopt.so "$work/theirs.so"
  make_deb libpam-slurm-adopt 22.05.8-99 "$work/theirs.so" /lib/security/pam_slurm_adopt.so
}

# while_logging_in COMMAND...: meanwhile login_meanwhile, a function of the caller, succeeds each time; else what went wrong is told.
while_logging_in() {
  local status=0
  rm -f "$work"/{stop,refused,logins}
  (
    logins=0
    until [[ -e $work/stop ]]; do
      login_meanwhile >"$work/login" 2>&1 || cat "$work/login" >>"$work/refused"
      logins=$((logins + 1))
    done
    echo "$logins" >"$work/logins"
  ) &
  "$@" || status=1
  : >"$work/stop"
  wait $!
  echo "$(<"$work/logins") logins"
  [[ ! -e $work/refused ]] || { sort "$work/refused" | uniq -c; status=1; }
  return $status
}
