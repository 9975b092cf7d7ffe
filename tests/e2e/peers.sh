#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Does "slurm-adopt check" see whether the slurmd of other nodes can be reached, and which one not? On three nodes:
#
#   tests/cluster/cluster.sh run --nodes 3 --bind $PWD/build -- env SLURM_ADOPT_BUILD=$PWD/build tests/e2e/peers.sh
#
# One line per check, "ok ..." or "not ok ..."; the exit code is 0 only if every check is ok.

set -euo pipefail

die() {
  printf 'peers: %s\n' "$*" >&2
  exit 2
}

[[ -d ${CLUSTER_DIR:-} && ${CLUSTER_NODES:-1} == 3 && ${CLUSTER_KEPT:-} == 0 ]] || die "run me inside tests/cluster/cluster.sh --nodes 3"
type -P nft >/dev/null || die "nftables is not installed"
build=$(realpath -e "${SLURM_ADOPT_BUILD:?is not set to the build directory}")
readonly build
checks=0 failed=0
work=$(mktemp -d)
readonly work
trap 'rm -rf "$work"' EXIT

# Where the program looks for its helper; in the cluster's mount namespace, which ends with it.
mount -t tmpfs -o mode=755 tmpfs /usr/local
install -D "$build/src/slurm-adopt-helper" /usr/local/libexec/slurm-adopt/slurm-adopt-helper

# says NODE STATUS CHECK TEXT: what check says there, and that it does not take long.
says() {
  local good=0 begin=$SECONDS
  checks=$((checks + 1))
  "$CLUSTER_CTL" on "$1" -- "$build/src/slurm-adopt" check >"$work/out" 2>&1 || true
  if grep -E "^$2 +${3//./\\.} " "$work/out" | grep -qF -- "$4" && ((SECONDS - begin <= 8)); then good=1; fi
  if ((good)); then
    printf 'ok %d - %s: %s %s: %s\n' "$checks" "$1" "$2" "$3" "$4"
  else
    printf 'not ok %d - %s: %s %s: %s (%d s)\n' "$checks" "$1" "$2" "$3" "$4" $((SECONDS - begin))
    sed 's/^/#   /' "$work/out"
    failed=$((failed + 1))
  fi
}
fix_is() {
  checks=$((checks + 1))
  if awk '$2 == "slurm.peers" {getline; print}' "$work/out" | grep -qF -- "$1"; then
    printf 'ok %d - and its fix says: %s\n' "$checks" "$1"
  else
    printf 'not ok %d - its fix does not say: %s\n' "$checks" "$1"
    failed=$((failed + 1))
  fi
}

says n1 OK slurm.conf 'nodes in it: 3'
says n1 OK slurm.node "this is node $CLUSTER_NODE1, NodeAddr 198.51.100.1"
says n2 OK slurm.node "this is node $CLUSTER_NODE2, NodeAddr 198.51.100.2"
says n1 OK slurm.slurmd-port 'port 6818'
says n1 OK slurm.peers '2 other nodes'
"$CLUSTER_CTL" stop slurmd.n2
says n1 WARN slurm.peers "$CLUSTER_NODE2 (198.51.100.2 port 6818): nothing listens"
says n2 WARN slurm.slurmd-port 'nothing listens on port 6818'
"$CLUSTER_CTL" start slurmd.n2
says n1 OK slurm.peers '2 other nodes'
"$CLUSTER_CTL" on n3 -- nft -f - <<'END'
table inet closed { chain input { type filter hook input priority 0; tcp dport 6818 drop; }; }
END
says n1 WARN slurm.peers "$CLUSTER_NODE3 (198.51.100.3 port 6818): no answer"
fix_is 'let TCP to port 6818 of every node through the firewalls'
"$CLUSTER_CTL" on n3 -- nft delete table inet closed
says n1 OK slurm.peers '2 other nodes'
says outside WARN slurm.node "no node with this host's name"

printf '%d checks, %d failed\n' "$checks" "$failed"
((failed == 0))
