#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Makes a compute node of the machine: our packages installed over Slurm's, users with keys and passwords, a Slurm of this one node.
set -euo pipefail

guest=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$guest/common.sh"

install_packages
# On a writable disk of root's, like any other module.
install -D -m 644 /mnt/other.so /opt/other/pam_slurm_adopt.so

# slurmctld and slurmd want an address of the node that is not the loopback's.
ip link add vm0 type dummy
ip address add 198.51.100.1/24 dev vm0
ip link set vm0 up
hostname vm

mkdir -p "$debian_pam" /root/.ssh
cp /etc/pam.d/sshd /etc/pam.d/common-session /etc/pam.d/common-account "$debian_pam/"
ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
cp /root/.ssh/id_ed25519.pub /root/.ssh/authorized_keys
for user in alice bob; do
  useradd --create-home --shell /bin/bash "$user"
  echo "$user:$user-password" | chpasswd
  install -d -m 700 -o "$user" -g "$user" "/home/$user/.ssh"
  install -m 600 -o "$user" -g "$user" /root/.ssh/id_ed25519.pub "/home/$user/.ssh/authorized_keys"
done
# The client only: what the server offers is Debian's business. An emulated processor is slow at the default ones.
cat >/root/.ssh/config <<'END'
Host *
  StrictHostKeyChecking accept-new
  LogLevel ERROR
  ConnectTimeout 120
  KexAlgorithms curve25519-sha256
  Ciphers aes128-ctr
END
mkdir -p /etc/ssh/sshd_config.d
printf 'MaxStartups 100\nPerSourcePenalties no\nLoginGraceTime 250\n' >/etc/ssh/sshd_config.d/vm.conf

install -d -o slurm -g slurm /var/spool/slurmctld /var/log/slurm
install -d /var/spool/slurmd
write_slurm_conf
systemctl start munge slurmctld slurmd ssh
eventually 120 node_is_ready
# From now on the client knows its host, and has nothing to say of it.
eventually 120 login root true
