# What is installed where, and how `cpack` makes a Debian package of it. `packaging/deb` is the way
# that gives the package that is shipped: this file also works in a tree that was built for tests.
include(GNUInstallDirs)
install(TARGETS pfxengine pfxengine-switch RUNTIME DESTINATION bin)
install(FILES packaging/systemd/pfxengine.service packaging/systemd/pfxengine-switch.service
        packaging/systemd/pfxengine-switch.path DESTINATION lib/systemd/system)
install(FILES README.md docs/configuration.md docs/embedding.md docs/lifecycle.md docs/packages.md
        docs/protocol.md docs/releases.md docs/threat-model.md DESTINATION share/doc/pfxengine)
install(FILES packaging/systemd/pfxengine-updates.conf DESTINATION share/pfxengine RENAME updates.conf)
install(PROGRAMS packaging/systemd/updates DESTINATION libexec/pfxengine)
install(FILES packaging/debian/copyright DESTINATION share/doc/pfxengine)

# Manual pages, completions and the changelog are made when they are installed: their words are the
# program's own, and whoever only builds needs no help2man.
install(CODE "
  execute_process(COMMAND \"${PROJECT_SOURCE_DIR}/packaging/made-files\"
    \"${PROJECT_BINARY_DIR}/bin\" \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}\"
    COMMAND_ERROR_IS_FATAL ANY)")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME pfxengine)
set(CPACK_PACKAGE_VERSION "${PFX_VERSION}")
set(CPACK_PACKAGE_CONTACT "The pfxengine maintainers <maintainers@pfxengine.invalid>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
# Whatever the umask of who builds.
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
    GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, ca-certificates, init-system-helpers (>= 1.54)")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "certificate connector engine for PKCS#12 requests")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Pulls requests for PKCS#12 (PFX) files from a device-management service, makes
the keys, has a certification authority issue the certificates, wraps the files
so that only the devices they are for can open them, and hands them back: each
request exactly once, whatever is killed, lost or delivered twice.
.
Runs headless as a hardened systemd service.")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    "${PROJECT_SOURCE_DIR}/packaging/debian/postinst;${PROJECT_SOURCE_DIR}/packaging/debian/prerm;${PROJECT_SOURCE_DIR}/packaging/debian/postrm")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
