/* Arenas: many blocks that end together (a batch's rows, bytes on their way in, the scratch of an index build).
 *
 * An arena bumps through chunks that it takes from the heap, each as large as all before it up to 256 KiB; a larger request gets a chunk of
 * its own size. Blocks are aligned to 16 and are not given back one by one: `mark` says where the arena stands, `rewind` makes
 * it stand there again, and chunks begun since then go back to the heap at once (none is kept, so an arena never holds
 * more than one chunk beyond what was asked of it). Chunks are charged to the arena's owner and recorded like every block; the
 * head of 16 bytes that links them is all it costs.
 *
 *   chunk:  | previous, bytes | block | block | ... at -> | free ... end |
 *
 * Invariants (qh_arena_validate): the chunks' bytes add up to `chunk_bytes`; at lies in the newest; used_bytes <= chunk_bytes. */
#ifndef QH_MEMORY_ARENA_H
#define QH_MEMORY_ARENA_H

#include "memory/heap.h"

#define QH_ARENA_FIRST_BYTES ((size_t)4080) /* usable of the first chunk, unless a size is given */

typedef struct qh_arena_chunk {
    struct qh_arena_chunk *previous;
    size_t byte_count; /* of the block of the heap, head included */
} qh_arena_chunk;

typedef struct qh_arena {
    qh_heap *heap;
    qh_owner *owner;
    qh_arena_chunk *chunk; /* the newest; NULL: there is none */
    unsigned char *at, *end;
    size_t first_bytes; /* usable bytes of the first chunk */
    size_t used_bytes;  /* handed out and not rewound, each block rounded up to 16 */
    size_t peak_bytes;  /* the most that were */
    size_t chunk_bytes; /* of all chunks, heads included */
    qh_block_kind kind;
} qh_arena;

typedef struct qh_arena_mark {
    qh_arena_chunk *chunk;
    unsigned char *at;
    size_t used_bytes;
} qh_arena_mark;

/* An empty arena; takes no memory yet. `first_bytes`: what its first chunk is to hold, 0 for QH_ARENA_FIRST_BYTES. */
void qh_arena_open(qh_arena *arena, qh_heap *heap, qh_owner *owner, size_t first_bytes,
                   qh_block_kind kind);

/* `byte_count` > 0 bytes aligned to 16, contents undefined, valid until a rewind to before them. Fails like qh_heap_alloc; then
 * nothing has changed. */
qh_result qh_arena_alloc(qh_arena *arena, size_t byte_count, void **block);

/* Where the arena stands. */
qh_arena_mark qh_arena_mark_now(const qh_arena *arena);

/* Gives back everything handed out since `mark`, which is from this arena and has not itself been rewound. */
void qh_arena_rewind(qh_arena *arena, qh_arena_mark mark);

/* Gives everything back; the arena is as newly opened, but for its peak. */
void qh_arena_clear(qh_arena *arena);

bool qh_arena_validate(const qh_arena *arena);

#endif
