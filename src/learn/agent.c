#include "learn/express.h"

#include "base/bytes.h"
#include "base/maths.h"

qh_agent_def qh_agent_def_default(void) {
    return (qh_agent_def){.algorithm = QH_Q_LEARNING,
                          .rate = {0.1, 0.1, 1},
                          .discount = 0.95,
                          .policy = QH_EPSILON_GREEDY,
                          .exploration = {0.1, 0.1, 1},
                          .n_step = 1,
                          .replay_alpha = 0.6,
                          .replay_beta = 0.4,
                          .quota_bytes = 10.0 * 1024 * 1024};
}

/* ---------------------------------------------------------------- definition */

static bool in_unit(double x) {
    return x >= 0 && x <= 1;
}

static bool rate_is_valid(const qh_agent_def *def) {
    const qh_schedule *rate = &def->rate;
    return def->rate_visits || (rate->start > 0 && rate->start <= 1 && rate->end >= 0 &&
                                rate->end <= 1 && in_unit(rate->decay));
}

static bool policy_is_valid(const qh_agent_def *def) {
    const qh_schedule *exploration = &def->exploration;
    if (!in_unit(exploration->decay)) return false;
    switch (def->policy) {
    case QH_GREEDY: return true;
    case QH_EPSILON_GREEDY: return in_unit(exploration->start) && in_unit(exploration->end);
    case QH_SOFTMAX:
        return exploration->start > 0 && exploration->end > 0 &&
               qh__is_finite(exploration->start) && qh__is_finite(exploration->end);
    case QH_UCB: return def->ucb_c >= 0 && qh__is_finite(def->ucb_c);
    default: return false;
    }
}

/* Combinations without a meaning in the literature are refused, not guessed. */
static bool combination_is_valid(const qh_agent_def *def) {
    if (def->lambda > 0 && (def->n_step > 1 || def->algorithm == QH_DOUBLE_Q)) return false;
    return def->planning == 0 || def->encoder.kind != QH_ENCODER_TILES;
}

static qh_result check(const qh_agent_def *def) {
    bool valid =
        def->actions >= 1 && def->actions <= QH_MAX_ACTIONS && def->algorithm <= QH_DOUBLE_Q &&
        rate_is_valid(def) && in_unit(def->discount) && policy_is_valid(def) &&
        def->tie_break <= QH_TIE_FIRST && qh__abs(def->initial_value) <= QH_FLOAT_MAX &&
        in_unit(def->lambda) && def->n_step >= 1 && def->n_step <= 1024 &&
        def->replay_kind <= QH_REPLAY_PRIORITIZED && def->replay_record <= QH_RECORD_FULL &&
        in_unit(def->replay_alpha) && in_unit(def->replay_beta) && def->planning <= 1000000 &&
        def->replay_capacity <= 0x10000000 && def->quota_bytes >= 0 && combination_is_valid(def);
    return valid ? qh_plan_check(&def->encoder) : QH_INVALID_ARGUMENT;
}

/* What must agree for a table to mean the same to two agents. */
static uint64_t hash_config(const qh_agent_def *def, uint64_t seed) {
    return qh__hash_step(qh_plan_hash(&def->encoder, seed),
                         (uint64_t)def->actions << 8 | (def->algorithm == QH_DOUBLE_Q));
}

/* ---------------------------------------------------------------- life */

static size_t block_size(const qh_agent_def *def, uint32_t tilings, uint32_t stride,
                         uint32_t words) {
    size_t bytes =
        sizeof(qh_agent) + 16 + (size_t)tilings * 2 * (sizeof(uint64_t) + sizeof(uint32_t));
    return bytes + stride * sizeof(float) + words * 2 * sizeof(uint32_t) + def->name_length;
}

/* The arrays behind the struct, the widest first. */
static void lay_out_agent(qh_agent *agent, const qh_agent_def *def, uint32_t words) {
    unsigned char *at = (unsigned char *)agent + qh__align_up(sizeof(qh_agent), 16);
    agent->unseen = (float *)(void *)at;
    agent->keys = (uint64_t *)(void *)(at += agent->stride * sizeof(float));
    agent->next_keys = agent->keys + agent->tilings;
    agent->rows = (uint32_t *)(void *)(at + agent->tilings * 2 * sizeof(uint64_t));
    agent->next_rows = agent->rows + agent->tilings;
    agent->seen = agent->next_rows + agent->tilings;
    agent->next_seen = agent->seen + words;
    agent->name = (char *)(agent->next_seen + words);
    agent->name_length = def->name_length;
    for (uint32_t i = 0; i < def->name_length; i++) agent->name[i] = def->name[i];
}

static void set_learning(qh_agent *agent, const qh_agent_def *def) {
    agent->algorithm = def->algorithm;
    agent->double_q = def->algorithm == QH_DOUBLE_Q;
    agent->rate_visits = def->rate_visits != 0;
    agent->discount = def->discount;
    agent->rate = qh__schedule_open(&def->rate);
    agent->policy = (qh_policy){.kind = def->policy,
                                .actions = def->actions,
                                .first = def->tie_break == QH_TIE_FIRST,
                                .exploration = qh__schedule_open(&def->exploration),
                                .ucb_c = def->ucb_c};
    qh__policy_settle(&agent->policy);
    agent->lambda = def->lambda;
    agent->n_step = def->n_step;
    agent->planning = def->planning;
    agent->replay_beta = def->replay_beta;
    agent->propensities = def->propensities != 0;
    agent->quick = agent->tilings == 1 && !agent->double_q && def->policy <= QH_EPSILON_GREEDY &&
                   def->actions <= QH_FEW_ACTIONS && !def->zones;
    agent->last_action = QH_NO_ACTION;
}

static qh_result open_pending(qh_agent *agent) {
    if (agent->n_step == 1) return QH_OK;
    size_t bytes = sizeof(qh_pending) + agent->tilings * sizeof(uint32_t);
    agent->pending.entry_bytes = (uint32_t)qh__align_up(bytes, 8);
    void *entries;
    QH_TRY(qh_heap_alloc(&agent->memory->heap, &agent->owner,
                         (size_t)agent->n_step * agent->pending.entry_bytes, QH_BLOCK_agent,
                         &entries));
    agent->pending.entries = entries;
    return QH_OK;
}

static qh_result open_parts(qh_agent *agent, const qh_agent_def *def) {
    qh_memory *memory = agent->memory;
    QH_TRY(qh_encoder_open(&agent->encoder, &def->encoder, agent->plans, &agent->owner));
    uint32_t extra = (agent->double_q ? agent->stride * (uint32_t)sizeof(float) : 0) +
                     (def->planning ? agent->stride * (uint32_t)sizeof(qh_model) : 0);
    qh_table_open(&agent->table, memory, &agent->owner, def->actions, extra, agent->initial_value);
    QH_TRY(qh_replay_open(&agent->replay, memory, &agent->owner, def->replay_capacity,
                          agent->tilings, def->replay_kind == QH_REPLAY_PRIORITIZED,
                          def->replay_alpha));
    if (agent->next_seen > agent->seen)
        qh_replay_keep_states(&agent->replay, (uint32_t)(agent->next_seen - agent->seen));
    QH_TRY(open_pending(agent));
    QH_TRY(qh_actuator_open(&memory->heap, &agent->owner, def, &agent->actuator));
    agent->express = agent->quick && agent->encoder.quick && !agent->propensities;
    agent->express_learner = agent->express && def->algorithm == QH_Q_LEARNING &&
                             def->n_step == 1 && def->lambda == 0 && def->planning == 0 &&
                             def->replay_capacity == 0;
    void *input;
    QH_TRY(qh_pool_acquire(&memory->pools[QH_POOL_STATE], &agent->owner, &input));
    memset(input, 0, QH_STATE_BYTES);
    agent->input = input;
    return QH_OK;
}

static size_t quota_of(const qh_agent_def *def) {
    return def->quota_bytes >= (double)SIZE_MAX ? SIZE_MAX : (size_t)def->quota_bytes;
}

static void seed_random(qh_agent *agent) {
    agent->random = qh__random_seeded(agent->plans->seed, agent->stream);
}

qh_result qh_agent_open(qh_plans *plans, const qh_agent_def *def, qh_handle handle, uint32_t number,
                        qh_agent **result) {
    qh_memory *memory = plans->memory;
    QH_TRY(check(def));
    uint32_t tilings = def->encoder.kind == QH_ENCODER_TILES ? def->encoder.tilings : 1;
    uint32_t stride = qh__stride_of(def->actions);
    uint32_t words =
        def->replay_capacity && def->replay_record ? qh_encoder_words(&def->encoder) : 0;
    size_t bytes = block_size(def, tilings, stride, words);
    qh_owner owner;
    qh_owner_open(&memory->heap, &owner, handle, QH_OWNER_agent, quota_of(def));
    void *block;
    QH_TRY(qh_heap_alloc(&memory->heap, &owner, bytes, QH_BLOCK_agent, &block));
    qh_agent *agent = block;
    *agent =
        (qh_agent){.handle = handle, .actions = def->actions, .stride = stride, .tilings = tilings};
    agent->memory = memory;
    agent->owner = owner;
    agent->block_bytes = bytes;
    agent->plans = plans;
    agent->stream = def->name_length
                        ? qh__hash_bytes(def->name, def->name_length, 0) | (uint64_t)1 << 63
                        : number;
    agent->config_hash = hash_config(def, plans->seed);
    agent->initial_value = (float)(def->initial_value / tilings);
    lay_out_agent(agent, def, words);
    set_learning(agent, def);
    seed_random(agent);
    for (uint32_t i = 0; i < stride; i++)
        agent->unseen[i] = i < def->actions ? agent->initial_value : -__builtin_inff();
    qh_result opened = open_parts(agent, def);
    if (opened != QH_OK)
        qh_agent_close(agent);
    else
        *result = agent;
    return opened;
}

/* Also of an agent that was opened in part: whatever is missing is NULL. */
void qh_agent_close(qh_agent *agent) {
    qh_memory *memory = agent->memory;
    qh_heap *heap = &memory->heap;
    qh_owner_leave(&agent->owner);
    if (agent->table.memory) qh_table_clear(&agent->table);
    if (agent->replay.memory) qh_replay_close(&agent->replay);
    qh_heap_free(heap, &agent->owner, agent->pending.entries,
                 (size_t)agent->n_step * agent->pending.entry_bytes);
    qh_heap_free(heap, &agent->owner, agent->traces.entries,
                 agent->traces.capacity * sizeof(qh_trace));
    qh_actuator_close(heap, &agent->owner, agent->actuator);
    qh_encoder_close(&agent->encoder, agent->plans, &agent->owner);
    if (agent->input) qh_pool_release(&memory->pools[QH_POOL_STATE], &agent->owner, agent->input);
    qh_owner owner = agent->owner;
    qh_heap_free(heap, &owner, agent, agent->block_bytes);
    qh_owner_close(heap, &owner);
}

QH_FAST_BEGIN

/* ---------------------------------------------------------------- rows and values */

uint32_t qh__agent_insert(const qh_agent *agent, qh_table *table, uint64_t key) {
    uint32_t location = qh_table_insert(table, key);
    if (agent->double_q)
        memcpy(qh__row_second(agent, qh__table_row(table, location)), agent->unseen,
               agent->stride * sizeof(float));
    return location;
}

QH_NOINLINE uint32_t qh__agent_find_leaders(const qh_agent *agent, qh_row *row) {
    uint32_t bits = qh__greatest_bits(row->q, agent->stride);
    return row->leaders = bits & 0xFFFFFFFFu >> (32 - agent->actions);
}

void qh__agent_give_birth(qh_agent *agent, const uint64_t *keys, uint32_t *rows) {
    for (uint32_t t = 0; t < agent->tilings; t++) {
        if (rows[t] == QH_NO_ROW) rows[t] = qh_table_find(&agent->table, keys[t]);
        if (rows[t] != QH_NO_ROW) continue;
        rows[t] = qh__agent_insert(agent, &agent->table, keys[t]);
    }
}

static void sum_values(const qh_agent *agent, uint32_t location, qh_which which, float *sum) {
    qh_row *row = location == QH_NO_ROW ? NULL : qh__table_row(&agent->table, location);
    const float *first = row ? row->q : agent->unseen;
    const float *second = row && agent->double_q ? qh__row_second(agent, row) : agent->unseen;
    if (which != QH_SECOND_TABLE)
        for (uint32_t i = 0; i < agent->stride; i++) sum[i] += first[i];
    if (which == QH_SECOND_TABLE || (which == QH_BOTH_TABLES && agent->double_q))
        for (uint32_t i = 0; i < agent->stride; i++) sum[i] += second[i];
}

const float *qh__agent_gather(const qh_agent *agent, const uint32_t *rows, qh_which which,
                              float *scratch) {
    if (QH_LIKELY(agent->tilings == 1 && !agent->double_q))
        return rows[0] == QH_NO_ROW ? agent->unseen : qh__table_row(&agent->table, rows[0])->q;
    for (uint32_t i = 0; i < agent->stride; i++) scratch[i] = 0;
    for (uint32_t t = 0; t < agent->tilings; t++) sum_values(agent, rows[t], which, scratch);
    double share = which == QH_BOTH_TABLES && agent->double_q ? 0.5 : 1;
    for (uint32_t i = 0; i < agent->stride; i++)
        scratch[i] =
            i < agent->actions ? (float)(qh__to_float(scratch[i]) * share) : -__builtin_inff();
    return scratch;
}

const uint32_t *qh__agent_counts(const qh_agent *agent, const uint32_t *rows) {
    return rows[0] == QH_NO_ROW
               ? NULL
               : qh__row_counts(&agent->table, qh__table_row(&agent->table, rows[0]));
}

QH_NOINLINE void qh__agent_note(qh_agent *agent, const uint32_t *rows, const uint32_t *mask,
                                bool greedy, uint32_t action) {
    float scratch[QH_MAX_ACTIONS], probabilities[QH_MAX_ACTIONS];
    const float *values = qh__agent_gather(agent, rows, QH_BOTH_TABLES, scratch);
    qh_policy policy = agent->policy;
    if (greedy) policy.kind = QH_GREEDY;
    qh_policy_probabilities(&policy, values, qh__agent_counts(agent, rows), mask, probabilities);
    agent->probability = probabilities[action];
}

static QH_NOINLINE int32_t choose(qh_agent *agent, const uint32_t *rows, bool greedy,
                                  const uint32_t *mask) {
    float scratch[QH_MAX_ACTIONS];
    const float *values = qh__agent_gather(agent, rows, QH_BOTH_TABLES, scratch);
    if (QH_UNLIKELY(agent->actuator)) {
        mask = qh_actuator_narrow(agent->actuator, mask);
        agent->probability = 0;
        if (!mask) return QH_NO_ACTION;
        qh_actuator_remember(agent->actuator, values);
    }
    const uint32_t *counts = agent->policy.kind == QH_UCB ? qh__agent_counts(agent, rows) : NULL;
    uint32_t action =
        greedy ? qh_policy_greedy(values, agent->actions, agent->policy.first, mask, &agent->random)
               : qh_policy_choose(&agent->policy, values, counts, mask, &agent->random);
    QH_CELL_ADD(&agent->metrics.action_count, 1);
    if (QH_UNLIKELY(agent->propensities)) qh__agent_note(agent, rows, mask, greedy, action);
    return (int32_t)action;
}

/* The keys of an observation, trends as they are. */
QH_INLINE qh_result keys_of(const qh_agent *agent, qh_observation observation, uint64_t *keys) {
    if (QH_UNLIKELY(!QH_HOT(agent->encoder.quick)))
        return qh_encoder_keys(&agent->encoder, observation.values, observation.state, keys);
    keys[0] = qh__encoder_cells_key(&agent->encoder, observation.values);
    return QH_LIKELY(keys[0] != 0) ? QH_OK : QH_INVALID_ARGUMENT;
}

QH_INLINE qh_result keys_moving(qh_agent *agent, qh_observation observation, bool first,
                                uint64_t *keys) {
    if (QH_LIKELY(QH_HOT(agent->encoder.quick))) return keys_of(agent, observation, keys);
    return qh_encoder_keys_moving(&agent->encoder, observation.values, observation.state, first,
                                  keys);
}

/* ---------------------------------------------------------------- begin and step */

/* Keeps what was observed, for the record of the transition to come. */
static void see_next(qh_agent *agent, qh_observation observation) {
    if (agent->replay.state_words)
        qh_encoder_record(&agent->encoder, observation.values, observation.state, true,
                          agent->next_seen);
}

qh_result qh_agent_prepare_begin(qh_agent *agent, qh_observation observation) {
    if (agent->borrowed) return QH_BUSY;
    QH_TRY(qh_encoder_keys_moving(&agent->encoder, observation.values, observation.state, true,
                                  agent->next_keys));
    see_next(agent, observation);
    return QH_OK;
}

/* The prepared state becomes the one the agent is in. */
static void enter(qh_agent *agent) {
    uint64_t *keys = agent->keys;
    uint32_t *rows = agent->rows, *seen = agent->seen;
    agent->keys = agent->next_keys;
    agent->rows = agent->next_rows;
    agent->seen = agent->next_seen;
    agent->next_keys = keys;
    agent->next_rows = rows;
    agent->next_seen = seen;
    agent->taken = agent->probability;
}

int32_t qh_agent_commit_begin(qh_agent *agent) {
    QH_BORROW(agent, true);
    qh_encoder_move(&agent->encoder);
    qh__rules_forget_episode(agent);
    enter(agent);
    qh__agent_find(agent, agent->keys, agent->rows);
    agent->running = true;
    agent->ended = false;
    agent->last_action = choose(agent, agent->rows, false, NULL);
    agent->taken = agent->probability;
    QH_BORROW(agent, false);
    return agent->last_action;
}

qh_result qh_agent_begin(qh_agent *agent, qh_observation observation, int32_t *action) {
    QH_TRY(qh_agent_prepare_begin(agent, observation));
    *action = qh_agent_commit_begin(agent);
    return QH_OK;
}

/* Rows for both states of a transition cannot be missing more than once a key. */
QH_INLINE qh_result reserve_rows(qh_agent *agent, const uint32_t *rows) {
    for (uint32_t t = 0; t < agent->tilings; t++)
        if (rows[t] == QH_NO_ROW) return qh_table_reserve(&agent->table, agent->tilings);
    return QH_OK;
}

qh_result qh_agent_prepare_step(qh_agent *agent, const qh_experience *experience) {
    if (QH_UNLIKELY(agent->borrowed)) return QH_BUSY;
    if (QH_UNLIKELY(!agent->running)) return QH_INVALID_STATE;
    if (QH_UNLIKELY(!qh__is_reward(experience->reward) || !qh__is_finite(experience->time) ||
                    experience->ending > QH_TRUNCATED))
        return QH_INVALID_ARGUMENT;
    if (QH_UNLIKELY(agent->actuator))
        QH_TRY(qh_actuator_look_locked(agent->actuator, experience->time));
    QH_TRY(keys_moving(agent, experience->next, false, agent->next_keys));
    if (QH_LIKELY(QH_HOT(agent->express_learner))) {
        agent->next_rows[0] = QH_NO_ROW;
        return QH_LIKELY(agent->rows[0] != QH_NO_ROW) ? QH_OK : qh_table_reserve(&agent->table, 1);
    }
    see_next(agent, experience->next);
    QH_TRY(reserve_rows(agent, agent->rows));
    QH_TRY(qh_replay_reserve(&agent->replay));
    return qh__rules_reserve(agent);
}

QH_INLINE void count_learning(qh_agent *agent, const qh_experience *experience) {
    QH_CELL_ADD(&agent->metrics.reward_sum, experience->reward);
    QH_CELL_SET(&agent->metrics.last_update, experience->time);
    if (experience->ending != QH_GOING_ON) QH_CELL_ADD(&agent->metrics.episodes, 1);
}

/* Full records get their states from the caller. */
static void store_transition(qh_agent *agent, const uint64_t *keys, uint32_t action, double reward,
                             uint32_t ending, const uint64_t *next_keys, int32_t next_action) {
    qh_transition *transition = qh_replay_push(&agent->replay);
    transition->reward = reward;
    transition->action = action & 0xFFFu;
    transition->next_action = (uint32_t)next_action & 0xFFFu; /* none: QH_NEXT_UNKNOWN */
    transition->ending = ending & 3u;
    transition->probability = 0;
    if (agent->replay.state_words) return;
    for (uint32_t t = 0; t < agent->tilings; t++) {
        transition->keys[t] = keys[t];
        transition->keys[agent->tilings + t] = next_keys[t];
    }
}

/* What follows every transition learned from: it is remembered, and planned upon. */
QH_INLINE void remember(qh_agent *agent, const uint64_t *keys, const uint32_t *rows,
                        uint32_t action, const qh_experience *experience, const uint64_t *next_keys,
                        int32_t next_action) {
    bool terminated = experience->ending == QH_TERMINATED;
    count_learning(agent, experience);
    if (QH_UNLIKELY(agent->replay.capacity > 0))
        store_transition(agent, keys, action, experience->reward, experience->ending, next_keys,
                         next_action);
    if (QH_UNLIKELY(agent->planning > 0))
        qh__rules_plan(agent, rows, action, experience->reward, terminated, next_keys);
}

/* A step after a moment in which no action was allowed: there is nothing to learn from. */
static QH_NOINLINE int32_t resume(qh_agent *agent, uint32_t ending) {
    if (ending == QH_GOING_ON) return qh_agent_commit_begin(agent);
    agent->running = false;
    agent->ended = true;
    QH_CELL_ADD(&agent->metrics.episodes, 1);
    return QH_NO_ACTION;
}

/* The learning and choosing of a step, within what an actuator's zone allows. */
QH_INLINE int32_t step_within_zone(qh_agent *agent, const qh_experience *experience) {
    qh_actuator *actuator = agent->actuator;
    if (QH_LIKELY(!actuator)) return qh__rules_step(agent, experience->reward, experience->ending);
    actuator->in_force = qh_actuator_narrow(actuator, NULL);
    bool rests = !actuator->in_force && experience->ending == QH_GOING_ON;
    int32_t next_action =
        qh__rules_step(agent, experience->reward, rests ? QH_TRUNCATED : experience->ending);
    actuator->in_force = NULL;
    return rests ? QH_NO_ACTION : next_action;
}

static void record_step(qh_agent *agent) {
    qh_transition *transition = qh_replay_newest(&agent->replay);
    size_t bytes = agent->replay.state_words * sizeof(uint32_t);
    transition->probability = agent->taken;
    memcpy(transition->keys, agent->seen, bytes);
    memcpy((unsigned char *)transition->keys + bytes, agent->next_seen, bytes);
}

int32_t qh_agent_commit_step(qh_agent *agent, const qh_experience *experience) {
    if (QH_LIKELY(QH_HOT(agent->express_learner)))
        return qh__express_commit_step(agent, experience);
    if (QH_UNLIKELY(agent->last_action == QH_NO_ACTION)) return resume(agent, experience->ending);
    agent->borrowed = true;
    uint32_t action = (uint32_t)agent->last_action;
    qh_encoder_move(&agent->encoder);
    qh__agent_ensure(agent, agent->keys, agent->rows);
    qh__agent_find(agent, agent->next_keys, agent->next_rows);
    int32_t next_action = step_within_zone(agent, experience);
    remember(agent, agent->keys, agent->rows, action, experience, agent->next_keys,
             agent->algorithm == QH_SARSA ? next_action : QH_NO_ACTION);
    if (QH_UNLIKELY(agent->replay.capacity > 0)) record_step(agent);
    enter(agent);
    agent->last_action = next_action;
    agent->running = experience->ending == QH_GOING_ON;
    agent->ended = !agent->running;
    if (QH_LIKELY(agent->running))
        QH_CELL_ADD(&agent->metrics.action_count, next_action != QH_NO_ACTION);
    else
        next_action = QH_NO_ACTION;
    if (QH_UNLIKELY(next_action == QH_NO_ACTION)) agent->probability = 0;
    agent->borrowed = false;
    return next_action;
}

qh_result qh_agent_step(qh_agent *agent, const qh_experience *experience, int32_t *action) {
    QH_TRY(qh_agent_prepare_step(agent, experience));
    *action = qh_agent_commit_step(agent, experience);
    return QH_OK;
}

/* ---------------------------------------------------------------- act, learn, replay */

static bool mask_is_empty(const uint32_t *mask, uint32_t actions) {
    for (uint32_t i = 0; i < actions; i++)
        if (mask[i >> 5] >> (i & 31) & 1) return false;
    return true;
}

int32_t qh_agent_act_on(qh_agent *agent, const uint64_t *keys, bool greedy, const uint32_t *mask) {
    uint32_t rows[QH_MAX_TILINGS];
    if (QH_LIKELY(agent->tilings == 1))
        rows[0] = qh__table_find(&agent->table, keys[0]);
    else
        qh__agent_find(agent, keys, rows);
    return choose(agent, rows, greedy, mask);
}

qh_result qh_agent_act(qh_agent *agent, qh_observation observation, bool greedy,
                       const uint32_t *mask, int32_t *action) {
    if (QH_UNLIKELY(agent->borrowed)) return QH_BUSY;
    if (mask && mask_is_empty(mask, agent->actions)) return QH_INVALID_ARGUMENT;
    uint64_t keys[QH_MAX_TILINGS];
    QH_TRY(keys_of(agent, observation, keys));
    *action = qh_agent_act_on(agent, keys, greedy, mask);
    return QH_OK;
}

QH_INLINE qh_result check_transition(const qh_agent *agent, uint32_t action,
                                     const qh_experience *experience, int32_t next_action) {
    bool valid = action < agent->actions && qh__is_reward(experience->reward) &&
                 qh__is_finite(experience->time) && experience->ending <= QH_TRUNCATED &&
                 next_action >= QH_NO_ACTION && next_action < (int32_t)agent->actions;
    return valid ? QH_OK : QH_INVALID_ARGUMENT;
}

QH_INLINE double learn_transition(qh_agent *agent, const uint64_t *keys, uint32_t *rows,
                                  uint32_t action, const qh_experience *experience,
                                  const uint64_t *next_keys, int32_t next_action) {
    uint32_t next_rows[QH_MAX_TILINGS];
    qh__agent_ensure(agent, keys, rows);
    qh__agent_find(agent, next_keys, next_rows);
    double td_error = qh__rules_learn(agent, rows, action, experience->reward,
                                      experience->ending == QH_TERMINATED, next_rows, next_action);
    remember(agent, keys, rows, action, experience, next_keys, next_action);
    return td_error;
}

qh_result qh_agent_learn(qh_agent *agent, qh_observation observation, uint32_t action,
                         const qh_experience *experience, int32_t next_action, double *td_error) {
    if (QH_UNLIKELY(agent->borrowed)) return QH_BUSY;
    QH_TRY(check_transition(agent, action, experience, next_action));
    uint64_t keys[QH_MAX_TILINGS], next_keys[QH_MAX_TILINGS];
    uint32_t rows[QH_MAX_TILINGS];
    QH_TRY(keys_of(agent, observation, keys));
    QH_TRY(keys_of(agent, experience->next, next_keys));
    qh__agent_find(agent, keys, rows);
    QH_TRY(reserve_rows(agent, rows));
    QH_TRY(qh_replay_reserve(&agent->replay));
    agent->borrowed = true;
    *td_error = learn_transition(agent, keys, rows, action, experience, next_keys, next_action);
    if (agent->replay.state_words) {
        uint32_t *words = (uint32_t *)(void *)qh_replay_newest(&agent->replay)->keys;
        qh_encoder_record(&agent->encoder, observation.values, observation.state, false, words);
        qh_encoder_record(&agent->encoder, experience->next.values, experience->next.state, false,
                          words + agent->replay.state_words);
    }
    agent->borrowed = false;
    return QH_OK;
}

QH_FAST_END

QH_NOINLINE const uint64_t *qh_agent_recall(const qh_agent *agent, const qh_transition *transition,
                                            uint64_t *scratch) {
    const uint32_t *words = (const uint32_t *)(const void *)transition->keys;
    if (QH_LIKELY(agent->replay.state_words == 0)) return transition->keys;
    qh_encoder_recall(&agent->encoder, words, scratch);
    qh_encoder_recall(&agent->encoder, words + agent->replay.state_words, scratch + agent->tilings);
    return scratch;
}

/* Learns from the transitions drawn; importance weights are normalised by the greatest of the chunk (Schaul et al. 3.4). */
static double replay_drawn(qh_agent *agent, const uint32_t *drawn, uint32_t count) {
    double weights[QH_REPLAY_CHUNK], greatest = 0, sum = 0;
    bool prioritised = agent->replay.tree != NULL;
    for (uint32_t i = 0; i < count; i++) {
        double expected = agent->replay.count * qh_replay_probability(&agent->replay, drawn[i]);
        weights[i] = prioritised ? qh__exp(-agent->replay_beta * qh__log(expected)) : 1;
        greatest = QH_MAX(greatest, weights[i]);
    }
    for (uint32_t i = 0; i < count; i++) {
        const qh_transition *transition = qh_replay_at(&agent->replay, drawn[i]);
        uint32_t rows[QH_MAX_TILINGS], next_rows[QH_MAX_TILINGS];
        uint64_t scratch[2 * QH_MAX_TILINGS];
        const uint64_t *keys = qh_agent_recall(agent, transition, scratch);
        qh__agent_find(agent, keys, rows);
        qh__agent_find(agent, keys + agent->tilings, next_rows);
        int32_t next_action = transition->next_action == QH_NEXT_UNKNOWN
                                  ? QH_NO_ACTION
                                  : (int32_t)transition->next_action;
        double td_error = qh__rules_update(agent, rows, transition->action, transition->reward,
                                           transition->ending == QH_TERMINATED, next_rows,
                                           next_action, weights[i] / greatest);
        qh_replay_prioritise(&agent->replay, drawn[i], td_error);
        sum += qh__abs(td_error);
    }
    return sum;
}

static void replay_chunk(qh_agent *agent, uint32_t count, double *sum) {
    uint32_t drawn[QH_REPLAY_CHUNK];
    for (uint32_t i = 0; i < count; i++) drawn[i] = qh_replay_draw(&agent->replay, &agent->random);
    *sum += replay_drawn(agent, drawn, count);
}

/* An imported table may lack rows of states remembered from before: gives them theirs, all or none. A state comes many times
 * in a memory, but had a row in a table before: there are no more of them than of those. */
static qh_result restore_rows(qh_agent *agent) {
    uint32_t rows[QH_MAX_TILINGS], missing = 0;
    uint64_t scratch[2 * QH_MAX_TILINGS];
    for (uint32_t i = 0; i < agent->replay.count; i++) {
        qh__agent_find(agent, qh_agent_recall(agent, qh_replay_at(&agent->replay, i), scratch),
                       rows);
        for (uint32_t t = 0; t < agent->tilings; t++) missing += rows[t] == QH_NO_ROW;
    }
    QH_TRY(qh_table_reserve(&agent->table, QH_MIN(missing, agent->lost_rows)));
    for (uint32_t i = 0; i < agent->replay.count; i++) {
        const uint64_t *keys = qh_agent_recall(agent, qh_replay_at(&agent->replay, i), scratch);
        qh__agent_find(agent, keys, rows);
        qh__agent_ensure(agent, keys, rows);
    }
    agent->lost_rows = 0;
    return QH_OK;
}

qh_result qh_agent_replay(qh_agent *agent, uint32_t count, double *mean) {
    if (agent->borrowed) return QH_BUSY;
    *mean = 0;
    if (agent->replay.count == 0 || count == 0) return QH_OK;
    if (QH_UNLIKELY(agent->lost_rows > 0)) QH_TRY(restore_rows(agent));
    agent->borrowed = true;
    double sum = 0;
    for (uint32_t left = count; left > 0; left -= QH_MIN(left, QH_REPLAY_CHUNK))
        replay_chunk(agent, QH_MIN(left, QH_REPLAY_CHUNK), &sum);
    agent->borrowed = false;
    *mean = sum / count;
    return QH_OK;
}

/* ---------------------------------------------------------------- reading */

static qh_result find_rows(const qh_agent *agent, qh_observation observation, uint32_t *rows) {
    uint64_t keys[QH_MAX_TILINGS];
    QH_TRY(qh_encoder_keys(&agent->encoder, observation.values, observation.state, keys));
    qh__agent_find(agent, keys, rows);
    return QH_OK;
}

qh_result qh_agent_values(const qh_agent *agent, qh_observation observation, float *values) {
    uint32_t rows[QH_MAX_TILINGS];
    float scratch[QH_MAX_ACTIONS];
    QH_TRY(find_rows(agent, observation, rows));
    const float *found = qh__agent_gather(agent, rows, QH_BOTH_TABLES, scratch);
    for (uint32_t i = 0; i < agent->actions; i++) values[i] = found[i];
    return QH_OK;
}

qh_result qh_agent_visits(const qh_agent *agent, qh_observation observation, uint32_t *counts) {
    uint32_t rows[QH_MAX_TILINGS];
    QH_TRY(find_rows(agent, observation, rows));
    for (uint32_t i = 0; i < agent->actions; i++) {
        counts[i] = UINT32_MAX;
        for (uint32_t t = 0; t < agent->tilings; t++) {
            const uint32_t *here = qh__agent_counts(agent, rows + t);
            counts[i] = QH_MIN(counts[i], here ? here[i] : 0);
        }
    }
    return QH_OK;
}

qh_result qh_agent_probabilities(const qh_agent *agent, qh_observation observation,
                                 const uint32_t *mask, float *probabilities) {
    uint32_t rows[QH_MAX_TILINGS];
    float scratch[QH_MAX_ACTIONS];
    if (mask && mask_is_empty(mask, agent->actions)) return QH_INVALID_ARGUMENT;
    QH_TRY(find_rows(agent, observation, rows));
    if (agent->actuator) {
        mask = qh_actuator_narrow(agent->actuator, mask);
        for (uint32_t i = 0; !mask && i < agent->actions; i++) probabilities[i] = 0;
        if (!mask) return QH_OK;
    }
    const float *values = qh__agent_gather(agent, rows, QH_BOTH_TABLES, scratch);
    qh_policy_probabilities(&agent->policy, values, qh__agent_counts(agent, rows), mask,
                            probabilities);
    return QH_OK;
}

qh_result qh_agent_reset(qh_agent *agent) {
    if (agent->borrowed) return QH_BUSY;
    qh_table_clear(&agent->table);
    qh_replay_clear(&agent->replay);
    qh__rules_forget_episode(agent);
    agent->metrics = (qh_agent_metrics){0};
    agent->rate.power = agent->policy.exploration.power = 1;
    qh__policy_settle(&agent->policy);
    agent->running = agent->ended = false;
    agent->lost_rows = 0;
    agent->last_action = QH_NO_ACTION;
    if (agent->actuator) agent->actuator->chose = false;
    agent->probability = agent->taken = 0;
    for (uint32_t i = 0; i < agent->encoder.plan->trends; i++) agent->encoder.average[i] = 0;
    seed_random(agent);
    return QH_OK;
}

qh_result qh_agent_propose(const qh_agent *agent, qh_zones *zones, uint32_t zone, double to,
                           double time, qh_change *change) {
    float scratch[QH_MAX_ACTIONS];
    qh_proposal proposal = {agent->handle, zone, to, time, NULL, agent->actions};
    if (agent->actuator)
        proposal.values = agent->actuator->chose ? agent->actuator->values : NULL;
    else if (agent->running)
        proposal.values = qh__agent_gather(agent, agent->rows, QH_BOTH_TABLES, scratch);
    if (!proposal.values) proposal.value_count = 0;
    return qh_zones_propose(zones, &proposal, change);
}

uint64_t qh_agent_hash(const qh_agent *agent) {
    return qh_table_hash(&agent->table, agent->config_hash);
}

bool qh_agent_validate(const qh_agent *agent) {
    return !agent->borrowed && qh_table_validate(&agent->table) &&
           qh_replay_validate(&agent->replay) &&
           agent->owner.live_bytes <= agent->owner.quota_bytes;
}
