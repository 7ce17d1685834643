# The native targets: qhive (static library, library.cmake), qhive_tests (the C unit tests as a program), qhive_golden.

include(CheckLanguage)
check_language(C)
if(NOT CMAKE_C_COMPILER)
  message(FATAL_ERROR "The native presets need a C compiler (gcc or clang)")
endif()
enable_language(C)

include(library)

# What follows is for those who build qhive itself.
if(NOT CMAKE_SOURCE_DIR STREQUAL PROJECT_SOURCE_DIR)
  return()
endif()

# The boundary to JavaScript is tested natively too.
set(QHIVE_BOUNDARY_SOURCES ${QHIVE_SOURCES})
list(FILTER QHIVE_BOUNDARY_SOURCES INCLUDE REGEX "^src/wasm/")
add_library(qhive_boundary OBJECT EXCLUDE_FROM_ALL ${QHIVE_BOUNDARY_SOURCES})
target_include_directories(qhive_boundary PRIVATE include src)
target_compile_options(qhive_boundary PRIVATE -fvisibility=hidden)
target_link_libraries(qhive_boundary PRIVATE qhive_flags)

if(QHIVE_TEST_SOURCES)
  add_executable(qhive_tests ${QHIVE_TEST_SOURCES})
  target_include_directories(qhive_tests PRIVATE src)
  target_link_libraries(qhive_tests PRIVATE qhive qhive_boundary qhive_flags)
  target_compile_options(qhive_tests PRIVATE $<$<CONFIG:Release>:-O1>) # the tests' own code: sooner compiled
endif()

# The golden program against the C library; tests/golden compares its hash with every other build's.
add_executable(qhive_golden tests/golden/golden.c)
target_include_directories(qhive_golden PRIVATE src)
target_link_libraries(qhive_golden PRIVATE qhive qhive_flags)
