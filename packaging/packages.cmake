# Three Debian packages, by CPack from whatever was built: `cpack -G DEB` in the build's folder.
set(BIN ${CMAKE_CURRENT_BINARY_DIR})

# headgate_packed(OUTPUT FROM): gzip'ed as Debian wants it, the same bytes each time.
function(headgate_packed output from)
  get_filename_component(folder ${output} DIRECTORY)
  file(MAKE_DIRECTORY ${folder})
  add_custom_command(OUTPUT ${output} COMMAND gzip -9nc ${from} > ${output} DEPENDS ${from} VERBATIM)
  set(PACKED ${PACKED} ${output} PARENT_SCOPE)
endfunction()
headgate_packed(${BIN}/changelog.Debian.gz ${CMAKE_CURRENT_SOURCE_DIR}/debian/changelog)
headgate_packed(${BIN}/packed/headgate.1.gz ${BIN}/man/headgate.1)
headgate_packed(${BIN}/packed/headgated.8.gz ${BIN}/man/headgated.8)
headgate_packed(${BIN}/packed/headgate-agent.8.gz ${BIN}/man/headgate-agent.8)
add_custom_target(headgate_packed ALL DEPENDS ${PACKED})

set(SHORT_controller "controller that readmits users after an outage")
set(SHORT_agent "agent that makes a load balancer admit a share of users")
set(SHORT_cli "command line for readmitting users after an outage")
set(LONG "Headgate opens a platform again after an outage: a controller ramps the
share of users that the load balancers let in, as far as the evidence
allows, and takes users out again when it regresses.
.")
set(DEPENDS_controller "init-system-helpers (>= 1.54~)")
# The journal's backup of docs/RUNBOOK.md.
set(CPACK_DEBIAN_CONTROLLER_PACKAGE_RECOMMENDS sqlite3)
set(DEPENDS_agent "adduser, init-system-helpers (>= 1.54~)")

# headgate_package(COMPONENT TARGET FOLDER-OF-IT SECTION-OF-MANUAL DESCRIPTION)
function(headgate_package component target folder section text)
  set(name headgate-${component})
  install(TARGETS ${target} RUNTIME DESTINATION ${folder} COMPONENT ${component})
  install(FILES ${BIN}/packed/${target}.${section}.gz DESTINATION share/man/man${section}
    COMPONENT ${component})
  install(FILES ${BIN}/bash/${target} DESTINATION share/bash-completion/completions
    COMPONENT ${component})
  install(FILES ${BIN}/zsh/_${target} DESTINATION share/zsh/vendor-completions
    COMPONENT ${component})
  install(FILES ${BIN}/fish/${target}.fish DESTINATION share/fish/vendor_completions.d
    COMPONENT ${component})
  install(FILES ${BIN}/changelog.Debian.gz debian/copyright DESTINATION share/doc/${name}
    COMPONENT ${component})
  # Programs, manuals and configuration name these pages, which are read where no network may be.
  install(DIRECTORY ${CMAKE_SOURCE_DIR}/docs DESTINATION share/doc/${name} COMPONENT ${component})
  string(TOUPPER ${component} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${name} PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_PACKAGE_DEPENDS "${DEPENDS_${component}}" PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_DESCRIPTION "${SHORT_${component}}\n${LONG}\n${text}" PARENT_SCOPE)
endfunction()
headgate_package(cli headgate bin 1
  "This package holds the operators' command: close, start, watch, explain,
hold, retreat, abort, and the checks of plans, databases and
certificates.")
headgate_package(controller headgated sbin 8
  "This package holds the controller and its service, which is not started
by the installation.")
headgate_package(agent headgate-agent sbin 8
  "This package holds the agent that stands beside each HAProxy, nginx or
Envoy, and its service, which is not started by the installation. Until
a gate exists it touches nothing.")

install(FILES systemd/headgated.service DESTINATION /lib/systemd/system COMPONENT controller)
install(FILES config/headgated.env DESTINATION /etc/headgate COMPONENT controller)
install(FILES systemd/headgate-agent.service DESTINATION /lib/systemd/system COMPONENT agent)
install(FILES config/agent.yaml DESTINATION /etc/headgate COMPONENT agent)
install(FILES systemd/haproxy.conf systemd/nginx.conf systemd/envoy.conf
  DESTINATION share/headgate-agent COMPONENT agent)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME headgate)
set(CPACK_PACKAGE_VENDOR Headgate)
set(CPACK_PACKAGE_CONTACT "Headgate maintainers <maintainers@headgate.example.org>")
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_STRIP_FILES ON)
# Files below /etc and /lib, too.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL cli controller agent)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1~deb12u1)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(DEBIAN ${CMAKE_CURRENT_SOURCE_DIR}/debian)
set(CPACK_DEBIAN_CONTROLLER_PACKAGE_CONTROL_EXTRA
  ${DEBIAN}/controller/postinst ${DEBIAN}/controller/prerm ${DEBIAN}/controller/postrm
  ${DEBIAN}/controller/conffiles)
set(CPACK_DEBIAN_AGENT_PACKAGE_CONTROL_EXTRA
  ${DEBIAN}/agent/postinst ${DEBIAN}/agent/prerm ${DEBIAN}/agent/postrm ${DEBIAN}/agent/conffiles)
include(CPack)
