// SPDX-License-Identifier: GPL-2.0-or-later
// slurm_adopt_preload.so: stands before the C library (LD_PRELOAD) of a program that has the built module loaded.
//
//   blocking_calls.cc  walks every call that can wait, and writes down which of them has no deadline
//   failing_malloc.cc  lets the memory run out, also for what the C library does on the module's behalf
//   jumping_clock.cc   sets the wall clock, without setting it for others
//
// Nothing is done before the program says that the module's work begins.
#pragma once

namespace slurm_adopt::test {

using WatchFunction = void(int on);
inline constexpr const char* watch_function_name = "slurm_adopt_watch";

// In the environment of the program:
inline constexpr const char* walk_file = "FAULTS_WALK_FILE";              // where blocking_calls.cc writes its lines
inline constexpr const char* longest_wait = "FAULTS_LONGEST_WAIT_MS";     // what a call may wait, in milliseconds
inline constexpr const char* good_mallocs = "FAULTS_GOOD_MALLOCS";        // so many succeed, the next one fails
inline constexpr const char* failing_mallocs = "FAULTS_FAILING_MALLOCS";  // how many fail then; 0: all
inline constexpr const char* clock_jump = "FAULTS_CLOCK_JUMP_S";          // further with every look at the wall clock

// Set by slurm_adopt_watch() between begin and end of the module's work.
bool is_watching();

}  // namespace slurm_adopt::test
