# The native targets: qhive (static library) and qhive_tests (the C unit tests as a program).

include(CheckLanguage)
check_language(C)
if(NOT CMAKE_C_COMPILER)
  message(FATAL_ERROR "The native presets need a C compiler (gcc or clang)")
endif()
enable_language(C)
set(CMAKE_C_EXTENSIONS OFF)

# The build type sets the optimisation; everything else comes from cmake/flags.cmake.
set(CMAKE_C_FLAGS_RELEASE "-O3")
set(CMAKE_C_FLAGS_DEBUG "-O1 -g")

add_library(qhive_flags INTERFACE)
target_compile_options(qhive_flags INTERFACE
  ${QHIVE_LANGUAGE_FLAGS} ${QHIVE_WARNING_FLAGS} "-ffile-prefix-map=${PROJECT_SOURCE_DIR}=.")
target_compile_definitions(qhive_flags INTERFACE ${QHIVE_DEFINITIONS})
if(QHIVE_SANITIZE)
  target_compile_options(qhive_flags INTERFACE ${QHIVE_SANITIZE_FLAGS})
  target_link_options(qhive_flags INTERFACE ${QHIVE_SANITIZE_FLAGS})
endif()

add_library(qhive STATIC ${QHIVE_SOURCES} ${QHIVE_NATIVE_SOURCES})
target_include_directories(qhive PUBLIC include PRIVATE src)
target_compile_options(qhive PRIVATE -fvisibility=hidden)
target_link_libraries(qhive PRIVATE qhive_flags)
if(UNIX)
  target_link_libraries(qhive PUBLIC m) # where the compiler calls sqrt all the same
endif()

if(QHIVE_TEST_SOURCES)
  add_executable(qhive_tests ${QHIVE_TEST_SOURCES})
  target_include_directories(qhive_tests PRIVATE src)
  target_link_libraries(qhive_tests PRIVATE qhive qhive_flags)
endif()

# The golden program against the C library; tests/golden compares its hash with every other build's.
add_executable(qhive_golden tests/golden/golden.c)
target_include_directories(qhive_golden PRIVATE src)
target_link_libraries(qhive_golden PRIVATE qhive qhive_flags)
