#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: install.sh RPMS PART...     in a root of its own (in_root.sh): it installs, upgrades, swaps and removes packages there, with
# rpm and with dnf, and edits /etc/pam.d. While packages come and go, root logs in all the time, and has to get in each time.
set -euo pipefail

rpms=$1
readonly rpms made=/tmp/made stack=/etc/pam.d/sshd
security=/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)/security
readonly security module=$security/pam_slurm_adopt.so aside=$security/pam_slurm_adopt.slurm.so
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
is_installed() { rpm -q "$1"; }
in_place() { cmp "$1" "$module"; }
note_stacks() { (cd /etc/pam.d && sha256sum -- *) >"$work/stacks"; }
stacks_as_noted() { (cd /etc/pam.d && sha256sum -- *) | diff "$work/stacks" -; }
no_trace() {
  local left
  left=$(find "$security" -name 'pam_slurm_adopt*' ! -path "$module" -o -name 'pam_slurm_adopt.so' -type l
    find /usr/libexec/slurm-adopt /usr/bin/slurm-adopt "${security%/*}/slurm-adopt" 2>"$work/absent" || true)
  echo "$left"
  [[ -z $left ]]
}

# --- packages ----------------------------------------------------------------

ours() { printf '%s\n' "$rpms"/slurm-adopt-[0-9]*.rpm "$rpms"/slurm-adopt-lines-*.rpm "$rpms"/slurm-adopt-helper-*.rpm; }
with_rpm() { rpm --force-debian "$@" >"$work/said" 2>&1 || { cat "$work/said"; return 1; }; }
with_dnf() {
  dnf -y --disablerepo='*' --setopt=keepcache=1 --setopt=install_weak_deps=0 "$@" >"$work/said" 2>&1 || { cat "$work/said"; return 1; }
}
install_ours() {
  local packages
  mapfile -t packages < <(ours)
  with_dnf install "${packages[@]}"
}
remove_ours() { with_dnf remove slurm-adopt slurm-adopt-lines; }

# while_logging_in COMMAND...: root is let in all the while, and there is a module; else what went wrong is told.
while_logging_in() {
  local status=0
  rm -f "$work"/{stop,refused,logins}
  (
    logins=0
    until [[ -e $work/stop ]]; do
      pamtester sshd root acct_mgmt >"$work/login" 2>&1 || cat "$work/login" >>"$work/refused"
      logins=$((logins + 1))
    done
    echo "$logins" >"$work/logins"
  ) &
  local logging_in=$!
  (until [[ -e $work/stop ]]; do [[ -e $module ]] || echo "no module" >>"$work/refused"; done) &
  "$@" || status=1
  : >"$work/stop"
  wait $logging_in $!
  echo "$(<"$work/logins") logins"
  [[ ! -e $work/refused ]] || { sort "$work/refused" | uniq -c; status=1; }
  return $status
}

# --- the root ----------------------------------------------------------------

set_up() {
  rm -f /etc/slurm/slurm.conf
  useradd --no-create-home alice
  # Slurm's own module, which Debian 12 has where libpam looks last. It comes as a package of rpm's.
  mv /lib/security/pam_slurm_adopt.so "$work/module.so"
  rm -f "$module"
  /tmp/made_up.sh $made "$security" "$work/module.so" "$rpms"/*.rpm
  (cat "$work/module.so"; echo 1) >"$work/theirs.so"
  (cat "$work/theirs.so"; echo 2) >"$work/later.so"
  with_rpm -i $made/host-1.rpm
  sed -i '/^@include common-account/i account required pam_slurm_adopt.so' "$stack"
  cp -a "$stack" "$work/plain"
}

with_line() {  # LINE...: in the place of the one that loads the module
  local line
  cp -a "$work/plain" "$stack"
  for line; do sed -i "/^@include common-account/i $line" "$stack"; done
  sed -i '/^account required pam_slurm_adopt.so$/d' "$stack"
}

# --- what happens ------------------------------------------------------------

over_slurms() {
  with_rpm -i $made/slurm-pam_slurm-1.rpm
  # What rpm leaves of a file that was edited is no service.
  echo 'account required pam_slurm_adopt.so no_such_option' >"$stack.rpmsave"
  note_stacks
  ok "before: root gets in with Slurm's module" gets_in root
  ok "alice is not decided by ours" refuses decided_by_ours
  ok "it is installed, while root logs in" while_logging_in install_ours
  ok "the same stack loads ours now: who has no job is told so" decided_by_ours
  ok "root gets in" gets_in root
  ok "/etc/pam.d is as it was" stacks_as_noted
  ok "Slurm's package is still installed" is_installed slurm-pam_slurm
  ok "its module is aside" cmp "$work/theirs.so" "$aside"
  ok "the package's own test of what is installed" /tmp/installed
  ok "it is installed over itself, while root logs in" while_logging_in with_rpm -U --replacepkgs "$rpms"/slurm-adopt-[0-9]*.rpm
  ok "ours decides" decided_by_ours
  ok "Slurm's package is upgraded, while root logs in" while_logging_in with_rpm -U $made/slurm-pam_slurm-2.rpm
  ok "ours decides" decided_by_ours
  ok "the upgrade is aside" cmp "$work/later.so" "$aside"
}

removed() {
  note_stacks
  with_line 'account required pam_slurm_adopt.so' 'session required pam_slurm_adopt.so'
  echo 'account required pam_slurm_adopt.so' >>"$stack"
  ok "with a session line of somebody's own it is not removed" refuses remove_ours
  ok "the line is told" says "$stack:"
  ok "and the fix" says 'fix: remove the line'
  ok "it is still there" is_installed slurm-adopt
  ok "and what its removal asks" is_installed slurm-adopt-lines
  ok "it decides" decided_by_ours
  cp -a "$work/plain" "$stack"
  ok "it is removed, while root logs in" while_logging_in remove_ours
  ok "Slurm's module is loaded again" refuses decided_by_ours
  ok "in its upgraded version" in_place "$work/later.so"
  ok "root gets in" gets_in root
  ok "/etc/pam.d is as it was" stacks_as_noted
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
  ok "nor its helper" refuses is_installed slurm-adopt-helper
  ok "Slurm's package is" is_installed slurm-pam_slurm
  ok "with its module in its place" in_place "$work/later.so"
  ok "and not aside" test ! -e "$aside"
  ok "/etc/pam.d is as it was" stacks_as_noted
  export SLURM_ADOPT_FORCE=1
  ok "forced, it is installed" while_logging_in install_ours
  unset SLURM_ADOPT_FORCE
  ok "root gets in" gets_in root
  ok "an upgrade is stopped as well" refuses with_rpm -U --replacepkgs "$rpms"/slurm-adopt-[0-9]*.rpm
  ok "and leaves it installed" is_installed slurm-adopt
  cp -a "$work/plain" "$stack"
  ok "with the line mended it goes on" with_rpm -U --replacepkgs "$rpms"/slurm-adopt-[0-9]*.rpm
  ok "ours decides" decided_by_ours
}

# dnf swap, which installs and removes in one go.
swapped() {
  ok "Slurm's package is removed, while root logs in" while_logging_in with_dnf remove slurm-pam_slurm
  ok "ours decides" decided_by_ours
  ok "Slurm's module is not kept" test ! -e "$aside"
  ok "with no other module for the account line it is not removed" refuses remove_ours
  ok "the line is told" says "$stack:"
  ok "it decides" decided_by_ours
  ok "ours is swapped for Slurm's, while root logs in" while_logging_in with_dnf swap slurm-adopt $made/slurm-pam_slurm-1.rpm
  ok "Slurm's module is loaded" in_place "$work/theirs.so"
  ok "and nothing is kept aside" test ! -e "$aside"
  ok "and back, while root logs in" while_logging_in with_dnf swap slurm-pam_slurm "$rpms"/slurm-adopt-[0-9]*.rpm
  ok "ours decides" decided_by_ours
  ok "Slurm's is gone" refuses is_installed slurm-pam_slurm
  with_line 'session required pam_slurm_adopt.so'
  ok "with a session line ours is not swapped for Slurm's" refuses with_dnf swap slurm-adopt $made/slurm-pam_slurm-1.rpm
  ok "ours is still in the place" test "$module" -ef "${security%/*}/slurm-adopt/pam_slurm_adopt.so"
  ok "and serves that line" pamtester sshd root open_session
  cp -a "$work/plain" "$stack"
}

enabled() {
  with_line
  cp -a "$stack" "$work/without"
  ok "enable" slurm-adopt enable
  ok "ours decides" decided_by_ours
  # Of two stacks the second one stops it: then the first has to be as it was.
  cp -a "$stack" "$work/enabled"
  cp -a "$stack" "$stack~"
  echo 'session required pam_slurm_adopt.so strict' >/etc/pam.d/zz-own
  ok "with a session line of one's own elsewhere it is not removed" refuses remove_ours
  ok "and the lines of enable are there again" cmp "$stack" "$work/enabled"
  ok "and nothing of the attempt" bash -c '! ls -d /etc/.slurm-adopt.*'
  rm -f /etc/pam.d/zz-own
  sed -i 's/^account required pam_slurm_adopt.so strict/& quiet/' "$stack"
  ok "where the lines were edited since it is not removed" refuses remove_ours
  ok "and says so" says 'edited'
  ok "it is still there" is_installed slurm-adopt
  sed -i 's/^\(account required pam_slurm_adopt.so strict\) quiet/\1/' "$stack"
  ok "it is removed" remove_ours
  ok "the stack is what it was before enable, byte for byte" cmp "$stack" "$work/without"
  rm -f "$stack~"
  ok "root gets in" gets_in root
  cp -a "$work/plain" "$stack"
  with_rpm -e slurm-pam_slurm || true
  ok "no file is left" no_trace
}

# Slurm's module without a package.
by_hand() {
  cp "$work/theirs.so" "$module"
  ok "it is installed over one that no package has, while root logs in" while_logging_in install_ours
  ok "ours decides" decided_by_ours
  ok "it is removed" remove_ours
  ok "the other one is back" in_place "$work/theirs.so"
  ok "no file is left" no_trace
  rm "$module"
}

policy() {
  ok "the policy is not installed without the rest" refuses with_rpm -i "$rpms"/slurm-adopt-selinux-*.rpm
  install_ours
  ok "with it it is" with_rpm -i "$rpms"/slurm-adopt-selinux-*.rpm
  ok "and in the module store" bash -c "semodule -l --store=default | grep -x slurm_adopt"
  ok "it is removed" with_rpm -e slurm-adopt-selinux
  ok "from the store too" bash -c "! semodule -l --store=default | grep -x slurm_adopt"
}

set_up
for part in "${@:2}"; do "$part"; done
echo "$checks checks, $failed failed"
((failed == 0))
