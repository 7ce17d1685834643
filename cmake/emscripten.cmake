# The Emscripten targets: qhive (static library, library.cmake) and qhive_cliff (examples/c/cliff.c, which runs in Node). The
# toolchain file is Emscripten's own; CMakeLists.txt finds it beside emcc.

# Debian's emcc starts its JavaScript optimiser with whatever node is on PATH; only Debian's own finds the modules it needs.
if(EXISTS /usr/share/nodejs/acorn)
  set(CMAKE_C_LINKER_LAUNCHER "${CMAKE_COMMAND}" -E env NODE_PATH=/usr/share/nodejs)
endif()

enable_language(C)
include(library)
set_target_properties(qhive PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 0) # emcc takes half a second to start

set(CMAKE_C_FLAGS_RELEASE "-O2") # emcc's -O3 links twice as long

add_executable(qhive_cliff examples/c/cliff.c)
target_link_libraries(qhive_cliff PRIVATE qhive qhive_flags)
set_target_properties(qhive_cliff PROPERTIES OUTPUT_NAME cliff SUFFIX .cjs)
target_link_options(qhive_cliff PRIVATE -sENVIRONMENT=node -sALLOW_MEMORY_GROWTH=1)

# Releases before 3.1.27 look for a file with `fetch` when they see one, which Node has had since 18: there the module is compiled
# at once. They also spell the size of the stack differently; 5 MiB is their default.
if(EMSCRIPTEN_VERSION VERSION_LESS 3.1.27)
  target_link_options(qhive_cliff PRIVATE -sWASM_ASYNC_COMPILATION=0)
else()
  target_link_options(qhive_cliff PRIVATE -sSTACK_SIZE=1048576)
endif()
