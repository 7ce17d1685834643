# The static library libqhive.a of the core and the C interface of include/qhive, and what `cmake --install` puts where: the
# library, the headers, the CMake package (find_package(qhive), target qhive::qhive) and qhive.pc for pkg-config.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

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
  # The heap keeps its links in memory that it has poisoned for everybody else (src/memory/guard.h).
  set_source_files_properties(src/memory/heap.c src/memory/heap_validate.c PROPERTIES COMPILE_OPTIONS "-fno-sanitize=address;-DQH_SANITIZED=1")
endif()

# The boundary to JavaScript, src/wasm, is of no use to C.
set(QHIVE_LIBRARY_SOURCES ${QHIVE_SOURCES} ${QHIVE_EMBED_SOURCES})
list(FILTER QHIVE_LIBRARY_SOURCES EXCLUDE REGEX "^src/wasm/")

add_library(qhive STATIC ${QHIVE_LIBRARY_SOURCES})
add_library(qhive::qhive ALIAS qhive)
target_include_directories(qhive
  PUBLIC "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>" "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>"
  PRIVATE src)
target_compile_options(qhive PRIVATE -fvisibility=hidden)
target_link_libraries(qhive PRIVATE "$<BUILD_INTERFACE:qhive_flags>")
if(UNIX AND NOT QHIVE_TARGET STREQUAL "emscripten")
  target_link_libraries(qhive PUBLIC m) # where the compiler calls sqrt all the same
  set(QHIVE_LIBS_PRIVATE "-lm")
endif()

set(QHIVE_PACKAGE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/qhive")
install(TARGETS qhive EXPORT qhive-targets ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY include/qhive DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h")
install(EXPORT qhive-targets NAMESPACE qhive:: DESTINATION "${QHIVE_PACKAGE_DIR}")

configure_package_config_file(cmake/qhive-config.cmake.in qhive-config.cmake INSTALL_DESTINATION "${QHIVE_PACKAGE_DIR}")
write_basic_package_version_file(qhive-config-version.cmake COMPATIBILITY SameMinorVersion)
# LIBDIR may have several parts: lib/x86_64-linux-gnu
file(RELATIVE_PATH QHIVE_PC_PREFIX "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
string(REGEX REPLACE "/$" "" QHIVE_PC_PREFIX "${QHIVE_PC_PREFIX}")
configure_file(cmake/qhive.pc.in qhive.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/qhive-config.cmake" "${CMAKE_CURRENT_BINARY_DIR}/qhive-config-version.cmake"
  DESTINATION "${QHIVE_PACKAGE_DIR}")
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/qhive.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
