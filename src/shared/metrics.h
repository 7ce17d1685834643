/* Metrics: what agents count in their own cells, summed when somebody reads, and series that users observe.
 *
 * Nothing here is touched while an agent decides or learns. What an agent that is destroyed or reset has counted is kept in
 * `retired`, so that the sums never fall.
 *
 * A series has count, sum, least and greatest value, and a log-linear histogram (as HdrHistogram: G. Tene): 32 equal buckets to each
 * doubling, so that a quantile is within 1/64 of a value that was there. The bucket of a double is read off its bits:
 *
 *     v > 0: (bits(v) - 1) >> 47     0: -1     v < 0: -33 - (bits(-v) >> 47)
 *
 * which orders buckets like their values and makes a bucket (low, high]; 32 buckets are an octave, whose upper end is a power of two
 * (or 0). Only octaves in which something was observed take memory (264 bytes): any finite double can be observed.
 *
 * Invariants (qh_metrics_validate): a series' octaves are in order and hold `count` values in all; least <= greatest. */
#ifndef QH_SHARED_METRICS_H
#define QH_SHARED_METRICS_H

#include "learn/agent.h"
#include "shared/text.h"
#include "sync/room.h"

#define QH_METRICS_QUOTA ((size_t)4 << 20)
#define QH_SERIES_NAME 128u
#define QH_OCTAVE_BUCKETS 32

typedef struct qh_octave {
    int64_t number;
    uint64_t counts[QH_OCTAVE_BUCKETS];
} qh_octave;

typedef struct qh_series {
    unsigned char name[QH_SERIES_NAME];
    uint32_t name_length;
    uint32_t octave_count, octave_capacity;
    qh_octave *octaves; /* in order */
    double count, sum, least, greatest;
} qh_series;

typedef struct qh_metrics_store {
    qh_memory *memory;
    qh_owner owner;
    qh_series *series;
    uint32_t series_count, series_capacity;
    qh_agent_metrics retired;
    QH_ROOM_RWLOCK
} qh_metrics_store;

void qh_metrics_open(qh_metrics_store *metrics, qh_memory *memory);
void qh_metrics_close(qh_metrics_store *metrics);

/* The number of the series of a name, made if there is none. QH_INVALID_ARGUMENT for a name that Prometheus does not take (a letter or
 * _, then letters, digits and _; 1..QH_SERIES_NAME), begins with qhive_, or would be taken for a part of another series (_bucket,
 * _sum, _count behind its name); failures of the heap. */
qh_result qh_metrics_find(qh_metrics_store *metrics, qh_text name, uint32_t *number);

/* Counts a value. QH_INVALID_ARGUMENT for one that is not finite; failures of the heap. */
qh_result qh_metrics_count(qh_metrics_store *metrics, uint32_t number, double value);

/* The least value that at least a share `quantile` of all is not above, to 1/64 of it. 0 for a series without values. */
double qh_series_quantile(const qh_series *series, double quantile);

/* The greatest value of an octave's range. */
double qh_octave_end(const qh_octave *octave);

double qh_octave_count(const qh_octave *octave);

/* Adds an agent's cells to `sum`. */
void qh_metrics_add(qh_agent_metrics *sum, const qh_agent_metrics *cells);

bool qh_metrics_validate(const qh_metrics_store *metrics);

#if QH_THREADS
/* After the death of who was writing, with the memory lock held: a series that is not sound begins anew. How many there were. */
uint32_t qh__metrics_salvage(qh_metrics_store *metrics);

/* Whether it has a name that a series may have: one that was being made may not. */
bool qh__series_is_named(const qh_series *series);
#endif

#endif
