# qhive_add_wasm: a WebAssembly module as a target. cmake/wasm-cc.mjs compiles and links it in one process.

find_program(QHIVE_NODE node REQUIRED DOC "Node 20 or later")

set(QHIVE_WASM_COMPILER "$ENV{QHIVE_WASM_COMPILER}" CACHE STRING
  "clang >= 19 that compiles for wasm32; empty: WASI_SDK_PATH if set, else npm's @yowasp/clang")
if(QHIVE_WASM_COMPILER STREQUAL "" AND DEFINED ENV{WASI_SDK_PATH})
  set(QHIVE_WASM_COMPILER "$ENV{WASI_SDK_PATH}/bin/clang" CACHE STRING "" FORCE)
endif()

# A JSON array of strings.
function(qhive_json_array out)
  set(items)
  foreach(item IN LISTS ARGN)
    string(REPLACE "\\" "\\\\" item "${item}")
    string(REPLACE "\"" "\\\"" item "${item}")
    list(APPEND items "\"${item}\"")
  endforeach()
  list(JOIN items ", " items)
  set(${out} "[${items}]" PARENT_SCOPE)
endfunction()

# qhive_add_wasm(<target> OUTPUT <file name>
#   UNIT <sources compiled as one unit> [SEPARATE <sources compiled one by one> [FLAGS <for these alone>]]
#   EXPORTS <files that list the exports> [DEFINE <definitions>] [SHRINK <flags of wasm-opt>]
#   [REACTOR <file name>])
# With REACTOR the modules are for WASI preview 1: OUTPUT is a command of all sources, REACTOR a library of the unit with these exports;
# both have WASI's libc and a memory of their own.
function(qhive_add_wasm target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "OUTPUT;REACTOR" "UNIT;SEPARATE;FLAGS;EXPORTS;DEFINE;SHRINK")
  set(output "${CMAKE_CURRENT_BINARY_DIR}/${arg_OUTPUT}")
  set(job "${output}.job.json")

  set(target_flags ${QHIVE_WASM_COMPILE_FLAGS})
  set(link ${QHIVE_WASM_LINK_FLAGS})
  set(reactor)
  set(check ${QHIVE_WASM64_CHECK_FLAGS})
  if(arg_REACTOR)
    set(target_flags ${QHIVE_WASI_COMPILE_FLAGS})
    set(link ${QHIVE_WASI_LINK_FLAGS})
    set(reactor "${CMAKE_CURRENT_BINARY_DIR}/${arg_REACTOR}")
    set(check)
  endif()
  set(compile ${QHIVE_LANGUAGE_FLAGS} ${QHIVE_WARNING_FLAGS} ${target_flags})
  foreach(folder IN LISTS QHIVE_INCLUDES)
    list(APPEND compile "-I${folder}")
  endforeach()
  foreach(definition IN LISTS QHIVE_DEFINITIONS arg_DEFINE)
    list(APPEND compile "-D${definition}")
  endforeach()

  qhive_json_array(JSON_UNIT ${arg_UNIT})
  qhive_json_array(JSON_SEPARATE ${arg_SEPARATE})
  qhive_json_array(JSON_FLAGS ${arg_FLAGS})
  qhive_json_array(JSON_EXPORTS ${arg_EXPORTS})
  qhive_json_array(JSON_COMPILE ${compile})
  qhive_json_array(JSON_LINK ${link})
  qhive_json_array(JSON_PLACES "${PROJECT_SOURCE_DIR}" "${output}" "${QHIVE_WASM_COMPILER}")
  qhive_json_array(JSON_REACTOR ${reactor})
  qhive_json_array(JSON_SHRINK ${arg_SHRINK})
  qhive_json_array(JSON_CHECK ${check})
  file(CONFIGURE OUTPUT "${job}" @ONLY CONTENT [[{
  "places": @JSON_PLACES@,
  "unit": @JSON_UNIT@,
  "separate": [@JSON_FLAGS@, @JSON_SEPARATE@],
  "exports": @JSON_EXPORTS@,
  "reactor": @JSON_REACTOR@,
  "check": @JSON_CHECK@,
  "compile": @JSON_COMPILE@,
  "link": @JSON_LINK@,
  "shrink": @JSON_SHRINK@
}
]])

  set(sources ${arg_UNIT} ${arg_SEPARATE} ${arg_EXPORTS})
  list(TRANSFORM sources PREPEND "${PROJECT_SOURCE_DIR}/")
  add_custom_command(
    OUTPUT "${output}" ${reactor}
    COMMAND "${QHIVE_NODE}" "${PROJECT_SOURCE_DIR}/cmake/wasm-cc.mjs" "${job}"
    DEPENDS "${job}" "${PROJECT_SOURCE_DIR}/cmake/wasm-cc.mjs"
            "${PROJECT_SOURCE_DIR}/package-lock.json" ${sources}
    DEPFILE "${output}.d"
    COMMENT "Compiling ${arg_OUTPUT}"
    VERBATIM)
  add_custom_target(${target} ALL DEPENDS "${output}")
endfunction()
