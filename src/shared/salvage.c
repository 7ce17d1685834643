/* The rooms after the death of a thread that held their lock. */
#include "memory/salvage.h"

#if QH_THREADS

#include "shared/federation.h"
#include "shared/messages.h"
#include "shared/metrics.h"

#define REACHED 0x80000000u /* in a delivery's `next`, while chains are walked */
#define HELD 0x5A5A0001u    /* in a message's `check`, while the records are */

/* ---------------------------------------------------------------- federation */

static bool is_of_federation(const qh_record *record, void *context) {
    (void)context;
    return record->owner == 0 && record->owner_kind == QH_OWNER_federation;
}

bool qh__federation_salvage(qh_federation *federation) {
    bool any = qh__salvage(federation->memory, is_of_federation, NULL) > 0;
    federation->contributions = NULL;
    federation->count = federation->capacity = 0;
    federation->merged = (qh_groups){0};
    qh__owner_settle(federation->memory, &federation->owner);
    return any;
}

/* ---------------------------------------------------------------- messages */

static bool is_orphaned_message(const qh_record *record, void *context) {
    const qh_messages *messages = context;
    if (record->owner != 0 || record->owner_kind != QH_OWNER_messages ||
        record->block == messages->deliveries || record->block == messages->inboxes)
        return false;
    return record->byte_count != QH_MESSAGE_BYTES ||
           ((const qh_message *)record->block)->check != HELD;
}

static bool salvage_arrays(const qh_messages *messages) {
    qh_survey survey = {.memory = messages->memory, .kind = QH_OWNER_messages};
    return qh__survey_block(&survey, messages->deliveries,
                            messages->delivery_count * sizeof(qh_delivery)) &&
           qh__survey_block(&survey, messages->inboxes, messages->inbox_count * sizeof(qh_inbox));
}

static qh_inbox *inbox_of_sender(const qh_messages *messages, qh_handle agent) {
    uint32_t slot = qh__handle_slot(agent);
    if (slot >= messages->inbox_count || messages->inboxes[slot].agent != agent) return NULL;
    return &messages->inboxes[slot];
}

/* Keeps the deliveries of an inbox in their order, but those of what was being sent. */
static void salvage_inbox(qh_messages *messages, qh_inbox *inbox) {
    uint32_t at = inbox->first, last = 0;
    inbox->first = 0;
    while (at && at <= messages->delivery_count) {
        qh_delivery *delivery = &messages->deliveries[at - 1];
        uint32_t next = delivery->next;
        if (next & REACHED) break;
        if (delivery->message != messages->sending) {
            *(last ? &messages->deliveries[last - 1].next : &inbox->first) =
                at | (last ? REACHED : 0);
            delivery->next = REACHED;
            last = at;
            messages->length++;
            if (delivery->message->check != HELD) {
                delivery->message->check = HELD;
                delivery->message->references = 0;
                messages->blocks++;
            }
            delivery->message->references++;
            qh_inbox *sender = inbox_of_sender(messages, delivery->message->from);
            if (sender) sender->waiting++;
        }
        at = next;
    }
    inbox->last = last;
}

static void settle_counters(qh_messages *messages) {
    if (messages->sending) messages->sent = messages->sent_before;
    if (messages->taking > 0)
        messages->received = messages->taking - (messages->length == messages->length_before);
    messages->sending = NULL;
    messages->taking = 0;
}

static void clear_marks(qh_messages *messages) {
    messages->free = 0;
    for (uint32_t i = messages->delivery_count; i-- > 0;) {
        qh_delivery *delivery = &messages->deliveries[i];
        if (delivery->next & REACHED) {
            delivery->next &= ~REACHED;
            delivery->message->check = 0;
        } else {
            *delivery = (qh_delivery){.next = messages->free};
            messages->free = i + 1;
        }
    }
}

bool qh__messages_salvage(qh_messages *messages, bool (*lives)(const void *context, qh_handle),
                          const void *context) {
    bool sound = salvage_arrays(messages);
    if (!sound) {
        messages->deliveries = NULL;
        messages->inboxes = NULL;
        messages->delivery_count = messages->inbox_count = 0;
    }
    messages->length = messages->blocks = 0;
    for (uint32_t i = 0; i < messages->inbox_count; i++) {
        qh_inbox *inbox = &messages->inboxes[i];
        inbox->waiting = inbox->check = 0;
        if (inbox->agent && !lives(context, inbox->agent)) *inbox = (qh_inbox){0};
    }
    for (uint32_t i = 0; i < messages->inbox_count; i++)
        salvage_inbox(messages, &messages->inboxes[i]);
    settle_counters(messages);
    qh__salvage(messages->memory, is_orphaned_message, messages);
    clear_marks(messages);
    qh__owner_settle(messages->memory, &messages->owner);
    return sound;
}

/* ---------------------------------------------------------------- metrics */

static bool series_is_sound(const qh_metrics_store *metrics, const qh_series *series) {
    qh_survey survey = {.memory = metrics->memory, .kind = QH_OWNER_metrics};
    double count = 0;
    if (series->octave_count > series->octave_capacity ||
        !qh__survey_block(&survey, series->octaves, series->octave_capacity * sizeof(qh_octave)))
        return false;
    for (uint32_t i = 0; i < series->octave_count; i++) {
        if (i > 0 && series->octaves[i].number <= series->octaves[i - 1].number) return false;
        count += qh_octave_count(&series->octaves[i]);
    }
    return count == series->count && series->least <= series->greatest;
}

uint32_t qh__metrics_salvage(qh_metrics_store *metrics) {
    uint32_t damaged = 0;
    while (metrics->series_count > 0 &&
           !qh__series_is_named(&metrics->series[metrics->series_count - 1]))
        metrics->series_count--;
    for (uint32_t i = 0; i < metrics->series_count; i++) {
        qh_series *series = &metrics->series[i];
        if (series_is_sound(metrics, series)) continue;
        series->octave_count = 0;
        series->count = series->sum = series->least = series->greatest = 0;
        damaged++;
    }
    qh__owner_settle(metrics->memory, &metrics->owner);
    return damaged;
}

#endif
