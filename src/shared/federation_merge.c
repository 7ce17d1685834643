/* The reductions. A cell's values are put in order first, so that neither the order of contributions nor the build shows. */
#include "shared/federation.h"

#include "base/maths.h"
#include "base/random.h"
#include "memory/array.h"

#define ROUNDING 1e-9 /* of trim * n, so that 0.29 of 100 clients are 29; of half of all weights */

/* What one client says of one value. */
typedef struct opinion {
    double value, weight;
} opinion;

typedef struct merging {
    qh_federation *federation;
    const qh_merge_def *def;
    qh_merge_report *report;
    qh_groups fresh;
    uint32_t last; /* the group found last */
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

/* Orders by value, equals by weight (Shell 1959, gaps of a third: few and many). */
static void put_in_order(opinion *opinions, uint32_t count) {
    uint32_t gap = 1;
    while (gap < count / 9) gap = gap * 3 + 1;
    for (; gap > 0; gap /= 3)
        for (uint32_t i = gap; i < count; i++) {
            opinion moved = opinions[i];
            uint32_t k = i;
            for (; k >= gap; k -= gap) {
                const opinion *before = &opinions[k - gap];
                if (before->value < moved.value ||
                    (before->value == moved.value && before->weight <= moved.weight))
                    break;
                opinions[k] = *before;
            }
            opinions[k] = moved;
        }
}

QH_FAST_END

static double median_of(const opinion *opinions, uint32_t count) {
    double total = 0, below = 0;
    for (uint32_t i = 0; i < count; i++) total += opinions[i].weight;
    for (uint32_t i = 0; i + 1 < count; i++) {
        below += opinions[i].weight;
        double past = (below * 2 - total) / total;
        if (qh__abs(past) < ROUNDING) return (opinions[i].value + opinions[i + 1].value) / 2;
        if (past > 0) return opinions[i].value;
    }
    return opinions[count - 1].value;
}

static double reduce(const qh_merge_def *def, opinion *opinions, uint32_t count) {
    put_in_order(opinions, count);
    if (def->rule == QH_MERGE_MEDIAN) return median_of(opinions, count);
    bool trims = def->rule == QH_MERGE_ROBUST || def->rule == QH_MERGE_TRIMMED_MEAN;
    uint32_t cut = trims ? (uint32_t)(def->trim * count + ROUNDING) : 0;
    cut = QH_MIN(cut, (count - 1) / 2);
    double sum = 0, weights = 0;
    for (uint32_t i = cut; i < count - cut; i++) {
        sum += opinions[i].value * opinions[i].weight;
        weights += opinions[i].weight;
    }
    return sum / weights;
}

static double weight_of(const qh_merge_def *def, const qh_contribution *from, uint32_t visits) {
    if (def->rule == QH_MERGE_ROBUST) return QH_MIN((double)visits, def->visit_cap) * from->weight;
    return (def->rule == QH_MERGE_VISIT_WEIGHTED ? visits : 1) * from->weight;
}

/* ---------------------------------------------------------------- clipping */

/* The value that an update of a cell starts from. */
static double base_of(const qh_contribution *from, uint64_t state, uint32_t action,
                      uint32_t table) {
    const qh_group *before = from->before;
    const qh_row *row = before ? qh__row_of(&before->table, state) : NULL;
    if (!row || counts_of(row, &from->key)[action] == 0) return (double)from->initial_value;
    return (double)row->q[values_at(&from->key, table) + action];
}

/* The squared L2 norm of an update. */
static double squared_update(const qh_contribution *from) {
    const qh_group_key *key = &from->key;
    double squares = 0;
    for (uint32_t i = 0; i < from->row_count; i++) {
        const qh_row *row = row_of(from, i);
        for (uint32_t table = 0; table < key->tables; table++)
            for (uint32_t action = 0; action < key->actions; action++) {
                if (counts_of(row, key)[action] == 0) continue;
                double update = (double)row->q[values_at(key, table) + action] -
                                base_of(from, row->key, action, table);
                squares += update * update;
            }
    }
    return squares;
}

/* Finds what the update starts from, and how much of it counts. False: it is not finite. */
static bool measure_update(const merging *merger, qh_contribution *from) {
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
static double draw_normal(qh_random *random) {
    double x, y, square;
    do {
        x = 2 * qh__random_unit(random) - 1;
        y = 2 * qh__random_unit(random) - 1;
        square = x * x + y * y;
    } while (square >= 1 || square == 0);
    return x * qh__sqrt(-2 * qh__log(square) / square);
}

QH_FAST_BEGIN

/* Collects what clients say of a value; how many do. */
static uint32_t gather_opinions(const merging *merger, const qh_group *group, const qh_row *merged,
                                uint32_t action, uint32_t table) {
    const qh_federation *federation = merger->federation;
    uint32_t count = 0;
    uint32_t next = merged->leaders, number = merged->stamp;
    while (next) {
        const qh_contribution *from = &federation->contributions[number];
        const qh_row *row = qh__table_row(&group->table, next);
        uint32_t visits = counts_of(row, &group->key)[action];
        next = row->leaders;
        number = row->stamp;
        if (visits == 0) continue;
        double value = (double)row->q[values_at(&group->key, table) + action];
        if (from->scale < 1) {
            double base = base_of(from, merged->key, action, table);
            value = base + (value - base) * from->scale;
        }
        merger->opinions[count++] = (opinion){value, weight_of(merger->def, from, visits)};
    }
    return count;
}

QH_FAST_END

static void merge_row(merging *merger, qh_group *group, qh_row *merged) {
    const qh_merge_def *def = merger->def;
    uint32_t *counts = qh__row_counts(&group->table, merged);
    qh_random random = qh__random_seeded(def->seed, qh__hash_step(group->key.group, merged->key));
    for (uint32_t table = 0; table < group->key.tables; table++)
        for (uint32_t action = 0; action < group->key.actions; action++) {
            uint32_t count = gather_opinions(merger, group, merged, action, table);
            counts[action] = count;
            if (count == 0) continue;
            double value = reduce(def, merger->opinions, count);
            if (def->sigma > 0) {
                value += def->sigma * draw_normal(&random);
                merger->report->noisy++;
            }
            merged->q[values_at(&group->key, table) + action] = qh__to_float(value);
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
static qh_result find_group(merging *merger, const qh_contribution *from, qh_group **found) {
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

static void chain_rows(const merging *merger, qh_group *group, uint32_t number) {
    const qh_federation *federation = merger->federation;
    const qh_contribution *from = &federation->contributions[number];
    for (uint32_t i = 0; i < from->row_count; i++) {
        qh_row *row = row_of(from, i);
        qh_row *merged = qh__table_row(&group->table, row->stamp);
        row->stamp = merged->stamp;
        row->leaders = merged->leaders;
        merged->stamp = number;
        merged->leaders = (uint32_t)(qh__offset_of(&federation->memory->budget, row) >> 4);
    }
}

static qh_result sort_in(merging *merger, uint32_t number) {
    qh_contribution *from = &merger->federation->contributions[number];
    qh_group *group;
    bool refused = !measure_update(merger, from);
    QH_TRY(find_group(merger, from, &group));
    if (!refused) QH_TRY(give_rows(group, from, &refused));
    merger->report->rejected += refused;
    if (refused) return QH_OK;
    merger->report->clipped += from->scale < 1;
    chain_rows(merger, group, number);
    return QH_OK;
}

static bool def_is_valid(const qh_merge_def *def) {
    return def->across <= 1 && def->rule < QH_MERGE_RULES && def->trim >= 0 && def->trim < 0.5 &&
           def->visit_cap > 0 && def->clip > 0 && def->sigma >= 0 && qh__is_finite(def->sigma);
}

static qh_result merge_all(merging *merger) {
    const qh_federation *federation = merger->federation;
    for (uint32_t i = 0; i < federation->count; i++) QH_TRY(sort_in(merger, i));
    for (uint32_t i = 0; i < merger->fresh.count; i++) {
        qh_group *group = &merger->fresh.groups[i];
        for (uint32_t k = 0; k < group->table.rows; k++)
            merge_row(merger, group, qh__row_number(&group->table, k));
    }
    merger->report->groups = merger->fresh.count;
    return QH_OK;
}

qh_result qh_federation_merge(qh_federation *federation, const qh_merge_def *def,
                              qh_merge_report *report) {
    *report = (qh_merge_report){0};
    if (!def_is_valid(def)) return QH_INVALID_ARGUMENT;
    QH_ENTER(federation);
    qh_heap *heap = &federation->memory->heap;
    merging merger = {.federation = federation, .def = def, .report = report};
    size_t scratch_bytes = QH_MAX(federation->count, 1u) * sizeof(opinion);
    void *scratch = NULL;
    qh_result result =
        qh_heap_alloc(heap, &federation->owner, scratch_bytes, QH_BLOCK_buffer, &scratch);
    if (result == QH_OK) {
        merger.opinions = scratch;
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
