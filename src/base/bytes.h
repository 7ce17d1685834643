/* The four memory functions, by their libc names because the compiler emits calls to them, and text helpers. */
#ifndef QH_BASE_BYTES_H
#define QH_BASE_BYTES_H

#include "base/platform.h"

#if QH_OWNS_MEMORY
void *memcpy(void *restrict to, const void *restrict from, size_t byte_count);
void *memmove(void *to, const void *from, size_t byte_count);
void *memset(void *to, int value, size_t byte_count);
int memcmp(const void *a, const void *b, size_t byte_count);
/* Freestanding code has no builtins by itself: these make a copy of known size a load and a store. */
#define memcpy(to, from, byte_count) __builtin_memcpy(to, from, byte_count)
#define memmove(to, from, byte_count) __builtin_memmove(to, from, byte_count)
#define memset(to, value, byte_count) __builtin_memset(to, value, byte_count)
#else
#include <string.h>
#endif

/* 64-bit hash of bytes; stable across builds and versions (names select random streams through it). */
uint64_t qh__hash_bytes(const void *bytes, size_t byte_count, uint64_t seed);

/* CRC-32C (Castagnoli, as in RFC 3720), of `byte_count` bytes continuing from `crc` (0 to begin). */
uint32_t qh__crc32c(uint32_t crc, const void *bytes, size_t byte_count);

#endif
