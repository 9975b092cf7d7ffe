# SPDX-License-Identifier: GPL-2.0-or-later
# slurm_adopt_warnings: an interface target that every target of ours links to.
include(CheckCXXCompilerFlag)
add_library(slurm_adopt_warnings INTERFACE)
foreach(flag
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wswitch-enum -Wold-style-cast -Wcast-qual
    -Wcast-align -Wnon-virtual-dtor -Woverloaded-virtual -Wnull-dereference -Wduplicated-cond -Wduplicated-branches
    -Wlogical-op -Wuseless-cast -Wformat=2 -Wundef -Wvla -Wunused -Wextra-semi)
  string(MAKE_C_IDENTIFIER "HAVE${flag}" known)
  check_cxx_compiler_flag(${flag} ${known})
  if(${known})
    target_compile_options(slurm_adopt_warnings INTERFACE ${flag})
  endif()
endforeach()
if(SLURM_ADOPT_SANITIZE)
  # The checks that the sanitizers put in make GCC see null pointers where there are none.
  target_compile_options(slurm_adopt_warnings INTERFACE -Wno-null-dereference)
endif()
if(SLURM_ADOPT_WERROR)
  target_compile_options(slurm_adopt_warnings INTERFACE -Werror)
endif()
