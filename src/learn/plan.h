/* Plans: the constants of an encoder, shared by all agents that observe the same dimensions in the same way.
 *
 * Hundreds of agents often look at their cells through the same few definitions. What follows from a definition alone (scales,
 * offsets, last cells, hyperplanes) is worked out once, never changes, and is held by counted references; what an agent learns
 * from its own observations (trends) stays with the agent. So a simhash of 8 KiB of planes costs an agent nothing, and
 * a batch of agents reads one plan from the cache instead of one for each. */
#ifndef QH_LEARN_PLAN_H
#define QH_LEARN_PLAN_H

#include "base/random.h"
#include "memory/memory.h"
#include "qhive/agent.h"

/* Constants of 16 dimensions, as the kernel reads them. */
typedef struct qh_lanes {
    float scale[16], offset[16];
    uint8_t last[16]; /* bins - 1, at most 255 */
} qh_lanes;

typedef struct qh_trend {
    uint32_t dim; /* the dimension it averages */
    float alpha;
} qh_trend;

/* Raw dimensions come first, then trends, then neutral lanes up to a multiple of 16. */
typedef struct qh_plan {
    qh_lanes *lanes; /* padded / 16 */
    uint32_t padded;
    uint32_t kind, dims, trends, keys, bits, states;
    bool wide;          /* a dimension has more than 256 bins */
    bool alike;         /* all dimensions have the same scale and offset */
    float *min, *range; /* of each lane: the least value and 1 / (max - min) */
    uint32_t *bins;     /* of each lane */
    qh_trend *trend;
    float *planes; /* simhash: bits rows of `padded` */
    uint64_t hash;
    qh_shared shared; /* held by one encoder each */
    qh_dim *defined;  /* the dimensions as defined, to tell plans apart */
} qh_plan;

/* The plans themselves are in `memory->shared`. */
typedef struct qh_plans {
    uint32_t count;
    uint64_t seed; /* draws hyperplanes */
    qh_memory *memory;
    qh_owner owner;
} qh_plans;

void qh_plans_open(qh_plans *plans, qh_memory *memory, uint64_t seed);

/* A reference to the plan of a definition that `qh_plan_check` accepted; made if there is none yet. */
qh_result qh_plan_acquire(qh_plans *plans, const qh_encoder_def *def, qh_plan **plan);

/* Gives a reference back; the last one frees the plan. */
void qh_plan_release(qh_plans *plans, qh_plan *plan);

/* QH_OK or QH_INVALID_ARGUMENT. */
qh_result qh_plan_check(const qh_encoder_def *def);

/* A hash of everything that the meaning of a key depends on. */
uint64_t qh_plan_hash(const qh_encoder_def *def, uint64_t seed);

/* `holders`: the encoders there are. */
bool qh_plans_validate(const qh_plans *plans, uint32_t holders);

#endif
