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

#define QH_ZONE_HOUR_MS 3600000.0
#define QH_ZONE_APPROVAL_MS 1800000.0
#define QH_ZONE_TIME_LIMIT 0x1p53
#define QH_ZONE_MAX_LEVELS 0x7FFFFFF0
#define QH_ZONE_MAX_RATE 65535
#define QH_ZONE_MAX_COUNT 65536
#define QH_ZONE_JOURNAL 1024u /* a power of two; the greatest depth of a trigger */
#define QH_ZONE_PENDING 256u
#define QH_ZONE_SNAPSHOT 16u /* KPI readings kept with an event, at most */
#define QH_ZONE_AUDIT 2048u  /* doubles in the smallest ring: holds the largest event */

/* clang-format off */
/* X(name): what has become of a proposal. */
#define QH_ZONE_STATUSES(X) X(applied) X(pending) X(rejected) X(expired) X(rolled_back)

/* X(name): why. The package has a sentence for each. */
#define QH_ZONE_REASONS(X)                                                                         \
    X(within) X(outside) X(off_grid) X(back_off) X(cooldown) X(rate) X(queue_full)                 \
    X(needs_approval) X(approved) X(timeout) X(kpi) X(reset) X(keep)

/* X(name): a change, in order. */
#define QH_CHANGE_FIELDS(X)                                                                        \
    X(sequence) /* of the proposal, from 1; 0: nothing was proposed */                             \
    X(time)     /* of the event */                                                                 \
    X(from) X(to)                                                                                  \
    X(detail)   /* milliseconds left (back_off, cooldown, rate), or the trigger's number (kpi) */  \
    X(agent)    /* handle, 0: none */                                                              \
    X(zone) X(status) X(reason)                                                                    \
    X(readings) X(values) /* how many follow in the audit */
/* clang-format on */

typedef enum qh_zone_status {
#define QH_ZONE_STATUS_ENUM(name) QH_CHANGE_##name,
    QH_ZONE_STATUSES(QH_ZONE_STATUS_ENUM)
#undef QH_ZONE_STATUS_ENUM
} qh_zone_status;

typedef enum qh_zone_reason {
#define QH_ZONE_REASON_ENUM(name) QH_REASON_##name,
    QH_ZONE_REASONS(QH_ZONE_REASON_ENUM)
#undef QH_ZONE_REASON_ENUM
} qh_zone_reason;

/* What happened to a proposal. */
typedef struct qh_change {
#define QH_CHANGE_FIELD(name) double name;
    QH_CHANGE_FIELDS(QH_CHANGE_FIELD)
#undef QH_CHANGE_FIELD
} qh_change;

#define QH_CHANGE_NUMBERS ((uint32_t)(sizeof(qh_change) / sizeof(double)))
#define QH_EVENT_NUMBERS (QH_CHANGE_NUMBERS + 2 * QH_ZONE_SNAPSHOT)

/* A zone as it is defined; all numbers, so that it crosses the boundary as it is. */
typedef struct qh_zone_def {
    double min, max, initial, step;
    double rate; /* changes an hour, 0..QH_ZONE_MAX_RATE, -1: no limit */
    double cooldown;
    double approval; /* 1: needed */
} qh_zone_def;

typedef struct qh_trigger_def {
    double kpi; /* its number, 0..65535 */
    double threshold;
    double above;   /* 1: fires above the threshold, 0: below */
    double window;  /* milliseconds beyond it */
    double depth;   /* changes undone, 1..QH_ZONE_JOURNAL */
    double members; /* how many zones it undoes, listed behind the triggers in order; 0: all */
} qh_trigger_def;

typedef struct qh_zones_def {
    const double *numbers; /* zones, then triggers, then the lists of their zones */
    size_t number_count;
    uint32_t zone_count, trigger_count;
    uint32_t audit_bytes; /* rounded up to a power of two, at least 16 KiB, at most 256 MiB */
    double back_off_ms, max_back_off_ms;
} qh_zones_def;

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
    uint64_t audit_first, audit_end, audit_cursor;
    qh_change pending[QH_ZONE_PENDING];
    qh_journal_entry journal[QH_ZONE_JOURNAL];
} qh_zones;

/* Who proposes what, and what it knew. */
typedef struct qh_proposal {
    uint32_t agent, zone;
    double to, time;
    const float *values; /* Q values, NULL: none */
    uint32_t value_count;
} qh_proposal;

/* Makes the zones and freezes them. QH_INVALID_ARGUMENT for a definition out of range; failures of memory as qh_heap_alloc. */
qh_result qh_zones_open(qh_memory *memory, const qh_zones_def *def, qh_zones **zones);

/* Frees them. QH_BUSY while an agent holds a reference. */
qh_result qh_zones_close(qh_zones *zones);

/* The value at a grid index, also outside the zone. */
double qh_zone_value(const qh_zone *zone, int64_t index);

/* Why no other value may be set now, QH_REASON_within if one may. `left`: milliseconds until it may, as far as is known. */
qh_zone_reason qh_zone_movable(const qh_zones *zones, const qh_zone *zone, double time,
                               double *left);

/* Whether `propose` would apply or queue this. `zone` is a number below zone_count. */
bool qh_zones_allow(const qh_zones *zones, uint32_t zone, double to, double time);

/* Applies, queues or refuses. QH_SAFE_ZONE when refused: `change` says why and is in the audit, no value has changed.
 * QH_INVALID_ARGUMENT for a number that is none or a time before the parameter's last change: nothing has happened. */
qh_result qh_zones_propose(qh_zones *zones, const qh_proposal *proposal, qh_change *change);

/* Applies a pending change, checked anew against the present. QH_SAFE_ZONE: not now, it still waits (`change` says why);
 * QH_INVALID_STATE: it was decided before, or has expired; QH_INVALID_ARGUMENT: no such proposal, or a time before it. */
qh_result qh_zones_approve(qh_zones *zones, double sequence, double time, qh_change *change);

/* A reading of a KPI. `qh_zones_undone` then lists what it rolled back. QH_INVALID_ARGUMENT: no trigger knows the KPI, no number,
 * a time before its last reading. */
qh_result qh_zones_observe(qh_zones *zones, uint32_t kpi, double value, double time);

/* What the last reading rolled back, newest change first: `place` is 0 at first, then what the last call returned. 0: no more. */
uint32_t qh_zones_undone(qh_zones *zones, uint32_t place, qh_change *change);

/* Everything back to its default, by decree: clocks, rates, back-offs, readings, journal and queue are as new, the audit goes on. */
qh_result qh_zones_reset(qh_zones *zones, double time);

/* Reads the audit: the oldest event with `first`, then the next one at each call; false behind the newest. `numbers`: a qh_change,
 * then value and number of each KPI. */
bool qh_zones_event(qh_zones *zones, bool first, double numbers[QH_EVENT_NUMBERS],
                    float values[QH_MAX_ACTIONS]);

/* Whether everything is sound; uses scratch, changes nothing. */
bool qh_zones_validate(qh_zones *zones);

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
