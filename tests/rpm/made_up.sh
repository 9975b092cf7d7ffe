#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: made_up.sh DIRECTORY MODULE_DIRECTORY MODULE OURS...     makes packages for install.sh in DIRECTORY: slurm-pam_slurm, in two
# versions, with MODULE in the place where libpam looks, as Slurm's own spec has it; and host, which stands for all that is no
# package of rpm's here and that the packages OURS need.
set -euo pipefail
directory=$1 modules=$2 module=$3

build() {  # SPEC
  rpmbuild -bb --quiet --define "_topdir $directory/build" --define "_rpmdir $directory" --define '_build_id_links none' --define '_rpmfilename %%{NAME}-%%{VERSION}.rpm' "$1"
}

mkdir -p "$directory"
for version in 1 2; do
  cat >"$directory/slurm.spec" <<SPEC
Name: slurm-pam_slurm
Version: $version
Release: 1
Summary: x
License: x
%description
x
%define debug_package %{nil}
%define __strip /bin/true
%install
mkdir -p %{buildroot}$modules
cat '$module' >%{buildroot}$modules/pam_slurm_adopt.so
cat '$module' >%{buildroot}$modules/pam_slurm.so
for i in $(seq $version | xargs); do echo \$i; done >>%{buildroot}$modules/pam_slurm_adopt.so
chmod 755 %{buildroot}$modules/*.so
# As much as Slurm's real one takes.
%post
sleep 0.2
%files
$modules/pam_slurm_adopt.so
$modules/pam_slurm.so
SPEC
  build "$directory/slurm.spec"
done

{
  printf 'Name: host\nVersion: 1\nRelease: 1\nSummary: x\nLicense: x\nBuildArch: noarch\n'
  for package in "${@:4}" "$directory"/slurm-pam_slurm-*.rpm; do rpm -qp --requires "$package"; done | sort -u |
    grep -v -e '^slurm-adopt' -e '^rpmlib(' | sed 's/^/Provides: /'
  printf '%%description\nx\n%%files\n'
} >"$directory/host.spec"
build "$directory/host.spec"
