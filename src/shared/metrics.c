#include "shared/metrics.h"

#include "base/maths.h"
#include "memory/array.h"

#define BUCKET_SHIFT 47 /* of a double's bits: leaves the exponent and 5 bits of the mantissa */
#define OWN_PREFIX "qhive_"

void qh_metrics_open(qh_metrics_store *metrics, qh_memory *memory) {
    metrics->memory = memory;
    qh_owner_open(&memory->heap, &metrics->owner, 0, QH_OWNER_metrics, QH_METRICS_QUOTA);
}

void qh_metrics_close(qh_metrics_store *metrics) {
    qh_heap *heap = &metrics->memory->heap;
    for (uint32_t i = 0; i < metrics->series_count; i++)
        qh_heap_free(heap, &metrics->owner, metrics->series[i].octaves,
                     metrics->series[i].octave_capacity * sizeof(qh_octave));
    qh_heap_free(heap, &metrics->owner, metrics->series,
                 metrics->series_capacity * sizeof(qh_series));
}

/* Makes room for one more of what a growing array holds. */
#if QH_THREADS
static QH_NOINLINE qh_result reserve_one(qh_metrics_store *metrics, void *array_at, uint32_t count,
                                         uint32_t *capacity, size_t item_bytes) {
    return qh__array_grow(&metrics->memory->heap, &metrics->owner, array_at, capacity, count + 1,
                          item_bytes, QH_BLOCK_runtime);
}
#else
static QH_NOINLINE qh_result reserve_one(qh_metrics_store *metrics, void **array, uint32_t count,
                                         uint32_t *capacity, size_t item_bytes) {
    return qh__array_reserve(&metrics->memory->heap, &metrics->owner, array, capacity, count + 1,
                             item_bytes, QH_BLOCK_runtime);
}
#endif

/* ---------------------------------------------------------------- names */

static bool is_name(qh_text name) {
    for (uint32_t i = 0; i < name.length; i++) {
        uint32_t letter = name.bytes[i];
        bool digit = letter - '0' < 10;
        if (!((letter | 32) - 'a' < 26 || letter == '_' || (digit && i > 0))) return false;
    }
    size_t own = sizeof OWN_PREFIX - 1;
    return name.length - 1 < QH_SERIES_NAME &&
           !(name.length >= own && memcmp(name.bytes, OWN_PREFIX, own) == 0);
}

#if QH_THREADS
bool qh__series_is_named(const qh_series *series) {
    return is_name((qh_text){series->name, series->name_length});
}
#endif

/* Whether `longer` is a sample of the series `name` in the text format. */
static bool is_part(qh_text longer, qh_text name) {
    static const char parts[][8] = {"_bucket", "_sum", "_count"};
    static const uint8_t lengths[] = {7, 4, 6};
    for (uint32_t i = 0; i < 3; i++)
        if (longer.length == name.length + lengths[i] &&
            memcmp(longer.bytes, name.bytes, name.length) == 0 &&
            memcmp(longer.bytes + name.length, parts[i], lengths[i]) == 0)
            return true;
    return false;
}

static qh_result find_series(qh_metrics_store *metrics, qh_text name, uint32_t *number) {
    if (!is_name(name)) return QH_INVALID_ARGUMENT;
    for (uint32_t i = 0; i < metrics->series_count; i++) {
        const qh_series *series = &metrics->series[i];
        qh_text there = {series->name, series->name_length};
        *number = i;
        if (there.length == name.length && memcmp(there.bytes, name.bytes, name.length) == 0)
            return QH_OK;
        if (is_part(there, name) || is_part(name, there)) return QH_INVALID_ARGUMENT;
    }
#if QH_THREADS
    QH_TRY(reserve_one(metrics, &metrics->series, metrics->series_count, &metrics->series_capacity,
                       sizeof(qh_series)));
#else
    void *array = metrics->series;
    QH_TRY(reserve_one(metrics, &array, metrics->series_count, &metrics->series_capacity,
                       sizeof(qh_series)));
    metrics->series = array;
#endif
    *number = metrics->series_count++;
    qh_series *series = &metrics->series[*number];
    *series = (qh_series){.name_length = name.length};
    memcpy(series->name, name.bytes, name.length);
    return QH_OK;
}

qh_result qh_metrics_find(qh_metrics_store *metrics, qh_text name, uint32_t *number) {
    QH_ENTER_TO_WRITE(metrics);
    qh_result result = find_series(metrics, name, number);
    return QH_LEAVE_WRITING(metrics, result);
}

/* ---------------------------------------------------------------- buckets */

static int64_t bucket_of(double value) {
    double size = qh__abs(value);
    int64_t bits;
    memcpy(&bits, &size, sizeof bits);
    if (value > 0) return (bits - 1) >> BUCKET_SHIFT;
    return value < 0 ? -33 - (bits >> BUCKET_SHIFT) : -1;
}

/* The greatest value of a bucket, and of those before it. */
static QH_NOINLINE double end_of(int64_t bucket) {
    int64_t steps = bucket >= 0 ? bucket + 1 : bucket <= -33 ? -33 - bucket : 0;
    int64_t bits = steps << BUCKET_SHIFT;
    double size;
    memcpy(&size, &bits, sizeof size);
    if (!qh__is_finite(size)) size = 0x1.fffffffffffffp1023;
    return bucket >= 0 ? size : -size;
}

double qh_octave_end(const qh_octave *octave) {
    return octave->number == -1
               ? 0
               : end_of(octave->number * QH_OCTAVE_BUCKETS + QH_OCTAVE_BUCKETS - 1);
}

double qh_octave_count(const qh_octave *octave) {
    uint64_t count = 0;
    for (uint32_t i = 0; i < QH_OCTAVE_BUCKETS; i++) count += octave->counts[i];
    return (double)count;
}

/* The octave of this number, made if there is none. */
static qh_result find_octave(qh_metrics_store *metrics, qh_series *series, int64_t number,
                             qh_octave **found) {
    uint32_t place = series->octave_count;
    while (place > 0 && series->octaves[place - 1].number >= number) place--;
    if (place == series->octave_count || series->octaves[place].number != number) {
#if QH_THREADS
        QH_TRY(reserve_one(metrics, &series->octaves, series->octave_count,
                           &series->octave_capacity, sizeof(qh_octave)));
#else
        void *array = series->octaves;
        QH_TRY(reserve_one(metrics, &array, series->octave_count, &series->octave_capacity,
                           sizeof(qh_octave)));
        series->octaves = array;
#endif
        for (uint32_t i = series->octave_count++; i > place; i--)
            series->octaves[i] = series->octaves[i - 1];
        series->octaves[place] = (qh_octave){.number = number};
    }
    *found = &series->octaves[place];
    return QH_OK;
}

static qh_result count_value(qh_metrics_store *metrics, uint32_t number, double value) {
    if (!qh__is_finite(value) || number >= metrics->series_count) return QH_INVALID_ARGUMENT;
    qh_series *series = &metrics->series[number];
    qh_octave *octave;
    int64_t bucket = bucket_of(value);
    QH_TRY(find_octave(metrics, series, bucket >> 5, &octave));
    octave->counts[bucket & (QH_OCTAVE_BUCKETS - 1)]++;
    series->least = series->count > 0 ? QH_MIN(series->least, value) : value;
    series->greatest = series->count > 0 ? QH_MAX(series->greatest, value) : value;
    series->sum += value;
    series->count++;
    return QH_OK;
}

qh_result qh_metrics_count(qh_metrics_store *metrics, uint32_t number, double value) {
    QH_ENTER_TO_WRITE(metrics);
    qh_result result = count_value(metrics, number, value);
    return QH_LEAVE_WRITING(metrics, result);
}

double qh_series_quantile(const qh_series *series, double quantile) {
    double below = 0, wanted = quantile * series->count;
    for (uint32_t i = 0; i < series->octave_count; i++)
        for (uint32_t k = 0; k < QH_OCTAVE_BUCKETS; k++) {
            const qh_octave *octave = &series->octaves[i];
            below += (double)octave->counts[k];
            if (below < wanted || below == 0) continue;
            int64_t bucket = octave->number * QH_OCTAVE_BUCKETS + k;
            double middle = bucket == -1 ? 0 : end_of(bucket) / 2 + end_of(bucket - 1) / 2;
            return QH_MIN(QH_MAX(middle, series->least), series->greatest);
        }
    return 0;
}

/* ---------------------------------------------------------------- agents */

void qh_metrics_add(qh_agent_metrics *sum, const qh_agent_metrics *cells) {
    sum->action_count += QH_CELL(&cells->action_count);
    sum->learning_steps += QH_CELL(&cells->learning_steps);
    sum->episodes += QH_CELL(&cells->episodes);
    sum->reward_sum += QH_CELL(&cells->reward_sum);
    sum->td_error_sum += QH_CELL(&cells->td_error_sum);
}

/* ---------------------------------------------------------------- soundness */

bool qh_metrics_validate(const qh_metrics_store *metrics) {
    size_t charged = 0;
    for (uint32_t i = 0; i < metrics->series_count; i++) {
        const qh_series *series = &metrics->series[i];
        double count = 0;
        for (uint32_t k = 0; k < series->octave_count; k++) {
            if (k > 0 && series->octaves[k].number <= series->octaves[k - 1].number) return false;
            count += qh_octave_count(&series->octaves[k]);
        }
        if (count != series->count || !(series->least <= series->greatest) ||
            series->octave_count > series->octave_capacity)
            return false;
        if (series->octave_capacity)
            charged += qh_heap_charge(series->octave_capacity * sizeof(qh_octave));
    }
    if (metrics->series_capacity)
        charged += qh_heap_charge(metrics->series_capacity * sizeof(qh_series));
    return charged == metrics->owner.live_bytes;
}
