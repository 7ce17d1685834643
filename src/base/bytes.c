#include "base/bytes.h"

#include "base/bits.h"

QH_FAST_BEGIN

/* Under -mbulk-memory the builtins become the instructions memory.copy and memory.fill. */
#if QH_OWNS_MEMORY
void *(memcpy)(void *restrict to, const void *restrict from, size_t byte_count) {
    return __builtin_memcpy(to, from, byte_count);
}

void *(memmove)(void *to, const void *from, size_t byte_count) {
    return __builtin_memmove(to, from, byte_count);
}

void *(memset)(void *to, int value, size_t byte_count) {
    return __builtin_memset(to, value, byte_count);
}

int memcmp(const void *a, const void *b, size_t byte_count) {
    const unsigned char *x = a, *y = b;
    for (size_t i = 0; i < byte_count; i++)
        if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;
    return 0;
}
#endif

uint64_t qh__hash_bytes(const void *bytes, size_t byte_count, uint64_t seed) {
    const unsigned char *p = bytes;
    uint64_t hash = qh__hash_step(seed, byte_count), word = 0;
    for (size_t i = 0; i < byte_count; i++) {
        word |= (uint64_t)p[i] << (8 * (i & 7));
        if ((i & 7) == 7) {
            hash = qh__hash_step(hash, word);
            word = 0;
        }
    }
    return qh__hash_step(hash, word);
}

uint32_t qh__crc32c(uint32_t crc, const void *bytes, size_t byte_count) {
    /* Half-byte table: 64 bytes of data for a speed that tables of a megabyte need. */
    static const uint32_t table[16] = {
        0x00000000u, 0x105EC76Fu, 0x20BD8EDEu, 0x30E349B1u, 0x417B1DBCu, 0x5125DAD3u,
        0x61C69362u, 0x7198540Du, 0x82F63B78u, 0x92A8FC17u, 0xA24BB5A6u, 0xB21572C9u,
        0xC38D26C4u, 0xD3D3E1ABu, 0xE330A81Au, 0xF36E6F75u,
    };
    const unsigned char *p = bytes;
    crc = ~crc;
    for (size_t i = 0; i < byte_count; i++) {
        crc ^= p[i];
        crc = (crc >> 4) ^ table[crc & 15];
        crc = (crc >> 4) ^ table[crc & 15];
    }
    return ~crc;
}

QH_FAST_END
