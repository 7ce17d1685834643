#include "learn/replay.h"

#include "base/bits.h"
#include "base/maths.h"

#define LEAST_PRIORITY 0.01

qh_result qh_replay_open(qh_replay *replay, qh_memory *memory, qh_owner *owner, uint32_t capacity,
                         uint32_t keys, bool prioritised, double alpha) {
    *replay = (qh_replay){
        .memory = memory, .owner = owner, .capacity = capacity, .alpha = alpha, .greatest = 1};
    replay->transition_bytes =
        (uint32_t)(sizeof(qh_transition) + 2 * (size_t)keys * sizeof(uint64_t));
    replay->per_block = QH_TRAJECTORY_BYTES / replay->transition_bytes;
    if (!prioritised || capacity == 0) return QH_OK;
    uint32_t leaves = 1;
    while (leaves < capacity) leaves *= 2;
    void *tree;
    QH_TRY(qh_heap_alloc_zeroed(&memory->heap, owner, (size_t)leaves * 2 * sizeof(float),
                                QH_BLOCK_trajectory, &tree));
    replay->tree = tree;
    replay->leaves = leaves;
    return QH_OK;
}

void qh_replay_keep_states(qh_replay *replay, uint32_t words) {
    replay->state_words = words;
    replay->transition_bytes =
        (uint32_t)(sizeof(qh_transition) + 2 * (size_t)words * sizeof(uint32_t));
    replay->per_block = QH_TRAJECTORY_BYTES / replay->transition_bytes;
}

void qh_replay_clear(qh_replay *replay) {
    qh_pool *pool = &replay->memory->pools[QH_POOL_TRAJECTORY];
    for (uint32_t i = 0; i < replay->block_count; i++)
        qh_pool_release(pool, replay->owner, replay->blocks[i]);
    qh_heap_free(&replay->memory->heap, replay->owner, replay->blocks,
                 replay->block_capacity * sizeof(void *));
    replay->blocks = NULL;
    replay->block_capacity = replay->block_count = replay->count = replay->next = 0;
    for (uint32_t i = 0; i < 2 * replay->leaves; i++) replay->tree[i] = 0;
    replay->greatest = 1;
}

void qh_replay_close(qh_replay *replay) {
    qh_replay_clear(replay);
    qh_heap_free(&replay->memory->heap, replay->owner, replay->tree,
                 (size_t)replay->leaves * 2 * sizeof(float));
    replay->tree = NULL;
    replay->leaves = 0;
}

qh_result qh_replay_reserve(qh_replay *replay) {
    if (QH_LIKELY(replay->next < replay->block_count * replay->per_block) || replay->capacity == 0)
        return QH_OK;
    if (replay->block_count == replay->block_capacity) {
        uint32_t capacity = replay->block_capacity ? replay->block_capacity * 2 : 4;
        void *blocks = replay->blocks;
        QH_TRY(qh_heap_resize(&replay->memory->heap, replay->owner, &blocks,
                              replay->block_capacity * sizeof(void *), capacity * sizeof(void *),
                              QH_BLOCK_trajectory));
        replay->blocks = blocks;
        replay->block_capacity = capacity;
    }
    void *block;
    QH_TRY(qh_pool_acquire(&replay->memory->pools[QH_POOL_TRAJECTORY], replay->owner, &block));
    replay->blocks[replay->block_count++] = block;
    return QH_OK;
}

qh_transition *qh_replay_at(const qh_replay *replay, uint32_t index) {
    unsigned char *block = replay->blocks[index / replay->per_block];
    return (qh_transition *)(void *)(block + (size_t)(index % replay->per_block) *
                                                 replay->transition_bytes);
}

qh_transition *qh_replay_newest(const qh_replay *replay) {
    return qh_replay_at(replay, (replay->next ? replay->next : replay->count) - 1);
}

static void set_weight(qh_replay *replay, uint32_t index, float weight) {
    float *tree = replay->tree;
    uint32_t node = replay->leaves + index;
    tree[node] = weight;
    for (node /= 2; node > 0; node /= 2) tree[node] = tree[2 * node] + tree[2 * node + 1];
}

qh_transition *qh_replay_push(qh_replay *replay) {
    uint32_t index = replay->next;
    if (++replay->next == replay->capacity) replay->next = 0;
    if (replay->count < replay->capacity) replay->count++;
    if (replay->tree) set_weight(replay, index, replay->greatest);
    return qh_replay_at(replay, index);
}

uint32_t qh_replay_draw(const qh_replay *replay, qh_random *random) {
    if (!replay->tree) return qh__random_below(random, replay->count);
    const float *tree = replay->tree;
    double left = qh__random_unit(random) * (double)tree[1];
    uint32_t node = 1;
    while (node < replay->leaves) {
        node *= 2;
        if (left >= (double)tree[node] && tree[node + 1] > 0) left -= (double)tree[node++];
    }
    return QH_MIN(node - replay->leaves, replay->count - 1);
}

double qh_replay_probability(const qh_replay *replay, uint32_t index) {
    if (!replay->tree) return 1.0 / replay->count;
    return (double)replay->tree[replay->leaves + index] / (double)replay->tree[1];
}

void qh_replay_prioritise(qh_replay *replay, uint32_t index, double td_error) {
    if (!replay->tree) return;
    float weight =
        qh__to_float(qh__exp(replay->alpha * qh__log(qh__abs(td_error) + LEAST_PRIORITY)));
    if (weight > 1e30f) weight = 1e30f; /* the root must stay finite */
    if (weight > replay->greatest) replay->greatest = weight;
    set_weight(replay, index, weight);
}

size_t qh_replay_bytes(const qh_replay *replay) {
    size_t bytes = (size_t)replay->block_count * QH_TRAJECTORY_BYTES;
    if (replay->block_capacity) bytes += qh_heap_charge(replay->block_capacity * sizeof(void *));
    if (replay->tree) bytes += qh_heap_charge((size_t)replay->leaves * 2 * sizeof(float));
    return bytes;
}

bool qh_replay_validate(const qh_replay *replay) {
    if (replay->count > replay->capacity || replay->next >= QH_MAX(replay->capacity, 1u))
        return false;
    if (replay->count > replay->block_count * replay->per_block) return false;
    for (uint32_t node = 1; node < replay->leaves; node++)
        if (replay->tree[node] != replay->tree[2 * node] + replay->tree[2 * node + 1]) return false;
    for (uint32_t i = replay->count; i < replay->leaves; i++)
        if (replay->tree[replay->leaves + i] != 0) return false;
    return true;
}
