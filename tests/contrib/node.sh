# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What both parts look at in their private root (in_root.sh); to be sourced.
# shellcheck disable=SC2034  # used by those who source this
readonly stack=/etc/pam.d/sshd project=/srv/slurm-adopt debs=/srv/packages
mountpoint -q "$project" || { echo "${0##*/}: run me by tests/contrib/run.sh" >&2; exit 2; }
work=$(mktemp -d)
readonly work
# shellcheck source-path=SCRIPTDIR source=../support/checks.sh
. "$project/tests/support/checks.sh"

useradd --no-create-home alice
groupadd --force admins
cp -a "$stack" "$work/plain"

says() { grep -qF -- "$1" "$work/said" || { cat "$work/said"; return 1; }; }
are_installed() { [[ $(dpkg-query -W -f '${db:Status-Status} ' slurm-adopt slurm-adopt-helper 2>/dev/null) == 'installed installed ' ]]; }
none_is_installed() { [[ $(dpkg-query -W -f '${db:Status-Status} ' slurm-adopt slurm-adopt-helper 2>/dev/null) != *' installed '* ]] && [[ ! -e /usr/bin/slurm-adopt ]]; }
version_is() { [[ $(dpkg-query -W -f '${Version}' slurm-adopt) == "$1" ]]; }
stack_is_plain() { diff "$work/plain" "$stack"; }
root_gets_in() { pamtester sshd root acct_mgmt; }
# Ours decides, with its own words.
alice_is_told() { ! pamtester sshd alice acct_mgmt >"$work/said" 2>&1 && says 'Access denied: you have no job running on '; }
with_options() { [[ $(grep -c "^\(account\|session\) required pam_slurm_adopt.so $1\$" "$stack") == 2 ]] || { cat "$stack"; return 1; }; }
# make_version VERSION DIRECTORY: the packages again, as of that version.
make_version() {
  local deb name
  mkdir -p "$2"
  for deb in "$debs"/*.deb; do
    name=$(dpkg-deb --field "$deb" Package)
    rm -rf "$work/unpacked"
    dpkg-deb -R "$deb" "$work/unpacked"
    sed -i "s/^Version: .*/Version: $1/; s/(= [^)]*)/(= $1)/" "$work/unpacked/DEBIAN/control"
    dpkg-deb --root-owner-group -b "$work/unpacked" "$2/${name}_$1_amd64.deb"
  done >"$work/made"
}
