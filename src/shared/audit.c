/* The audit log of the safe zones: a ring of events that only grows at one end and is eaten at the other. */
#include "shared/zones.h"

#include "memory/journal.h"

#if QH_THREADS
#define AUDIT_CURSOR(zones) (zones)->audit_cursors[qh__self()]
#else
#define AUDIT_CURSOR(zones) (zones)->audit_cursor
#endif
#define FIELD(name) (offsetof(qh_change, name) / sizeof(double))

_Static_assert(QH_EVENT_NUMBERS + QH_MAX_ACTIONS <= QH_ZONE_AUDIT,
               "the smallest ring holds the largest event");

static QH_NOINLINE double audit_number(const qh_zones *zones, uint64_t position) {
    return zones->audit[position & zones->audit_mask];
}

/* Lets an event settle the value it left; one that moved nothing leaves it. Returns where the next one begins. */
static uint64_t settle(const qh_zones *zones, uint64_t at, bool base) {
    qh_zone *zone = &zones->zones[(uint32_t)audit_number(zones, at + FIELD(zone))];
    uint32_t status = (uint32_t)audit_number(zones, at + FIELD(status));
    double *value = base ? &zone->base : &zone->check;
    if (status == QH_CHANGE_applied) *value = audit_number(zones, at + FIELD(to));
    if (status == QH_CHANGE_rolled_back) *value = audit_number(zones, at + FIELD(from));
    return at + QH_CHANGE_NUMBERS + 2 * (uint32_t)audit_number(zones, at + FIELD(readings)) +
           (uint32_t)audit_number(zones, at + FIELD(values));
}

static QH_NOINLINE void put_number(qh_zones *zones, double number) {
    zones->audit[zones->audit_end++ & zones->audit_mask] = number;
}

/* The last readings of the KPIs that can undo a change; one that several triggers watch comes as often. */
static uint32_t put_readings(qh_zones *zones, uint32_t zone) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < zones->trigger_count && count < QH_ZONE_SNAPSHOT; i++) {
        const qh_trigger *trigger = &zones->triggers[i];
        if (trigger->time < 0 || !qh__trigger_undoes(trigger, zone)) continue;
        put_number(zones, trigger->value);
        put_number(zones, trigger->def.kpi);
        count++;
    }
    return count;
}

QH_NOINLINE void qh__audit_append(qh_zones *zones, const qh_change *change, const float *values,
                                  uint32_t value_count) {
    const double *fields = &change->sequence;
    uint64_t most = (uint64_t)zones->audit_mask + 1 - QH_EVENT_NUMBERS - value_count;
    while (zones->audit_end - zones->audit_first > most)
        zones->audit_first = settle(zones, zones->audit_first, true);
    uint64_t at = zones->audit_end;
    for (uint32_t i = 0; i < QH_CHANGE_NUMBERS; i++) put_number(zones, fields[i]);
    uint32_t readings = put_readings(zones, (uint32_t)change->zone);
    for (uint32_t i = 0; i < value_count; i++) put_number(zones, (double)values[i]);
    zones->audit[(at + FIELD(readings)) & zones->audit_mask] = readings;
    zones->audit[(at + FIELD(values)) & zones->audit_mask] = value_count;
#if QH_THREADS
    QH_ORDERED();
    zones->audit_whole = zones->audit_end;
    QH_ORDERED();
#endif
}

bool qh_zones_event(qh_zones *zones, bool first, double numbers[QH_EVENT_NUMBERS],
                    float values[QH_MAX_ACTIONS]) {
    uint64_t *cursor = &AUDIT_CURSOR(zones);
    if (first || *cursor < zones->audit_first) *cursor = zones->audit_first;
    uint64_t at = *cursor;
    if (at == zones->audit_end) return false;
    uint64_t next = settle(zones, at, false);
    uint64_t first_value = next - (uint32_t)audit_number(zones, at + FIELD(values));
    while (at < first_value) *numbers++ = audit_number(zones, at++);
    while (at < next) *values++ = (float)audit_number(zones, at++);
    *cursor = next;
    return true;
}

bool qh__audit_replays(qh_zones *zones) {
    uint64_t at = zones->audit_first;
    for (uint32_t i = 0; i < zones->zone_count; i++) zones->zones[i].check = zones->zones[i].base;
    while (at < zones->audit_end) at = settle(zones, at, false);
    for (uint32_t i = 0; i < zones->zone_count; i++) {
        const qh_zone *zone = &zones->zones[i];
        if (zone->check != qh_zone_value(zone, zone->index)) return false;
    }
    return at == zones->audit_end;
}

#if QH_THREADS

/* When the audit last moved a zone; `-infinity` never. */
static double last_move(const qh_zones *zones, uint32_t number) {
    double last = -__builtin_inf();
    for (uint64_t at = zones->audit_first; at < zones->audit_end;) {
        uint32_t zone = (uint32_t)audit_number(zones, at + FIELD(zone));
        uint32_t status = (uint32_t)audit_number(zones, at + FIELD(status));
        if (zone == number && (status == QH_CHANGE_applied || status == QH_CHANGE_rolled_back))
            last = QH_MAX(last, audit_number(zones, at + FIELD(time)));
        at = settle(zones, at, false);
    }
    return last;
}

/* What waits no more by the audit, or waits twice. */
static void drop_settled(qh_zones *zones) {
    uint32_t kept = 0, count = QH_MIN(zones->pending_count, (uint32_t)QH_ZONE_PENDING);
    for (uint32_t i = 0; i < count; i++) {
        const qh_change change = zones->pending[i];
        bool waits = true; /* where its event is no longer in the audit */
        for (uint64_t at = zones->audit_first; at < zones->audit_end;) {
            if (audit_number(zones, at + FIELD(sequence)) == change.sequence)
                waits = (uint32_t)audit_number(zones, at + FIELD(status)) == QH_CHANGE_pending;
            at = settle(zones, at, false);
        }
        for (uint32_t k = 0; k < kept; k++) waits &= zones->pending[k].sequence != change.sequence;
        if (waits) zones->pending[kept++] = change;
    }
    zones->pending_count = kept;
}

bool qh__zones_salvage(qh_zones *zones) {
    bool cut = zones->audit_end != zones->audit_whole;
    uint32_t waiting = zones->pending_count;
    zones->audit_end = zones->audit_whole;
    drop_settled(zones);
    bool sound = !cut && waiting == zones->pending_count;
    for (uint32_t i = 0; i < zones->zone_count; i++) {
        qh_zone *zone = &zones->zones[i];
        double last = last_move(zones, i);
        sound &= !(last > zone->last);
        zone->last = QH_MAX(zone->last, last);
    }
    if (qh_zones_validate(zones)) return !sound;
    zones->journal_end = 0;
    (void)qh__audit_replays(zones); /* leaves in `check` what each is by the audit */
    for (uint32_t i = 0; i < zones->zone_count; i++)
        qh__zone_settle(&zones->zones[i], zones->zones[i].check, zones->zones[i].last);
    return true;
}

#endif
