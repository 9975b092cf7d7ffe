# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What cluster.sh needs outside the namespaces: packages, the list of clusters,
# and removing what a finished or killed one left.
# shellcheck disable=SC2154  # here is cluster.sh's

readonly cluster_parent=/var/tmp
readonly cluster_prefix=slurm-adopt-cluster
# shellcheck disable=SC2034
readonly cluster_packages=(slurmctld slurmd slurm-client munge openssh-server openssh-client rsyslog
  iproute2 util-linux procps)
# shellcheck disable=SC2034
readonly jwt_packages=(slurm-wlm-jwt-plugin slurmrestd)

die() {
  printf 'cluster: %s\n' "$*" >&2
  exit 1
}

need_root() {
  ((EUID == 0)) || die "needs root"
}

# Installs what is missing. Daemons are not started: they run inside only. In a shell of its own, which takes its policy away
# again however it ends.
install_packages() (
  missing=()
  for package in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  printf 'installing: %s\n' "${missing[*]}" >&2
  log=$(mktemp)
  made=("$log")
  trap 'rm -f "${made[@]}"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  if [[ ! -e /usr/sbin/policy-rc.d ]]; then
    made+=(/usr/sbin/policy-rc.d)
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
  fi
  if ! { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
    "${missing[@]}"; } </dev/null >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    die "cannot install ${missing[*]}"
  fi
)

start_time() {
  # Field 22 of /proc/PID/stat; the name in field 2 may hold blanks.
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1  # not $(<file): one that fails ends this shell
  stat=${stat##*) }
  local -a field
  read -ra field <<<"$stat"
  printf '%s\n' "${field[19]}"
} 2>/dev/null

free_node_name() {
  local number=$$
  while [[ -n $(node_cgroups "sa$number") ]]; do number=$((number + 1)); done
  printf 'sa%s\n' "$number"
}

is_cluster() {
  [[ -d $1 && ! -L $1 && -O $1 && -f $1/lock && -f $1/node ]] && [[ $(<"$1/node") =~ ^sa[0-9]+$ ]]
}

find_cluster() {
  local dir
  for dir in "$cluster_parent/$cluster_prefix".??????; do
    if is_cluster "$dir" && [[ $(<"$dir/node") == "$1" ]]; then
      printf '%s\n' "$dir"
      return 0
    fi
  done
  return 1
}

# The pid of the namespace's init as the host sees it, if the cluster is alive.
cluster_init() {
  local outer since init
  read -r outer since <"$1/pid" || return 1
  [[ $(start_time "$outer") == "$since" ]] || return 1
  init=$(child_of "$outer") || return 1
  [[ $init ]] && printf '%s\n' "$init"
} 2>/dev/null

child_of() {
  ps -o pid= --ppid "$1" | head -n 1 | tr -d ' '
}

# kill_cluster OUTER NODE: kills the namespace's init, so that unshare is there to reap it, or unshare.
kill_cluster() {
  local init
  [[ $1 ]] || return 0
  init=$(child_of "$1") || true
  kill -KILL "${init:-$1}" || true
  # A process that a test has frozen cannot die, and init waits for it.
  unshare --mount bash "$here/cluster.sh" thaw-cgroups "$2" || true
} 2>/dev/null

# The top cgroups of the jobs of a node, or of its cluster's nodes (sa123n1 ...), in every controller that Slurm uses.
node_cgroups() {
  find /sys/fs/cgroup -maxdepth 2 -type d \( -name "slurm_$1" -o -name "slurm_$1n[1-9]*" \) -prune 2>/dev/null || true
}

# Slurm keeps jobs together by the cgroup v1 freezer. Where the host has only the
# unified hierarchy, it is mounted for us alone, and the devices controller where there
# is one: --gres needs it. Call it in a private mount namespace.
mount_freezer() {
  mountpoint -q /sys/fs/cgroup/freezer && return
  mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
  mkdir /sys/fs/cgroup/freezer
  mount -t cgroup -o freezer freezer /sys/fs/cgroup/freezer || die "the kernel has no cgroup v1 freezer"
  mkdir /sys/fs/cgroup/devices
  mount -t cgroup -o devices devices /sys/fs/cgroup/devices 2>/dev/null || rmdir /sys/fs/cgroup/devices
}

thaw_cgroups() {
  local node=$1 state
  [[ $node =~ ^sa[0-9]+$ ]] || return 1
  mount_freezer
  node_cgroups "$node" | while read -r state; do
    find "$state" -name freezer.state -exec grep -lv THAWED {} +
  done | while read -r state; do echo THAWED >"$state"; done || true
}

# A cgroup is busy until the kernel has reaped the last process that was in it.
remove_cgroups() {
  local node=$1 top _
  [[ $node =~ ^sa[0-9]+$ ]] || return 1
  mount_freezer
  for _ in {1..100}; do
    node_cgroups "$node" | while read -r top; do
      find "$top" -depth -type d -exec rmdir {} + 2>/dev/null
    done || true
    [[ $(node_cgroups "$node") ]] || break
    sleep 0.1
  done
}

remove_cluster() {
  local dir=$1 node=$2
  [[ $node =~ ^sa[0-9]+$ && $dir == "$cluster_parent/$cluster_prefix".?????? ]] || return 1
  unshare --mount bash "$here/cluster.sh" remove-cgroups "$node" || true
  rm -rf --one-file-system "$dir"
}

# Removes what clusters left whose janitor was killed too. A directory without a
# node file is one that another run is just creating.
sweep() {
  local dir fd
  for dir in "$cluster_parent/$cluster_prefix".??????; do
    is_cluster "$dir" || continue
    { exec {fd}<"$dir/lock"; } 2>/dev/null || continue
    if flock -n -x "$fd" && is_cluster "$dir"; then remove_cluster "$dir" "$(<"$dir/node")"; fi
    exec {fd}<&-
  done
}
