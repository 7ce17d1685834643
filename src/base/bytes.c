#include "base/bytes.h"

#include "base/bits.h"

#define CRC_MANY 4096 /* bytes from which on making tables is worth its 2 us */

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

/* Half-byte table: 64 bytes of data. */
static const uint32_t crc_nibbles[16] = {
    0x00000000u, 0x105EC76Fu, 0x20BD8EDEu, 0x30E349B1u, 0x417B1DBCu, 0x5125DAD3u,
    0x61C69362u, 0x7198540Du, 0x82F63B78u, 0x92A8FC17u, 0xA24BB5A6u, 0xB21572C9u,
    0xC38D26C4u, 0xD3D3E1ABu, 0xE330A81Au, 0xF36E6F75u,
};

static uint32_t crc_byte(uint32_t crc) {
    crc = (crc >> 4) ^ crc_nibbles[crc & 15];
    return (crc >> 4) ^ crc_nibbles[crc & 15];
}

/* Whole words, four bytes at once: seven times as fast, for tables of 256 sums of a byte with no, one, two and three zeros behind it,
 * which lie on the stack for as long as they are needed. Returns how many bytes it took. */
static size_t crc_words(uint32_t *sum, const unsigned char *bytes, size_t byte_count) {
    uint32_t part[4 * 256], crc = *sum;
    for (uint32_t i = 0; i < 256; i++) part[i] = crc_byte(i);
    for (uint32_t i = 256; i < 4 * 256; i++)
        part[i] = (part[i - 256] >> 8) ^ part[part[i - 256] & 255];
    size_t words = byte_count / 4;
    for (size_t i = 0; i < words; i++) {
        uint32_t word;
        memcpy(&word, bytes + 4 * i, sizeof word);
        crc ^= word;
        crc = part[768 + (crc & 255)] ^ part[512 + (crc >> 8 & 255)] ^
              part[256 + (crc >> 16 & 255)] ^ part[crc >> 24];
    }
    *sum = crc;
    return 4 * words;
}

uint32_t qh__crc32c(uint32_t crc, const void *bytes, size_t byte_count) {
    const unsigned char *p = bytes;
    crc = ~crc;
    size_t done = byte_count < CRC_MANY ? 0 : crc_words(&crc, p, byte_count);
    for (size_t i = done; i < byte_count; i++) crc = crc_byte(crc ^ p[i]);
    return ~crc;
}

QH_FAST_END
