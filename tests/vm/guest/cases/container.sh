# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Jobs with a /tmp of their own: job_container/tmpfs in 24.11, namespace/linux in 26.05.
# shellcheck disable=SC2154  # job, session, client, host and release are common.sh's

private_tmp() {
  if [[ $release == trixie ]]; then
    printf 'AutoBasePath=true\nBasePath=/var/spool/private\n' >/etc/slurm/job_container.conf
    restart_slurm JobContainerType=job_container/tmpfs
  else
    printf 'defaults:\n  auto_base_path: true\n  base_path: "/var/spool/private"\n' >/etc/slurm/namespace.yaml
    restart_slurm NamespaceType=namespace/linux
  fi
}

end_of_case() {
  rm -f /tmp/of-the-node
  restart_slurm
  rm -f /etc/slurm/job_container.conf /etc/slurm/namespace.yaml
}

case_private_tmp() {
  private_tmp
  echo node >/tmp/of-the-node
  new_job alice

  use_stack on "$(account_line strict)" "$(session_line strict)"
  expect "the session is in the job" is_inside "$(cgroup_of_login alice)" "$job"
  expect_not "the session sees the node's /tmp" login alice test -e /tmp/of-the-node
  login alice 'echo session >/tmp/of-a-session'
  expect "two sessions see one /tmp" test "$(login alice cat /tmp/of-a-session)" = session
  expect_not "the session writes to the node's /tmp" test -e /tmp/of-a-session

  use_stack on "$(account_line strict join_container=false)" "$(session_line strict join_container=false)"
  expect "join_container=false: in the job" is_inside "$(cgroup_of_login alice)" "$job"
  expect "join_container=false: the node's /tmp" test "$(login alice cat /tmp/of-the-node)" = node

  use_stack off "$(account_line strict)" ''
  expect_not "account line alone: the session sees the node's /tmp" login alice test -e /tmp/of-the-node
}
