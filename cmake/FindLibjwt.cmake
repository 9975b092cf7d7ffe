# SPDX-License-Identifier: GPL-2.0-or-later
# libjwt, 1.10 or newer: the target Libjwt::jwt.
find_path(Libjwt_INCLUDE_DIR jwt.h)
find_library(Libjwt_LIBRARY jwt)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Libjwt REQUIRED_VARS Libjwt_LIBRARY Libjwt_INCLUDE_DIR
  REASON_FAILURE_MESSAGE
    "install libjwt-dev (Debian) or libjwt-devel (Red Hat), or configure with -DSLURM_ADOPT_TOOL=OFF -DSLURM_ADOPT_REST=OFF")
if(Libjwt_FOUND AND NOT TARGET Libjwt::jwt)
  add_library(Libjwt::jwt UNKNOWN IMPORTED)
  set_target_properties(Libjwt::jwt PROPERTIES IMPORTED_LOCATION "${Libjwt_LIBRARY}"
                                               INTERFACE_INCLUDE_DIRECTORIES "${Libjwt_INCLUDE_DIR}")
endif()
mark_as_advanced(Libjwt_INCLUDE_DIR Libjwt_LIBRARY)
