# SPDX-License-Identifier: GPL-2.0-or-later
# Of the log of a suite: what each test said that failed, of ctest ("***Failed", "***Timeout" ...) and of the machines of tests/vm
# ("case NAME FAILED"). At most `lines` of one test, which is to be given with -v. The exit code is 1 where no failed test is named.
/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: / {
  left = /\*\*\*/ ? lines : 0
}
/^ +Start +[0-9]+: / || /^[0-9]+% tests passed/ { left = 0 }
/^case / { left = / FAILED / ? lines : 0 }
/: no machine that ran the tests$|: the machine ended before it was done/ { left = lines }
left > 0 {
  print
  left--
  found = 1
}
END { exit !found }
