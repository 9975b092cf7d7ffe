# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# LaunchParameters=ulimit_pam_adopt: slurmstepd sets the RSS limit of what it adopts to the memory of the job.
# shellcheck disable=SC2154  # job, session, client, host and release are common.sh's

end_of_case() {
  restart_slurm
}

case_ulimit_pam_adopt() {
  use_stack on "$(account_line strict)" "$(session_line strict)"
  new_job alice
  expect "without it there is no limit" test "$(login alice ulimit -m)" = unlimited
  end_all_jobs
  restart_slurm LaunchParameters=ulimit_pam_adopt
  new_job alice --mem=200
  local limit
  limit=$(login alice ulimit -m)
  note "ulimit -m of a session in a job of 200 MB: $limit"
  expect "the limit is the job's memory" test "$limit" = $((200 * 1024))
  expect "the session is in the job" is_inside "$(cgroup_of_login alice)" "$job"
}
