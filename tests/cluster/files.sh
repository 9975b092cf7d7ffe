# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The configuration files of a private cluster; sourced by inside.sh.
# shellcheck disable=SC2154  # here and top are inside.sh's

readonly ssh_port=2222 rest_port=6820
cluster_users=(alice:2001:alice bob:2002:bob carol:2003:carol adm:2004:admins)

# Of a cluster with several nodes; the host part of 198.51.100.0/24 and 2001:db8:1::/64.
readonly hub_host=254 outside_host=100

write_files() {
  local node=$1 user
  for ((user = 1; user <= OPT_USERS; user++)); do cluster_users+=("load$user:$((2100 + user)):load$user"); done
  write_users
  write_munge
  write_rsyslog
  write_slurm "$node"
  if ((OPT_JWT)); then write_jwt; fi
  if ((OPT_GRES)); then write_gres; fi
  write_sshd "$node"
  if ((OPT_NODES > 1)); then write_several "$node"; fi
}

spool_of_node() {
  if ((OPT_USUAL_SPOOL)); then echo /var/spool/slurmd; else echo "$top/spool"; fi
}

write_env() {
  cat >"$top/env" <<END
export CLUSTER_DIR=$top CLUSTER_NODE=$1 CLUSTER_SPOOL=$(spool_of_node) CLUSTER_SYSLOG=$top/syslog
export CLUSTER_SSH_PORT=$ssh_port CLUSTER_KEYS=$top/keys CLUSTER_CTL=$here/inside.sh CLUSTER_KEPT=$OPT_KEEP
export SLURM_CONF=/etc/slurm/slurm.conf HOME=$top/home/root
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
END
  if ((OPT_JWT)); then
    printf 'export CLUSTER_JWT_KEY=%s CLUSTER_REST=127.0.0.1:%s\n' "$top/conf/jwt.key" "$rest_port" >>"$top/env"
  fi
  if ((OPT_NODES > 1)); then
    local number
    printf 'export CLUSTER_NODE=%sn1 CLUSTER_NODES=%s\n' "$1" "$OPT_NODES"
    for ((number = 1; number <= OPT_NODES; number++)); do printf 'export CLUSTER_NODE%s=%sn%s\n' "$number" "$1" "$number"; done
  fi >>"$top/env"
}

write_users() {
  local entry user uid group
  local -a names=()
  for entry in "${cluster_users[@]}"; do
    IFS=: read -r user uid group <<<"$entry"
    # Whoever has the name or the number on the host is not there inside.
    sed -i "/^$user:/d; /^[^:]*:[^:]*:$uid:/d" /etc/passwd
    sed -i "/^$group:/d; /^[^:]*:[^:]*:$uid:/d" /etc/group
    sed -i "/^$user:/d" /etc/shadow
    printf '%s:x:%s:%s::%s:/bin/bash\n' "$user" "$uid" "$uid" "$top/home/$user" >>/etc/passwd
    printf '%s:x:%s:\n' "$group" "$uid" >>/etc/group
    printf '%s:*:19000:0:99999:7:::\n' "$user" >>/etc/shadow
    install -d -m 700 -o "$uid" -g "$uid" "$top/home/$user"
    names+=("$user")
  done
  # root's own home is the host's: nothing is read from it or written to it.
  sed -i "s|^\(root:[^:]*:0:[^:]*:[^:]*:\)[^:]*:|\1$top/home/root:|" /etc/passwd
  install -d -m 700 "$top/home/root"
  printf '%s\n' "${names[@]}" | sed 's/.*/&:&-password/' | chpasswd -c SHA512
  mkdir -p "$top/authorized"
  for user in "${names[@]}" root; do
    ssh-keygen -q -t ed25519 -N '' -C "$user" -f "$top/keys/$user"
    cp "$top/keys/$user.pub" "$top/authorized/$user"
  done
}

write_munge() {
  head -c 128 /dev/urandom >"$top/munge/key"
  chmod 400 "$top/munge/key"
  chown -R munge: "$top/munge" /run/munge
}

write_rsyslog() {
  cat >"$top/conf/rsyslog.conf" <<END
global(maxMessageSize="8k" workDirectory="$top/conf")
module(load="imuxsock" SysSock.Name="/dev/log" SysSock.RateLimit.Interval="0" SysSock.UsePIDFromSystem="off")
template(name="line" type="string"
  string="%timegenerated:::date-rfc3339% %syslogfacility-text%.%syslogseverity-text% %syslogtag%%msg:::sp-if-no-1st-sp%%msg:::drop-last-lf%\n")
*.* action(type="omfile" file="$top/syslog" template="line")
END
  : >"$top/syslog"
}

write_slurm() {
  local node=$1 prolog=contain
  if ((OPT_X11)); then prolog=contain,x11; fi
  mkdir -p /etc/slurm
  rm -rf /etc/slurm/*
  cat >/etc/slurm/slurm.conf <<END
ClusterName=$node
SlurmctldHost=$node(127.0.0.1)
SlurmUser=root
SlurmdSpoolDir=$(spool_of_node)
StateSaveLocation=$top/state
SlurmctldPidFile=$top/pid/slurmctld.own
SlurmdPidFile=$top/pid/slurmd.own
SlurmctldLogFile=$top/log/slurmctld.log
SlurmdLogFile=$top/log/slurmd.log
SlurmctldDebug=verbose
SlurmdDebug=verbose
AuthType=auth/munge
CredType=cred/munge
MailProg=/bin/true
MpiDefault=none
ProctrackType=proctrack/cgroup
TaskPlugin=task/cgroup
PrologFlags=$prolog
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerNode=512
SchedulerType=sched/builtin
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=1000
PriorityType=priority/basic
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
KillWait=2
CompleteWait=0
InactiveLimit=0
ReturnToService=2
SwitchType=switch/none
NodeName=$node NodeAddr=127.0.0.1 CPUs=$OPT_CPUS RealMemory=$OPT_MEMORY State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
END
  cat >/etc/slurm/cgroup.conf <<END
CgroupAutomount=no
CgroupPlugin=cgroup/v1
ConstrainRAMSpace=$(constrain_memory)
ConstrainCores=no
ConstrainDevices=no
END
  if ((OPT_TMPFS)); then
    printf 'JobContainerType=job_container/tmpfs\n' >>/etc/slurm/slurm.conf
    printf 'AutoBasePath=true\nBasePath=%s\n' "$top/container" >/etc/slurm/job_container.conf
  fi
  if [[ $OPT_EXTRA ]]; then cat "$OPT_EXTRA" >>/etc/slurm/slurm.conf; fi
}

# The numbers of /dev/zero and /dev/full: both can be read, and a job that may not gets on without them. The devices
# cgroup knows numbers, not names, so each GPU needs its own.
write_gpus() {
  mknod -m 666 "$1/fake-gpu0" c 1 5
  mknod -m 666 "$1/fake-gpu1" c 1 7
}

write_gres() {
  [[ -e /sys/fs/cgroup/devices/devices.allow ]] || die "--gres: the kernel has no cgroup v1 devices controller"
  sed -i -e 's/^NodeName=.* NodeAddr=[^ ]*/& Gres=gpu:2/' -e '1i GresTypes=gpu' /etc/slurm/slurm.conf
  sed -i 's/^ConstrainDevices=.*/ConstrainDevices=yes/' /etc/slurm/cgroup.conf
  printf 'AutoDetect=off\nName=gpu File=/dev/fake-gpu[0-1]\n' >/etc/slurm/gres.conf
}

write_jwt() {
  # Made private before there is anything in it.
  install -m 600 /dev/null "$top/conf/jwt.key"
  head -c 32 /dev/urandom >"$top/conf/jwt.key"
  printf 'AuthAltTypes=auth/jwt\nAuthAltParameters=jwt_key=%s\n' "$top/conf/jwt.key" >>/etc/slurm/slurm.conf
}

constrain_memory() {
  if [[ -e /sys/fs/cgroup/memory/memory.limit_in_bytes ]]; then echo yes; else echo no; fi
}

write_sshd() {
  local node=$1
  printf '127.0.0.1 localhost %s node\n::1 localhost\n' "$node" >/etc/hosts
  ssh-keygen -q -t ed25519 -N '' -C "$node" -f "$top/conf/host_key"
  cat >"$top/conf/sshd_config" <<END
Port $ssh_port
ListenAddress 127.0.0.1
HostKey $top/conf/host_key
PidFile $top/pid/sshd.own
AuthorizedKeysFile $top/authorized/%u
UsePAM yes
PasswordAuthentication yes
KbdInteractiveAuthentication yes
PermitRootLogin prohibit-password
LogLevel VERBOSE
MaxStartups 200
MaxSessions 100
UseDNS no
X11Forwarding no
PrintMotd no
PrintLastLog no
Subsystem sftp internal-sftp
END
  if grep -q ' lo$' /proc/net/if_inet6 2>/dev/null; then
    sed -i '/^ListenAddress/a ListenAddress ::1' "$top/conf/sshd_config"
  fi
  printf 'node %s\n' "$(<"$top/conf/host_key.pub")" >/etc/ssh/ssh_known_hosts
  # The client's default key exchange costs a slow machine more than the login.
  cat >/etc/ssh/ssh_config <<END
Host node $node localhost 127.0.0.1 ::1
  Port $ssh_port
  HostKeyAlias node
  IdentityFile $top/keys/%r
  IdentitiesOnly yes
  KexAlgorithms curve25519-sha256
  StrictHostKeyChecking yes
  UserKnownHostsFile /dev/null
END
  cat >/etc/pam.d/sshd <<END
auth     required pam_unix.so
account  required pam_nologin.so
account  required pam_unix.so
${OPT_MODULE:+account  required $OPT_MODULE strict action_no_jobs=deny}
session  required pam_env.so
session  required pam_unix.so
END
}

# What is different with several nodes.
write_several() {
  local node=$1 number entry user uid group
  local conf=/etc/slurm/slurm.conf
  sed -i -e "s|^SlurmctldHost=.*|SlurmctldHost=${node}n1(198.51.100.1)|" \
    -e "s|^SlurmdSpoolDir=.*|SlurmdSpoolDir=$top/spool/%n|" \
    -e "s|^SlurmdPidFile=.*|SlurmdPidFile=$top/pid/slurmd.%n.own|" \
    -e '1i # Hundreds of logins at once, on two cores.\nMessageTimeout=60' \
    -e "s|^SlurmdLogFile=.*|SlurmdLogFile=$top/log/slurmd.%n.log|" \
    -e "s|^NodeName=$node NodeAddr=[^ ]*|NodeName=${node}n[1-$OPT_NODES] NodeAddr=198.51.100.[1-$OPT_NODES]|" $conf
  printf 'SlurmctldParameters=enable_configless\nCommunicationParameters=EnableIPv6\n' >>$conf

  printf '127.0.0.1 localhost\n::1 localhost\n' >/etc/hosts
  for ((number = 1; number <= OPT_NODES; number++)); do
    mkdir -p "$top/spool/${node}n$number"
    printf '%s %s\n' "198.51.100.$number" "${node}n$number n$number" "2001:db8:1::$number" "${node}n$number n$number" >>/etc/hosts
    if ((number == 1)); then sed -i 's/ n1$/ n1 node/' /etc/hosts; fi
    sed -e "s|^PidFile .*|PidFile $top/pid/sshd.n$number.own|" -e '/^ListenAddress ::1/d' \
      -e "s|^ListenAddress .*|ListenAddress 198.51.100.$number\nListenAddress 2001:db8:1::$number|" \
      "$top/conf/sshd_config" >"$top/conf/sshd_config.n$number"
  done
  printf '%s\n' "198.51.100.$outside_host outside" "198.51.100.$hub_host hub" >>/etc/hosts
  sed -i -e "s|^Host .*|Host node n? ${node}n? 198.51.100.? 2001:db8:1::?|" -e 's|^  IdentityFile .*|&\n  IdentityFile ~/.ssh/%r\n  AddressFamily inet|' \
    /etc/ssh/ssh_config
  for entry in "${cluster_users[@]}"; do
    IFS=: read -r user uid group <<<"$entry"
    install -d -m 700 -o "$uid" -g "$uid" "$top/home/$user/.ssh"
    install -m 600 -o "$uid" -g "$uid" "$top/keys/$user" "$top/home/$user/.ssh/$user"
  done
}
