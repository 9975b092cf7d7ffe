#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A private Slurm (munge, slurmctld, slurmd, sshd, syslog) of one node or several in
# namespaces of its own, for as long as one command runs. Nothing on the host changes: all
# files live in one temporary directory, all processes in one pid namespace, and
# the only things outside are the cgroups of the jobs, removed at the end.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$here/common.sh"

usage() {
  cat <<'USAGE'
usage: cluster.sh run [OPTION...] -- COMMAND [ARG...]
       cluster.sh list
       cluster.sh exec NODE -- COMMAND [ARG...]
       cluster.sh stop NODE | --all
       cluster.sh packages [PACKAGE...]

run starts a private Slurm cluster, runs COMMAND inside its namespaces
and returns COMMAND's exit code. Needs root.

  --nodes N                1 (the default) to 9 nodes. With several, each has its
                           own network and UTS namespace, on one bridge: see below
  --cpus N                 CPUs that slurm.conf declares (default 64)
  --memory MB              memory that slurm.conf declares (default 1048576)
  --users N                N more users, load1 to loadN, each with the rights of
                           alice (default 0, with several nodes 20)
  --module PATH.so         put "account required PATH.so strict
                           action_no_jobs=deny" into the
                           cluster's /etc/pam.d/sshd
  --tmpfs                  give every job a private /tmp (job_container/tmpfs)
  --x11                    X11 forwarding for jobs (PrologFlags=contain,x11)
  --gres                   two GPUs a node, /dev/fake-gpu0 and /dev/fake-gpu1, which any process can read, and a job
                           only those it was given (ConstrainDevices=yes)
  --jwt                    tokens (AuthAltTypes=auth/jwt) beside munge, and slurmrestd
                           on loopback where COMMAND runs
  --usual-spool            slurmd's sockets where Slurm has them by default,
                           /var/spool/slurmd (one node)
  --slurm-conf-extra FILE  lines to append to slurm.conf
  --bind DIR               keep DIR visible inside although it is below /tmp or
                           /run; the project, the working directory and the
                           paths given here and in COMMAND are kept anyway
  --logs DIR               copy the daemons' logs to DIR at the end
  --no-install             fail rather than apt-get install what is missing
  --keep                   leave the cluster up when COMMAND is done; see list,
                           exec and stop

COMMAND has the environment of the caller, and the file that SLURM_ADOPT_FAULT_ROWS
names, if set, is visible inside. It finds in its environment: CLUSTER_DIR CLUSTER_NODE CLUSTER_SPOOL
CLUSTER_SYSLOG CLUSTER_SSH_PORT CLUSTER_KEYS CLUSTER_CTL CLUSTER_KEPT (0 or 1)
SLURM_CONF; with --jwt also CLUSTER_JWT_KEY, the file with the key, and CLUSTER_REST, slurmrestd's address. Users: alice,
bob and carol, and adm of the group admins; the key of each is $CLUSTER_KEYS/USER,
the password USER-password. "ssh USER@node" works as it stands.
"$CLUSTER_CTL" start|stop|restart slurmd|slurmctld|sshd|munged|rsyslogd|slurmrestd.

With --nodes 2 or more: the nodes are $CLUSTER_NODE1, $CLUSTER_NODE2 ... (n1, n2 ...
for ssh; 198.51.100.1, .2 ... and 2001:db8:1::1 ...), CLUSTER_NODE is the first one,
CLUSTER_SPOOL has a directory for each node. slurmctld runs on the first. Another
network namespace, "outside", is 198.51.100.100 and no node; COMMAND itself runs at
198.51.100.254. All users have their own key as ~/.ssh/USER. The daemons of a node are slurmd.n1, sshd.n1 ...
"$CLUSTER_CTL" on n2|outside -- COMMAND [ARG...] runs in its namespaces.
USAGE
}

main() {
  local verb=${1:-help}
  shift || true
  case $verb in
    run) cmd_run "$@" ;;
    list) cmd_list ;;
    exec) cmd_exec "$@" ;;
    stop) cmd_stop "$@" ;;
    packages) need_root && install_packages "${cluster_packages[@]}" "$@" ;;
    janitor) cmd_janitor "$@" ;;
    remove-cgroups) remove_cgroups "$@" ;;
    thaw-cgroups) thaw_cgroups "$@" ;;
    help | -h | --help) usage ;;
    *) usage >&2 && exit 64 ;;
  esac
}

cmd_run() {
  local nodes=1 cpus=64 memory=1048576 users='' module='' extra='' logs='' keep=0 tmpfs=0 x11=0 gres=0 jwt=0 install=1 usual_spool=0
  local -a bind=()
  while (($#)); do
    case $1 in
      --nodes) nodes=$2 && shift 2 ;;
      --cpus) cpus=$2 && shift 2 ;;
      --memory) memory=$2 && shift 2 ;;
      --users) users=$2 && shift 2 ;;
      --module) module=$(realpath -e "$2") && shift 2 ;;
      --slurm-conf-extra) extra=$(realpath -e "$2") && shift 2 ;;
      --bind) bind+=("$(realpath -e "$2")") && shift 2 ;;
      --logs) mkdir -p "$2" && logs=$(realpath -e "$2") && shift 2 ;;
      --tmpfs) tmpfs=1 && shift ;;
      --x11) x11=1 && shift ;;
      --gres) gres=1 && shift ;;
      --jwt) jwt=1 && shift ;;
      --usual-spool) usual_spool=1 && shift ;;
      --keep) keep=1 && shift ;;
      --no-install) install=0 && shift ;;
      -h | --help) usage && return 0 ;;
      --) shift && break ;;
      *) die "unknown option $1 (see --help)" ;;
    esac
  done
  (($#)) || die "no command given (see --help)"
  [[ $cpus =~ ^[1-9][0-9]*$ && $memory =~ ^[1-9][0-9]*$ ]] || die "--cpus and --memory take a number"
  [[ $nodes =~ ^[1-9]$ ]] || die "--nodes takes a number from 1 to 9"
  [[ $users ]] || users=$((nodes > 1 ? 20 : 0))
  [[ $users =~ ^[0-9]{1,3}$ ]] || die "--users takes a number below 1000"
  need_root
  local -a packages=("${cluster_packages[@]}")
  if ((jwt)); then packages+=("${jwt_packages[@]}"); fi
  if ((install)); then install_packages "${packages[@]}"; fi
  sweep

  bind+=("$(realpath "$here/../..")" "$PWD" "$module" "$extra" "$logs")
  local argument
  for argument in "$@"; do
    [[ $argument == /* && -e $argument ]] && bind+=("$(realpath "$argument")")
  done
  # Where the tests of faults report to (tests/support/fault_table.h). A file that is not there cannot be bound.
  if [[ ${SLURM_ADOPT_FAULT_ROWS:-} ]]; then
    : >>"$SLURM_ADOPT_FAULT_ROWS"
    SLURM_ADOPT_FAULT_ROWS=$(realpath "$SLURM_ADOPT_FAULT_ROWS")
    bind+=("$SLURM_ADOPT_FAULT_ROWS")
  fi

  # The lock is what says that a cluster lives: the namespace's init inherits it
  # and nobody else keeps it, so it is free as soon as everything inside is dead.
  local dir node outer='' signalled=0 signal
  for signal in INT:130 TERM:143 HUP:129 QUIT:131; do
    # shellcheck disable=SC2064
    trap "signalled=${signal#*:}; kill_cluster \"\$outer\" \"\$node\"" "${signal%:*}"
  done
  dir=$(mktemp -d "$cluster_parent/$cluster_prefix.XXXXXX")
  node=$(free_node_name)
  exec 9>"$dir/lock"
  flock -x 9
  printf '%s\n' "$node" >"$dir/node"
  if ((keep)); then : >"$dir/keep"; fi
  setsid bash "$here/cluster.sh" janitor "$dir" "$node" $$ "$(start_time $$)" 9>&- </dev/null >/dev/null 2>&1 &
  local janitor=$!

  OPT_KEEP=$keep OPT_NODES=$nodes OPT_USERS=$users OPT_CPUS=$cpus OPT_MEMORY=$memory OPT_MODULE=$module OPT_EXTRA=$extra OPT_TMPFS=$tmpfs OPT_X11=$x11 OPT_GRES=$gres OPT_JWT=$jwt OPT_USUAL_SPOOL=$usual_spool \
    OPT_BIND=$(printf '%s\n' "${bind[@]}") \
    exec_private "$keep" "$dir" "$node" </dev/null >"$dir/out" 2>&1 &
  outer=$!
  exec 9>&-
  printf '%s %s\n' "$outer" "$(start_time "$outer")" >"$dir/pid" || true
  # A signal that came before there was anything to kill.
  if ((signalled)); then kill_cluster "$outer" "$node"; fi

  local rc=1
  while [[ ! -e $dir/ready ]] && kill -0 "$outer" 2>/dev/null; do sleep 0.05; done
  if [[ -e $dir/ready ]]; then
    rc=0
    (enter "$dir" "$PWD" "$@") <&0 &
    local command=$!
    wait "$command" || rc=$?
    # A trapped signal interrupts wait; the second one collects what it killed.
    if ((signalled)); then wait "$command" 2>/dev/null || true; fi
    if [[ $logs ]]; then cp -a "$dir"/root/{log/.,syslog} "$dir/etc/slurm/slurm.conf" "$logs/" || true; fi
    if ((keep && !signalled)); then return "$rc"; fi
  elif ((!signalled)); then
    cat "$dir/out" >&2
  fi
  trap '' INT TERM HUP QUIT
  kill_cluster "$outer" "$node"
  wait "$outer" "$janitor" 2>/dev/null || true
  if ((signalled)); then rc=$signalled; fi
  return "$rc"
}

# Replaces this (background) shell. Killing any of the chain, from the outermost,
# kills the namespace's init and so everything inside. A kept cluster outlives us.
exec_private() {
  local keep=$1 dir=$2 node=$3 cpus
  local -a tie=(setpriv --pdeathsig KILL)
  if ((keep)); then tie=(setsid); fi
  # A job's mount namespace can be kept in a file only if its number is higher than that of the namespace around
  # (EINVAL otherwise), and newer kernels (seen on 6.18) number them per CPU: so all of them are made on one.
  if ((OPT_TMPFS)); then
    cpus=$(awk '/^Cpus_allowed_list:/ { print $2 }' /proc/self/status)
    tie+=(taskset --cpu-list "${cpus%%[,-]*}")
  fi
  exec "${tie[@]}" unshare --mount --pid --fork --kill-child=KILL --mount-proc --net --uts --ipc -- \
    bash "$here/inside.sh" init "$dir" "$node"
}

# Replaces this shell by a command inside the cluster.
enter() {
  local init
  init=$(cluster_init "$1") || die "the cluster is not running any more"
  # shellcheck disable=SC2016
  exec env --default-signal=INT,QUIT nsenter --target "$init" --mount --uts --ipc --net --pid -- \
    bash -c '. /run/cluster/env; cd "$1" 2>/dev/null || cd /; shift; exec "$@"' bash "${@:2}"
}

# Removes the cluster when it is dead, and ends it when its starter died of SIGKILL.
cmd_janitor() {
  local dir=$1 node=$2 starter=$3 since=$4 outer
  trap '' INT TERM HUP
  exec 8<"$dir/lock"
  until flock -x -w 1 8; do
    if [[ ! -e $dir/keep && $(start_time "$starter") != "$since" ]]; then
      outer=$(awk '{print $1}' "$dir/pid") && kill_cluster "$outer" "$node"
    fi
  done
  remove_cluster "$dir" "$node"
}

cmd_list() {
  local dir
  for dir in "$cluster_parent/$cluster_prefix".??????; do
    is_cluster "$dir" && cluster_init "$dir" >/dev/null && cat "$dir/node"
  done
  return 0
}

cmd_exec() {
  local node=${1:?node} dir
  shift
  if [[ ${1:-} == -- ]]; then shift; fi
  need_root
  dir=$(find_cluster "$node") || die "no cluster $node is running"
  enter "$dir" / "${@:-bash}"
}

cmd_stop() {
  local dir
  need_root
  [[ ${1:-} ]] || die "stop what? a node's name or --all"
  for dir in "$cluster_parent/$cluster_prefix".??????; do
    is_cluster "$dir" || continue
    [[ $1 == --all || $1 == "$(<"$dir/node")" ]] || continue
    local init node
    node=$(<"$dir/node")
    if init=$(cluster_init "$dir"); then kill -KILL "$init"; fi
    local _
    for _ in {1..100}; do
      [[ -d $dir ]] || break
      sleep 0.1
    done
    sweep
    [[ ! -d $dir ]] || die "cluster $node is still there: $dir"
  done
}

main "$@"
