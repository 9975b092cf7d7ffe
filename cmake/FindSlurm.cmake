# SPDX-License-Identifier: GPL-2.0-or-later
# libslurm, 22.05 or newer: the target Slurm::slurm.
find_path(Slurm_INCLUDE_DIR slurm/slurm.h)
find_library(Slurm_LIBRARY slurm)
if(Slurm_INCLUDE_DIR AND EXISTS ${Slurm_INCLUDE_DIR}/slurm/slurm_version.h)
  # 0x160508 is 22.05.8
  file(STRINGS ${Slurm_INCLUDE_DIR}/slurm/slurm_version.h slurm_version_line REGEX "define SLURM_VERSION_NUMBER 0x")
  if(slurm_version_line MATCHES "0x([0-9a-f][0-9a-f])([0-9a-f][0-9a-f])([0-9a-f][0-9a-f])")
    math(EXPR slurm_major "0x${CMAKE_MATCH_1}")
    math(EXPR slurm_minor "0x${CMAKE_MATCH_2}")
    math(EXPR slurm_micro "0x${CMAKE_MATCH_3}")
    set(Slurm_VERSION ${slurm_major}.${slurm_minor}.${slurm_micro})
  endif()
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Slurm REQUIRED_VARS Slurm_LIBRARY Slurm_INCLUDE_DIR VERSION_VAR Slurm_VERSION
  REASON_FAILURE_MESSAGE
    "install libslurm-dev (Debian) or slurm-devel (Red Hat), or configure with -DSLURM_ADOPT_HELPER=OFF")
if(Slurm_FOUND AND NOT TARGET Slurm::slurm)
  add_library(Slurm::slurm UNKNOWN IMPORTED)
  set_target_properties(Slurm::slurm PROPERTIES IMPORTED_LOCATION "${Slurm_LIBRARY}"
                                                INTERFACE_INCLUDE_DIRECTORIES "${Slurm_INCLUDE_DIR}")
endif()
mark_as_advanced(Slurm_INCLUDE_DIR Slurm_LIBRARY)
