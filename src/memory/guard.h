/* Guards at the highest assertion tier: memory that nobody may touch is filled with a pattern, and under the address sanitizer, which
 * sees nothing inside our one mapping by itself, poisoned by explicit calls. In every other build all of this is nothing.
 *
 *   handed out   readable up to the byte that was asked for, filled with QH_FRESH_BYTE: nobody may count on zeros
 *   given back   filled with QH_FREED_BYTE and poisoned
 *
 * Used by heap, pools and arenas. heap.c itself is compiled without the sanitizer's checks (QH_SANITIZED is defined for it by the
 * build), since it keeps its links in what it has poisoned; behind each of its blocks it leaves a granule that nobody owns. */
#ifndef QH_MEMORY_GUARD_H
#define QH_MEMORY_GUARD_H

#include "base/bytes.h"

#define QH_FRESH_BYTE 0xA5
#define QH_FREED_BYTE 0xDD

#if defined(QH_SANITIZED)
#elif defined(__SANITIZE_ADDRESS__)
#define QH_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define QH_SANITIZED 1
#endif
#endif
#ifndef QH_SANITIZED
#define QH_SANITIZED 0
#endif

/* Whether the sanitizer is told what may be touched. */
#define QH_POISONED (QH_SANITIZED && QH_ASSERT_LEVEL >= 3)

#if QH_POISONED
void __asan_poison_memory_region(void const volatile *at, size_t byte_count);
void __asan_unpoison_memory_region(void const volatile *at, size_t byte_count);
#define QH_POISON(at, byte_count) __asan_poison_memory_region(at, byte_count)
#define QH_UNPOISON(at, byte_count) __asan_unpoison_memory_region(at, byte_count)
#else
#define QH_POISON(at, byte_count) ((void)(at), (void)(byte_count))
#define QH_UNPOISON(at, byte_count) ((void)(at), (void)(byte_count))
#endif

/* `byte_count` bytes at `at` are somebody's from now on; the rest up to `whole` is nobody's. */
QH_INLINE void qh__guard_taken(void *at, size_t byte_count, size_t whole) {
#if QH_ASSERT_LEVEL >= 3
    QH_UNPOISON(at, whole);
    memset(at, QH_FRESH_BYTE, byte_count);
    QH_POISON((unsigned char *)at + byte_count, whole - byte_count);
#else
    (void)at;
    (void)byte_count;
    (void)whole;
#endif
}

/* A block of `old_count` bytes, readable at least so far, has `new_count` now; the rest up to `whole` is nobody's. */
QH_INLINE void qh__guard_resized(void *at, size_t old_count, size_t new_count, size_t whole) {
#if QH_ASSERT_LEVEL >= 3
    unsigned char *bytes = at;
    QH_UNPOISON(bytes, whole);
    if (new_count > old_count)
        memset(bytes + old_count, QH_FRESH_BYTE, new_count - old_count);
    else
        memset(bytes + new_count, QH_FREED_BYTE, whole - new_count);
    QH_POISON(bytes + new_count, whole - new_count);
#else
    (void)at;
    (void)old_count;
    (void)new_count;
    (void)whole;
#endif
}

/* `byte_count` bytes at `at` are nobody's any more. */
QH_INLINE void qh__guard_freed(void *at, size_t byte_count) {
#if QH_ASSERT_LEVEL >= 3
    QH_UNPOISON(at, byte_count);
    memset(at, QH_FREED_BYTE, byte_count);
    QH_POISON(at, byte_count);
#else
    (void)at;
    (void)byte_count;
#endif
}

#endif
