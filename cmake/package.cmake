# package: dist/ from js/src, js/types, the three modules and the layout table, by js/build.mjs. The scalar module and that for threads
# belong to other build directories (presets wasm-scalar, wasm-threads), which are brought up to date first.

function(qhive_other_module target preset)
  set(folder "${PROJECT_SOURCE_DIR}/build/${preset}")
  add_custom_target(${target}
    COMMAND "${CMAKE_COMMAND}" -E env "CMAKE_GENERATOR=${CMAKE_GENERATOR}"
      "${CMAKE_COMMAND}" -S "${PROJECT_SOURCE_DIR}" --preset ${preset}
      "-DQHIVE_WASM_COMPILER=${QHIVE_WASM_COMPILER}" --log-level=WARNING
    COMMAND "${CMAKE_COMMAND}" --build "${folder}" --target qhive_wasm
    BYPRODUCTS "${folder}/qhive.wasm"
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
    COMMENT "Bringing the module of ${preset} up to date"
    VERBATIM)
endfunction()
qhive_other_module(qhive_wasm_scalar wasm-scalar)
qhive_other_module(qhive_wasm_threads wasm-threads)

file(GLOB_RECURSE QHIVE_JS CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/js/*" "${PROJECT_SOURCE_DIR}/web/*"
  "${PROJECT_SOURCE_DIR}/examples/ran/*.js*" "${PROJECT_SOURCE_DIR}/examples/ran-replay/*.js" "${PROJECT_SOURCE_DIR}/bench/*.js")
list(APPEND QHIVE_JS "${PROJECT_SOURCE_DIR}/package.json" "${PROJECT_SOURCE_DIR}/package-lock.json")
set(QHIVE_DIST "${PROJECT_SOURCE_DIR}/dist")
set(QHIVE_DIST_FILES
  qhive.mjs qhive.node.mjs qhive.cjs qhive.global.js qhive.workerd.mjs qhive.edge.mjs url.mjs url.cjs
  qhive-scalar.mjs qhive-scalar.cjs threads.mjs threads.cjs qhive-threads.mjs qhive-threads.cjs
  qhive.wasm qhive-scalar.wasm qhive-threads.wasm cli.mjs evaluate.mjs evaluate.cjs
  qhive.d.ts qhive.d.cts url.d.ts url.d.cts qhive-scalar.d.ts qhive-scalar.d.cts evaluate.d.ts evaluate.d.cts web/index.html)
list(TRANSFORM QHIVE_DIST_FILES PREPEND "${QHIVE_DIST}/")

add_custom_command(
  OUTPUT ${QHIVE_DIST_FILES}
  COMMAND "${QHIVE_NODE}" "${PROJECT_SOURCE_DIR}/js/build.mjs"
  DEPENDS ${QHIVE_JS} "${CMAKE_CURRENT_BINARY_DIR}/qhive.wasm"
    "${CMAKE_CURRENT_BINARY_DIR}/qhive_abi.wasm"
    "${PROJECT_SOURCE_DIR}/build/wasm-scalar/qhive.wasm" "${PROJECT_SOURCE_DIR}/build/wasm-threads/qhive.wasm"
  WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
  COMMENT "Bundling dist/"
  VERBATIM)
add_custom_target(package DEPENDS ${QHIVE_DIST_FILES})
add_dependencies(package qhive_wasm qhive_abi qhive_wasm_scalar qhive_wasm_threads)
