# Puts the PKCS#12 files of sandbox/data/pfx into the program. Included: adds the generated source
# to pfx_sandbox. As a script (-D OUT=file): writes that source from the manifest.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(pfx_files_source "${PROJECT_BINARY_DIR}/generated/sandbox/foreign_files_data.cpp")
  file(GLOB pfx_files CONFIGURE_DEPENDS "${CMAKE_CURRENT_LIST_DIR}/pfx/*")
  add_custom_command(OUTPUT "${pfx_files_source}"
    COMMAND "${CMAKE_COMMAND}" -D "OUT=${pfx_files_source}" -P "${CMAKE_CURRENT_LIST_FILE}"
    DEPENDS "${CMAKE_CURRENT_LIST_FILE}" ${pfx_files} VERBATIM)
  target_sources(pfx_sandbox PRIVATE "${pfx_files_source}")
  target_include_directories(pfx_sandbox PRIVATE "${PROJECT_SOURCE_DIR}")
  return()
endif()

cmake_minimum_required(VERSION 3.25)

# "0a0b" -> "0x0a,0x0b", broken into lines.
function(octets_of hex result)
  string(REGEX REPLACE "(..)" "0x\\1," out "${hex}")
  string(REGEX REPLACE "((0x..,){16})" "\\1\n  " out "${out}")
  set(${result} "${out}" PARENT_SCOPE)
endfunction()

set(folder "${CMAKE_CURRENT_LIST_DIR}/pfx")
file(STRINGS "${folder}/manifest.tsv" lines ENCODING UTF-8 REGEX "^[^#]")
set(arrays "")
set(rows "")
set(index 0)
foreach(line IN LISTS lines)
  string(REPLACE "\t" ";" fields "${line}")
  list(LENGTH fields count)
  if(NOT count EQUAL 10)
    message(FATAL_ERROR "manifest.tsv: a line has ${count} fields instead of 10: ${line}")
  endif()
  list(POP_FRONT fields file password maker algorithm chain weight sha1 sha256 key friendly)
  file(READ "${folder}/${file}" content HEX)
  octets_of("${content}" content)
  octets_of("${password}" password)
  string(REPLACE "ecP" "ec_p" enumerator "${algorithm}")
  string(APPEND arrays "constexpr std::uint8_t file_${index}[] = {\n  ${content}};\n"
    "constexpr std::uint8_t password_${index}[] = {\n  ${password}};\n")
  string(APPEND rows "  {\"${file}\", \"${maker}\", file_${index}, password_${index},\n"
    "   key_algorithm::${enumerator}, ${chain}, ${weight},\n   \"${sha1}\",\n   \"${sha256}\",\n"
    "   \"${key}\",\n   \"${friendly}\"},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE "${OUT}.new" "// Made from sandbox/data/pfx/manifest.tsv.\n"
  "#include \"sandbox/foreign_files.hpp\"\n\nnamespace pfx::sandbox {\n\nnamespace {\n\n"
  "${arrays}\nconstexpr foreign_file rows[] = {\n${rows}};\n\n} // namespace\n\n"
  "std::span<const foreign_file> foreign_files() noexcept { return rows; }\n\n"
  "} // namespace pfx::sandbox\n")
file(RENAME "${OUT}.new" "${OUT}")
