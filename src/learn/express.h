/* The express lane: what most agents do most of the time, in as few instructions as we could make it, inline where it is called.
 *
 * An agent rides it (`express`) when its encoder is bins without trends and it has one table, at most 32 actions and a greedy or
 * epsilon-greedy policy; it also learns there (`express_learner`) when its rule is one-step Q-learning without traces, replay and
 * planning. Every function does exactly the arithmetic of its general twin in agent.c and rules.c; the tests hold them together. */
#ifndef QH_LEARN_EXPRESS_H
#define QH_LEARN_EXPRESS_H

#include "learn/agent.h"

/* ---------------------------------------------------------------- parts that the rules share */

QH_INLINE void qh__visit(qh_agent *agent, const uint32_t *rows, uint32_t action) {
    for (uint32_t t = 0; t < agent->tilings; t++) {
        uint32_t *count =
            &qh__row_counts(&agent->table, qh__table_row(&agent->table, rows[t]))[action];
        if (QH_LIKELY(*count != UINT32_MAX)) ++*count;
    }
}

QH_INLINE void qh__count_step(qh_agent *agent, double td_error) {
    QH_CELL_ADD(&agent->metrics.learning_steps, 1);
    QH_CELL_ADD(&agent->metrics.td_error_sum, qh__abs(td_error));
    qh__schedule_step(&agent->rate);
    if (QH_UNLIKELY(agent->policy.exploration.span != 0)) {
        qh__schedule_step(&agent->policy.exploration);
        qh__policy_settle(&agent->policy);
    }
}

QH_INLINE double qh__step_size(const qh_agent *agent, qh_row *row, uint32_t action) {
    if (QH_LIKELY(!agent->rate_visits)) return qh__schedule_value(&agent->rate);
    uint32_t visits = qh__row_counts(&agent->table, row)[action];
    return 1.0 / QH_MAX(visits, 1u);
}

/* Q-learning with one key and one table; the arithmetic of `update_any`. */
QH_INLINE double qh__update_express(qh_agent *agent, uint32_t row, uint32_t action, double reward,
                                    bool terminated, uint32_t next_row, double weight) {
    const qh_table *table = &agent->table;
    const float *ahead = next_row == QH_NO_ROW ? agent->unseen : qh__table_row(table, next_row)->q;
    double target = reward;
    if (QH_LIKELY(!terminated))
        target += agent->discount * (double)qh__max_of_all(ahead, agent->stride);
    qh_row *here = qh__table_row(table, row);
    double td_error = target - (double)here->q[action];
    here->q[action] = qh__to_float((double)here->q[action] +
                                   qh__step_size(agent, here, action) * (weight * td_error));
    here->leaders = 0;
    return td_error;
}

QH_INLINE const float *qh__express_values(const qh_agent *agent, uint32_t row) {
    return row == QH_NO_ROW ? agent->unseen : qh__table_row(&agent->table, row)->q;
}

QH_INLINE int32_t qh__express_choose(qh_agent *agent, uint32_t row) {
    return (int32_t)qh__choose_of_few(&agent->policy, qh__express_values(agent, row), false,
                                      &agent->random);
}

/* The greatest actions of a state, one bit each. Where there is no row, all are equal. */
QH_INLINE uint32_t qh__express_leaders(const qh_agent *agent, uint32_t location) {
    if (QH_UNLIKELY(location == QH_NO_ROW)) return 0xFFFFFFFFu >> (32 - agent->actions);
    qh_row *row = qh__table_row(&agent->table, location);
    return QH_LIKELY(row->leaders) ? row->leaders : qh__agent_find_leaders(agent, row);
}

/* ---------------------------------------------------------------- whole calls */

/* The action for a key, counted; one that explores does not look for the row. */
QH_INLINE int32_t qh__express_act(qh_agent *agent, uint64_t key, bool greedy) {
    QH_CELL_ADD(&agent->metrics.action_count, 1);
    if (!greedy && qh__explores(&agent->policy, &agent->random))
        return (int32_t)qh__draw_below(&agent->random, agent->actions);
    uint32_t leaders = qh__express_leaders(agent, qh__table_recall(&agent->table, key));
    return (int32_t)qh__break_tie(leaders, agent->policy.first, &agent->random);
}

/* The same among the actions whose bits are set, at least one. */
QH_INLINE int32_t qh__express_act_among(qh_agent *agent, uint64_t key, bool greedy,
                                        uint32_t allowed) {
    QH_CELL_ADD(&agent->metrics.action_count, 1);
    if (!greedy && qh__explores(&agent->policy, &agent->random))
        return (int32_t)qh__break_tie(allowed, false, &agent->random);
    uint32_t row = qh__table_recall(&agent->table, key);
    uint32_t leaders = qh__express_leaders(agent, row) & allowed;
    if (QH_LIKELY(leaders))
        return (int32_t)qh__break_tie(leaders, agent->policy.first, &agent->random);
    const float *values = qh__express_values(agent, row);
    float best = -__builtin_inff();
    for (uint32_t rest = allowed; rest; rest &= rest - 1) {
        float value = values[__builtin_ctz(rest)];
        best = best < value ? value : best;
    }
    return (int32_t)qh__break_tie(qh__equal_bits(values, agent->actions, best) & allowed,
                                  agent->policy.first, &agent->random);
}

/* Learns from a transition between two keys, the first of which has a row. Returns the TD error. */
QH_INLINE double qh__express_learn(qh_agent *agent, uint32_t row, uint32_t action,
                                   const qh_experience *experience, uint32_t next_row) {
    uint32_t *count = &qh__row_counts(&agent->table, qh__table_row(&agent->table, row))[action];
    if (QH_LIKELY(*count != UINT32_MAX)) ++*count;
    double td_error = qh__update_express(agent, row, action, experience->reward,
                                         experience->ending == QH_TERMINATED, next_row, 1);
    qh__count_step(agent, td_error);
    QH_CELL_ADD(&agent->metrics.reward_sum, experience->reward);
    QH_CELL_SET(&agent->metrics.last_update, experience->time);
    if (QH_UNLIKELY(experience->ending != QH_GOING_ON)) QH_CELL_ADD(&agent->metrics.episodes, 1);
    return td_error;
}

/* qh_agent_learn where nothing is wrong. False: nothing has happened, and qh_agent_learn says why. */
QH_INLINE bool qh__express_learns(qh_agent *agent, const float *observation, uint32_t action,
                                  const qh_experience *experience, double *td_error) {
    if (QH_UNLIKELY(!QH_HOT(agent->express_learner) || agent->borrowed ||
                    action >= agent->actions || experience->ending > QH_TRUNCATED ||
                    !qh__is_reward(experience->reward) || !qh__is_finite(experience->time)))
        return false;
    uint64_t key = qh__encoder_cells_key(&agent->encoder, observation);
    uint64_t next_key = qh__encoder_cells_key(&agent->encoder, experience->next.values);
    if (QH_UNLIKELY(key == 0 || next_key == 0)) return false;
    uint32_t row = qh__table_recall(&agent->table, key);
    if (QH_UNLIKELY(row == QH_NO_ROW)) {
        if (qh_table_reserve(&agent->table, 1) != QH_OK) return false;
        qh__agent_give_birth(agent, &key, &row);
    }
    QH_BORROW(agent, true);
    *td_error = qh__express_learn(agent, row, action, experience,
                                  qh__table_recall(&agent->table, next_key));
    QH_BORROW(agent, false);
    return true;
}

/* The second half of a step, after qh_agent_prepare_step. */
QH_INLINE int32_t qh__express_commit_step(qh_agent *agent, const qh_experience *experience) {
    uint64_t key = agent->next_keys[0];
    QH_BORROW(agent, true);
    qh__agent_ensure(agent, agent->keys, agent->rows);
    uint32_t next_row = agent->next_rows[0]; /* where it was found already */
    if (next_row == QH_NO_ROW) next_row = qh__table_find(&agent->table, key);
    qh__express_learn(agent, agent->rows[0], (uint32_t)agent->last_action, experience, next_row);
    agent->keys[0] = key;
    agent->rows[0] = next_row;
    bool running = experience->ending == QH_GOING_ON;
    agent->running = running;
    agent->ended = !running;
    agent->last_action = QH_NO_ACTION;
    if (QH_LIKELY(running)) {
        QH_CELL_ADD(&agent->metrics.action_count, 1);
        agent->last_action = qh__express_choose(agent, next_row);
    }
    QH_BORROW(agent, false);
    return agent->last_action;
}

#endif
