# SPDX-License-Identifier: GPL-2.0-or-later
# slurm_adopt_sanitizers: an interface target; empty unless SLURM_ADOPT_SANITIZE is set.
add_library(slurm_adopt_sanitizers INTERFACE)
if(SLURM_ADOPT_SANITIZE)
  target_compile_options(slurm_adopt_sanitizers INTERFACE -fsanitize=${SLURM_ADOPT_SANITIZE} -fno-sanitize-recover=all
                                                          -fno-omit-frame-pointer)
  target_link_options(slurm_adopt_sanitizers INTERFACE -fsanitize=${SLURM_ADOPT_SANITIZE})
endif()
