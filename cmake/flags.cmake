# Compiler and linker flags, each group with its reason. Nothing else in the build adds flags.

set(QHIVE_INCLUDES include src)

# C17, and floating point that means the same everywhere: the tables of all builds are equal to the bit.
# Without errno a square root is one instruction and no call of libm.
set(QHIVE_LANGUAGE_FLAGS -std=c17 -ffp-contract=off -fno-fast-math -fno-math-errno)

set(QHIVE_WARNING_FLAGS
  -Wall -Wextra -Wpedantic -Werror
  -Wconversion -Wsign-conversion -Wfloat-conversion
  -Wshadow -Wundef -Wvla -Wpointer-arith -Wwrite-strings -Wimplicit-fallthrough
  -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
)

set(QHIVE_DEFINITIONS QH_ASSERT_LEVEL=${QHIVE_ASSERT_LEVEL} QHIVE_VERSION="${QHIVE_VERSION}")
if(QHIVE_SMALL)
  list(APPEND QHIVE_DEFINITIONS QH_SMALL=1)
endif()
if(QHIVE_THREADS)
  list(APPEND QHIVE_DEFINITIONS QH_THREADS=1)
endif()
# Of the module alone: the tests of the small build have the shared rooms.
set(QHIVE_MODULE_DEFINITIONS)
if(NOT QHIVE_SHARED)
  list(APPEND QHIVE_MODULE_DEFINITIONS QH_SHARED=0)
endif()

# -ffreestanding implies -fno-builtin: no loop of ours becomes a call of memset, and the memory functions
# in src/base/bytes.c cannot be turned into calls of themselves. Copies of known size are
# __builtin_memcpy, which stays one load and store. The hot kernels use SIMD intrinsics; vectorising and
# unrolling the other loops made the module a fifth larger (28.8 KB gzipped against 23.8).
#
# Most functions are compiled for size, those of the hot paths with -Os (QH_FAST_BEGIN in src/base/platform.h, cmake/wasm-cc.mjs).
# Strength reduction of loops and the elimination of partial redundancies make wasm longer and no faster: without the two it is
# 1.4 KiB smaller gzipped. Where a file begins or ends with a hot function, a region is empty, of which the compiler warns.
set(QHIVE_WASM_OPTIMISE -Os)
if(QHIVE_SMALL)
  set(QHIVE_WASM_OPTIMISE -Oz)
endif()
list(APPEND QHIVE_WASM_OPTIMISE
  -mllvm -disable-lsr -mllvm -enable-pre=false -mllvm -enable-load-pre=false -Wno-pragma-clang-attribute)
set(QHIVE_WASM_COMPILE_FLAGS
  --target=wasm32 ${QHIVE_WASM_OPTIMISE} -fno-vectorize -fno-slp-vectorize -fno-unroll-loops
  -ffreestanding -nostdlib -nostdlibinc -fvisibility=hidden
  -mbulk-memory -msign-ext -mnontrapping-fptoint -mmutable-globals
)
if(QHIVE_SIMD)
  list(APPEND QHIVE_WASM_COMPILE_FLAGS -msimd128)
endif()

# The stack is lowest, so overflowing it traps at address 0 instead of writing over static data. The
# memory is imported and its maximum left to whoever creates it. No --allow-undefined: a missing
# function is an error here, not an import. --strip-all drops names, producers and features sections.
set(QHIVE_WASM_LINK_FLAGS
  --no-entry --stack-first -z stack-size=1048576 --import-memory
  --gc-sections --strip-all --fatal-warnings -O2
)

# One shared memory for all instances: data segments are passive, and the start function, which every instance runs, copies them
# into the memory once. The maximum is the largest there is: whoever creates the memory may choose a smaller one.
if(QHIVE_THREADS)
  list(APPEND QHIVE_WASM_COMPILE_FLAGS -matomics)
  list(REMOVE_ITEM QHIVE_WASM_LINK_FLAGS --strip-all) # the stack check goes by names; wasm-opt strips them afterwards
  list(APPEND QHIVE_WASM_LINK_FLAGS --shared-memory --max-memory=4294967296)
endif()

# There is no 64-bit module yet; what would stand in its way is refused while the 32-bit one is built.
set(QHIVE_WASM64_CHECK_FLAGS --target=wasm64 -fsyntax-only -Wpointer-to-int-cast -Wint-to-pointer-cast -Wshorten-64-to-32)

# With WASI's libc. The stack as above; its default is 64 KiB.
set(QHIVE_WASI_COMPILE_FLAGS
  --target=wasm32-wasip1 ${QHIVE_WASM_OPTIMISE} -fno-vectorize -fno-slp-vectorize -fno-unroll-loops -fvisibility=hidden -mbulk-memory -msign-ext -mnontrapping-fptoint
)
if(QHIVE_SIMD)
  list(APPEND QHIVE_WASI_COMPILE_FLAGS -msimd128)
endif()
set(QHIVE_WASI_LINK_FLAGS
  --target=wasm32-wasip1 -Wl,--stack-first -Wl,-z,stack-size=1048576 -Wl,--gc-sections -Wl,--strip-all -Wl,--fatal-warnings
)

# LLVM leaves many more locals than there are values alive at once. Giving them the same few numbers again takes 1.6 KiB (of 47)
# off the gzipped module; all of wasm-opt -Oz took no more, except from the small build.
set(QHIVE_WASM_SHRINK_FLAGS
  --mvp-features --enable-bulk-memory --enable-sign-ext --enable-nontrapping-float-to-int --enable-mutable-globals)
if(QHIVE_SIMD)
  list(APPEND QHIVE_WASM_SHRINK_FLAGS --enable-simd)
endif()
# Only the first thread's stack lies lowest. Wherever the stack pointer moves, the end of the thread's stack (__set_stack_limits) is
# looked at: an overflow traps.
if(QHIVE_THREADS)
  list(APPEND QHIVE_WASM_SHRINK_FLAGS --enable-threads --stack-check)
endif()
if(QHIVE_SMALL)
  list(APPEND QHIVE_WASM_SHRINK_FLAGS -Oz)
else()
  list(APPEND QHIVE_WASM_SHRINK_FLAGS --coalesce-locals --rse --vacuum --reorder-locals)
endif()
if(QHIVE_THREADS)
  list(APPEND QHIVE_WASM_SHRINK_FLAGS --strip-debug --strip-producers --strip-target-features)
endif()

set(QHIVE_SANITIZE_FLAGS
  -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
)
