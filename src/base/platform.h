/* The compiler and nothing else: attributes, assertion tiers, and the few facts of C17 freestanding
 * that every room needs. The core uses no libc; `bytes.h` has the four memory functions.
 *
 * Assertion tiers (QH_ASSERT_LEVEL): 0 none · 1 cheap checks in release builds (QH_ASSERT) ·
 * 2 adds checks that cost a loop (QH_ASSERT2) · 3 adds whole-structure validators (QH_ASSERT3). */
#ifndef QH_BASE_PLATFORM_H
#define QH_BASE_PLATFORM_H

#include <limits.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qhive/common.h"

/* 1: the memory of the WebAssembly instance is the runtime's own, from the end of the static data on. 0: it is a part of an address
 * space that others use as well: natively, and under a libc on WebAssembly (WASI, Emscripten). */
#if defined(__wasm__) && !defined(__wasi__) && !defined(__EMSCRIPTEN__)
#define QH_OWNS_MEMORY 1
#else
#define QH_OWNS_MEMORY 0
#endif

/* 1: several threads use one runtime (sync/). */
#ifndef QH_THREADS
#define QH_THREADS 0
#endif
#if QH_THREADS
#define QH_THREAD_LOCAL _Thread_local
#else
#define QH_THREAD_LOCAL
#endif

#ifndef QH_ASSERT_LEVEL
#define QH_ASSERT_LEVEL 1
#endif

#define QH_LIKELY(x) __builtin_expect(!!(x), 1)
#define QH_UNLIKELY(x) __builtin_expect(!!(x), 0)
/* 0: the exports of the shared rooms answer QH_UNSUPPORTED (wasm/unsupported.c). */
#ifndef QH_SHARED
#define QH_SHARED 1
#endif

/* The small build has one copy of everything, inlined only where that is smaller, and no lanes for hot cases. */
#if defined(QH_SMALL)
#define QH_INLINE static inline
#define QH_HOT(flag) ((void)(flag), false)
#else
#define QH_INLINE static inline __attribute__((always_inline))
#define QH_HOT(flag) (flag)
#endif

/* In the module (cmake/wasm-cc.mjs) functions are compiled for size, and a QH_HELPER is inlined only where that is smaller. Those
 * between QH_FAST_BEGIN and QH_FAST_END are compiled for speed, with the helpers inline. Elsewhere the options decide for all. */
#if defined(QH_COLD_UNIT)
#define QH_HELPER static inline
#define QH_FAST_BEGIN _Pragma("clang attribute pop")
#define QH_FAST_END _Pragma("clang attribute push(__attribute__((minsize)), apply_to = function)")
#else
#define QH_HELPER QH_INLINE
#define QH_FAST_BEGIN
#define QH_FAST_END
#endif
#define QH_NOINLINE __attribute__((noinline))

#define QH_ASSERT_IF_(x) ((x) ? (void)0 : __builtin_trap())
#if QH_ASSERT_LEVEL >= 1
#define QH_ASSERT(x) QH_ASSERT_IF_(x)
#else
#define QH_ASSERT(x) ((void)0)
#endif
#if QH_ASSERT_LEVEL >= 2
#define QH_ASSERT2(x) QH_ASSERT_IF_(x)
#else
#define QH_ASSERT2(x) ((void)0)
#endif
#if QH_ASSERT_LEVEL >= 3
#define QH_ASSERT3(x) QH_ASSERT_IF_(x)
#else
#define QH_ASSERT3(x) ((void)0)
#endif

/* Return early with a failure: `QH_TRY(qh_heap_alloc(...));` */
#define QH_TRY(expression)                                                                         \
    do {                                                                                           \
        qh_result qh_try_ = (expression);                                                          \
        if (QH_UNLIKELY(qh_try_ != QH_OK)) return qh_try_;                                         \
    } while (0)

#define QH_MIN(a, b) ((a) < (b) ? (a) : (b))
#define QH_MAX(a, b) ((a) > (b) ? (a) : (b))

#endif
