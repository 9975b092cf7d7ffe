# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The packages that were built on this release, over Slurm's own one, whose module has the very path of ours here.
# shellcheck disable=SC2154  # job is common.sh's

# The same line serves both modules.
readonly line='account required pam_slurm_adopt.so action_no_jobs=deny'

# The other cases need them, whatever became of this one.
end_of_case() {
  is_installed slurm-adopt-helper || install_packages
}

is_installed() {
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1") == installed ]]
}

refused_and_adopted() {
  new_job bob
  expect_not "a login without a job is let in" login alice true
  expect "root is let in" login root true
  expect "the session is in the job" is_inside "$(cgroup_of_login bob)" "$job"
}

case_login_with_the_module_of_the_package() {
  use_stack off "$line" ''
  expect "the module is installed" is_installed slurm-adopt
  expect "the helper is installed" is_installed slurm-adopt-helper
  expect "every file is as in the packages" dpkg --verify slurm-adopt slurm-adopt-helper
  refused_and_adopted
  expect "ours has refused" decided 'decision=deny reason=no_jobs user=alice'
  expect "ours has adopted" decided "decision=adopt reason=[a-z_]* user=bob .*job=$job"
  expect "the helper is where the module looks for it" test -x /usr/libexec/slurm-adopt/slurm-adopt-helper
  expect_not "a library is missing" grep 'not found' <(ldd /usr/libexec/slurm-adopt/slurm-adopt-helper)
  expect "the tool runs" slurm-adopt --version
}

case_removed_and_installed_again() {
  use_stack off "$line" ''
  expect "the packages can be removed" dpkg --remove slurm-adopt-helper slurm-adopt
  expect "Slurm's module is in its place" cmp /opt/theirs/pam_slurm_adopt.so "$(their_place)"
  refused_and_adopted
  expect_not "ours has decided" decided 'decision='
  expect "they can be installed again" install_packages
  refused_and_adopted
  expect "ours has decided" decided "decision=adopt reason=[a-z_]* user=bob .*job=$job"
}

their_place() {
  dpkg-query -L libpam-slurm-adopt | grep '/pam_slurm_adopt\.so$'
}
