#include "runtime/notes.h"

#include "base/bytes.h"

#if QH_THREADS

/* The notes about an object; NULL for a stale handle. */
static qh_note **notes_about(qh_runtime *runtime, qh_handle handle) {
    if (handle == 0) return &runtime->notes;
    bool is_live = handle > QH_MAX_THREADS && qh_runtime_owner_lives(runtime, handle);
    return is_live ? &qh__slot_at(runtime, qh__handle_slot(handle))->notes : NULL;
}

static qh_note **note_of(qh_note **notes, uint32_t key) {
    while (*notes && (*notes)->key != key) notes = &(*notes)->next;
    return notes;
}

static void remove_note(qh_runtime *runtime, qh_note **link) {
    qh_note *note = *link;
    if (!note) return;
    *link = note->next;
    qh_heap_free(&runtime->memory.heap, &runtime->threads_owner, note,
                 sizeof(qh_note) + note->byte_count);
}

qh_result qh_note_put(qh_runtime *runtime, qh_handle handle, uint32_t key, const void *text,
                      uint32_t byte_count) {
    void *block = NULL;
    qh_note **notes = notes_about(runtime, handle);
    if (!notes) return QH_STALE_HANDLE;
    if (byte_count)
        QH_TRY(qh_heap_alloc(&runtime->memory.heap, &runtime->threads_owner,
                             sizeof(qh_note) + byte_count, QH_BLOCK_note, &block));
    remove_note(runtime, note_of(notes, key));
    if (!block) return QH_OK;
    qh_note *note = block;
    *note = (qh_note){*notes, key, byte_count};
    memcpy(note->text, text, byte_count);
    *notes = note;
    qh__atomic_add(&runtime->changes, 1);
    return QH_OK;
}

qh_result qh_note_copy(qh_runtime *runtime, qh_handle handle, uint32_t key, void **copy,
                       uint32_t *byte_count) {
    qh_note **notes = notes_about(runtime, handle);
    *copy = NULL;
    *byte_count = 0;
    if (!notes) return QH_STALE_HANDLE;
    const qh_note *note = *note_of(notes, key);
    if (!note) return QH_OK;
    QH_TRY(qh_heap_alloc(&runtime->memory.heap, QH_SCRATCH_OWNER(runtime), note->byte_count,
                         QH_BLOCK_buffer, copy));
    memcpy(*copy, note->text, note->byte_count);
    *byte_count = note->byte_count;
    return QH_OK;
}

void qh__notes_close(qh_runtime *runtime, qh_note **notes) {
    while (*notes) remove_note(runtime, notes);
}

#endif
