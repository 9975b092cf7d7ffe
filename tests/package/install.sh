#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: install.sh DEBS PART...     in a root of its own (in_root.sh): it installs, upgrades and removes packages there, and edits
# /etc/pam.d. While packages come and go, root logs in all the time, and has to get in each time.
set -euo pipefail

debs=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
arch=$(dpkg-architecture -qDEB_HOST_MULTIARCH)
readonly debs here stack=/etc/pam.d/sshd security=/usr/lib/$arch/security
readonly module=$security/pam_slurm_adopt.so aside=$security/pam_slurm_adopt.slurm.so
checks=0 failed=0
work=$(mktemp -d)
readonly work

# --- checks ------------------------------------------------------------------

ok() {  # NAME COMMAND...
  local name=$1
  shift
  checks=$((checks + 1))
  if "$@" >"$work/out" 2>&1; then
    printf 'ok %d - %s\n' "$checks" "$name"
  else
    printf 'not ok %d - %s\n' "$checks" "$name"
    tail -n 30 "$work/out" | sed 's/^/#   /'
    failed=$((failed + 1))
  fi
}
refuses() { ! "$@"; }
says() { grep -qF -- "$1" "$work/said" || { cat "$work/said"; return 1; }; }

gets_in() { pamtester sshd "$1" acct_mgmt; }
# Which module decides: ours tells who has no job in its own words. Slurm's, without a slurm.conf, ends the process.
decided_by_ours() {
  pamtester sshd alice acct_mgmt >"$work/said" 2>&1 || true
  says 'Access denied: you have no job running on '
}
root_by_ssh() {
  ssh -F none -i "$work/key" -p 2022 -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
    -o ConnectTimeout=10 root@127.0.0.1 true
}
no_trace() {  # of ours
  [[ ! -e $aside && ! -e /usr/libexec/slurm-adopt && ! -e /usr/bin/slurm-adopt && -z $(dpkg-divert --list slurm-adopt) ]] ||
    { ls -l "$security"/pam_slurm* /usr/libexec/slurm-adopt; dpkg-divert --list slurm-adopt; return 1; }
}
stacks_as() { (cd /etc/pam.d && sha256sum -- *) | diff "$1" -; }
note_stacks() { (cd /etc/pam.d && sha256sum -- *) >"$work/stacks"; }

login_meanwhile() { gets_in root; }

# shellcheck source-path=SCRIPTDIR source=packages.sh
. "$here/packages.sh"

# --- the root ----------------------------------------------------------------

set_up() {
  useradd --no-create-home alice
  slow_steps
  make_theirs
  # One that has its module in the place of ours, as later Debian releases and Slurm's developers have it.
  make_deb slurm-smd-libpam-slurm-adopt 1 "$work/theirs.so" "$module"
  (cat "$work/theirs.so"; echo later) >"$work/later.so"
  make_deb slurm-smd-libpam-slurm-adopt 2 "$work/later.so" "$module"
  make_deb blocker 1 /etc/hostname /usr/bin/slurm-adopt
  sed -i '/^@include common-account/i account required pam_slurm_adopt.so' "$stack"
  cp -a "$stack" "$work/plain"
  ssh-keygen -q -t ed25519 -N '' -f "$work/key"
  [[ -e /etc/ssh/ssh_host_ed25519_key ]] || ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
  cp "$work/key.pub" "$work/authorized"
  /usr/sbin/sshd -f /dev/null -p 2022 -o ListenAddress=127.0.0.1 -o UsePAM=yes -o PermitRootLogin=yes -o StrictModes=no \
    -o HostKey=/etc/ssh/ssh_host_ed25519_key -o AuthorizedKeysFile="$work/authorized" -o PidFile=none -E "$work/sshd.log"
  # It goes into the background before it listens.
  local tries
  for ((tries = 0; tries < 100; tries++)); do
    if (: </dev/tcp/127.0.0.1/2022) 2>"$work/connect"; then return; fi
    sleep 0.1
  done
  cat "$work/sshd.log" "$work/connect"
  return 1
}

with_line() {  # LINE...: in the place of the one that loads the module
  local line
  cp -a "$work/plain" "$stack"
  for line; do sed -i "/^@include common-account/i $line" "$stack"; done
  sed -i '/^account required pam_slurm_adopt.so$/d' "$stack"
}

# --- what happens ------------------------------------------------------------

over_slurms() {
  note_stacks
  ok "before: root gets in with Slurm's module" gets_in root
  ok "and by ssh" root_by_ssh
  ok "alice is not decided by ours" refuses decided_by_ours
  ok "it is installed as doc/packages.md says, while root logs in" while_logging_in typed '## Install'
  ok "the same stack loads ours now: who has no job is told so" decided_by_ours
  ok "root gets in" gets_in root
  ok "and by ssh" root_by_ssh
  ok "/etc/pam.d is as it was" stacks_as "$work/stacks"
  ok "Slurm's package is still installed" is_installed libpam-slurm-adopt
  ok "the helper is where the module looks for it" test -x /usr/libexec/slurm-adopt/slurm-adopt-helper
  ok "the tool runs" slurm-adopt --version
  ok "its man page is there" test -e /usr/share/man/man8/slurm-adopt.8.gz
  ok "and the module's" test -e /usr/share/man/man8/pam_slurm_adopt.8.gz
  ok "the package's own test of what is installed" "$here/../../debian/tests/installed"
  ok "it is upgraded, while root logs in" while_logging_in apt install --reinstall "$debs"/slurm-adopt_*.deb
  ok "ours decides" decided_by_ours
}

another_libslurm() {
  local library
  library=$(readlink -f /usr/lib/"$arch"/libslurm.so.[0-9]*.[0-9]*)
  mv "$library" "$library.away"
  ok "without its libslurm the helper does not run" refuses /usr/libexec/slurm-adopt/slurm-adopt-helper </dev/null
  ok "ours decides" decided_by_ours
  ok "root gets in by ssh" root_by_ssh
  mv "$library.away" "$library"
}

removed() {
  note_stacks
  with_line 'account required pam_slurm_adopt.so' 'session required pam_slurm_adopt.so'
  echo 'account required pam_slurm_adopt.so' >>"$stack"
  ok "with a session line of somebody's own it is not removed" refuses apt remove slurm-adopt
  ok "the line is told" says "$stack:"
  ok "and the fix" says 'fix: remove the line'
  ok "it is still there" is_installed slurm-adopt
  ok "and decides" decided_by_ours
  cp -a "$work/plain" "$stack"
  ok "it is removed as doc/packages.md says, while root logs in" while_logging_in typed '## Remove'
  ok "Slurm's module is loaded again" refuses decided_by_ours
  ok "root gets in" gets_in root
  ok "and by ssh" root_by_ssh
  ok "/etc/pam.d is as it was" stacks_as "$work/stacks"
  ok "no file is left" no_trace
}

refused_option() {
  with_line 'account required pam_slurm_adopt.so action_no_jobs=IGNORE'
  note_stacks
  ok "with an option that ours refuses it is not installed" refuses while_logging_in install_ours
  ok "root got in all the while" test ! -e "$work/refused"
  ok "the line is told" says "$stack:$(grep -n IGNORE "$stack" | cut -d: -f1): account required pam_slurm_adopt.so action_no_jobs=IGNORE"
  ok "what is wrong" says "has no valid value for 'action_no_jobs'; allowed: deny|ignore"
  ok "the fix" says "fix: correct or remove that option in $stack:"
  ok "and how to force it" says SLURM_ADOPT_FORCE=1
  ok "it is not there" refuses is_installed slurm-adopt
  ok "Slurm's package is" is_installed libpam-slurm-adopt
  ok "no file is left" no_trace
  ok "/etc/pam.d is as it was" stacks_as "$work/stacks"
  ok "apt has nothing to mend" apt-get check
  export SLURM_ADOPT_FORCE=1
  ok "forced, it is installed" while_logging_in install_ours
  unset SLURM_ADOPT_FORCE
  ok "root gets in" gets_in root
  ok "an upgrade is stopped as well" refuses apt install --reinstall "$debs"/slurm-adopt_*.deb
  ok "and leaves it installed" is_installed slurm-adopt
  cp -a "$work/plain" "$stack"
  ok "with the line mended it goes on" apt install --reinstall "$debs"/slurm-adopt_*.deb
  ok "it is removed again" apt remove slurm-adopt
}

enabled() {
  with_line
  cp -a "$stack" "$work/without"
  ok "it is installed where nothing loads it" install_ours
  ok "and nothing loads it then" cmp "$stack" "$work/without"
  ok "enable" slurm-adopt enable
  ok "ours decides" decided_by_ours
  # Of two stacks the second one stops it: then the first has to be as it was.
  cp -a "$stack" "$work/enabled"
  cp -a "$stack" "$stack~"
  echo 'session required pam_slurm_adopt.so strict' >/etc/pam.d/zz-own
  ok "with a session line of one's own elsewhere it is not removed" refuses apt remove slurm-adopt
  ok "and the lines of enable are there again" cmp "$stack" "$work/enabled"
  ok "and nothing of the attempt" bash -c '! ls -d /etc/.slurm-adopt.*'
  rm -f /etc/pam.d/zz-own
  sed -i 's/^account required pam_slurm_adopt.so strict/& quiet/' "$stack"
  ok "where the lines were edited since it is not removed" refuses apt remove slurm-adopt
  ok "and says so" says 'edited'
  ok "it is still there" is_installed slurm-adopt
  sed -i 's/^\(account required pam_slurm_adopt.so strict\) quiet/\1/' "$stack"
  ok "it is removed, while root logs in" while_logging_in apt remove slurm-adopt
  ok "the stack is what it was before enable, byte for byte" cmp "$stack" "$work/without"
  rm -f "$stack~"
  ok "root gets in by ssh" root_by_ssh
  ok "no file is left" no_trace
  cp -a "$work/plain" "$stack"
}

alone() {
  ok "it is installed again" install_ours
  ok "Slurm's package is removed, while root logs in" while_logging_in apt remove libpam-slurm-adopt
  ok "ours decides" decided_by_ours
  ok "with no other module for the account line it is not removed" refuses apt remove slurm-adopt
  ok "the line is told" says "$stack:"
  ok "root gets in" gets_in root
  ok "Slurm's package is installed again, while root logs in" while_logging_in apt install "$work"/libpam-slurm-adopt_*.deb
  ok "ours decides" decided_by_ours
  ok "it is purged, while root logs in" while_logging_in apt purge slurm-adopt slurm-adopt-helper
  ok "Slurm's module is loaded again" refuses decided_by_ours
  ok "no file is left" no_trace
}

# Slurm's module with the very name of ours.
same_place() {
  apt remove libpam-slurm-adopt
  apt install "$work"/slurm-smd-libpam-slurm-adopt_1.deb
  ok "before: root gets in with Slurm's module in the place of ours" gets_in root
  ok "unpacking that fails" apt install "$work"/blocker_1.deb
  ok "installs nothing, while root logs in" refuses while_logging_in install_ours
  ok "root got in all the while" test ! -e "$work/refused"
  ok "Slurm's module is where it was" cmp "$work/theirs.so" "$module"
  ok "and nowhere else" test ! -e "$aside"
  ok "no diversion is left" test -z "$(dpkg-divert --list slurm-adopt)"
  apt purge blocker
  ok "it is installed, while root logs in" while_logging_in install_ours
  ok "ours decides" decided_by_ours
  ok "Slurm's module is aside" cmp "$work/theirs.so" "$aside"
  ok "it is upgraded, while root logs in" while_logging_in apt install --reinstall "$debs"/slurm-adopt_*.deb
  ok "Slurm's package is upgraded, while root logs in" while_logging_in apt install "$work"/slurm-smd-libpam-slurm-adopt_2.deb
  ok "ours decides" decided_by_ours
  ok "the upgrade is aside" cmp "$work/later.so" "$aside"
  ok "ours is removed, while root logs in" while_logging_in apt remove slurm-adopt
  ok "Slurm's upgraded module is back in its place" cmp "$work/later.so" "$module"
  ok "with one name only" test "$(stat -c %h "$module")" = 1
  ok "no file is left" no_trace
  ok "the helper went with it" refuses is_installed slurm-adopt-helper
  ok "root gets in by ssh" root_by_ssh
}

set_up
for part in "${@:2}"; do "$part"; done
echo "$checks checks, $failed failed"
((failed == 0))
