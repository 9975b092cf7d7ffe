# SPDX-License-Identifier: GPL-2.0-or-later
# libcgroup, 2.0 or newer (cgroup v2): the target Libcgroup::cgroup.
find_path(Libcgroup_INCLUDE_DIR libcgroup.h)
find_library(Libcgroup_LIBRARY cgroup)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Libcgroup REQUIRED_VARS Libcgroup_LIBRARY Libcgroup_INCLUDE_DIR
  REASON_FAILURE_MESSAGE
    "install libcgroup-dev (Debian) or libcgroup-devel (Red Hat), or configure with -DSLURM_ADOPT_HELPER=OFF")
if(Libcgroup_FOUND AND NOT TARGET Libcgroup::cgroup)
  add_library(Libcgroup::cgroup UNKNOWN IMPORTED)
  set_target_properties(Libcgroup::cgroup PROPERTIES IMPORTED_LOCATION "${Libcgroup_LIBRARY}"
                                                     INTERFACE_INCLUDE_DIRECTORIES "${Libcgroup_INCLUDE_DIR}")
endif()
mark_as_advanced(Libcgroup_INCLUDE_DIR Libcgroup_LIBRARY)
