# package: dist/ from js/src, js/types, the two modules and the layout table, by js/build.mjs. The scalar
# module belongs to another build directory (preset wasm-scalar), which is brought up to date first.

set(QHIVE_SCALAR_DIR "${PROJECT_SOURCE_DIR}/build/wasm-scalar")
set(QHIVE_SCALAR_WASM "${QHIVE_SCALAR_DIR}/qhive.wasm")

add_custom_target(qhive_wasm_scalar
  COMMAND "${CMAKE_COMMAND}" -E env "CMAKE_GENERATOR=${CMAKE_GENERATOR}"
    "${CMAKE_COMMAND}" -S "${PROJECT_SOURCE_DIR}" --preset wasm-scalar
    "-DQHIVE_WASM_COMPILER=${QHIVE_WASM_COMPILER}" --log-level=WARNING
  COMMAND "${CMAKE_COMMAND}" --build "${QHIVE_SCALAR_DIR}" --target qhive_wasm
  BYPRODUCTS "${QHIVE_SCALAR_WASM}"
  WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
  COMMENT "Bringing the scalar module up to date"
  VERBATIM)

file(GLOB_RECURSE QHIVE_JS CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/js/*" "${PROJECT_SOURCE_DIR}/web/*"
  "${PROJECT_SOURCE_DIR}/examples/ran/*.js*" "${PROJECT_SOURCE_DIR}/examples/ran-replay/*.js" "${PROJECT_SOURCE_DIR}/bench/*.js")
list(APPEND QHIVE_JS "${PROJECT_SOURCE_DIR}/package.json" "${PROJECT_SOURCE_DIR}/package-lock.json")
set(QHIVE_DIST "${PROJECT_SOURCE_DIR}/dist")
set(QHIVE_DIST_FILES
  qhive.mjs qhive.node.mjs qhive.cjs qhive.global.js qhive.workerd.mjs qhive.edge.mjs url.mjs url.cjs
  qhive-scalar.mjs qhive-scalar.cjs
  qhive.wasm qhive-scalar.wasm cli.mjs evaluate.mjs evaluate.cjs
  qhive.d.ts qhive.d.cts url.d.ts url.d.cts qhive-scalar.d.ts qhive-scalar.d.cts evaluate.d.ts evaluate.d.cts web/index.html)
list(TRANSFORM QHIVE_DIST_FILES PREPEND "${QHIVE_DIST}/")

add_custom_command(
  OUTPUT ${QHIVE_DIST_FILES}
  COMMAND "${QHIVE_NODE}" "${PROJECT_SOURCE_DIR}/js/build.mjs"
  DEPENDS ${QHIVE_JS} "${CMAKE_CURRENT_BINARY_DIR}/qhive.wasm"
    "${CMAKE_CURRENT_BINARY_DIR}/qhive_abi.wasm" "${QHIVE_SCALAR_WASM}"
  WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
  COMMENT "Bundling dist/"
  VERBATIM)
add_custom_target(package DEPENDS ${QHIVE_DIST_FILES})
add_dependencies(package qhive_wasm qhive_abi qhive_wasm_scalar)
