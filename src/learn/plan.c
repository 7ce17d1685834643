#include "learn/plan.h"

#include "base/bits.h"
#include "base/bytes.h"
#include "base/maths.h"

#define MAX_BINS 65536u
#define NARROW_BINS 256u

/* ---------------------------------------------------------------- definition */

/* A range so small that dividing by it overflows has no cells. */
static bool dim_is_valid(const qh_dim *dim) {
    double range = (double)dim->max - (double)dim->min;
    return qh__is_finite(dim->min) && qh__is_finite(dim->max) && dim->min < dim->max &&
           qh__is_finite((double)(dim->max - dim->min)) && dim->bins <= MAX_BINS &&
           QH_MAX(dim->bins, 1u) / range <= QH_FLOAT_MAX && dim->trend >= 0 && dim->trend <= 1;
}

qh_result qh_plan_check(const qh_encoder_def *def) {
    if (def->kind == QH_ENCODER_INDEX) return def->states > 0 ? QH_OK : QH_INVALID_ARGUMENT;
    if (def->kind > QH_ENCODER_TILES || def->dim_count == 0) return QH_INVALID_ARGUMENT;
    if (def->kind == QH_ENCODER_SIMHASH && (def->bits < 1 || def->bits > 32))
        return QH_INVALID_ARGUMENT;
    if (def->kind == QH_ENCODER_TILES && (def->tilings < 1 || def->tilings > QH_MAX_TILINGS))
        return QH_INVALID_ARGUMENT;
    uint32_t all = def->dim_count;
    for (uint32_t i = 0; i < def->dim_count && all <= QH_MAX_DIMS; i++) {
        if (!dim_is_valid(&def->dims[i])) return QH_INVALID_ARGUMENT;
        all += def->dims[i].trend > 0;
    }
    return all <= QH_MAX_DIMS ? QH_OK : QH_INVALID_ARGUMENT;
}

static void set_lane(qh_plan *plan, uint32_t lane, float min, float max, uint32_t bins) {
    double range = (double)max - (double)min, scale = (bins ? bins : 1) / range;
    double margin = QH_MAX(0x1p-10, bins * 0x1p-23);
    qh_lanes *lanes = &plan->lanes[lane / 16];
    lanes->scale[lane % 16] = (float)scale;
    lanes->offset[lane % 16] = (float)(-(double)min * scale - 0.5 + margin);
    lanes->last[lane % 16] = (uint8_t)(bins ? QH_MIN(bins - 1, 255u) : 0);
    plan->bins[lane] = bins;
    plan->min[lane] = min;
    plan->range[lane] = (float)(1 / range);
    plan->wide |= bins > NARROW_BINS;
    plan->alike &= lanes->scale[lane % 16] == plan->lanes->scale[0] &&
                   lanes->offset[lane % 16] == plan->lanes->offset[0];
}

static void set_lanes(qh_plan *plan, const qh_encoder_def *def) {
    uint32_t lane = def->dim_count;
    plan->alike = true;
    for (uint32_t i = 0; i < def->dim_count; i++) {
        const qh_dim *dim = &def->dims[i];
        set_lane(plan, i, dim->min, dim->max, dim->bins);
        if (!(dim->trend > 0)) continue;
        plan->trend[lane - def->dim_count] = (qh_trend){i, dim->trend};
        set_lane(plan, lane++, 0, 1, dim->bins);
    }
}

/* Standard normal numbers would need a logarithm and a cosine; the sum of 12 uniforms is as good a direction. */
static void draw_planes(qh_plan *plan, uint64_t seed) {
    qh_random random = qh__random_seeded(seed, 0x73696D68617368);
    uint32_t used = plan->dims + plan->trends;
    for (uint32_t bit = 0; bit < plan->bits; bit++)
        for (uint32_t i = 0; i < used; i++) {
            double sum = -6;
            for (int k = 0; k < 12; k++) sum += qh__random_unit(&random);
            plan->planes[bit * plan->padded + i] = (float)sum;
        }
}

uint64_t qh_plan_hash(const qh_encoder_def *def, uint64_t seed) {
    uint64_t hash = qh__hash_step(def->kind, 0);
    if (def->kind == QH_ENCODER_INDEX) return qh__hash_step(hash, def->states);
    if (def->kind == QH_ENCODER_TILES) hash = qh__hash_step(hash, def->tilings);
    if (def->kind == QH_ENCODER_SIMHASH) hash = qh__hash_step(qh__hash_step(hash, def->bits), seed);
    return qh__hash_step(
        hash, qh__hash_bytes(def->dims, def->dim_count * sizeof(qh_dim), def->dim_count));
}

static bool is_plan_of(const qh_plan *plan, const qh_encoder_def *def, uint64_t hash) {
    if (plan->hash != hash || plan->kind != def->kind) return false;
    if (def->kind == QH_ENCODER_INDEX) return plan->states == def->states;
    uint32_t keys = def->kind == QH_ENCODER_TILES ? def->tilings : 1;
    uint32_t bits = def->kind == QH_ENCODER_SIMHASH ? def->bits : 0;
    return plan->dims == def->dim_count && plan->keys == keys && plan->bits == bits &&
           memcmp(plan->defined, def->dims, def->dim_count * sizeof(qh_dim)) == 0;
}

/* ---------------------------------------------------------------- life */

void qh_plans_open(qh_plans *plans, qh_memory *memory, uint64_t seed) {
    *plans = (qh_plans){.memory = memory, .seed = seed};
    qh_owner_open(&memory->heap, &plans->owner, 0, QH_OWNER_encoders, SIZE_MAX);
}

/* The arrays behind the struct. */
static void lay_out_plan(qh_plan *plan) {
    unsigned char *at = (unsigned char *)plan + qh__align_up(sizeof(qh_plan), 16);
    plan->lanes = (qh_lanes *)(void *)at;
    float *words = (float *)(void *)(at + plan->padded / 16 * sizeof(qh_lanes));
    plan->min = words;
    plan->range = words += plan->padded;
    plan->bins = (uint32_t *)(void *)(words += plan->padded);
    plan->planes = words += plan->padded;
    plan->trend = (qh_trend *)(void *)(words + (size_t)plan->bits * plan->padded);
    plan->defined = (qh_dim *)(void *)(plan->trend + plan->trends);
}

static size_t size_of_plan(const qh_plan *plan) {
    size_t words = (3 + (size_t)plan->bits) * plan->padded;
    return qh__align_up(sizeof(qh_plan), 16) + plan->padded / 16 * sizeof(qh_lanes) +
           words * sizeof(float) + plan->trends * sizeof(qh_trend) + plan->dims * sizeof(qh_dim);
}

static qh_plan outline(const qh_encoder_def *def, uint64_t hash) {
    qh_plan plan = {.kind = def->kind, .keys = 1, .hash = hash};
    if (def->kind == QH_ENCODER_INDEX)
        plan.states = def->states;
    else
        plan.dims = def->dim_count;
    for (uint32_t i = 0; i < plan.dims; i++) plan.trends += def->dims[i].trend > 0;
    plan.padded = (plan.dims + plan.trends + 15) & ~15u;
    if (def->kind == QH_ENCODER_TILES) plan.keys = def->tilings;
    if (def->kind == QH_ENCODER_SIMHASH) plan.bits = def->bits;
    return plan;
}

static qh_result make(qh_plans *plans, const qh_encoder_def *def, uint64_t hash, qh_plan **made) {
    qh_plan outlined = outline(def, hash);
    size_t byte_count = size_of_plan(&outlined);
    void *block;
    QH_TRY(qh_heap_alloc_zeroed(&plans->memory->heap, &plans->owner, byte_count, QH_BLOCK_encoder,
                                &block));
    qh_plan *plan = block;
    *plan = outlined;
    qh_shared_open(&plans->memory->shared, &plan->shared, &plans->owner, 0, byte_count);
    lay_out_plan(plan);
    for (uint32_t i = 0; i < plan->dims; i++) plan->defined[i] = def->dims[i];
    if (plan->dims) set_lanes(plan, def);
    if (plan->bits) draw_planes(plan, plans->seed);
    plans->count++;
    *made = plan;
    return qh_shared_freeze(&plan->shared);
}

/* The plan of a definition, NULL where there is none. */
static qh_plan *find_plan(const qh_plans *plans, const qh_encoder_def *def, uint64_t hash) {
    for (qh_shared *entry = plans->memory->shared.first; entry; entry = entry->next) {
        if (entry->owner != &plans->owner) continue;
        qh_plan *plan = QH_SHARED_IN(qh_plan, shared, entry);
        if (is_plan_of(plan, def, hash)) return plan;
    }
    return NULL;
}

qh_result qh_plan_acquire(qh_plans *plans, const qh_encoder_def *def, qh_plan **found) {
    uint64_t hash = qh_plan_hash(def, plans->seed);
    qh_plan *plan = find_plan(plans, def, hash);
    if (!plan) QH_TRY(make(plans, def, hash, &plan));
    *found = plan;
    return qh_shared_acquire(&plan->shared);
}

void qh_plan_release(qh_plans *plans, qh_plan *plan) {
    if (qh_shared_release(&plan->shared) > 0) return;
    qh_shared_close(&plans->memory->shared, &plan->shared);
    plans->count--;
    qh_heap_free(&plans->memory->heap, &plans->owner, plan, plan->shared.byte_count);
}

bool qh_plans_validate(const qh_plans *plans, uint32_t holders) {
    uint32_t count = 0, references = 0;
    for (const qh_shared *entry = plans->memory->shared.first; entry; entry = entry->next) {
        if (entry->owner != &plans->owner) continue;
        if (entry->references == 0) return false;
        references += entry->references;
        count++;
    }
    return count == plans->count && references == holders;
}
