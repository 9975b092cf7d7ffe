#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Valgrind's memcheck over the module, unit and shared object tests: reads of memory that nobody wrote, which the address
# sanitizer does not see, and the built pam_slurm_adopt.so as it is shipped. Fails with any error or leak, also in the
# children that the tests fork. Left out is only what is named here.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
build=${1:-build}
unset SLURM_ADOPT_FAULT_ROWS  # the times here are not the module's

# Valgrind runs the code 20 to 50 times slower, and what is bound to a time is too late here.
timed_module=(
  'AdoptFaults.*'           # shares of a timeout of one second
  'ProbeFaults.*'           # who has not answered by then is stuck
  'Search.*'                # the same, and bounds from 180 ms on
  'SeveralJobs.TheNextOneWhereTheNewestFails'
  'SeveralJobs.NobodyElseIsAskedAfterOneThatMayYetAdopt'
  'SeveralJobs.ManyJobsOfOneUser'
  'Session.AHungSlurmstepdCostsTheTimeoutAndStrictRefuses'
  'Planted.FiveHundredDoNotSlowALogin'
  'Extras.*'                # timeouts of one second, and at most half a second
  'UsualPlace.AStoppedOneBesideOneThatAnswers'  # half a second
  'StepEnded.*'             # half a second for a step to be gone
  'MemoryFailure.*'         # a process for each allocation: minutes; the sanitizers run it
  'Threads.*'               # the thread sanitizer's
)
timed_unit=(
  'HelperClient.*'          # deadlines of a few hundred milliseconds
  'Deadline.*'
  'ProcNetUnix.FiveThousandLinesInNoTime'
)
# openat2 and the calls that make a file system without a path (fsopen, fsmount, move_mount) are unknown to valgrind 3.19:
# it answers ENOSYS. With that answer the tests of a runtime directory fail, and what they see is not our code's doing.
unknown_calls=('RuntimeDir*' 'UsersRuntimeDir.*' 'Trash.*' 'OwnDirectory.*')
# Valgrind keeps descriptors above the limit for itself, so there is always one left.
counts_descriptors=('ReceiveDescriptor.NoRoomForItIsNoCrashAndNoLeak')
# These measure this process's own memory, which is mostly valgrind's here.
measures_memory=('Load.AThousandTimesByHand' 'Load.AThousandTimesByLibpam')

# memcheck PROGRAM [TEST LEFT OUT]...
memcheck() {
  local program=$1 left_out
  shift
  printf '\n== %s\n' "${program##*/}"
  printf 'not run: %s\n' "$@"
  left_out=$(IFS=:; printf '%s' "$*")
  # valgrind counts no open descriptor as an error (3.19); the module tests compare them before and after by themselves.
  valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
    --num-callers=20 --suppressions=tests/valgrind/suppressions \
    "$program" --gtest_brief=1 --gtest_filter="-$left_out"
}

status=0
memcheck "$build/tests/so/slurm_adopt_so_test" "${measures_memory[@]}" || status=1
memcheck "$build/tests/module/slurm_adopt_module_test" "${timed_module[@]}" || status=1
memcheck "$build/tests/unit/slurm_adopt_unit_test" "${timed_unit[@]}" "${unknown_calls[@]}" "${counts_descriptors[@]}" || status=1
exit $status
