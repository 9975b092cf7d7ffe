#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The inside of a private cluster: the namespace's init (inside.sh init, started
# by cluster.sh), and starting and stopping of its daemons (start, stop, restart).

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
readonly top=/run/cluster
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$here/common.sh"
# shellcheck source-path=SCRIPTDIR source=files.sh
. "$here/files.sh"

# --- mounts: what inside differs from the host -------------------------------

# /tmp and /run are empty inside; what the run needs of the host's is bound back.
private_with_binds() {
  local where=$1 new=$2 path inner
  mkdir -p "$new"
  mount -t tmpfs -o "mode=${3}" tmpfs "$new"
  while IFS= read -r path; do
    [[ $path == "$where"/* ]] || continue
    if [[ ! -d $path && ${path%/*} != "$where" ]]; then path=${path%/*}; fi
    inner=$new/${path#"$where"/}
    mountpoint -q "$inner" && continue
    if [[ -d $path ]]; then mkdir -p "$inner"; else : >"$inner"; fi
    mount --rbind "$path" "$inner"
  done <<<"$OPT_BIND"
  mount --rbind "$new" "$where"
  umount -l "$new"
}

private_dev() {
  local new=$1 node
  mkdir -p "$new"
  mount -t tmpfs -o mode=755 tmpfs "$new"
  for node in null zero full random urandom tty; do cp -a "/dev/$node" "$new/$node"; done
  mkdir "$new/pts" "$new/shm"
  mount -t devpts -o newinstance,gid=5,mode=620,ptmxmode=666 devpts "$new/pts"
  mount -t tmpfs -o mode=1777 tmpfs "$new/shm"
  if ((OPT_GRES)); then write_gpus "$new"; fi
  ln -s pts/ptmx "$new/ptmx"
  ln -s /proc/self/fd "$new/fd"
  ln -s /proc/self/fd/0 "$new/stdin"
  ln -s /proc/self/fd/1 "$new/stdout"
  ln -s /proc/self/fd/2 "$new/stderr"
  mount --rbind "$new" /dev
  umount -l "$new"
}

mount_all() {
  local dir=$1
  mkdir -p "$dir/root" "$dir/mnt" "$dir/etc" "$dir/log"
  chmod 755 "$dir/root" "$dir/log"
  cp -a /etc/. "$dir/etc/"
  mount --bind "$dir/etc" /etc
  mount --bind "$dir/log" /var/log
  private_dev "$dir/mnt/dev"
  mount_freezer
  # The next two hide $dir itself when it is below them, so its inside is bound first.
  mount --bind "$dir/root" /mnt
  private_with_binds /tmp "$dir/mnt/tmp" 1777
  private_with_binds /run "$dir/mnt/run" 755
  mkdir -p $top /run/sshd /run/munge
  mount --move /mnt $top
}

# --- several nodes -----------------------------------------------------------

# A network and a UTS namespace on the bridge, for as long as a process lives that does nothing else.
make_node() {
  local name=$1 host_name=$2 host=$3 pid
  unshare --net --uts sleep infinity </dev/null >/dev/null 2>&1 9>&- &
  pid=$!
  printf '%s\n' "$pid" >"$top/pid/$name"
  until [[ $(readlink "/proc/$pid/ns/uts") != $(readlink /proc/self/ns/uts) && $(<"/proc/$pid/comm") == sleep ]]; do sleep 0.01; done
  ip link add "veth-$name" type veth peer name eth0 netns "$pid"
  ip link set "veth-$name" master br0 up
  on "$name" hostname "$host_name"
  # shellcheck disable=SC2016
  on "$name" sh -c 'ip link set lo up && ip link set eth0 up && ip address add "198.51.100.$1/24" dev eth0 &&
    ip address add "2001:db8:1::$1/64" dev eth0 nodad' sh "$host" || die "no network for $name"
}

make_nodes() {
  local node=$1 number
  ip link add br0 type bridge
  ip link set br0 up
  ip address add "198.51.100.$hub_host/24" dev br0
  for ((number = 1; number <= OPT_NODES; number++)); do make_node "n$number" "${node}n$number" "$number"; done
  make_node outside outside "$outside_host"
}

# Runs a command in a node's namespaces.
on() {
  local name=$1
  shift
  [[ $name =~ ^(n[1-9]|outside)$ && -s $top/pid/$name ]] || die "no node $name"
  nsenter --target "$(<"$top/pid/$name")" --net --uts -- "$@"
}

# --- daemons -----------------------------------------------------------------

# start NAME WAIT-CONDITION COMMAND...: in a session of its own, log in $top/log.
start() {
  local name=$1 ready=$2 pid tries
  shift 2
  setsid "$@" </dev/null >>"$top/log/$name.out" 2>&1 9>&- &
  pid=$!
  printf '%s\n' "$pid" >"$top/pid/$name"
  for ((tries = 0; tries < 600; tries++)); do
    if eval "$ready"; then return 0; fi
    if ! kill -0 "$pid" 2>/dev/null; then break; fi
    sleep 0.05
  done
  daemon_failed "$name"
}

daemon_failed() {
  local log
  printf 'cluster: %s did not start. Its log ends with:\n' "$1" >&2
  for log in "$top/log/$1.out" "$top/log/$1.log" "$top/syslog"; do
    [[ -s $log ]] || continue
    printf -- '--- %s\n' "$log" >&2
    tail -n 15 "$log" >&2
  done
  exit 1
}

running() {
  local pid stat
  [[ -s $top/pid/$1 ]] || return 1
  pid=$(<"$top/pid/$1")
  # It may end between any two looks at it; and a $(<file) that fails ends this shell, so cat.
  stat=$(cat "/proc/$pid/stat" 2>/dev/null) || return 1
  [[ $stat != *') Z '* ]]
}

start_daemon() {
  if running "$1"; then return 0; fi
  case $1 in
    rsyslogd)
      start rsyslogd '[[ -S /dev/log ]]' rsyslogd -n -i $top/pid/rsyslogd.own -f $top/conf/rsyslog.conf ;;
    munged)
      start munged '[[ -S /run/munge/munge.socket.2 ]]' setpriv --reuid munge --regid munge --clear-groups \
        munged -F --key-file=$top/munge/key --seed-file=$top/munge/seed --pid-file=$top/munge/pid \
        --log-file=$top/munge/log ;;
    slurmctld) start slurmctld 'scontrol ping 2>/dev/null | grep -q UP' slurmctld -D -i ;;
    slurmd) start slurmd 'ready_node' slurmd -D ;;
    sshd) start sshd "[[ -s $top/pid/sshd.own ]]" /usr/sbin/sshd -D -f $top/conf/sshd_config ;;
    # It refuses to run as root or as SlurmUser. SLURM_JWT=daemon: each request brings its own token. Without -s it wants
    # slurmdbd.
    slurmrestd)
      start slurmrestd "(: </dev/tcp/127.0.0.1/$rest_port) 2>/dev/null" setpriv --reuid nobody --regid nogroup --clear-groups \
        env SLURM_JWT=daemon slurmrestd -a rest_auth/jwt -s openapi/v0.0.38 "127.0.0.1:$rest_port" ;;
    slurmd.n[1-9] | sshd.n[1-9] | slurmctld.n1) start_on "${1#*.}" "${1%.*}" ;;
    *) die "unknown daemon $1" ;;
  esac
}

# shellcheck disable=SC2153  # the environment of the run has both CLUSTER_NODE and CLUSTER_NODES
start_on() {
  local name=$1 daemon=$2 inside own
  inside=(nsenter --target "$(<"$top/pid/$name")" --net --uts --)
  own=$top/pid/$daemon.$name.own
  if [[ $daemon == slurmd ]]; then own=$top/pid/slurmd.${CLUSTER_NODE%n*}$name.own; fi
  # One that was killed has left it behind: it would make the new one count as ready at once.
  rm -f "$own"
  case $daemon in
    slurmctld) start "slurmctld.$name" 'scontrol ping 2>/dev/null | grep -q UP' "${inside[@]}" slurmctld -D -i ;;
    # Several at once: start_all looks afterwards whether they are idle.
    slurmd) start "slurmd.$name" "[[ -s $own ]]" "${inside[@]}" slurmd -D -N "${CLUSTER_NODE%n*}$name" ;;
    sshd) start "sshd.$name" "[[ -s $own ]]" "${inside[@]}" /usr/sbin/sshd -D -f "$top/conf/sshd_config.$name" ;;
  esac
}

start_all() {
  local daemon number
  local -a daemons=(rsyslogd munged slurmctld slurmd sshd)
  if ((CLUSTER_NODES > 1)); then
    daemons=(rsyslogd munged slurmctld.n1)
    for ((number = 1; number <= CLUSTER_NODES; number++)); do daemons+=("slurmd.n$number" "sshd.n$number"); done
  fi
  if ((OPT_JWT)); then daemons+=(slurmrestd); fi
  for daemon in "${daemons[@]}"; do start_daemon "$daemon"; done
  if ((CLUSTER_NODES > 1)); then
    for ((number = 0; number < 600; number++)); do
      [[ $(sinfo -h -o %t%D 2>/dev/null) == "idle$CLUSTER_NODES" ]] && return 0
      sleep 0.05
    done
    sinfo >&2 || true
    daemon_failed slurmd.n1
  fi
}

# The node has no slurmctld to be idle in when only slurmd is to be started.
ready_node() {
  if running slurmctld; then
    [[ $(sinfo -h -o %t 2>/dev/null) == @(idle|mix|alloc) ]]
  else
    [[ -s $top/pid/slurmd.own ]]
  fi
}

stop_daemon() {
  local pid tries
  running "$1" || return 0
  pid=$(<"$top/pid/$1")
  kill -TERM "$pid"
  for ((tries = 0; tries < 200; tries++)); do
    running "$1" || break
    sleep 0.05
  done
  if running "$1"; then kill -KILL "$pid"; fi
  rm -f "$top/pid/$1" "$top/pid/$1.own"
  if [[ $1 == slurmd.n* ]]; then rm -f "$top/pid/slurmd.${CLUSTER_NODE%n*}${1#*.}.own"; fi
}

# --- the namespace's init ----------------------------------------------------

init() {
  local dir=$1 node=$2
  umask 022
  ip link set lo up
  # getaddrinfo() finds nothing for slurmctld where 127.0.0.1 is the only address.
  if ((OPT_NODES == 1)); then ip address add 198.51.100.1/32 dev lo; fi
  hostname "$node"
  mount_all "$dir"
  mkdir -p $top/{log,pid,conf,spool,state,keys,munge,home,container}
  chmod 700 $top/keys
  if ((OPT_USUAL_SPOOL)); then
    mount -t tmpfs -o mode=755 tmpfs /var/spool
    mkdir /var/spool/slurmd
  fi
  write_files "$node"
  if ((OPT_NODES > 1)); then make_nodes "$node"; fi
  local name
  write_env "$node"
  for name in ${!OPT_@}; do export -n "${name?}"; done
  # shellcheck source=/dev/null
  . $top/env
  cd /
  CLUSTER_NODES=${CLUSTER_NODES:-1}
  start_all
  : >"$dir/ready"
  # init must reap what the cluster orphans, so it waits in the shell.
  while :; do sleep 3600 & wait -n || true; done
}

case ${1:-} in
  init) shift && init "$@" ;;
  start) start_daemon "$2" ;;
  stop) stop_daemon "$2" ;;
  on)
    shift
    name=${1:?node}
    shift
    if [[ ${1:-} == -- ]]; then shift; fi
    [[ $name =~ ^(n[1-9]|outside)$ && -s $top/pid/$name ]] || die "no node $name"
    exec nsenter --target "$(<"$top/pid/$name")" --net --uts -- "$@"
    ;;
  restart) stop_daemon "$2" && start_daemon "$2" ;;
  *) die "usage: inside.sh start|stop|restart DAEMON, or inside.sh on NODE -- COMMAND [ARG...]" ;;
esac
