#include "memory/shared.h"

void qh_shared_open(qh_shared_list *list, qh_shared *shared, const qh_owner *owner, uint32_t id,
                    size_t byte_count) {
    *shared = (qh_shared){.next = list->first, .owner = owner, .id = id, .byte_count = byte_count};
    if (list->first) list->first->previous = shared;
    list->first = shared;
    list->count++;
}

qh_result qh_shared_freeze(qh_shared *shared) {
    if (shared->frozen) return QH_INVALID_STATE;
    shared->frozen = true;
    return QH_OK;
}

qh_result qh_shared_acquire(qh_shared *shared) {
    if (!shared->frozen) return QH_INVALID_STATE;
    if (shared->references == UINT32_MAX) return QH_OVERFLOW;
    shared->references++;
    return QH_OK;
}

uint32_t qh_shared_release(qh_shared *shared) {
    QH_ASSERT(shared->references > 0);
    return --shared->references;
}

qh_result qh_shared_close(qh_shared_list *list, qh_shared *shared) {
    if (shared->references > 0) return QH_BUSY;
    qh_shared **link = shared->previous ? &shared->previous->next : &list->first;
    *link = shared->next;
    if (shared->next) shared->next->previous = shared->previous;
    list->count--;
    return QH_OK;
}

bool qh_shared_validate(const qh_shared_list *list) {
    uint32_t count = 0;
    const qh_shared *previous = NULL;
    for (const qh_shared *shared = list->first; shared; shared = shared->next) {
        bool sound = shared->previous == previous && (shared->frozen || shared->references == 0);
        if (!sound || ++count > list->count) return false;
        previous = shared;
    }
    return count == list->count;
}
