/* The reductions. A cell's values are put in order first, so that neither the order of contributions nor the build shows. */
#include "shared/federation.h"

#include "base/maths.h"
#include "base/random.h"
#include "memory/array.h"

#define ROUNDING 1e-9 /* of trim * n, so that 0.29 of 100 clients are 29; of half of all weights */

/* As many values as one instruction works on; with one lane or four, each lane computes the same. */
#if defined(__wasm__) && !defined(__wasm_simd128__)
#define LANES 1u
#else
#define LANES 4u
#endif

typedef float lanes __attribute__((vector_size(LANES * 4)));
typedef int32_t lane_masks __attribute__((vector_size(LANES * 4)));
typedef uint32_t lane_counts __attribute__((vector_size(LANES * 4)));

/* What one client says of as many values. Without visits: infinity, and no weight. */
typedef struct opinion {
    lanes value, weight;
} opinion;

typedef struct speaker {
    const qh_contribution *from;
    const qh_row *row;
} speaker;

typedef struct merging {
    qh_federation *federation;
    const qh_merge_def *def;
    qh_merge_report *report;
    qh_groups fresh;
    uint32_t last; /* the group found last */
    float cap;     /* what visits count at most */
    double trim;
    speaker *speakers;
    opinion *opinions;
} merging;

static QH_NOINLINE qh_row *row_of(const qh_contribution *contribution, uint32_t i) {
    return (qh_row *)(void *)(contribution->rows +
                              (size_t)i * qh__federated_row_bytes(&contribution->key));
}

static const uint32_t *counts_of(const qh_row *row, const qh_group_key *key) {
    return (const uint32_t *)(const void *)(row->q + qh__stride_of(key->actions));
}

/* Where the values of a table are in a row. */
static uint32_t values_at(const qh_group_key *key, uint32_t table) {
    return table == 0 ? 0 : 2 * qh__stride_of(key->actions);
}

/* ---------------------------------------------------------------- one cell */

QH_FAST_BEGIN

QH_INLINE lanes lanes_where(lane_masks mask, lanes yes, lanes no) {
    return (lanes)((mask & (lane_masks)yes) | (~mask & (lane_masks)no));
}

/* By value, equals by weight. */
QH_INLINE void put_two_in_order(opinion *first, opinion *second) {
    opinion a = *first, b = *second;
    lane_masks swap = (b.value < a.value) | ((b.value == a.value) & (b.weight < a.weight));
    *first = (opinion){lanes_where(swap, b.value, a.value), lanes_where(swap, b.weight, a.weight)};
    *second = (opinion){lanes_where(swap, a.value, b.value), lanes_where(swap, a.weight, b.weight)};
}

/* A sorting network for any count (Batcher 1968; Knuth, volume 3, algorithm 5.2.2M): the same steps whatever the values are. */
static void put_in_order(opinion *opinions, uint32_t count) {
    uint32_t top = 1;
    while (top * 2 < count) top *= 2;
    for (uint32_t p = top; p > 0; p /= 2)
        for (uint32_t q = top, r = 0, d = p; d > 0; d = q > p ? q - p : 0, q /= 2, r = p)
            for (uint32_t i = 0; i + d < count; i++)
                if ((i & p) == r) put_two_in_order(&opinions[i], &opinions[i + d]);
}

QH_FAST_END

static QH_NOINLINE double median_of(const opinion *opinions, uint32_t count, uint32_t lane) {
    double total = 0, below = 0;
    for (uint32_t i = 0; i < count; i++) total += (double)opinions[i].weight[lane];
    for (uint32_t i = 0; i + 1 < count; i++) {
        below += (double)opinions[i].weight[lane];
        double past = (below * 2 - total) / total, value = (double)opinions[i].value[lane];
        if (qh__abs(past) < ROUNDING) return (value + (double)opinions[i + 1].value[lane]) / 2;
        if (past > 0) return value;
    }
    return (double)opinions[count - 1].value[lane];
}

static double mean_of(const opinion *opinions, uint32_t count, uint32_t lane, double trim) {
    uint32_t cut = (uint32_t)(trim * count + ROUNDING);
    cut = QH_MIN(cut, (count - 1) / 2);
    double sum = 0, weights = 0;
    for (uint32_t i = cut; i < count - cut; i++) {
        double weight = (double)opinions[i].weight[lane];
        sum += (double)opinions[i].value[lane] * weight;
        weights += weight;
    }
    return sum / weights;
}

/* ---------------------------------------------------------------- clipping */

/* The row that an update of a state starts from; NULL: at the initial value. */
static const qh_row *base_row(const qh_contribution *from, uint64_t state) {
    return from->before ? qh__row_of(&from->before->table, state) : NULL;
}

QH_FAST_BEGIN

/* The value that an update of a cell starts from. */
QH_INLINE double base_of(const qh_contribution *from, const qh_row *base, uint32_t action,
                         uint32_t table) {
    if (!base || counts_of(base, &from->key)[action] == 0) return (double)from->initial_value;
    return (double)base->q[values_at(&from->key, table) + action];
}

/* The squared L2 norm of an update. */
static double squared_update(const qh_contribution *from) {
    const qh_group_key *key = &from->key;
    double squares = 0;
    for (uint32_t i = 0; i < from->row_count; i++) {
        const qh_row *row = row_of(from, i), *base = base_row(from, row->key);
        const uint32_t *counts = counts_of(row, key);
        for (uint32_t table = 0; table < key->tables; table++)
            for (uint32_t action = 0; action < key->actions; action++) {
                double update = (double)row->q[values_at(key, table) + action] -
                                base_of(from, base, action, table);
                if (counts[action]) squares += update * update;
            }
    }
    return squares;
}

QH_FAST_END

/* Values of a client whose update is too long, as near to its base as it may be. */
static QH_NOINLINE lanes clipped(const qh_contribution *from, const qh_row *row, uint32_t action,
                                 uint32_t table, lanes value) {
    const qh_row *base = base_row(from, row->key);
    for (uint32_t lane = 0; lane < LANES; lane++) {
        double start = base_of(from, base, action + lane, table);
        value[lane] = qh__to_float(start + ((double)value[lane] - start) * from->scale);
    }
    return value;
}

/* Finds what the update starts from, and how much of it counts. False: it is not finite. */
static QH_NOINLINE bool measure_update(const merging *merger, qh_contribution *from) {
    const qh_federation *federation = merger->federation;
    double clip = merger->def->clip;
    from->scale = 1;
    from->before = NULL;
    if (qh__is_finite(clip) && merger->def->across == federation->across)
        from->before =
            qh__group_find(&federation->merged, federation->across ? 0 : from->key.group);
    if (from->before && from->before->key.config != from->key.config) from->before = NULL;
    double norm = qh__sqrt(squared_update(from));
    if (norm > clip) from->scale = clip / norm;
    return qh__is_finite(norm) && qh__is_finite((double)from->initial_value);
}

/* ---------------------------------------------------------------- rows */

/* A standard normal number (Marsaglia's polar method, 1964). */
static QH_NOINLINE double draw_normal(qh_random *random) {
    double x, y, square;
    do {
        x = 2 * qh__random_unit(random) - 1;
        y = 2 * qh__random_unit(random) - 1;
        square = x * x + y * y;
    } while (square >= 1 || square == 0);
    return x * qh__sqrt(-2 * qh__log(square) / square);
}

/* Collects the contributions' rows of a state; how many there are. */
static uint32_t gather_speakers(const merging *merger, const qh_group *group,
                                const qh_row *merged) {
    uint32_t count = 0;
    for (const qh_row *row = merged; row->leaders; count++) {
        const qh_contribution *from = &merger->federation->contributions[row->stamp];
        row = qh__table_row(&group->table, row->leaders);
        merger->speakers[count] = (speaker){from, row};
    }
    return count;
}

QH_FAST_BEGIN

/* Collects what they say of the values from `action` on, in order; how many do. */
static lane_counts gather_opinions(const merging *merger, const qh_group_key *key,
                                   uint32_t speakers, uint32_t action, uint32_t table) {
    lane_counts count = {0}, visits;
    lanes none = {0}, beyond = none + __builtin_inff(), cap = none + merger->cap;
    for (uint32_t i = 0; i < speakers; i++) {
        const qh_contribution *from = merger->speakers[i].from;
        const qh_row *row = merger->speakers[i].row;
        opinion said;
        memcpy(&visits, counts_of(row, key) + action, sizeof visits);
        memcpy(&said.value, row->q + values_at(key, table) + action, sizeof said.value);
        if (QH_UNLIKELY(from->scale < 1))
            said.value = clipped(from, row, action, table, said.value);
        lane_masks spoke = visits > 0;
        lanes claimed = __builtin_convertvector(visits, lanes);
        said.value = lanes_where(spoke, said.value, beyond);
        said.weight = lanes_where(claimed < cap, claimed, cap) * (float)from->weight;
        count -= (lane_counts)spoke;
        merger->opinions[i] = said;
    }
    put_in_order(merger->opinions, speakers);
    return count;
}

QH_FAST_END

static void merge_row(merging *merger, qh_group *group, qh_row *merged) {
    const qh_merge_def *def = merger->def;
    const qh_group_key *key = &group->key;
    uint32_t *counts = qh__row_counts(&group->table, merged);
    uint32_t speakers = gather_speakers(merger, group, merged);
    qh_random random = qh__random_seeded(def->seed, qh__hash_step(key->group, merged->key));
    for (uint32_t table = 0, action = 0; table < key->tables; action = 0, table++)
        for (lane_counts count; action < key->actions; action++) {
            uint32_t lane = action % LANES;
            if (lane == 0) count = gather_opinions(merger, key, speakers, action, table);
            counts[action] = count[lane];
            if (count[lane] == 0) continue;
            double value = def->rule == QH_MERGE_MEDIAN
                               ? median_of(merger->opinions, count[lane], lane)
                               : mean_of(merger->opinions, count[lane], lane, merger->trim);
            if (QH_UNLIKELY(def->sigma > 0)) {
                value += def->sigma * draw_normal(&random);
                merger->report->noisy++;
            }
            merged->q[values_at(key, table) + action] = qh__to_float(value);
        }
    merger->report->rows += qh__was_visited(&group->table, merged);
    merged->leaders = merged->stamp = 0;
}

/* ---------------------------------------------------------------- groups */

static qh_result make_group(merging *merger, const qh_contribution *from, uint64_t number,
                            qh_group **made) {
    qh_federation *federation = merger->federation;
    qh_groups *groups = &merger->fresh;
    void *block = groups->groups;
    QH_TRY(qh__array_reserve(&federation->memory->heap, &federation->owner, &block,
                             &groups->capacity, groups->count + 1, sizeof(qh_group),
                             QH_BLOCK_runtime));
    groups->groups = block;
    qh_group *group = &groups->groups[groups->count++];
    group->key = from->key;
    group->key.group = number;
    uint32_t second = from->key.tables == 2 ? qh__stride_of(from->key.actions) * 4 : 0;
    qh_table_open(&group->table, federation->memory, &federation->owner, from->key.actions, second,
                  from->initial_value);
    *made = group;
    return QH_OK;
}

/* The group that a contribution belongs to. Clients tend to come in the same order: it is often the one behind the last. */
static QH_NOINLINE qh_result find_group(merging *merger, const qh_contribution *from,
                                        qh_group **found) {
    uint64_t number = merger->def->across ? 0 : from->key.group;
    const qh_groups *groups = &merger->fresh;
    uint32_t next = merger->last + 1 < groups->count ? merger->last + 1 : 0;
    *found = groups->count && groups->groups[next].key.group == number
                 ? &groups->groups[next]
                 : qh__group_find(groups, number);
    if (!*found) QH_TRY(make_group(merger, from, number, found));
    merger->last = (uint32_t)(*found - groups->groups);
    return (*found)->key.config == from->key.config ? QH_OK : QH_INVALID_ARGUMENT;
}

/* Gives every key of a contribution a row in the group, whose location its stamp keeps; `*crowded` where the keys are not what
 * encoders make. */
static qh_result give_rows(qh_group *group, const qh_contribution *from, bool *crowded) {
    qh_table *table = &group->table;
    for (uint32_t i = 0; i < from->row_count && !*crowded; i++) {
        qh_row *row = row_of(from, i);
        uint32_t location = qh_table_find(table, row->key);
        if (location == QH_NO_ROW) {
            *crowded = qh_table_is_crowded(table, row->key);
            QH_TRY(qh_table_reserve(table, 1));
            location = qh_table_insert(table, row->key);
        }
        row->stamp = location;
    }
    return QH_OK;
}

static void chain_rows(const qh_federation *federation, qh_group *group,
                       const qh_contribution *from) {
    for (uint32_t i = 0; i < from->row_count; i++) {
        qh_row *row = row_of(from, i);
        qh_row *merged = qh__table_row(&group->table, row->stamp);
        row->stamp = merged->stamp;
        row->leaders = merged->leaders;
        merged->stamp = (uint32_t)(from - federation->contributions);
        merged->leaders = (uint32_t)(qh__offset_of(&federation->memory->budget, row) >> 4);
    }
}

/* Merges a group whole before the next, while its rows are in the cache. */
static qh_result merge_group(merging *merger, qh_group *group) {
    const qh_federation *federation = merger->federation;
    for (uint32_t next = group->first; next;) {
        qh_contribution *from = &federation->contributions[next - 1];
        bool refused = !measure_update(merger, from);
        if (!refused) QH_TRY(give_rows(group, from, &refused));
        next = from->next;
        merger->report->rejected += refused;
        if (refused) continue;
        merger->report->clipped += from->scale < 1;
        chain_rows(federation, group, from);
    }
    for (uint32_t i = 0; i < group->table.rows; i++)
        merge_row(merger, group, qh__row_number(&group->table, i));
    return QH_OK;
}

static bool def_is_valid(const qh_merge_def *def) {
    return def->across <= 1 && def->rule < QH_MERGE_RULES && def->trim >= 0 && def->trim < 0.5 &&
           def->visit_cap > 0 && def->clip > 0 && def->sigma >= 0 && qh__is_finite(def->sigma);
}

static qh_result merge_all(merging *merger) {
    const qh_federation *federation = merger->federation;
    for (uint32_t i = 0; i < federation->count; i++) {
        qh_group *group;
        QH_TRY(find_group(merger, &federation->contributions[i], &group));
        federation->contributions[i].next = group->first;
        group->first = i + 1;
    }
    for (uint32_t i = 0; i < merger->fresh.count; i++)
        QH_TRY(merge_group(merger, &merger->fresh.groups[i]));
    merger->report->groups = merger->fresh.count;
    return QH_OK;
}

qh_result qh_federation_merge(qh_federation *federation, const qh_merge_def *def,
                              qh_merge_report *report) {
    *report = (qh_merge_report){0};
    if (!def_is_valid(def)) return QH_INVALID_ARGUMENT;
    QH_ENTER(federation);
    qh_heap *heap = &federation->memory->heap;
    merging merger = {.federation = federation, .def = def, .report = report, .cap = 1};
    if (def->rule == QH_MERGE_ROBUST) merger.cap = qh__to_float(QH_MAX(def->visit_cap, 1));
    if (def->rule == QH_MERGE_VISIT_WEIGHTED) merger.cap = __builtin_inff();
    if (def->rule == QH_MERGE_ROBUST || def->rule == QH_MERGE_TRIMMED_MEAN) merger.trim = def->trim;
    size_t scratch_bytes = QH_MAX(federation->count, 1u) * (sizeof(opinion) + sizeof(speaker));
    void *scratch = NULL;
    qh_result result =
        qh_heap_alloc(heap, &federation->owner, scratch_bytes, QH_BLOCK_buffer, &scratch);
    if (result == QH_OK) {
        merger.opinions = scratch;
        merger.speakers = (speaker *)(void *)(merger.opinions + federation->count);
        result = merge_all(&merger);
        qh_heap_free(heap, &federation->owner, scratch, scratch_bytes);
    }
    if (result == QH_OK) {
        qh__groups_free(federation, &federation->merged);
        federation->merged = merger.fresh;
        federation->across = def->across;
    } else {
        qh__groups_free(federation, &merger.fresh);
    }
    return QH_LEAVE(federation, result);
}
