/* Safe zones: the only door through which a parameter of the network changes.
 *
 * A zone says what values one parameter may take (min..max, on a grid of `step` through its default), how often it may change
 * (cooldown, changes in a sliding hour), and whether a person must approve. `propose` checks all of it and applies the change,
 * queues it, or refuses it with a reason; triggers watch KPIs and undo the last changes when one stays beyond its threshold.
 * Built once, frozen from the start, held by counted references. All memory is one block taken at the start: nothing fails later.
 *
 * Values are grid indices. When min, max, default and step are decimals of at most nine places (0.1, 2.5e-3), `origin` and `stride` are
 * whole numbers of 1/scale and value(i) = (origin + (i - home) * stride) / scale is the double that is written like it: 0.1 + 0.1 +
 * 0.1 is 0.3. Otherwise scale is 1 and value(i) = default + (i - home) * step. Every index in 0..levels-1 has its value in min..max.
 * What is proposed counts as the grid value it equals, or from which it is a millionth of a step away at most; anything else
 * is refused: nothing is rounded further, nothing clamped.
 *
 * Time is the caller's, milliseconds in [0, 2^53). Each parameter and each KPI has a clock of its own, its last change or reading,
 * and refuses to go back behind it (QH_INVALID_ARGUMENT): readings may come late without stopping everything else.
 *
 *   pending   changes that wait for approval, QH_ZONE_APPROVAL_MS at most
 *   journal   a ring of the last QH_ZONE_JOURNAL changes; those not undone can be. A change to the value that was is none
 *   audit     a ring of doubles, whole events: a qh_change, then readings of KPIs (value and number each), then Q values.
 *             When the oldest is overwritten its outcome moves to the zone's `base`: base + events = present values, always
 *
 * Back-off: a rollback blocks its parameters for `back_off_ms`, then twice as long each time up to `max_back_off_ms`; after
 * as long a time without one (counted from the end of the last block) it starts over.
 *
 * Sizes matter here: what crosses the boundary, waits or is logged is one struct of doubles, copied as it is.
 *
 * Invariants (qh_zones_validate): index < levels; min <= value <= max; base and audit replay to the value; the changes of a parameter
 * in the journal form a chain that ends at its index. */
#ifndef QH_SHARED_ZONES_H
#define QH_SHARED_ZONES_H

#include "memory/memory.h"
#include "qhive/zones.h"
#include "sync/room.h"

typedef struct qh_zone {
    qh_zone_def def;
    double origin, stride, scale;
    double last;    /* time of the last change */
    double blocked; /* no change before; -infinity: never rolled back */
    double back_off;
    double rolled; /* time of the last rollback */
    double base;   /* the value before the oldest event of the audit */
    double check;  /* scratch of the validation */
    double *times; /* of the last `rate` changes: a ring */
    uint32_t rate, times_next;
    uint32_t levels, home, index;
} qh_zone;

typedef struct qh_trigger {
    qh_trigger_def def;
    double value, time; /* the last reading of its KPI; time < 0: none yet */
    double since;       /* beyond the threshold since; < 0: it is not */
    uint64_t *members;  /* one bit a zone, NULL: all */
} qh_trigger;

typedef struct qh_journal_entry {
    qh_change change;
    uint32_t from, to; /* indices */
    uint32_t undone;   /* number of the reading that undid it, 0: none */
} qh_journal_entry;

typedef struct qh_zones {
    qh_memory *memory;
    qh_owner owner;
    qh_shared shared;
    size_t block_bytes;
    uint32_t zone_count, trigger_count;
    qh_zone *zones;
    qh_trigger *triggers;
    double now; /* the latest time of any call that was not refused */
    double sequence;
    double back_off_ms, max_back_off_ms;
    uint32_t readings; /* number of the last one */
    uint32_t pending_count;
    uint32_t journal_end; /* changes ever; the newest is the one before */
    uint32_t audit_mask;
    double *audit; /* positions grow and are never wrapped */
    uint64_t audit_first, audit_end;
#if QH_THREADS
    uint64_t audit_cursors[QH_MAX_THREADS]; /* how far each has read */
    uint64_t audit_whole;                   /* where the last whole event ends */
#else
    uint64_t audit_cursor;
#endif
    qh_change pending[QH_ZONE_PENDING];
    qh_journal_entry journal[QH_ZONE_JOURNAL];
    QH_ROOM_MUTEX /* taken by whoever calls */
} qh_zones;

/* Makes the zones and freezes them. QH_INVALID_ARGUMENT for a definition out of range; failures of memory as qh_heap_alloc. */
qh_result qh_zones_open(qh_memory *memory, const qh_zones_def *def, qh_zones **zones);

/* Frees them. QH_BUSY while an agent holds a reference. */
qh_result qh_zones_close(qh_zones *zones);

/* The value at a grid index, also outside the zone. */
double qh_zone_value(const qh_zone *zone, int64_t index);

/* Why no other value may be set now, QH_REASON_within if one may. `left`: milliseconds until it may, as far as is known. */
qh_zone_reason qh_zone_movable(const qh_zones *zones, const qh_zone *zone, double time,
                               double *left);

/* Whether everything is sound; uses scratch, changes nothing. */
bool qh_zones_validate(qh_zones *zones);

#if QH_THREADS
/* After the death of who held the lock: sound, or made what the audit says. True: it was not sound; what was being approved, undone or waited
 * for may be lost, what is in the audit is not. */
bool qh__zones_salvage(qh_zones *zones);

/* Puts the zone on the level of a value that the audit says. */
void qh__zone_settle(qh_zone *zone, double value, double time);
#endif

/* ---- between the files of this room */

QH_INLINE bool qh__is_time(double time) {
    return time >= 0 && time < QH_ZONE_TIME_LIMIT;
}

/* Appends an event: the change, the last readings of the KPIs that can undo its parameter, and the Q values. */
void qh__audit_append(qh_zones *zones, const qh_change *change, const float *values,
                      uint32_t value_count);

/* Whether base and events give the present values. */
bool qh__audit_replays(qh_zones *zones);

QH_INLINE bool qh__trigger_undoes(const qh_trigger *trigger, uint32_t zone) {
    return !trigger->members || (trigger->members[zone / 64] >> zone % 64 & 1);
}

#endif
