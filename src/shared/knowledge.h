/* Feature knowledge: what is known of the functions that agents stand for. One catalogue for all agents, built at once, never copied.
 *
 * A catalogue is six blocks, whatever the number of entries:
 *   source     the entries as they were given (a string table: 8 texts an entry, each behind its length)
 *   entries    where each begins
 *   slots      every term (word, 3-gram, code) by its hash: an open-addressing table; where its postings begin
 *   postings   of each term the entries that have it, as varints: their number, then (gap << 4 | weight) each
 *   vectors    64 floats an entry, of length 1
 *   lengths    words of each entry
 * Loading more builds a new catalogue from both sources beside the old one, and only then lets the old one go: a failure leaves
 * everything as it was.
 *
 * Search. A text's lexical score is BM25 (Robertson & Zaragoza, "The probabilistic relevance framework", 2009) over words and, at a
 * lesser weight, 3-grams. An entry's vector is its row of IDF-weighted terms under a seeded random projection to 64 dimensions:
 * each term's direction is 64 signs from its hash (Achlioptas 2003). A text's vector is the sum of the entries' vectors, weighted
 * by the cubes of their lexical scores (folding in), so it works for the caller's own vectors as well, whatever model they
 * come from. The fused score adds both. What was tried and dropped is in docs/design/knowledge.md.
 *
 * Words. A table of lines says which words mean the same: the first of a line is what all others count as; a line that begins
 * with '-' lists words that do not count. Words are compared by their stems.
 *
 * Source: the table of words as a text, then the entries. A text is a varint of its length and its bytes. An entry is a varint of
 * its flags (the caller's), then 8 texts: code, name, category, description, parameters, KPIs, prerequisites, vector. Parameters, KPIs
 * and prerequisites are lists: texts again. The vector is empty or 64 little-endian floats.
 *
 * Invariants (qh_knowledge_validate): the entries' texts fill the source; the postings of every slot rise, lie in their block and
 * name entries; each code is found as the entry it is of. */
#ifndef QH_SHARED_KNOWLEDGE_H
#define QH_SHARED_KNOWLEDGE_H

#include "memory/memory.h"
#include "shared/text.h"
#include "sync/room.h"

#define QH_KNOWLEDGE_DIMS 64u
#define QH_KNOWLEDGE_HITS 1024u /* most that a search may ask for */
#define QH_NO_ENTRY UINT32_MAX

enum {
    QH_FIELD_CODE,
    QH_FIELD_NAME,
    QH_FIELD_CATEGORY,
    QH_FIELD_DESCRIPTION,
    QH_FIELD_PARAMETERS,
    QH_FIELD_KPIS,
    QH_FIELD_REQUIRES,
    QH_FIELD_VECTOR,
    QH_FIELD_COUNT
};

typedef enum qh_knowledge_mode {
    QH_SEARCH_FUSED,
    QH_SEARCH_LEXICAL,
    QH_SEARCH_VECTOR
} qh_knowledge_mode;

typedef struct qh_knowledge_slot {
    uint32_t term; /* 0: free */
    uint32_t
        start; /* of its postings; of an alias the word that is meant, 0 where it does not count */
} qh_knowledge_slot;

/* What is built at once and never changes. */
typedef struct qh_catalogue {
    unsigned char *source;
    uint32_t *entries;        /* count + 1 */
    qh_knowledge_slot *slots; /* slot_count, a power of two */
    unsigned char *postings;
    float *vectors; /* count rows */
    float *lengths; /* of each entry: words over the mean */
    uint32_t source_bytes, count, slot_count, used_slots, posting_bytes;
} qh_catalogue;

typedef struct qh_knowledge {
    qh_catalogue catalogue;
    qh_memory *memory;
    qh_owner owner;
    qh_shared
        shared; /* on the list while there is a catalogue, or it is frozen; held by the agents tied to an entry */
    bool listed;
#if QH_THREADS
    bool changing; /* the catalogue is being replaced */
#endif
    QH_ROOM_MUTEX /* taken by whoever calls */
} qh_knowledge;

typedef struct qh_knowledge_query {
    qh_text text;        /* what to search; where `vector` is not NULL, that */
    const float *vector; /* 64 */
    qh_text category;    /* only of this; empty: any */
    uint32_t mode;       /* qh_knowledge_mode */
    uint32_t hits;       /* at most QH_KNOWLEDGE_HITS */
} qh_knowledge_query;

/* What stands in the way of an order of activation. */
typedef struct qh_knowledge_obstacle {
    uint32_t
        entry; /* that needs what is missing; QH_NO_ENTRY: nothing is missing, there is a cycle */
    qh_text missing; /* the code */
    uint32_t cycle;  /* entries of the cycle, in `order`: each needs the next, the last the first */
} qh_knowledge_obstacle;

void qh_knowledge_open(qh_knowledge *knowledge, qh_memory *memory);

/* Gives all memory back. Nobody holds it any more. */
void qh_knowledge_close(qh_knowledge *knowledge);

/* Adds the entries of a source, whose table of words counts only where there is no entry yet. QH_INVALID_STATE once frozen,
 * QH_CORRUPT for a malformed source, QH_INVALID_ARGUMENT for a vector with a NaN or an infinity, or for a code that comes twice
 * (`at_fault` is its entry's number among all), QH_EXCEEDS_LIMIT past 64 MiB of text; failures of the heap. */
qh_result qh_knowledge_load(qh_knowledge *knowledge, qh_text source, uint32_t *at_fault);

/* From now on nothing changes. QH_INVALID_STATE when that was so already. */
qh_result qh_knowledge_freeze(qh_knowledge *knowledge);

/* Gives the catalogue back, frozen or not; afterwards another can be loaded. QH_BUSY while agents are tied to it. */
qh_result qh_knowledge_free(qh_knowledge *knowledge);

/* The entry with a code, QH_NO_ENTRY where there is none. */
uint32_t qh_knowledge_find(const qh_knowledge *knowledge, qh_text code);

/* A field of an entry. Valid until the next load. */
qh_text qh_knowledge_field(const qh_knowledge *knowledge, uint32_t entry, uint32_t field);

/* Writes the best entries, best first and equals by their number, and their scores: how many there are. An entry that shares
 * nothing with a text is not found by it. QH_INVALID_ARGUMENT for a vector with a NaN or an infinity; failures of the heap. */
qh_result qh_knowledge_search(qh_knowledge *knowledge, const qh_knowledge_query *query,
                              uint32_t *hits, float *scores, uint32_t *hit_count);

/* Writes the entries asked for and all their prerequisites, each after what it needs, to `order` (room for all entries).
 * QH_INVALID_ARGUMENT where that cannot be, with what stands in the way; failures of the heap. */
qh_result qh_knowledge_order(qh_knowledge *knowledge, const uint32_t *wanted, uint32_t wanted_count,
                             uint32_t *order, uint32_t *order_count,
                             qh_knowledge_obstacle *obstacle);

bool qh_knowledge_validate(const qh_knowledge *knowledge);

/* ---- between the files of this room */

/* The next text of a source; false where there is none. */
bool qh__next_text(const unsigned char **at, const unsigned char *end, qh_text *text);

/* The next varint; UINT32_MAX where there is none. */
uint32_t qh__next_number(const unsigned char **at, const unsigned char *end);

/* The entries that have a term, one after the other. */
typedef struct qh_postings {
    const unsigned char *at;
    uint32_t holders, left; /* entries that have it, in all and to come */
    uint32_t entry, weight; /* of the one reached */
} qh_postings;

/* The postings of a slot that is not free, before the first. */
qh_postings qh__postings_open(const qh_catalogue *catalogue, uint32_t slot);

/* Goes to the next entry; false behind the last. */
bool qh__postings_next(qh_postings *postings);

/* The slot of a term, or the free one where it would be. There are slots. */
uint32_t qh__slot_of(const qh_catalogue *catalogue, uint32_t term);

/* What a word means by the table of words, 0 where it does not count; any other term is what it is. */
uint32_t qh__meaning_of(const qh_catalogue *catalogue, uint32_t term);

/* Whether a slot has postings. */
QH_INLINE bool qh__has_postings(const qh_knowledge_slot *slot) {
    return slot->term != 0 && qh__term_kind(slot->term) != QH_TERM_ALIAS;
}

/* Builds slots, postings and lengths of a catalogue whose source and entries are there. On failure the caller gives back what
 * there is. */
qh_result qh__catalogue_index(qh_knowledge *knowledge, qh_catalogue *catalogue);

/* Fills the vectors: the entries' own, and those made of their terms for the others. QH_INVALID_ARGUMENT for one that is not finite. */
qh_result qh__catalogue_embed(qh_catalogue *catalogue, uint32_t *at_fault);

/* A field of an entry. */
qh_text qh__catalogue_field(const qh_catalogue *catalogue, uint32_t entry, uint32_t field);

/* A block for the catalogue, or scratch. */
qh_result qh__knowledge_take(qh_knowledge *knowledge, size_t byte_count, void *block);
void qh__knowledge_give(qh_knowledge *knowledge, void *block, size_t byte_count);

#endif
