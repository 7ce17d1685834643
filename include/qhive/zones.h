/* Safe zones: the only door through which a parameter of the network changes.
 *
 * A zone says what values one parameter may take (min..max, on a grid of `step` through its default), how often it may change
 * (cooldown, changes in a sliding hour), and whether a person must approve. `propose` checks all of it and applies the change,
 * queues it, or refuses it with a reason; triggers watch KPIs and undo the last changes when one stays beyond its threshold.
 * Defined once for a runtime (qh_runtime_define_zones) and frozen from the start: nothing needs memory later.
 *
 * What is proposed counts as the grid value it equals, or from which it is a millionth of a step away at most; anything else is
 * refused: nothing is rounded further, nothing clamped. Time is the caller's, milliseconds in [0, 2^53); each parameter
 * and each KPI has a clock of its own and refuses to go back behind it (QH_INVALID_ARGUMENT). */
#ifndef QHIVE_ZONES_H
#define QHIVE_ZONES_H

#include "qhive/common.h"

QH_BEGIN_DECLARATIONS

typedef struct qh_zones qh_zones;

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

/* Who proposes what, and what it knew. */
typedef struct qh_proposal {
    uint32_t agent, zone;
    double to, time;
    const float *values; /* Q values, NULL: none */
    uint32_t value_count;
} qh_proposal;

/* The value of a parameter, NaN where there is no such zone. */
double qh_zones_value(const qh_zones *zones, uint32_t zone);

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

QH_END_DECLARATIONS

#endif
