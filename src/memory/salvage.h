/* What is left when somebody has died: the records say which blocks there are and whose, whatever state their owner is in. All of this
 * is called with the memory lock held (qh__memory_enter), for owners that nobody uses. Nothing of it without QH_THREADS. */
#ifndef QH_MEMORY_SALVAGE_H
#define QH_MEMORY_SALVAGE_H

#include "memory/memory.h"

#if QH_THREADS

/* Whose blocks are looked for, and the books of those that were found. */
typedef struct qh_survey {
    const qh_memory *memory;
    uint32_t id, kind;
    uint64_t books;
} qh_survey;

/* Whether `block` is a live one of the owner's, of so many bytes as asked for, from heap or pool (0 bytes: none); then it may be read. */
bool qh__survey_block(qh_survey *survey, const void *block, size_t byte_count);

/* The books of an owner, by the records. */
uint64_t qh__salvage_books(const qh_memory *memory, uint32_t id, uint32_t kind);

/* Gives back all blocks whose record `is_doomed` names; the books of their owners are left to the caller. How many there were. */
uint32_t qh__salvage(qh_memory *memory, bool (*is_doomed)(const qh_record *record, void *context),
                     void *context);

/* The records are all that is known of the owner: so much it has. */
void qh__owner_settle(const qh_memory *memory, qh_owner *owner);

#endif
#endif
