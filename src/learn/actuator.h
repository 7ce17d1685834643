/* An actuator: binds an agent's actions to a parameter with a safe zone. Action i moves the parameter by deltas[i] grid steps.
 *
 * What the zone forbids at the moment of a choice (range, cooldown, rate, back-off, a full queue of approvals) is masked out before the
 * choice, and out of the caller's mask; a delta of 0 is always allowed. Where nothing is left, which takes an agent without such
 * a delta, there is no action (QH_NO_ACTION): the agent rests, and its next step chooses without learning.
 *
 * Learning by steps respects the mask as well: the state ahead is worth what its available actions are worth (S&B's
 * max over A(s')), those available at the time of the step; of a resting agent, as if the episode were truncated there. Learning
 * from outside, replay and planning do not know when their transitions were possible: they bootstrap from all actions.
 *
 * The choosing calls need to know the time: `qh_actuator_look` comes before each of them. */
#ifndef QH_LEARN_ACTUATOR_H
#define QH_LEARN_ACTUATOR_H

#include "qhive/agent.h"
#include "shared/zones.h"

typedef struct qh_actuator {
    qh_zones *zones; /* one reference */
    uint32_t zone, actions;
    const uint32_t *in_force; /* `mask` while a step learns and chooses, else NULL */
    int32_t *deltas;          /* grid steps, one an action */
    float *values;            /* those of the last choice */
    uint32_t *mask;           /* one bit an action */
    bool chose;               /* there was a choice: `values` count */
    size_t byte_count;
} qh_actuator;

/* Makes the actuator of a definition and takes a reference to its zones. QH_INVALID_ARGUMENT when there is no such zone. */
qh_result qh_actuator_open(qh_heap *heap, qh_owner *owner, const qh_agent_def *def,
                           qh_actuator **actuator);

/* Gives memory and reference back; NULL is allowed. */
void qh_actuator_close(qh_heap *heap, qh_owner *owner, qh_actuator *actuator);

/* What the zone allows at `time` becomes the mask. QH_INVALID_ARGUMENT for a time that is none. */
qh_result qh_actuator_look(qh_actuator *actuator, double time);

/* The same for a caller that does not hold the lock of the zones. */
QH_INLINE qh_result qh_actuator_look_locked(qh_actuator *actuator, double time) {
    QH_HOLD(zones_held, actuator->zones);
    return qh_actuator_look(actuator, time);
}

/* The mask, less what `mask` (NULL: nothing) forbids; NULL where nothing is left. */
const uint32_t *qh_actuator_narrow(qh_actuator *actuator, const uint32_t *mask);

/* Keeps the values that a choice was made by. */
void qh_actuator_remember(qh_actuator *actuator, const float *values);

/* Proposes the change of an action; a delta of 0 is no proposal (sequence 0) and always fine. Otherwise as qh_zones_propose. */
qh_result qh_actuator_apply(qh_actuator *actuator, uint32_t agent, uint32_t action, double time,
                            qh_change *change);

#endif
