#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# wrapped.sh LIBRARY...: fails if one of the module's libraries calls something of the C library that tests/fuzz neither has
# in its own hands (wrapped.txt) nor knows to be harmless. A call that is new would reach the real system from there.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")

# Nothing but memory and numbers.
harmless='mem[a-z]+|free|str[a-z_]+|abort|__stack_chk_fail|__errno_location|__cmsg_nxthdr|(__)?snprintf(_chk)?|inet_(ntop|pton)'
harmless+='|gnu_dev_makedev|sched_yield|sig(addset|emptyset|fillset|ismember)|pthread_setcancelstate'
# libpam: fake_pam.cc. C++: the compiler's and the library's own, but for the clock, which is in the list.
harmless+='|pam_[a-z_]+|_Z.*|__cxa_.*|__gxx_personality_v0|_Unwind_.*|_GLOBAL_OFFSET_TABLE_|__dso_handle|_ITM_.*|__gmon_start__'
# Sanitizers' and the profiler's.
harmless+='|__(asan|ubsan|sanitizer|llvm|sancov|start___sancov|stop___sancov)_.*|__sancov_lowest_stack|__profc_.*'
# In the child (child.cc), which is never run here.
harmless+='|_exit|dup2|execve|getrlimit|prctl|setpgid|shutdown'

unknown=$(nm --undefined-only --format=just-symbols "$@" | grep -vE '^$|:$' | sort -u |
  grep -vxF -f "$here/wrapped.txt" | grep -vxE "$harmless" || true)
if [[ -n $unknown ]]; then
  echo "not in tests/fuzz/wrapped.txt:" >&2
  echo "$unknown" >&2
  exit 1
fi
