#include "memory/arena.h"

#include "base/bits.h"
#include "memory/guard.h"

#define HEAD_BYTES QH_HEAP_ALIGNMENT
#define LARGEST_CHUNK ((size_t)1 << 18)

_Static_assert(sizeof(qh_arena_chunk) <= HEAD_BYTES, "the head of a chunk");

static unsigned char *chunk_end(qh_arena_chunk *chunk) {
    return chunk ? (unsigned char *)chunk + chunk->byte_count : NULL;
}

void qh_arena_open(qh_arena *arena, qh_heap *heap, qh_owner *owner, size_t first_bytes,
                   qh_block_kind kind) {
    *arena = (qh_arena){.heap = heap, .owner = owner, .kind = kind};
    arena->first_bytes = first_bytes ? first_bytes : QH_ARENA_FIRST_BYTES;
}

static qh_result begin_chunk(qh_arena *arena, size_t byte_count) {
    size_t usable = arena->first_bytes;
    if (arena->chunk) usable = QH_MIN(arena->chunk_bytes, LARGEST_CHUNK) - HEAD_BYTES;
    if (byte_count > SIZE_MAX - HEAD_BYTES) return QH_OVERFLOW;
    usable = QH_MAX(usable, byte_count) + HEAD_BYTES;
    void *block;
    QH_TRY(qh_heap_alloc(arena->heap, arena->owner, usable, arena->kind, &block));
    qh_arena_chunk *chunk = block;
    *chunk = (qh_arena_chunk){arena->chunk, usable};
    arena->chunk = chunk;
    arena->chunk_bytes += usable;
    arena->at = (unsigned char *)block + HEAD_BYTES;
    arena->end = chunk_end(chunk);
    qh__guard_freed(arena->at, usable - HEAD_BYTES);
    return QH_OK;
}

qh_result qh_arena_alloc(qh_arena *arena, size_t byte_count, void **block) {
    QH_ASSERT(byte_count > 0);
    if (byte_count > SIZE_MAX - HEAD_BYTES) return QH_OVERFLOW;
    size_t bytes = qh__align_up(byte_count, QH_HEAP_ALIGNMENT);
    if (bytes > (size_t)(arena->end - arena->at)) QH_TRY(begin_chunk(arena, bytes));
    *block = arena->at;
    qh__guard_taken(arena->at, byte_count, bytes);
    arena->at += bytes;
    arena->used_bytes += bytes;
    if (arena->used_bytes > arena->peak_bytes) arena->peak_bytes = arena->used_bytes;
    return QH_OK;
}

qh_arena_mark qh_arena_mark_now(const qh_arena *arena) {
    return (qh_arena_mark){arena->chunk, arena->at, arena->used_bytes};
}

void qh_arena_rewind(qh_arena *arena, qh_arena_mark mark) {
    QH_ASSERT(mark.used_bytes <= arena->used_bytes);
    while (arena->chunk != mark.chunk) {
        QH_ASSERT(arena->chunk != NULL);
        qh_arena_chunk *chunk = arena->chunk;
        arena->chunk = chunk->previous;
        arena->chunk_bytes -= chunk->byte_count;
        QH_UNPOISON(chunk, chunk->byte_count);
        qh_heap_free(arena->heap, arena->owner, chunk, chunk->byte_count);
    }
    arena->at = mark.at;
    arena->end = chunk_end(mark.chunk);
    if (mark.chunk) qh__guard_freed(mark.at, (size_t)(arena->end - mark.at));
    arena->used_bytes = mark.used_bytes;
}

void qh_arena_clear(qh_arena *arena) {
    qh_arena_rewind(arena, (qh_arena_mark){NULL, NULL, 0});
}

bool qh_arena_validate(const qh_arena *arena) {
    size_t bytes = 0, heads = 0;
    for (const qh_arena_chunk *chunk = arena->chunk; chunk; chunk = chunk->previous) {
        bytes += chunk->byte_count;
        heads += HEAD_BYTES;
        if (chunk->byte_count <= HEAD_BYTES || bytes > arena->chunk_bytes) return false;
    }
    const unsigned char *begin = (const unsigned char *)arena->chunk;
    bool inside = begin ? arena->at >= begin + HEAD_BYTES && arena->at <= arena->end &&
                              arena->end == begin + arena->chunk->byte_count
                        : arena->at == NULL && arena->end == NULL;
    return inside && bytes == arena->chunk_bytes && arena->used_bytes + heads <= bytes &&
           arena->used_bytes <= arena->peak_bytes;
}
