#include "shared/messages.h"

#include "base/bytes.h"
#include "memory/array.h"

#define DELIVERIES_A_BLOCK 8u
#define LEAST_CAPACITY 64u

void qh_messages_open(qh_messages *messages, qh_memory *memory) {
    messages->memory = memory;
    messages->capacity =
        QH_MAX(memory->pools[QH_POOL_MESSAGE].capacity * DELIVERIES_A_BLOCK, LEAST_CAPACITY);
    qh_owner_open(&memory->heap, &messages->owner, 0, QH_OWNER_messages, SIZE_MAX);
}

/* ---------------------------------------------------------------- room */

#if !QH_THREADS
static qh_result grow_array(qh_messages *messages, void **array, uint32_t *count, uint32_t needed,
                            size_t item_bytes) {
    return qh__array_reserve(&messages->memory->heap, &messages->owner, array, count, needed,
                             item_bytes, QH_BLOCK_message);
}
#endif

static QH_NOINLINE qh_result reserve_inbox(qh_messages *messages, qh_handle agent) {
#if QH_THREADS
    QH_TRY(qh__array_grow(&messages->memory->heap, &messages->owner, &messages->inboxes,
                          &messages->inbox_count, qh__handle_slot(agent) + 1, sizeof(qh_inbox),
                          QH_BLOCK_message));
#else
    void *array = messages->inboxes;
    QH_TRY(grow_array(messages, &array, &messages->inbox_count, qh__handle_slot(agent) + 1,
                      sizeof(qh_inbox)));
    messages->inboxes = array;
#endif
    qh_inbox *inbox = &messages->inboxes[qh__handle_slot(agent)];
#if QH_THREADS
    /* Of one that died while the lock could not be had. */
    if (QH_UNLIKELY(inbox->first && inbox->agent != agent))
        qh_messages_forget(messages, inbox->agent);
#endif
    if (inbox->agent != agent) *inbox = (qh_inbox){.agent = agent};
    return QH_OK;
}

static qh_result reserve_deliveries(qh_messages *messages, uint32_t count) {
    uint32_t before = messages->delivery_count;
#if QH_THREADS
    QH_TRY(qh__array_grow(&messages->memory->heap, &messages->owner, &messages->deliveries,
                          &messages->delivery_count, messages->length + count, sizeof(qh_delivery),
                          QH_BLOCK_message));
#else
    void *array = messages->deliveries;
    QH_TRY(grow_array(messages, &array, &messages->delivery_count, messages->length + count,
                      sizeof(qh_delivery)));
    messages->deliveries = array;
#endif
    for (uint32_t i = messages->delivery_count; i > before; i--) {
        messages->deliveries[i - 1].next = messages->free;
        messages->free = i;
    }
    return QH_OK;
}

/* The inbox of an agent; NULL where it never had one. */
static QH_NOINLINE qh_inbox *inbox_of(const qh_messages *messages, qh_handle agent) {
    uint32_t slot = qh__handle_slot(agent);
    if (slot >= messages->inbox_count || messages->inboxes[slot].agent != agent) return NULL;
    return &messages->inboxes[slot];
}

/* ---------------------------------------------------------------- sending */

static qh_result reserve_message(qh_messages *messages, const qh_message_def *def,
                                 qh_message **message) {
    if (def->receivers == 0 || def->byte_count > QH_MESSAGE_PAYLOAD) return QH_INVALID_ARGUMENT;
    QH_TRY(reserve_inbox(messages, def->from));
    if (messages->length + def->receivers > messages->capacity &&
        inbox_of(messages, def->from)->waiting > 0) {
        messages->refused++;
        return QH_INVALID_STATE;
    }
    for (uint32_t i = 0; i < def->receivers; i++) QH_TRY(reserve_inbox(messages, def->to[i]));
    QH_TRY(reserve_deliveries(messages, def->receivers));
    void *block;
    QH_TRY(qh_pool_acquire(&messages->memory->pools[QH_POOL_MESSAGE], &messages->owner, &block));
    *message = block;
    return QH_OK;
}

static void deliver(qh_messages *messages, qh_message *message, qh_handle to) {
    qh_inbox *inbox = inbox_of(messages, to);
    uint32_t number = messages->free;
    qh_delivery *delivery = &messages->deliveries[number - 1];
    messages->free = delivery->next;
    *delivery = (qh_delivery){.message = message};
    if (inbox->last)
        messages->deliveries[inbox->last - 1].next = number;
    else
        inbox->first = number;
    inbox->last = number;
}

qh_result qh_messages_send(qh_messages *messages, const qh_message_def *def) {
    qh_message *message;
    QH_ENTER(messages);
#if QH_THREADS
    if (def->lives && !def->lives(def->context, def->to[0]))
        return QH_LEAVE(messages, QH_STALE_HANDLE);
#endif
    qh_result result = reserve_message(messages, def, &message);
    if (result != QH_OK) return QH_LEAVE(messages, result);
#if QH_THREADS
    messages->sent_before = messages->sent;
    QH_ORDERED();
    messages->sending = message;
    QH_ORDERED();
#endif
    message->references = def->receivers;
    message->from = def->from;
    message->byte_count = def->byte_count;
    memcpy(message->payload, def->payload, def->byte_count);
    for (uint32_t i = 0; i < def->receivers; i++) deliver(messages, message, def->to[i]);
    inbox_of(messages, def->from)->waiting += def->receivers;
    messages->length += def->receivers;
    messages->blocks++;
    messages->sent++;
#if QH_THREADS
    QH_ORDERED();
    messages->sending = NULL;
    QH_ORDERED();
#endif
    return QH_LEAVE(messages, QH_OK);
}

/* ---------------------------------------------------------------- receiving */

qh_result qh_messages_peek(qh_messages *messages, qh_handle agent, const qh_message **message) {
    QH_ENTER(messages);
    const qh_inbox *inbox = inbox_of(messages, agent);
    bool waits = inbox && inbox->first;
    *message = waits ? messages->deliveries[inbox->first - 1].message : NULL;
    return QH_LEAVE(messages, QH_OK);
}

static void take_first(qh_messages *messages, qh_inbox *inbox) {
    uint32_t number = inbox->first;
    qh_delivery *delivery = &messages->deliveries[number - 1];
    qh_message *message = delivery->message;
    qh_inbox *sender = inbox_of(messages, message->from);
    if (sender) sender->waiting--;
    inbox->first = delivery->next;
    if (!inbox->first) inbox->last = 0;
    *delivery = (qh_delivery){.next = messages->free};
    messages->free = number;
    messages->length--;
    if (--message->references > 0) return;
    messages->blocks--;
    qh_pool_release(&messages->memory->pools[QH_POOL_MESSAGE], &messages->owner, message);
}

qh_result qh_messages_take(qh_messages *messages, qh_handle agent) {
    QH_ENTER(messages);
    qh_inbox *inbox = inbox_of(messages, agent);
    qh_result result = inbox && inbox->first ? QH_OK : QH_INVALID_STATE;
    if (result == QH_OK) {
#if QH_THREADS
        messages->length_before = messages->length;
        QH_ORDERED();
        messages->taking = messages->received + 1;
        QH_ORDERED();
#endif
        take_first(messages, inbox);
        messages->received++;
#if QH_THREADS
        QH_ORDERED();
        messages->taking = 0;
        QH_ORDERED();
#endif
    }
    return QH_LEAVE(messages, result);
}

void qh_messages_forget(qh_messages *messages, qh_handle agent) {
    qh_inbox *inbox = inbox_of(messages, agent);
    if (!inbox) return;
    while (inbox->first) take_first(messages, inbox);
    *inbox = (qh_inbox){0};
}

void qh_messages_close(qh_messages *messages) {
    qh_heap *heap = &messages->memory->heap;
    for (uint32_t i = 0; i < messages->inbox_count; i++)
        if (messages->inboxes[i].agent) qh_messages_forget(messages, messages->inboxes[i].agent);
    qh_heap_free(heap, &messages->owner, messages->deliveries,
                 messages->delivery_count * sizeof(qh_delivery));
    qh_heap_free(heap, &messages->owner, messages->inboxes,
                 messages->inbox_count * sizeof(qh_inbox));
}

/* ---------------------------------------------------------------- soundness */

/* Walks what waits: `mark` counts it up, otherwise the counts are checked, and are 0 again for the next time. */
static bool walk_inboxes(const qh_messages *messages, bool mark, uint32_t *waiting,
                         uint32_t *blocks) {
    for (uint32_t i = 0; i < messages->inbox_count; i++) {
        const qh_inbox *inbox = &messages->inboxes[i];
        uint32_t last = 0;
        for (uint32_t at = inbox->first; at; at = messages->deliveries[at - 1].next) {
            qh_message *message = messages->deliveries[at - 1].message;
            qh_inbox *sender = inbox_of(messages, message->from);
            last = at;
            if (mark) {
                if (++*waiting > messages->length) return false;
                message->check++;
                if (sender) sender->check++;
                continue;
            }
            if (message->check == 0) continue;
            if (message->check != message->references) return false;
            message->check = 0;
            ++*blocks;
        }
        if (last != inbox->last) return false;
    }
    return true;
}

static void clear_checks(const qh_messages *messages) {
    for (uint32_t i = 0; i < messages->inbox_count; i++) {
        messages->inboxes[i].check = 0;
        for (uint32_t at = messages->inboxes[i].first, left = messages->length; at && left;
             left--) {
            messages->deliveries[at - 1].message->check = 0;
            at = messages->deliveries[at - 1].next;
        }
    }
}

bool qh_messages_validate(const qh_messages *messages) {
    uint32_t waiting = 0, listed = 0, blocks = 0;
    clear_checks(messages);
    if (!walk_inboxes(messages, true, &waiting, &blocks) ||
        !walk_inboxes(messages, false, &waiting, &blocks))
        return false;
    for (uint32_t i = 0; i < messages->inbox_count; i++)
        if (messages->inboxes[i].check != messages->inboxes[i].waiting) return false;
    for (uint32_t at = messages->free; at; at = messages->deliveries[at - 1].next)
        if (++listed > messages->delivery_count) return false;
    return waiting == messages->length && blocks == messages->blocks &&
           listed + waiting == messages->delivery_count;
}
