# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# `cpack` in the build directory makes seek-signal_VERSION_ARCHITECTURE.deb: the programs, the systemd unit and its
# settings. These files are for the package alone: `cmake --install` installs programs and manual pages into any prefix and nothing
# else.
include(GNUInstallDirs)
set(package ${CMAKE_CURRENT_LIST_DIR}/package)
set(in_package COMPONENT package EXCLUDE_FROM_ALL)
install(FILES ${package}/seek-signal.service DESTINATION lib/systemd/system ${in_package})
install(FILES ${package}/environment DESTINATION /etc/seek-signal ${in_package})
# The documents, laid out as in the source: their links lead from one to the other.
set(documents share/doc/seek-signal)
install(FILES README.md ARCHITECTURE.md CONTRIBUTING.md CHANGELOG.md SECURITY.md LICENSE openapi.yaml ${package}/copyright
    DESTINATION ${documents} ${in_package})
install(DIRECTORY docs findings DESTINATION ${documents} ${in_package})
install(FILES service/store/README.md DESTINATION ${documents}/service/store ${in_package})
install(DIRECTORY docker/kubernetes docker/prometheus docker/grafana DESTINATION ${documents}/docker ${in_package}
    PATTERN make-prometheusrule EXCLUDE)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
# Both at once: what every installation gets, and what only the package has.
set(CPACK_INSTALL_CMAKE_PROJECTS
    "${CMAKE_BINARY_DIR};${PROJECT_NAME};Unspecified;/"
    "${CMAKE_BINARY_DIR};${PROJECT_NAME};package;/")
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PACKAGE_VENDOR "seek-signal contributors")
set(CPACK_PACKAGE_CONTACT "seek-signal contributors <seek-signal@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
if(SEEK_SIGNAL_DEBIAN_ARCHITECTURE) # of the toolchain; else this machine's
    set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE ${SEEK_SIGNAL_DEBIAN_ARCHITECTURE})
endif()
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "ca-certificates, init-system-helpers (>= 1.54)")
# Without SEEK_SIGNAL_REDIS_URL the service runs a redis-server of its own.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS redis-server)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS openssl) # seek-sandbox's certificates
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${package}/conffiles ${package}/postinst ${package}/prerm ${package}/postrm)
set(CPACK_POST_BUILD_SCRIPTS ${package}/installed_size.cmake)
include(CPack)
