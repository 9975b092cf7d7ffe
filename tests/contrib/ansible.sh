#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The role of contrib/ansible by the playbook that doc/ansible.md prints, on the private root that this runs in (run.sh).
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=node.sh
. "${BASH_SOURCE[0]%/*}/node.sh"

export ANSIBLE_ROLES_PATH=$project/contrib/ansible/roles ANSIBLE_NOCOLOR=1 ANSIBLE_GATHER_SUBSET='!all' ANSIBLE_DEPRECATION_WARNINGS=0 ANSIBLE_PIPELINING=1 \
  ANSIBLE_LOCAL_TEMP=$work/ansible ANSIBLE_REMOTE_TEMP=$work/remote
awk '/^```yaml$/ {inside = 1; next} /^```$/ {inside = 0} inside' "$project/doc/ansible.md" >"$work/playbook.yml"
printf '[compute]\nnode ansible_connection=local ansible_python_interpreter=/usr/bin/python3\n' >"$work/inventory"

# play OPTION...: what it said is in $work/said.
play() { ansible-playbook -i "$work/inventory" "$work/playbook.yml" "$@" >"$work/said" 2>&1 </dev/null || { cat "$work/said"; return 1; }; }
changes() {  # N|some
  local changed
  changed=$(sed -n 's/^node .* changed=\([0-9]*\) .*/\1/p' "$work/said")
  case $1 in
    some) ((changed > 0)) ;;
    *) [[ $changed == "$1" ]] ;;
  esac || { cat "$work/said"; return 1; }
}
# printed N: the command of that line of the page.
printed() {
  local command
  command=$(awk '/^```sh$/ {inside = 1; next} /^```$/ {inside = 0} inside' "$project/doc/ansible.md" | sed -n "$1p")
  (cd "$work" && eval "$command") >"$work/said" 2>&1 </dev/null || { cat "$work/said"; return 1; }
}
printed_changes() { printed "$1" && changes "$2"; }
play_changes() { local want=$1; shift; play "$@" && changes "$want"; }
breaks() { ! play "$@" >"$work/shown"; }
breaks_and_says() { local text=$1; shift; breaks "$@" && says "$text"; }
nothing_is_there() { none_is_installed && stack_is_plain && [[ ! -e /var/cache/slurm-adopt ]]; }
sums() { printf '{"slurm_adopt_checksums": {"%s": "%s", "%s": "%s"}}' "${1##*/}" "$(sha256sum <"$1" | cut -d' ' -f1)" "${2##*/}" "$3"; }

main_deb=$(echo "$debs"/slurm-adopt_*.deb)
helper_deb=$(echo "$debs"/slurm-adopt-helper_*.deb)
version=$(dpkg-deb --field "$main_deb" Version)

ok 'check mode, not installed: something would be changed' printed_changes 1 some
ok 'and nothing is' nothing_is_there
ok 'a value that is none is refused' breaks_and_says 'slurm_adopt_state' -e slurm_adopt_state=gone
ok 'a file with another checksum is refused' breaks_and_says 'has not the sha256' -e "$(sums "$main_deb" "$helper_deb" 00)"
ok 'a file without its checksum is refused' breaks_and_says 'one for each file' -e '{"slurm_adopt_checksums": {"x": "00"}}'
ok 'a URL with another checksum is refused' breaks_and_says 'checksum' \
  -e "{\"slurm_adopt_packages\": [\"file://$main_deb\"], \"slurm_adopt_checksums\": {\"${main_deb##*/}\": \"$(printf '0%.0s' {1..64})\"}}"
ok 'nothing is installed by these' none_is_installed
ok 'and the stack is as it was' stack_is_plain

ok 'it installs and enables' printed_changes 2 some
ok 'the packages are there' are_installed
ok 'the lines have the options' with_options 'strict exempt_groups=admins'
ok 'who has no job is told so' alice_is_told
ok 'root gets in' root_gets_in
ok 'a second run changes nothing' play_changes 0
sha256sum /etc/pam.d/* >"$work/sums"
ok 'other options, check mode: they would be written' play_changes some --check -e slurm_adopt_options=strict
ok 'and are not' sha256sum --quiet --check "$work/sums"
ok 'other options are written' play_changes 1 -e slurm_adopt_options=strict
ok 'into both lines' with_options strict
ok 'a wrong option is refused' breaks_and_says 'strickt' -e slurm_adopt_options=strickt
ok 'and the lines are as before' with_options strict

sed -i 's/^UsePAM yes/UsePAM no/' /etc/ssh/sshd_config
ok 'a FAIL of check fails the play, and is named' breaks_and_says sshd.use-pam -e slurm_adopt_options=strict
ok 'the lines stay' with_options strict
ok 'without the check it is none' play_changes 0 -e slurm_adopt_options=strict -e slurm_adopt_check=false
sed 's/^UsePAM no/UsePAM yes/' /etc/ssh/sshd_config >"$work/sshd_config"

make_version "$version+later" "$work/later"
later="{\"slurm_adopt_packages\": [\"$work/later/slurm-adopt_$version+later_amd64.deb\", \"file://$work/later/slurm-adopt-helper_$version+later_amd64.deb\"]}"
ok 'a later version, a file and a URL, with the file that sshd is started with' \
  play_changes some -e "$later" -e slurm_adopt_options=strict -e slurm_adopt_sshd_config="$work/sshd_config"
cp "$work/sshd_config" /etc/ssh/sshd_config
ok 'is installed' version_is "$version+later"
ok 'and back' play_changes some -e slurm_adopt_options=strict
ok 'to the version before' version_is "$version"

sed -i 's/^account required pam_slurm_adopt.so strict$/& quiet/' "$stack"
ok 'lines that were edited since: the play fails' breaks_and_says edited -e slurm_adopt_options=strict
ok 'the undoing too' breaks_and_says edited -e slurm_adopt_state=absent
ok 'and nothing is removed' are_installed
sed -i 's/^\(account required pam_slurm_adopt.so strict\) quiet$/\1/' "$stack"

ok 'absent, check mode: lines, packages and cache would be' play_changes 3 --check -e slurm_adopt_state=absent
ok 'and is not' with_options strict
ok 'and all is installed' are_installed
ok 'absent' printed_changes 3 3
ok 'the stack is what it was, byte for byte, and all is gone' nothing_is_there
ok 'absent again changes nothing' play_changes 0 -e slurm_adopt_state=absent
ok 'root gets in' root_gets_in

# By name, from a repository.
mkdir /srv/repository
cp "$debs"/*.deb /srv/repository/
(cd /srv/repository && dpkg-scanpackages . >Packages 2>"$work/scanned")
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*
echo 'deb [trusted=yes] file:/srv/repository ./' >/etc/apt/sources.list
apt-get update >"$work/updated" 2>&1
by_name='{"slurm_adopt_packages": ["slurm-adopt", "slurm-adopt-helper"]}'
ok 'by name' play_changes some -e "$by_name"
ok 'the packages are there' are_installed
ok 'who has no job is told so' alice_is_told
ok 'by name again changes nothing' play_changes 0 -e "$by_name"
ok 'names and files at once are refused' breaks_and_says 'either names' -e "{\"slurm_adopt_packages\": [\"slurm-adopt\", \"$helper_deb\"]}"

finish
