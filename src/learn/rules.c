/* The learning rules of Sutton & Barto, 2nd edition: Q-learning (6.5), SARSA (6.4), Expected SARSA (6.6), Double Q-learning
 * (6.7); n-step returns (7.2); eligibility traces with replacing traces (12.7; Watkins' cut for Q-learning, 12.10); Dyna-Q (8.2).
 *
 * Order of things, which every build and the reference in the tests share:
 *   Q-learning, Expected SARSA, Double Q: learn, then choose the next action with what was learned.
 *   SARSA, and every rule with traces: choose the next action, then learn.
 *   A terminated episode bootstraps with 0; a truncated one with its last state (SARSA draws the action it would take).
 *   target = reward + discount * value, in double; q = float(q + (step / tilings) * (target - q)), in double, one rounding.
 *   Returns of n steps are folded from the newest reward to the oldest. A visit is counted before its update. */
#include "learn/express.h"

#define LEAST_TRACE 0.001

QH_FAST_BEGIN

/* ---------------------------------------------------------------- parts of every rule */

static uint32_t choose_any_next(qh_agent *agent, const uint32_t *rows) {
    float scratch[QH_MAX_ACTIONS];
    const float *values = qh__agent_gather(agent, rows, QH_BOTH_TABLES, scratch);
    const uint32_t *counts = agent->policy.kind == QH_UCB ? qh__agent_counts(agent, rows) : NULL;
    const uint32_t *mask = qh__mask_in_force(agent);
    if (QH_UNLIKELY(mask)) qh_actuator_remember(agent->actuator, values);
    return qh_policy_choose(&agent->policy, values, counts, mask, &agent->random);
}

static double value_of(const qh_agent *agent, const uint32_t *rows, uint32_t action,
                       qh_which which) {
    float scratch[QH_MAX_ACTIONS];
    return (double)qh__agent_gather(agent, rows, which, scratch)[action];
}

/* Which table learns: Double Q throws a coin, the others have one. */
static qh_which draw_table(qh_agent *agent) {
    if (QH_LIKELY(!agent->double_q)) return QH_FIRST_TABLE;
    return qh__random_next(&agent->random) >> 31 ? QH_SECOND_TABLE : QH_FIRST_TABLE;
}

/* The learning table chooses, the other one says what the choice is worth (van Hasselt 2010). */
static double double_value(qh_agent *agent, const uint32_t *rows, qh_which learner) {
    float scratch[QH_MAX_ACTIONS];
    const float *values = qh__agent_gather(agent, rows, learner, scratch);
    uint32_t action = qh_policy_greedy(values, agent->actions, agent->policy.first,
                                       qh__mask_in_force(agent), &agent->random);
    return value_of(agent, rows, action,
                    learner == QH_FIRST_TABLE ? QH_SECOND_TABLE : QH_FIRST_TABLE);
}

/* What the state ahead is worth under the rule. */
static double next_value(qh_agent *agent, const uint32_t *rows, int32_t next_action,
                         qh_which learner) {
    float scratch[QH_MAX_ACTIONS];
    switch (agent->algorithm) {
    case QH_DOUBLE_Q: return double_value(agent, rows, learner);
    case QH_SARSA: {
        uint32_t action =
            next_action == QH_NO_ACTION ? choose_any_next(agent, rows) : (uint32_t)next_action;
        return value_of(agent, rows, action, QH_FIRST_TABLE);
    }
    case QH_EXPECTED_SARSA:
        return qh_policy_expectation(&agent->policy,
                                     qh__agent_gather(agent, rows, QH_FIRST_TABLE, scratch),
                                     qh__agent_counts(agent, rows), qh__mask_in_force(agent));
    default:
        return (double)qh_policy_max(qh__agent_gather(agent, rows, QH_FIRST_TABLE, scratch),
                                     agent->actions, qh__mask_in_force(agent));
    }
}

/* Moves Q(s, a) by step * td_error, spread over the tilings. */
static void nudge_row(qh_agent *agent, uint32_t location, uint32_t action, qh_which learner,
                      double scaled_error) {
    qh_row *row = qh__table_row(&agent->table, location);
    float *q = (learner == QH_SECOND_TABLE ? qh__row_second(agent, row) : row->q) + action;
    double step = qh__step_size(agent, row, action) / agent->tilings;
    *q = qh__to_float((double)*q + step * scaled_error);
    row->leaders = 0;
}

static double learn_towards(qh_agent *agent, const uint32_t *rows, uint32_t action,
                            qh_which learner, double target, double weight) {
    double td_error = target - value_of(agent, rows, action, learner);
    for (uint32_t t = 0; t < agent->tilings; t++)
        nudge_row(agent, rows[t], action, learner, weight * td_error);
    return td_error;
}

/* ---------------------------------------------------------------- one step */

static double update_any(qh_agent *agent, const uint32_t *rows, uint32_t action, double reward,
                         bool terminated, const uint32_t *next_rows, int32_t next_action,
                         double weight) {
    qh_which learner = draw_table(agent);
    double target = reward;
    if (!terminated) target += agent->discount * next_value(agent, next_rows, next_action, learner);
    return learn_towards(agent, rows, action, learner, target, weight);
}

QH_INLINE double update(qh_agent *agent, const uint32_t *rows, uint32_t action, double reward,
                        bool terminated, const uint32_t *next_rows, int32_t next_action,
                        double weight) {
    if (QH_LIKELY(QH_HOT(agent->quick) && agent->algorithm == QH_Q_LEARNING))
        return qh__update_express(agent, rows[0], action, reward, terminated, next_rows[0], weight);
    return update_any(agent, rows, action, reward, terminated, next_rows, next_action, weight);
}

double qh__rules_update(qh_agent *agent, const uint32_t *rows, uint32_t action, double reward,
                        bool terminated, const uint32_t *next_rows, int32_t next_action,
                        double weight) {
    return update(agent, rows, action, reward, terminated, next_rows, next_action, weight);
}

double qh__rules_learn(qh_agent *agent, const uint32_t *rows, uint32_t action, double reward,
                       bool terminated, const uint32_t *next_rows, int32_t next_action) {
    qh__visit(agent, rows, action);
    double td_error = update(agent, rows, action, reward, terminated, next_rows, next_action, 1);
    qh__count_step(agent, td_error);
    return td_error;
}

static uint32_t draw_next(qh_agent *agent, const uint32_t *rows) {
    if (QH_UNLIKELY(!QH_HOT(agent->quick))) return choose_any_next(agent, rows);
    const float *values =
        rows[0] == QH_NO_ROW ? agent->unseen : qh__table_row(&agent->table, rows[0])->q;
    return qh__choose_of_few(&agent->policy, values, false, &agent->random);
}

/* The action to be taken next. */
static QH_NOINLINE uint32_t choose_next(qh_agent *agent, const uint32_t *rows) {
    uint32_t action = draw_next(agent, rows);
    if (QH_UNLIKELY(agent->propensities))
        qh__agent_note(agent, rows, qh__mask_in_force(agent), false, action);
    return action;
}

static int32_t one_step(qh_agent *agent, double reward, uint32_t ending) {
    bool chooses_first = agent->algorithm == QH_SARSA && ending != QH_TERMINATED;
    int32_t next_action =
        chooses_first ? (int32_t)choose_next(agent, agent->next_rows) : QH_NO_ACTION;
    double td_error = update(agent, agent->rows, (uint32_t)agent->last_action, reward,
                             ending == QH_TERMINATED, agent->next_rows, next_action, 1);
    qh__count_step(agent, td_error);
    if (!chooses_first && ending == QH_GOING_ON)
        next_action = (int32_t)choose_next(agent, agent->next_rows);
    return next_action;
}

/* ---------------------------------------------------------------- n steps */

static qh_pending *pending_at(const qh_agent *agent, uint32_t i) {
    uint32_t place = (agent->pending.first + i) % agent->n_step;
    return (qh_pending *)(void *)(agent->pending.entries +
                                  (size_t)place * agent->pending.entry_bytes);
}

static void await(qh_agent *agent, double reward) {
    qh_pending *pending = pending_at(agent, agent->pending.count++);
    pending->reward = reward;
    pending->action = (uint32_t)agent->last_action;
    for (uint32_t t = 0; t < agent->tilings; t++) pending->rows[t] = agent->rows[t];
}

/* Learns the oldest pending action's value from all rewards since and the state ahead. */
static double learn_oldest(qh_agent *agent, bool terminated, int32_t next_action) {
    qh_which learner = draw_table(agent);
    double target = terminated ? 0 : next_value(agent, agent->next_rows, next_action, learner);
    for (uint32_t i = agent->pending.count; i-- > 0;)
        target = pending_at(agent, i)->reward + agent->discount * target;
    const qh_pending *oldest = pending_at(agent, 0);
    double td_error = learn_towards(agent, oldest->rows, oldest->action, learner, target, 1);
    agent->pending.first = (agent->pending.first + 1) % agent->n_step;
    agent->pending.count--;
    return td_error;
}

static int32_t n_steps(qh_agent *agent, double reward, uint32_t ending) {
    bool chooses_first = agent->algorithm == QH_SARSA && ending != QH_TERMINATED;
    int32_t next_action =
        chooses_first ? (int32_t)choose_next(agent, agent->next_rows) : QH_NO_ACTION;
    double td_error = 0;
    await(agent, reward);
    if (agent->pending.count == agent->n_step)
        td_error = learn_oldest(agent, ending == QH_TERMINATED, next_action);
    while (ending != QH_GOING_ON && agent->pending.count > 0)
        td_error = learn_oldest(agent, ending == QH_TERMINATED, next_action);
    qh__count_step(agent, td_error);
    if (!chooses_first && ending == QH_GOING_ON)
        next_action = (int32_t)choose_next(agent, agent->next_rows);
    return next_action;
}

/* ---------------------------------------------------------------- eligibility traces */

/* A replacing trace: the pair just visited has strength 1, however strong it was. */
static void mark(qh_agent *agent, uint32_t row, uint32_t action) {
    qh_traces *traces = &agent->traces;
    for (uint32_t i = 0; i < traces->count; i++) {
        if (traces->entries[i].row != row || traces->entries[i].action != action) continue;
        traces->entries[i].strength = 1;
        return;
    }
    traces->entries[traces->count++] = (qh_trace){row, action, 1};
}

static void fade(qh_agent *agent) {
    qh_traces *traces = &agent->traces;
    double factor = agent->discount * agent->lambda;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < traces->count; i++) {
        qh_trace trace = traces->entries[i];
        trace.strength *= factor;
        if (trace.strength >= LEAST_TRACE) traces->entries[kept++] = trace;
    }
    traces->count = kept;
}

static int32_t traced(qh_agent *agent, double reward, uint32_t ending) {
    float scratch[QH_MAX_ACTIONS];
    int32_t next_action = QH_NO_ACTION;
    bool terminated = ending == QH_TERMINATED, cut = false;
    if (!terminated) {
        next_action = (int32_t)choose_next(agent, agent->next_rows);
        const float *values = qh__agent_gather(agent, agent->next_rows, QH_FIRST_TABLE, scratch);
        cut = agent->algorithm == QH_Q_LEARNING &&
              values[next_action] < qh_policy_max(values, agent->actions, qh__mask_in_force(agent));
    }
    double target = reward;
    if (!terminated)
        target +=
            agent->discount * next_value(agent, agent->next_rows, next_action, QH_FIRST_TABLE);
    double td_error =
        target - value_of(agent, agent->rows, (uint32_t)agent->last_action, QH_FIRST_TABLE);
    for (uint32_t t = 0; t < agent->tilings; t++)
        mark(agent, agent->rows[t], (uint32_t)agent->last_action);
    for (uint32_t i = 0; i < agent->traces.count; i++) {
        const qh_trace *trace = &agent->traces.entries[i];
        nudge_row(agent, trace->row, trace->action, QH_FIRST_TABLE, trace->strength * td_error);
    }
    if (cut || ending != QH_GOING_ON)
        agent->traces.count = 0;
    else
        fade(agent);
    qh__count_step(agent, td_error);
    return next_action;
}

/* ---------------------------------------------------------------- the door */

int32_t qh__rules_step(qh_agent *agent, double reward, uint32_t ending) {
    qh__visit(agent, agent->rows, (uint32_t)agent->last_action);
    if (agent->lambda > 0) return traced(agent, reward, ending);
    return agent->n_step > 1 ? n_steps(agent, reward, ending) : one_step(agent, reward, ending);
}

QH_FAST_END

void qh__rules_forget_episode(qh_agent *agent) {
    agent->traces.count = 0;
    agent->pending.first = agent->pending.count = 0;
}

qh_result qh__rules_reserve(qh_agent *agent) {
    qh_traces *traces = &agent->traces;
    if (QH_LIKELY(agent->lambda == 0) || traces->count + agent->tilings <= traces->capacity)
        return QH_OK;
    uint32_t capacity = QH_MAX(traces->capacity * 2, 64u);
    void *entries = traces->entries;
    QH_TRY(qh_heap_resize(&agent->memory->heap, &agent->owner, &entries,
                          traces->capacity * sizeof(qh_trace), capacity * sizeof(qh_trace),
                          QH_BLOCK_agent));
    traces->entries = entries;
    traces->capacity = capacity;
    return QH_OK;
}

/* ---------------------------------------------------------------- planning */

/* A uniformly drawn action among those the model knows in the row; QH_NO_ACTION where it knows none. */
static int32_t draw_known(qh_agent *agent, const qh_model *model) {
    uint32_t known = 0;
    for (uint32_t a = 0; a < agent->actions; a++) known += model[a].known;
    if (known == 0) return QH_NO_ACTION;
    uint32_t n = qh__random_below(&agent->random, known);
    for (uint32_t a = 0;; a++)
        if (model[a].known && n-- == 0) return (int32_t)a;
}

static void plan_once(qh_agent *agent) {
    uint32_t row =
        qh_table_location(&agent->table, qh__random_below(&agent->random, agent->table.rows));
    const qh_model *model = qh__row_model(agent, qh__table_row(&agent->table, row));
    int32_t action = draw_known(agent, model);
    if (action == QH_NO_ACTION) return;
    const qh_model *outcome = &model[action];
    uint32_t next_row = qh_table_find(&agent->table, outcome->next_key);
    qh__rules_update(agent, &row, (uint32_t)action, outcome->reward, outcome->terminated, &next_row,
                     QH_NO_ACTION, 1);
}

void qh__rules_plan(qh_agent *agent, const uint32_t *rows, uint32_t action, double reward,
                    bool terminated, const uint64_t *next_keys) {
    qh_model *model = &qh__row_model(agent, qh__table_row(&agent->table, rows[0]))[action];
    *model = (qh_model){
        .reward = reward, .next_key = next_keys[0], .known = 1, .terminated = terminated};
    for (uint32_t i = 0; i < agent->planning; i++) plan_once(agent);
}
