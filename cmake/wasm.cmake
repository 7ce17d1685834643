# The WebAssembly targets: qhive_wasm (the module), qhive_abi (the table of the core's layout, for the
# package's build), qhive_tests_wasm (the C tests as a module) and package (dist/). With threads only the module.

include(add-wasm)

set(QHIVE_EXPORTS src/wasm/exports.txt)
if(QHIVE_THREADS)
  list(APPEND QHIVE_EXPORTS src/wasm/exports-threads.txt)
endif()

qhive_add_wasm(qhive_wasm
  OUTPUT qhive.wasm
  UNIT ${QHIVE_SOURCES}
  EXPORTS ${QHIVE_EXPORTS}
  DEFINE ${QHIVE_MODULE_DEFINITIONS}
  SHRINK ${QHIVE_WASM_SHRINK_FLAGS})

if(QHIVE_THREADS)
  return()
endif()

qhive_add_wasm(qhive_abi
  OUTPUT qhive_abi.wasm
  UNIT ${QHIVE_ABI_SOURCES}
  EXPORTS src/wasm/abi-exports.txt)

if(QHIVE_TEST_SOURCES)
  qhive_add_wasm(qhive_tests_wasm
    OUTPUT qhive_tests.wasm
    UNIT ${QHIVE_SOURCES}
    SEPARATE ${QHIVE_TEST_SOURCES}
    FLAGS -O0 # the tests' own code: half the time to compile
    EXPORTS tests/c/exports.txt)
endif()

if(QHIVE_SIMD)
  include(package)
endif()
