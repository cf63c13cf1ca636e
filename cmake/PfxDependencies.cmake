# Third parties, all from Debian packages (packaging/debian-packages.txt), all SYSTEM.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(CURL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(tl-expected REQUIRED)
find_package(CAF 0.17.6 REQUIRED)

pkg_check_modules(ROCKSDB REQUIRED rocksdb>=7.8)
find_library(PFX_ROCKSDB_LIBRARY rocksdb REQUIRED)
add_library(pfx_rocksdb INTERFACE)
target_link_libraries(pfx_rocksdb INTERFACE "${PFX_ROCKSDB_LIBRARY}")

pkg_check_modules(SYSTEMD REQUIRED libsystemd)
add_library(pfx_systemd INTERFACE)
target_link_libraries(pfx_systemd INTERFACE ${SYSTEMD_LIBRARIES})

# CAF 0.17 is C++11-era code: its type-id checks are switched on for us (unannounced message types
# become compile errors instead of failures at run time).
add_library(pfx_caf INTERFACE)
target_link_libraries(pfx_caf INTERFACE CAF::core Threads::Threads)
target_compile_definitions(pfx_caf INTERFACE CAF_ENABLE_TYPE_ID_CHECKS)
