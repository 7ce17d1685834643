#include "shared/federation.h"

#include "base/maths.h"
#include "memory/array.h"

/* ---------------------------------------------------------------- life */

void qh_federation_open(qh_federation *federation, qh_memory *memory) {
    federation->memory = memory;
    qh_owner_open(&memory->heap, &federation->owner, 0, QH_OWNER_federation, QH_FEDERATION_QUOTA);
}

static size_t bytes_of_rows(const qh_contribution *contribution) {
    return (size_t)contribution->row_count * qh__federated_row_bytes(&contribution->key);
}

void qh__federation_drop(qh_federation *federation, uint32_t from) {
    while (federation->count > from) {
        qh_contribution *last = &federation->contributions[--federation->count];
        qh_heap_free(&federation->memory->heap, &federation->owner, last->rows,
                     bytes_of_rows(last));
    }
}

void qh__groups_free(qh_federation *federation, qh_groups *groups) {
    for (uint32_t i = 0; i < groups->count; i++) {
        groups->groups[i].table.owner = &federation->owner;
        qh_table_clear(&groups->groups[i].table);
    }
    qh_heap_free(&federation->memory->heap, &federation->owner, groups->groups,
                 groups->capacity * sizeof(qh_group));
    *groups = (qh_groups){0};
}

qh_result qh_federation_clear(qh_federation *federation, bool keep_merged) {
    QH_ENTER(federation);
    qh__federation_drop(federation, 0);
    qh_heap_free(&federation->memory->heap, &federation->owner, federation->contributions,
                 federation->capacity * sizeof(qh_contribution));
    federation->contributions = NULL;
    federation->capacity = 0;
    if (!keep_merged) qh__groups_free(federation, &federation->merged);
    return QH_LEAVE(federation, QH_OK);
}

/* ---------------------------------------------------------------- contributions */

qh_result qh__federation_reserve(qh_federation *federation, uint32_t count) {
    void *contributions = federation->contributions;
    QH_TRY(qh__array_reserve(&federation->memory->heap, &federation->owner, &contributions,
                             &federation->capacity, federation->count + count,
                             sizeof(qh_contribution), QH_BLOCK_runtime));
    federation->contributions = contributions;
    return QH_OK;
}

qh_result qh__federation_take(qh_federation *federation, qh_contribution *contribution,
                              uint32_t rows) {
    void *block = NULL;
    contribution->row_count = rows;
    if (rows > 0)
        QH_TRY(qh_heap_alloc_zeroed(&federation->memory->heap, &federation->owner,
                                    bytes_of_rows(contribution), QH_BLOCK_table, &block));
    contribution->rows = block;
    return QH_OK;
}

bool qh__federation_agrees(const qh_federation *federation, const qh_contribution *contribution) {
    for (uint32_t i = 0; i < federation->count; i++) {
        const qh_group_key *key = &federation->contributions[i].key;
        if (key->group == contribution->key.group && key != &contribution->key)
            return key->config == contribution->key.config; /* those before agree with it */
    }
    return true;
}

QH_NOINLINE uint32_t qh__row_stamp(const qh_agent *agent, const qh_row *row) {
    return (uint32_t)qh__hash_bytes(row->q, (size_t)agent->stride * (agent->double_q ? 12 : 8), 0) |
           1;
}

QH_NOINLINE qh_row *qh__row_number(const qh_table *table, uint32_t i) {
    return qh__table_row(table, qh_table_location(table, i));
}

QH_NOINLINE qh_row *qh__row_of(const qh_table *table, uint64_t key) {
    uint32_t location = qh_table_find(table, key);
    return location == QH_NO_ROW ? NULL : qh__table_row(table, location);
}

QH_NOINLINE bool qh__was_visited(const qh_table *table, qh_row *row) {
    const uint32_t *counts = qh__row_counts(table, row);
    for (uint32_t i = 0; i < table->actions; i++)
        if (counts[i]) return true;
    return false;
}

/* Copies the rows that the agent has visited. */
static qh_result copy_visited(qh_federation *federation, const qh_agent *agent,
                              qh_contribution *contribution) {
    const qh_table *table = &agent->table;
    uint32_t visited = 0, row_bytes = qh__federated_row_bytes(&contribution->key);
    for (uint32_t i = 0; i < table->rows; i++)
        visited += qh__was_visited(table, qh__row_number(table, i));
    QH_TRY(qh__federation_take(federation, contribution, visited));
    unsigned char *at = contribution->rows;
    for (uint32_t i = 0; visited > 0; i++) {
        qh_row *row = qh__row_number(table, i);
        if (!qh__was_visited(table, row)) continue;
        memcpy(at, row, row_bytes);
        at += row_bytes;
        visited--;
    }
    return QH_OK;
}

static qh_result add_agent(qh_federation *federation, const qh_agent *agent, double weight) {
    qh_contribution made = {.key = qh__group_key_of(agent),
                            .source = agent->handle,
                            .initial_value = agent->initial_value,
                            .weight = weight};
    if (agent->borrowed) return QH_BUSY;
    if (!qh__federation_agrees(federation, &made)) return QH_INVALID_ARGUMENT;
    QH_TRY(copy_visited(federation, agent, &made));
    federation->contributions[federation->count++] = made;
    return QH_OK;
}

/* Lets the contributions from `first` on take the place of older ones of the same agents, at the older ones' places. */
static void replace_older(qh_federation *federation, uint32_t first) {
    for (uint32_t i = first; i < federation->count; i++) {
        qh_contribution *newer = &federation->contributions[i];
        for (uint32_t k = 0; k < first; k++) {
            qh_contribution *older = &federation->contributions[k], swapped = *older;
            if (older->source != newer->source) continue;
            *older = *newer;
            *newer = swapped;
            newer->source = 0;
            newer->weight = 0; /* to be dropped */
            break;
        }
    }
    uint32_t kept = first, count = federation->count;
    for (uint32_t i = first; i < count; i++) {
        qh_contribution swapped = federation->contributions[kept];
        if (federation->contributions[i].weight == 0) continue;
        federation->contributions[kept++] = federation->contributions[i];
        federation->contributions[i] = swapped;
    }
    qh__federation_drop(federation, kept);
}

static bool is_age(double age) {
    return age >= 0 && age < 0x1p53;
}

qh_result qh_federation_accumulate(qh_federation *federation, qh_agent *const *agents,
                                   uint32_t count, double age, uint32_t *at_fault) {
    *at_fault = 0;
    if (!is_age(age)) return QH_INVALID_ARGUMENT;
    QH_ENTER(federation);
    uint32_t first = federation->count;
    qh_result result = qh__federation_reserve(federation, count);
    for (uint32_t i = 0; i < count && result == QH_OK; i++) {
        *at_fault = i;
        result = add_agent(federation, agents[i], 1 / qh__sqrt(1 + age));
    }
    if (result == QH_OK)
        replace_older(federation, first);
    else
        qh__federation_drop(federation, first);
    return QH_LEAVE(federation, result);
}

/* ---------------------------------------------------------------- apply */

qh_group *qh__group_find(const qh_groups *groups, uint64_t group) {
    for (uint32_t i = 0; i < groups->count; i++)
        if (groups->groups[i].key.group == group) return &groups->groups[i];
    return NULL;
}

static qh_group *group_of(const qh_federation *federation, const qh_agent *agent) {
    return qh__group_find(&federation->merged, federation->across ? 0 : agent->category);
}

/* Makes sure of everything that writing into an agent may need. */
static qh_result prepare_agent(const qh_group *group, qh_agent *agent) {
    uint32_t missing = 0;
    if (agent->borrowed) return QH_BUSY;
    if (group->key.config != agent->config_hash) return QH_INVALID_ARGUMENT;
    for (uint32_t i = 0; i < group->table.rows; i++) {
        qh_row *row = qh__row_number(&group->table, i);
        missing += qh__was_visited(&group->table, row) && !qh__row_of(&agent->table, row->key);
    }
    return missing ? qh_table_reserve(&agent->table, missing) : QH_OK;
}

static void write_row(const qh_group *group, qh_row *merged, qh_agent *agent) {
    const uint32_t *counts = qh__row_counts(&group->table, merged);
    if (!qh__was_visited(&group->table, merged)) return;
    qh_row *row = qh__row_of(&agent->table, merged->key);
    if (!row)
        row = qh__table_row(&agent->table, qh__agent_insert(agent, &agent->table, merged->key));
    bool exported = row->stamp == qh__row_stamp(agent, row);
    for (uint32_t a = 0; a < agent->actions; a++) {
        if (counts[a] == 0) continue;
        row->q[a] = merged->q[a];
        if (agent->double_q) qh__row_second(agent, row)[a] = qh__row_second(agent, merged)[a];
    }
    row->leaders = 0;
    if (exported) row->stamp = qh__row_stamp(agent, row); /* it has learned nothing of its own */
}

qh_result qh_federation_apply(qh_federation *federation, qh_agent *const *agents, uint32_t count,
                              uint32_t *applied, uint32_t *at_fault) {
    *applied = *at_fault = 0;
    QH_ENTER(federation);
    qh_result result = federation->merged.count > 0 ? QH_OK : QH_INVALID_STATE;
    for (uint32_t i = 0; i < count && result == QH_OK; i++) {
        const qh_group *group = group_of(federation, agents[i]);
        *at_fault = i;
        if (group) result = prepare_agent(group, agents[i]);
    }
    for (uint32_t i = 0; i < count && result == QH_OK; i++) {
        const qh_group *group = group_of(federation, agents[i]);
        for (uint32_t k = 0; group && k < group->table.rows; k++)
            write_row(group, qh__row_number(&group->table, k), agents[i]);
        *applied += group != NULL;
        if (agents[i]->running) qh__agent_find(agents[i], agents[i]->keys, agents[i]->rows);
    }
    return QH_LEAVE(federation, result);
}

/* ---------------------------------------------------------------- soundness */

static bool contribution_is_sound(const qh_federation *federation, uint32_t number,
                                  size_t *charged) {
    const qh_contribution *contribution = &federation->contributions[number];
    const qh_group_key *key = &contribution->key;
    if (key->actions - 1 >= QH_MAX_ACTIONS || key->tables - 1 >= 2 ||
        (contribution->row_count > 0) != (contribution->rows != NULL) ||
        !(contribution->weight > 0 && contribution->weight <= 1))
        return false;
    if (contribution->rows) *charged += qh_heap_charge(bytes_of_rows(contribution));
    return qh__federation_agrees(federation, contribution);
}

bool qh_federation_validate(const qh_federation *federation) {
    size_t charged = 0;
    const qh_groups *merged = &federation->merged;
    for (uint32_t i = 0; i < federation->count; i++)
        if (!contribution_is_sound(federation, i, &charged)) return false;
    for (uint32_t i = 0; i < merged->count; i++) {
        const qh_group *group = &merged->groups[i];
        if (!qh_table_validate(&group->table) || qh__group_find(merged, group->key.group) != group)
            return false;
        charged += qh_table_bytes(&group->table);
    }
    if (federation->capacity)
        charged += qh_heap_charge(federation->capacity * sizeof(qh_contribution));
    if (merged->capacity) charged += qh_heap_charge(merged->capacity * sizeof(qh_group));
    return federation->count <= federation->capacity && merged->count <= merged->capacity &&
           charged == federation->owner.live_bytes;
}
