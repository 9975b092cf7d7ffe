# SPDX-License-Identifier: GPL-2.0-or-later
# The Debian package slurm-cred-ed25519: cpack -G DEB, in the build directory. Only this component is packaged so.
if(NOT Slurm_VERSION MATCHES "^([0-9]+)\\.([0-9]+)\\.([0-9]+)$")
  return()
endif()
math(EXPR slurm_next "${CMAKE_MATCH_3} + 1")
# "22.05.8", as Slurm and its packages write it.
string(REGEX REPLACE "\\.([0-9])\\." ".0\\1." slurm_release "${Slurm_VERSION}")
string(REGEX REPLACE "[0-9]+$" "${slurm_next}" slurm_next "${slurm_release}")
set(CPACK_PACKAGE_NAME slurm-cred-ed25519)
set(CPACK_PACKAGE_VENDOR slurm-adopt)
set(CPACK_PACKAGE_CONTACT "the slurm-adopt developers <slurm-adopt@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Slurm credential plugin: job credentials signed with Ed25519")
set(CPACK_COMPONENTS_ALL slurm-cred-ed25519)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_SLURM-CRED-ED25519_PACKAGE_NAME slurm-cred-ed25519)
set(CPACK_DEBIAN_SLURM-CRED-ED25519_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "slurm-wlm-basic-plugins (>= ${slurm_release}), slurm-wlm-basic-plugins (<< ${slurm_next}~)")
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON)  # Slurm's plugin directory is absolute
set(CPACK_STRIP_FILES ON)
include(CPack)
