# Build options and the flags that every target of ours gets.
option(PFX_BUILD_TESTS "Build the tests" ON)
option(PFX_BUILD_EXAMPLES "Build the example hosts" ON)
option(PFX_BUILD_BENCH "Build the benches" OFF)
option(PFX_FAULT_POINTS "Compile in the labelled points at which a test can kill the engine" ON)
option(PFX_FUZZ "Build the fuzz targets and nothing else of the tests; needs clang" OFF)
set(PFX_SANITIZE "" CACHE STRING "Sanitizers for the whole build: empty, address,undefined or thread")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
# Assertions are for bugs and stay on in what is shipped; the rest of -O3 buys nothing here.
string(REPLACE "-O3 -DNDEBUG" "-O2" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")

find_program(PFX_CCACHE ccache)
if(PFX_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${PFX_CCACHE}")
endif()
find_program(PFX_MOLD mold)
if(PFX_MOLD AND NOT PFX_SANITIZE AND NOT PFX_FUZZ)
  add_link_options(-fuse-ld=mold)
endif()
if(PFX_SANITIZE)
  add_compile_options(-fsanitize=${PFX_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${PFX_SANITIZE})
endif()
if(PFX_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

# Our own code only; third-party headers are SYSTEM and stay out of it.
add_library(pfx_flags INTERFACE)
target_compile_options(pfx_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
                       -Wno-missing-field-initializers
                       -Wno-error=deprecated-declarations -fstack-protector-strong)
# GCC 12 sees overlapping copies inside std::string where there are none (GCC bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(pfx_flags INTERFACE -Wno-restrict)
else() # the compiler that is shipped with and that warnings are errors of is GCC
  target_compile_options(pfx_flags INTERFACE -Wno-error)
endif()
if(PFX_SANITIZE) # GCC's flow analysis loses its way in instrumented library headers
  target_compile_options(pfx_flags INTERFACE -Wno-maybe-uninitialized -Wno-array-bounds
                         -Wno-stringop-overflow -Wno-stringop-overread)
endif()
target_include_directories(pfx_flags INTERFACE "${PROJECT_SOURCE_DIR}" "${PROJECT_BINARY_DIR}/generated")
# What a release is made for, as its manifest says: the system that its libraries come from, and the
# processor; for example "debian-12-x86-64".
set(system_name "linux")
if(EXISTS /etc/os-release)
  file(STRINGS /etc/os-release system_id REGEX "^ID=")
  file(STRINGS /etc/os-release system_version REGEX "^VERSION_ID=")
  string(REGEX REPLACE "^ID=|\"" "" system_name "${system_id}")
  string(REGEX REPLACE "^VERSION_ID=|\"" "" system_version "${system_version}")
  string(APPEND system_name "-${system_version}")
endif()
string(TOLOWER "${system_name}-${CMAKE_SYSTEM_PROCESSOR}" system_name)
string(REGEX REPLACE "[^a-z0-9.-]" "-" system_name "${system_name}")
set(PFX_PLATFORM "${system_name}" CACHE STRING "What releases of this build are made for")
set(PFX_VERSION "" CACHE STRING "The program's version; empty: the project's")
if(NOT PFX_VERSION)
  set(PFX_VERSION "${PROJECT_VERSION}") # not cached: the next version of the project counts
endif()
target_compile_definitions(pfx_flags INTERFACE $<$<BOOL:${PFX_FAULT_POINTS}>:PFX_FAULT_POINTS=1>)
