/* Notes: texts that the threads of a runtime leave for each other, by the object they are about (or the runtime) and a key. The core
 * does not read them; the package keeps there what it knows of an object that another thread made. They end with their object. */
#ifndef QH_RUNTIME_NOTES_H
#define QH_RUNTIME_NOTES_H

#include "runtime/runtime.h"

#if QH_THREADS

typedef struct qh_note {
    struct qh_note *next;
    uint32_t key, byte_count;
    unsigned char text[];
} qh_note;

/* Keeps a copy of a text in the place of the one that was there; NULL or no bytes: none. `handle` 0: the runtime's. QH_STALE_HANDLE, QH_BUSY,
 * failures of memory; then all is as it was. */
qh_result qh_note_put(qh_runtime *runtime, qh_handle handle, uint32_t key, const void *text,
                      uint32_t byte_count);

/* A copy of a note in a block of the runtime's, of which the caller is the owner; NULL: there is none. */
qh_result qh_note_copy(qh_runtime *runtime, qh_handle handle, uint32_t key, void **copy,
                       uint32_t *byte_count);

/* Gives back all notes of a list. */
void qh__notes_close(qh_runtime *runtime, qh_note **notes);

#endif
#endif
