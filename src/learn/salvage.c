#include "learn/salvage.h"

#if QH_THREADS

static qh_survey survey_of(const qh_memory *memory, const qh_agent *agent) {
    return (qh_survey){.memory = memory, .id = agent->owner.id, .kind = QH_OWNER_agent};
}

static size_t pending_bytes(const qh_agent *agent) {
    return agent->n_step > 1 ? (size_t)agent->n_step * agent->pending.entry_bytes : 0;
}

static size_t tree_bytes(const qh_agent *agent) {
    return agent->replay.tree ? (size_t)agent->replay.leaves * 2 * sizeof(float) : 0;
}

/* What stays from when it was made until it is destroyed. */
static bool survey_core(qh_survey *survey, const qh_agent *agent) {
    uint32_t trends = agent->encoder.plan ? agent->encoder.plan->trends : 0;
    return qh__survey_block(survey, agent, agent->block_bytes) &&
           qh__survey_block(survey, agent->pending.entries, pending_bytes(agent)) &&
           qh__survey_block(survey, agent->encoder.average, trends * 2 * sizeof(float)) &&
           qh__survey_block(survey, agent->input, QH_STATE_BYTES) &&
           qh__survey_block(survey, agent->replay.tree, tree_bytes(agent)) &&
           (!agent->actuator ||
            qh__survey_block(survey, agent->actuator,
                             sizeof *agent->actuator +
                                 ((size_t)agent->actions * 2 + (agent->actions + 31) / 32) * 4));
}

bool qh__agent_has_core(const qh_memory *memory, const qh_agent *agent, qh_handle handle) {
    const qh_record *record = agent ? qh_records_find(&memory->records, agent) : NULL;
    if (!record || record->owner != handle || record->owner_kind != QH_OWNER_agent ||
        record->kind != QH_BLOCK_agent)
        return false;
    if (agent->handle != handle || agent->owner.id != handle || !agent->encoder.plan) return false;
    qh_survey survey = survey_of(memory, agent);
    return survey_core(&survey, agent);
}

/* A location of a row that is in the table. */
static bool is_row(const qh_agent *agent, uint32_t location) {
    const qh_table *table = &agent->table;
    size_t end = (size_t)table->memory->budget.pages * QH_PAGE_BYTES - table->row_bytes;
    return (uint64_t)location << 4 <= end &&
           qh_table_find(table, qh__table_row(table, location)->key) == location;
}

static bool rows_are_there(const qh_agent *agent, const uint32_t *rows) {
    for (uint32_t t = 0; t < agent->tilings; t++)
        if (rows[t] != QH_NO_ROW && !is_row(agent, rows[t])) return false;
    return true;
}

/* Where the arrays behind the struct begin: two of each kind, which change places with every step. */
static uint64_t *keys_of_agent(const qh_agent *agent) {
    return (uint64_t *)(void *)(agent->unseen + agent->stride);
}

static uint32_t *rows_of_agent(const qh_agent *agent) {
    return (uint32_t *)(void *)(keys_of_agent(agent) + 2 * (size_t)agent->tilings);
}

/* The places of the state the agent is in and of the next one are two, whichever is which. */
static bool places_are_two(const qh_agent *agent) {
    const uint64_t *keys = keys_of_agent(agent);
    const uint32_t *rows = rows_of_agent(agent), *seen = rows + 2 * (size_t)agent->tilings;
    uint32_t words = agent->replay.state_words;
    bool second = agent->keys != keys;
    return agent->keys == keys + second * agent->tilings &&
           agent->next_keys == keys + !second * agent->tilings &&
           agent->rows == rows + second * agent->tilings &&
           agent->next_rows == rows + !second * agent->tilings &&
           agent->seen == seen + second * words && agent->next_seen == seen + !second * words;
}

static bool pending_is_whole(const qh_agent *agent) {
    const qh_pending_queue *queue = &agent->pending;
    if (queue->count > agent->n_step || (queue->first && queue->first >= agent->n_step))
        return false;
    for (uint32_t i = 0; i < queue->count && agent->n_step > 1; i++) {
        uint32_t place = (queue->first + i) % agent->n_step;
        const qh_pending *pending =
            (const qh_pending *)(const void *)(queue->entries + (size_t)place * queue->entry_bytes);
        if (pending->action >= agent->actions || !rows_are_there(agent, pending->rows))
            return false;
    }
    return true;
}

static bool traces_are_whole(const qh_agent *agent) {
    const qh_traces *traces = &agent->traces;
    if (traces->count > traces->capacity) return false;
    for (uint32_t i = 0; i < traces->count; i++)
        if (traces->entries[i].action >= agent->actions || !is_row(agent, traces->entries[i].row))
            return false;
    return true;
}

/* The table of an agent that has learned nothing. */
static qh_table new_table(const qh_agent *agent) {
    qh_table table;
    uint32_t extra = (agent->double_q ? agent->stride * (uint32_t)sizeof(float) : 0) +
                     (agent->planning ? agent->stride * (uint32_t)sizeof(qh_model) : 0);
    qh_table_open(&table, agent->memory, (qh_owner *)(uintptr_t)&agent->owner, agent->actions,
                  extra, agent->initial_value);
    return table;
}

/* What never changes of a table; whoever clears it writes it anew. */
static bool table_is_its(const qh_agent *agent) {
    const qh_table *table = &agent->table;
    qh_table made = new_table(agent);
    return table->memory == made.memory && table->owner == made.owner &&
           table->actions == made.actions && table->stride == made.stride &&
           table->extra_bytes == made.extra_bytes && table->row_bytes == made.row_bytes &&
           table->first_rows == made.first_rows && table->segment_rows == made.segment_rows &&
           table->initial_value == made.initial_value;
}

static bool replay_is_whole(const qh_replay *replay, qh_survey *survey) {
    if (replay->block_count > replay->block_capacity ||
        !qh__survey_block(survey, replay->blocks, replay->block_capacity * sizeof(void *)))
        return false;
    for (uint32_t i = 0; i < replay->block_count; i++)
        if (!qh__survey_block(survey, replay->blocks[i], QH_TRAJECTORY_BYTES)) return false;
    return qh_replay_validate(replay);
}

bool qh__agent_is_whole(const qh_memory *memory, const qh_agent *agent) {
    qh_survey survey = survey_of(memory, agent);
    uint64_t books = qh__salvage_books(memory, agent->owner.id, QH_OWNER_agent);
    return survey_core(&survey, agent) && table_is_its(agent) &&
           qh__table_is_whole(&agent->table, &survey) && replay_is_whole(&agent->replay, &survey) &&
           qh__survey_block(&survey, agent->traces.entries,
                            agent->traces.capacity * sizeof(qh_trace)) &&
           survey.books == books && agent->owner.books == books && places_are_two(agent) &&
           (!agent->running || rows_are_there(agent, agent->rows)) && pending_is_whole(agent) &&
           traces_are_whole(agent) && agent->last_action < (int32_t)agent->actions;
}

void qh__agent_mend(qh_agent *agent) {
    qh__rules_forget_episode(agent);
    agent->running = agent->ended = false;
    agent->last_action = QH_NO_ACTION;
    if (agent->actuator) agent->actuator->in_force = NULL;
}

static bool is_not_core(const qh_record *record, void *context) {
    const qh_agent *agent = context;
    const void *block = record->block;
    return record->owner == agent->owner.id && record->owner_kind == QH_OWNER_agent &&
           block != agent && block != agent->pending.entries && block != agent->encoder.average &&
           block != agent->input && block != agent->replay.tree && block != agent->actuator;
}

void qh__agent_rebuild(qh_memory *memory, qh_agent *agent) {
    qh_replay *replay = &agent->replay;
    qh__salvage(memory, is_not_core, agent);
    agent->table = new_table(agent);
    replay->blocks = NULL;
    replay->block_capacity = replay->block_count = 0;
    agent->traces = (qh_traces){0};
    agent->keys = keys_of_agent(agent);
    agent->next_keys = agent->keys + agent->tilings;
    agent->rows = rows_of_agent(agent);
    agent->next_rows = agent->rows + agent->tilings;
    agent->seen = agent->next_rows + agent->tilings;
    agent->next_seen = agent->seen + replay->state_words;
    if (agent->actuator) agent->actuator->in_force = NULL;
    qh__owner_settle(memory, &agent->owner);
    agent->borrowed = false;
    qh_result result = qh_agent_reset(agent); /* takes and gives nothing: there is nothing */
    QH_ASSERT(result == QH_OK);
}

#endif
