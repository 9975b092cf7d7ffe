# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For the tests on a real Slurm, which run inside tests/cluster/cluster.sh; to be sourced. One line per check, "ok ..." or
# "not ok ...".
# Environment: CRED_PLUGIN (cred_ed25519.so).
# shellcheck disable=SC2034  # used by those who source this

cred_tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cred_project=$(cd "$cred_tests/../../.." && pwd)
cred_readme=$cred_tests/../README.md
readonly cred_tests cred_project cred_readme
readonly private_key=/etc/slurm/cred_private.pem public_key=/etc/slurm/cred_public.pem

die() {
  printf 'cred: %s\n' "$*" >&2
  exit 2
}

# This writes to /etc and mounts over Slurm's plugins. Inside a cluster both are private.
if [[ ! -d ${CLUSTER_DIR:-} ]] || ! mountpoint -q /etc; then die "run me inside tests/cluster/cluster.sh"; fi
[[ -f ${CRED_PLUGIN:-} ]] || die "CRED_PLUGIN is not set"
work=$(mktemp -d)
readonly work
chmod 755 "$work"

# shellcheck source-path=SCRIPTDIR source=../../../tests/support/checks.sh
. "$cred_project/tests/support/checks.sh"

as_alice() { setpriv --reuid alice --regid alice --clear-groups env HOME="$CLUSTER_DIR/home/alice" "$@"; }
alice_runs() { [[ $(cd / && as_alice timeout -k 5 60 srun -N 1 "$@" id -un) == alice ]]; }

# A fenced block of the README, by the comment in front of it.
readme_block() {  # MARK
  awk -v mark="<!-- $1 -->" 'index($0, mark) { wanted = 1; next }
    wanted && /^ *```/ { if (inside) exit; inside = 1; next }
    inside { sub(/^   /, ""); print }' "$cred_readme"
}

# The text of a refusal, as the README has it.
text_of() {  # NUMBER
  awk -F ' *[|] *' -v number="$1" '$2 == number { print $3; found = 1 } END { exit !found }' "$cred_readme" ||
    printf 'README.md has no refusal %s' "$1"
}

# Slurm's own plugins in a directory that may be written to, at the same place.
private_plugin_dir() {
  plugin_dir=$(scontrol show config | sed -n 's/^PluginDir *= //p')
  mkdir "$work/plugins"
  cp -a "$plugin_dir"/*.so* "$work/plugins/"
  mount --bind "$work/plugins" "$plugin_dir"
}

restart_slurm() {
  "$CLUSTER_CTL" stop slurmd
  "$CLUSTER_CTL" restart slurmctld
  "$CLUSTER_CTL" start slurmd
}

configure_ed25519() {
  sed -i '/^CredType=/d' /etc/slurm/slurm.conf
  readme_block slurm.conf >>/etc/slurm/slurm.conf
}

# What a daemon has logged since mark_logs.
mark_logs() {
  local name
  for name in slurmctld slurmd; do wc -c <"$CLUSTER_DIR/log/$name.log" >"$work/$name.mark"; done
}
logged() { logged_within 20 "$@"; }  # DAEMON TEXT
logged_within() {  # SECONDS DAEMON TEXT
  local until=$((SECONDS + $1))
  while ((SECONDS < until)); do
    if tail -c "+$(($(<"$work/$2.mark") + 1))" "$CLUSTER_DIR/log/$2.log" | grep -qF -- "$3"; then return 0; fi
    sleep 0.05
  done
  tail -c "+$(($(<"$work/$2.mark") + 1))" "$CLUSTER_DIR/log/$2.log"
  return 1
}

clean_up() {
  scancel -u alice >/dev/null 2>&1 || true
  if [[ ${plugin_dir:-} ]]; then umount -l "$plugin_dir" || true; fi
  rm -rf "$work"
}
trap clean_up EXIT
