# The fuzz targets as objects: linked into the fuzzer by clang, and into the test that replays inputs
# by the usual compiler.
file(GLOB fuzz_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/fuzz/*_target.cpp"
     "${PROJECT_SOURCE_DIR}/tests/fuzz/*_targets.cpp")
list(FILTER fuzz_sources EXCLUDE REGEX "planted_target")
add_library(pfx_fuzz_targets OBJECT EXCLUDE_FROM_ALL ${fuzz_sources} "${PROJECT_SOURCE_DIR}/tests/fuzz/target.cpp")
target_link_libraries(pfx_fuzz_targets PUBLIC pfx_flags pfx_core pfx_crypto OpenSSL::Crypto)
target_compile_definitions(pfx_fuzz_targets PRIVATE PFX_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data")
if(PFX_FUZZ)
  file(GLOB codecs CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/connect/service/*_codec.cpp"
       "${PROJECT_SOURCE_DIR}/connect/intune/*codec.cpp")
  list(TRANSFORM codecs REPLACE "^.*/connect/" "${PROJECT_SOURCE_DIR}/connect/")
  foreach(name service/fields service/compose http/address http/json http/gzip http/header_text
          intune/authorized intune/text ca/authority ca/der ca/issuable ca/wire)
    list(APPEND codecs "${PROJECT_SOURCE_DIR}/connect/${name}.cpp")
  endforeach()
  add_library(pfx_fuzz_codecs STATIC ${codecs})
  target_link_libraries(pfx_fuzz_codecs PUBLIC pfx_core pfx_crypto PRIVATE pfx_flags
                        nlohmann_json::nlohmann_json CURL::libcurl ZLIB::ZLIB)
  target_link_libraries(pfx_fuzz_targets PUBLIC pfx_fuzz_codecs nlohmann_json::nlohmann_json)
else()
  target_link_libraries(pfx_fuzz_targets PUBLIC pfx_connect nlohmann_json::nlohmann_json)
endif()
