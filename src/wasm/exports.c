/* The exported boundary, and nothing else: handles and numbers in, numbers out. One instance holds one runtime.
 *
 * A result below -1 is a failure (result.h); -1 is "no action"; a function that returns a double returns NaN on failure
 * and leaves the code to first number of the exchange buffer. No argument is trusted: handles are looked up, numbers checked. State indices,
 * rewards and times are doubles, so that -1, 2^53 and NaN arrive as they are and can be refused. */
#include "wasm/io.h"

#include "base/bytes.h"
#include "learn/express.h"
#include "learn/transfer.h"
#include "runtime/claims.h"

QH_THREAD_LOCAL qh_io qh__io;
static qh_runtime *runtime;

qh_runtime *qh__instance(void) {
    return runtime;
}

/* The address of the exchange buffer. */
EXPORT(void *, qh_io_address, (void)) {
    return &qh__io;
}

#ifndef QHIVE_VERSION
#define QHIVE_VERSION "0.0.0"
#endif

/* The package's version and what this build of it uses, "1.2.3+simd128" or "1.2.3+scalar", ended by 0: the package refuses
 * a module whose layout it does not know. */
EXPORT(const char *, qh_version_address, (void)) {
#if defined(__wasm_simd128__)
    return QHIVE_VERSION "+simd128";
#else
    return QHIVE_VERSION "+scalar";
#endif
}

/* ---------------------------------------------------------------- helpers */

static double fail_with_nan(qh_result result) {
    qh__io.numbers[0] = result;
    return __builtin_nan("");
}

QH_INLINE qh_agent *agent_of(uint32_t handle) {
    return QH_LIKELY(runtime) ? qh_runtime_agent(runtime, handle) : NULL;
}

#if QH_THREADS
/* Claims an agent, or a batch, for the length of the call. */
QH_INLINE qh_result use(uint32_t handle, qh_slot_kind kind, qh_claim *claim, void *object) {
    if (QH_UNLIKELY(!runtime)) return QH_STALE_HANDLE;
    QH_TRY(qh__claim(runtime, handle, kind, claim));
    void *claimed = qh__claimed(runtime, handle);
    memcpy(object, &claimed, sizeof claimed);
    return QH_OK;
}
#endif

QH_INLINE qh_observation observed(const qh_agent *agent, double state, uint32_t flags) {
    return (qh_observation){flags & QH_FLAG_IN_PLACE ? agent->input : qh__io.observation, state};
}

/* Lets an actuator see what its zone allows, at `io.time`; without it, where that is allowed, at the zones' latest time. */
QH_INLINE qh_result look_at(const qh_agent *agent, uint32_t flags, bool optional) {
    if (QH_LIKELY(!agent->actuator)) return QH_OK;
    QH_HOLD(zones_held, agent->actuator->zones);
    double now = optional ? agent->actuator->zones->now : -1;
    return qh_actuator_look(agent->actuator, flags & QH_FLAG_TIME ? qh__io.time : now);
}

/* The mask in `io`, NULL where the flag is not set. */
QH_INLINE const uint32_t *mask_of(uint32_t flags) {
    return flags & QH_FLAG_MASK ? qh__io.mask : NULL;
}

#if QH_THREADS
#define AGENT_OR_RETURN(agent, handle)                                                             \
    QH_CLAIM(agent_claim);                                                                         \
    qh_agent *agent;                                                                               \
    QH_TRY(use(handle, QH_SLOT_AGENT, &agent_claim, &agent))
#define AGENT_OR_RETURN_NAN(agent, handle)                                                         \
    QH_CLAIM(agent_claim);                                                                         \
    qh_agent *agent = NULL;                                                                        \
    qh_result agent_used = use(handle, QH_SLOT_AGENT, &agent_claim, &agent);                       \
    if (QH_UNLIKELY(agent_used != QH_OK)) return fail_with_nan(agent_used)
#else
#define AGENT_OR_RETURN(agent, handle)                                                             \
    qh_agent *agent = agent_of(handle);                                                            \
    if (QH_UNLIKELY(!agent)) return QH_STALE_HANDLE
#define AGENT_OR_RETURN_NAN(agent, handle)                                                         \
    qh_agent *agent = agent_of(handle);                                                            \
    if (QH_UNLIKELY(!agent)) return fail_with_nan(QH_STALE_HANDLE)
#endif

/* ---------------------------------------------------------------- runtime */

#if QH_THREADS
#define PLACES , uint32_t places, uint32_t may_sleep
#else
#define PLACES
#endif

/* Opens the runtime. Pages and pool sizes are whole numbers the package has checked; seed in two halves. In the module for threads: for
 * so many of them, the caller among them; whether it may sleep. */
EXPORT(int32_t, qh_open,
       (uint32_t max_pages, uint32_t initial_pages, uint32_t seed_low, uint32_t seed_high,
        uint32_t state, uint32_t trajectory, uint32_t message, uint32_t track PLACES)) {
    if (runtime) return QH_INVALID_STATE;
    qh_runtime_def def = {.max_pages = max_pages,
                          .initial_pages = initial_pages,
                          .seed = (uint64_t)seed_high << 32 | seed_low,
                          .pools = {state, trajectory, message},
                          .track_allocations = track != 0};
#if QH_THREADS
    qh_runtime *opened;
    QH_TRY(qh_runtime_open(&def, QH_HEAP_START, &opened));
    qh_result result = qh__places_open(opened, places, may_sleep != 0);
    if (result == QH_OK)
        runtime = opened;
    else
        qh_runtime_close(opened);
    return result;
#else
    return qh_runtime_open(&def, QH_HEAP_START, &runtime);
#endif
}

/* ---------------------------------------------------------------- agents */

/* Makes an agent of `io.def`, its `dim_count` dimensions of `io.dims` and the first `name_length` bytes of `io.text`. With an
 * actuator `def.zone` is 1 + its zone's number, and `io.counts` its grid steps (int32). Returns its handle (> 0). */
EXPORT(int32_t, qh_agent_create, (uint32_t name_length, uint32_t dim_count)) {
    if (!runtime) return QH_INVALID_STATE;
    if (name_length > QH_IO_TEXT_BYTES || dim_count > QH_MAX_DIMS) return QH_INVALID_ARGUMENT;
    qh_agent_def *def = &qh__io.def;
    def->name = (const char *)qh__io.text;
    def->name_length = name_length;
    def->encoder.dims = qh__io.dims;
    def->encoder.dim_count = dim_count;
    def->zones = def->zone ? qh__zones_of(runtime) : NULL;
    if (def->zone && !def->zones) return QH_INVALID_STATE;
    def->zone -= def->zone > 0;
    def->deltas = (const int32_t *)qh__io.counts;
    qh_handle handle;
    QH_HOLD_REGISTRY(runtime);
    QH_TRY(qh_runtime_create_agent(runtime, def, &handle));
    return (int32_t)handle;
}

#if QH_THREADS
EXPORT(int32_t, qh_agent_destroy, (uint32_t handle)) {
    AGENT_OR_RETURN(agent, handle);
    QH_HOLD_REGISTRY(runtime);
    QH_TRY(qh_runtime_destroy_agent(runtime, agent->handle));
    agent_claim.slot = NULL; /* it ended with its object */
    return QH_OK;
}
#else
EXPORT(int32_t, qh_agent_destroy, (uint32_t handle)) {
    return runtime ? qh_runtime_destroy_agent(runtime, handle) : QH_STALE_HANDLE;
}
#endif

/* The address of the agent's own block for observations (64 floats), 0 when the handle is stale. With threads also 0 where another
 * has claimed it and the registry cannot be had. */
#if QH_THREADS
EXPORT(void *, qh_agent_input_address, (uint32_t handle)) {
    QH_CLAIM(agent_claim);
    __attribute__((cleanup(qh__hold_end))) qh_held registry_held = {0};
    const qh_agent *agent;
    if (use(handle, QH_SLOT_AGENT, &agent_claim, &agent) == QH_OK) return agent->input;
    /* The block is the agent's for life, and that does not end while the registry is held. */
    if (!runtime || qh__hold(&registry_held, &runtime->registry.lock, QH_LOCK_REGISTRY) != QH_OK)
        return NULL;
    agent = agent_of(handle);
    return agent ? agent->input : NULL;
}
#else
EXPORT(void *, qh_agent_input_address, (uint32_t handle)) {
    const qh_agent *agent = agent_of(handle);
    return agent ? agent->input : NULL;
}
#endif

QH_FAST_BEGIN

/* Begins an episode: the action. The observation is `io.observation` (or the agent's input block), or `state`. */
EXPORT(int32_t, qh_begin, (uint32_t handle, double state, uint32_t flags)) {
    AGENT_OR_RETURN(agent, handle);
    QH_TRY(look_at(agent, flags, true));
    int32_t action;
    QH_TRY(qh_agent_begin(agent, observed(agent, state, flags), &action));
    return action;
}

/* Learns from the last action and chooses the next: the action, -1 when the episode ended. */
EXPORT(int32_t, qh_step,
       (uint32_t handle, double reward, double state, uint32_t ending, double time,
        uint32_t flags)) {
    AGENT_OR_RETURN(agent, handle);
    qh_experience experience = {observed(agent, state, flags), reward, ending, time};
    int32_t action;
    QH_TRY(qh_agent_step(agent, &experience, &action));
    return action;
}

static QH_NOINLINE int32_t act_in_general(qh_agent *agent, double state, uint32_t flags) {
    int32_t action;
    QH_TRY(look_at(agent, flags, false));
    QH_TRY(qh_agent_act(agent, observed(agent, state, flags), flags & QH_FLAG_GREEDY,
                        mask_of(flags), &action));
    return action;
}

static QH_NOINLINE int32_t act_among(qh_agent *agent, uint64_t key, uint32_t flags) {
    uint32_t allowed = qh__io.mask[0] & 0xFFFFFFFFu >> (32 - agent->actions);
    return allowed ? qh__express_act_among(agent, key, flags & QH_FLAG_GREEDY, allowed)
                   : QH_INVALID_ARGUMENT;
}

/* Chooses an action, learns nothing. */
EXPORT(int32_t, qh_act, (uint32_t handle, double state, uint32_t flags)) {
    AGENT_OR_RETURN(agent, handle);
    if (QH_UNLIKELY(!QH_HOT(agent->express) || agent->borrowed))
        return act_in_general(agent, state, flags);
    uint64_t key = qh__encoder_cells_key(&agent->encoder, observed(agent, state, flags).values);
    if (QH_UNLIKELY(key == 0)) return QH_INVALID_ARGUMENT;
    if (QH_UNLIKELY(flags & QH_FLAG_MASK)) return act_among(agent, key, flags);
    return qh__express_act(agent, key, flags & QH_FLAG_GREEDY);
}

static QH_NOINLINE double learn_in_general(qh_agent *agent, const float *row, double state,
                                           uint32_t action, double reward, double next_state,
                                           uint32_t ending, int32_t next_action, double time) {
    qh_experience experience = {{qh__io.next, next_state}, reward, ending, time};
    double td_error;
    qh_result result = qh_agent_learn(agent, (qh_observation){row, state}, action, &experience,
                                      next_action, &td_error);
    return QH_LIKELY(result == QH_OK) ? td_error : fail_with_nan(result);
}

/* Learns from a transition; `io.next` or `next_state` is where it led. `next_action` -1: unknown. Returns the TD error. */
EXPORT(double, qh_learn,
       (uint32_t handle, double state, uint32_t action, double reward, double next_state,
        uint32_t ending, int32_t next_action, double time, uint32_t flags)) {
    AGENT_OR_RETURN_NAN(agent, handle);
    const float *row = observed(agent, state, flags).values;
    qh_experience experience = {{qh__io.next, next_state}, reward, ending, time};
    double td_error;
    if (QH_LIKELY(next_action == QH_NO_ACTION &&
                  qh__express_learns(agent, row, action, &experience, &td_error)))
        return td_error;
    td_error =
        learn_in_general(agent, row, state, action, reward, next_state, ending, next_action, time);
    if ((flags & QH_FLAG_PROBABILITY) && td_error == td_error && agent->replay.count > 0)
        qh_replay_newest(&agent->replay)->probability = qh__to_float(qh__io.numbers[0]);
    return td_error;
}

QH_FAST_END

/* What tells the state of these keys from all others, in two halves. */
static QH_NOINLINE void write_key(const qh_agent *agent, const uint64_t *keys, double *numbers) {
    uint64_t key = 0;
    for (uint32_t t = 0; t < agent->tilings; t++) key = qh__hash_step(key, keys[t]);
    numbers[0] = (double)(uint32_t)key;
    numbers[1] = (double)(uint32_t)(key >> 32);
}

/* Reads back remembered transition `index`, from 0, the oldest. numbers: reward, action, next action (-1: unknown), ending,
 * probability of the action (0: unknown), low and high half of what tells the state apart from others, and of the next state.
 * Returns the length of a state kept in full (0: compact), which then is in `observation`, the next one in `next`; the index of
 * an index encoder as bits. */
EXPORT(int32_t, qh_recall, (uint32_t handle, uint32_t index)) {
    AGENT_OR_RETURN(agent, handle);
    const qh_replay *replay = &agent->replay;
    if (index >= replay->count) return QH_INVALID_ARGUMENT;
    uint32_t oldest = replay->count < replay->capacity ? 0 : replay->next;
    const qh_transition *transition = qh_replay_at(replay, (oldest + index) % replay->capacity);
    uint64_t scratch[2 * QH_MAX_TILINGS];
    const uint64_t *keys = qh_agent_recall(agent, transition, scratch);
    double *numbers = qh__io.numbers;
    numbers[0] = transition->reward;
    numbers[1] = transition->action;
    numbers[2] = transition->next_action == QH_NEXT_UNKNOWN ? -1 : (double)transition->next_action;
    numbers[3] = transition->ending;
    numbers[4] = (double)transition->probability;
    write_key(agent, keys, numbers + 5);
    write_key(agent, keys + agent->tilings, numbers + 7);
    size_t bytes = replay->state_words * sizeof(float);
    memcpy(qh__io.observation, transition->keys, bytes);
    memcpy(qh__io.next, (const unsigned char *)transition->keys + bytes, bytes);
    return (int32_t)replay->state_words;
}

/* Learns from `count` remembered transitions: the mean |TD error|. */
EXPORT(double, qh_replay_many, (uint32_t handle, uint32_t count)) {
#if QH_THREADS
    AGENT_OR_RETURN_NAN(agent, handle);
#else
    qh_agent *agent = agent_of(handle);
    if (!agent) return fail_with_nan(QH_STALE_HANDLE);
#endif
    double mean;
    qh_result result = qh_agent_replay(agent, count, &mean);
    return result == QH_OK ? mean : fail_with_nan(result);
}

/* Writes the normalised vector to `io.values`: its length. */
EXPORT(int32_t, qh_encode, (uint32_t handle, double state, uint32_t flags)) {
    AGENT_OR_RETURN(agent, handle);
    qh_observation observation = observed(agent, state, flags);
    uint32_t length;
    QH_TRY(qh_encoder_vector(&agent->encoder, observation.values, observation.state, qh__io.values,
                             &length));
    return (int32_t)length;
}

/* Writes one value an action to `io.values`: their number. */
EXPORT(int32_t, qh_q_values, (uint32_t handle, double state, uint32_t flags)) {
    AGENT_OR_RETURN(agent, handle);
    QH_TRY(qh_agent_values(agent, observed(agent, state, flags), qh__io.values));
    return (int32_t)agent->actions;
}

/* Writes one count an action to `io.counts`: their number. */
EXPORT(int32_t, qh_visits, (uint32_t handle, double state, uint32_t flags)) {
    AGENT_OR_RETURN(agent, handle);
    QH_TRY(qh_agent_visits(agent, observed(agent, state, flags), qh__io.counts));
    return (int32_t)agent->actions;
}

/* Writes the probability of each action under the policy to `io.values`: their number. */
EXPORT(int32_t, qh_probabilities, (uint32_t handle, double state, uint32_t flags)) {
    AGENT_OR_RETURN(agent, handle);
    QH_TRY(look_at(agent, flags, true));
    QH_TRY(qh_agent_probabilities(agent, observed(agent, state, flags), mask_of(flags),
                                  qh__io.values));
    return (int32_t)agent->actions;
}

/* numbers: action count, reward sum, last update, episodes, states, mean |TD error|, learning steps, in an episode,
 * transitions remembered, value of the exploration schedule, value of the step-size schedule, probability of the action
 * chosen last (0: none, or not known). */
EXPORT(int32_t, qh_metrics, (uint32_t handle)) {
    AGENT_OR_RETURN(agent, handle);
    const qh_agent_metrics *metrics = &agent->metrics;
    double *numbers = qh__io.numbers, steps = metrics->learning_steps;
    numbers[0] = metrics->action_count;
    numbers[1] = metrics->reward_sum;
    numbers[2] = metrics->last_update;
    numbers[3] = metrics->episodes;
    numbers[4] = agent->table.rows;
    numbers[5] = steps > 0 ? metrics->td_error_sum / steps : 0;
    numbers[6] = steps;
    numbers[7] = agent->running;
    numbers[8] = agent->replay.count;
    numbers[9] = qh__schedule_value(&agent->policy.exploration);
    numbers[10] = qh__schedule_value(&agent->rate);
    numbers[11] = (double)agent->probability;
    return QH_OK;
}

/* numbers: live bytes, quota, table bytes, replay bytes, peak bytes, live blocks. */
EXPORT(int32_t, qh_agent_memory, (uint32_t handle)) {
    AGENT_OR_RETURN(agent, handle);
    double *numbers = qh__io.numbers;
    numbers[0] = (double)agent->owner.live_bytes;
    numbers[1] = (double)agent->owner.quota_bytes;
    numbers[2] = (double)qh_table_bytes(&agent->table);
    numbers[3] = (double)qh_replay_bytes(&agent->replay);
    numbers[4] = (double)agent->owner.peak_bytes;
    numbers[5] = agent->owner.live_blocks;
    return QH_OK;
}

EXPORT(int32_t, qh_reset, (uint32_t handle)) {
#if QH_THREADS
    AGENT_OR_RETURN(agent, handle);
    QH_HOLD_REGISTRY(runtime); /* what it has counted moves: the sums never fall */
    (void)agent;
#endif
    return runtime ? qh_runtime_reset_agent(runtime, handle) : QH_STALE_HANDLE;
}

static int32_t write_hash(uint64_t hash) {
    qh__io.numbers[0] = (double)(uint32_t)hash;
    qh__io.numbers[1] = (double)(uint32_t)(hash >> 32);
    return QH_OK;
}

/* numbers: low and high half of the hash of the agent's table; of all tables for handle 0. */
EXPORT(int32_t, qh_hash, (uint32_t handle)) {
#if QH_THREADS
    if (runtime && handle == 0) {
        QH_HOLD_REGISTRY(runtime);
        QH_TRY(qh__claim_all(runtime));
        uint64_t hash = qh_runtime_hash(runtime);
        qh__claim_end_all(runtime);
        return write_hash(hash);
    }
#else
    if (runtime && handle == 0) return write_hash(qh_runtime_hash(runtime));
#endif
    AGENT_OR_RETURN(agent, handle);
    return write_hash(qh_agent_hash(agent));
}

/* ---------------------------------------------------------------- bytes */

/* The one buffer for bytes on their way in or out; nobody's but the runtime's, and open only during a call of the package. */
static QH_THREAD_LOCAL void *transfer;
static QH_THREAD_LOCAL size_t transfer_bytes;

unsigned char *qh__transfer(size_t *byte_count) {
    *byte_count = transfer_bytes;
    return transfer;
}

/* Closes the buffer. */
EXPORT(int32_t, qh_transfer_close, (void)) {
    if (!runtime || !transfer) return QH_INVALID_STATE;
    qh_heap_free(&runtime->memory.heap, QH_SCRATCH_OWNER(runtime), transfer, transfer_bytes);
    transfer = NULL;
    transfer_bytes = 0;
    return QH_OK;
}

/* Opens the buffer for `byte_count` bytes. numbers: its address and size. */
EXPORT(int32_t, qh_transfer_open, (uint32_t byte_count)) {
    if (!runtime || transfer) return QH_INVALID_STATE;
    if (byte_count == 0) return QH_CORRUPT;
    QH_TRY(qh_heap_alloc(&runtime->memory.heap, QH_SCRATCH_OWNER(runtime), byte_count,
                         QH_BLOCK_buffer, &transfer));
    transfer_bytes = byte_count;
    qh__io.numbers[0] = (double)(uintptr_t)transfer;
    qh__io.numbers[1] = byte_count;
    return QH_OK;
}

void qh__transfer_replace(void *block, size_t byte_count) {
    qh_transfer_close();
    transfer = block;
    transfer_bytes = byte_count;
    qh__io.numbers[0] = (double)(uintptr_t)transfer;
    qh__io.numbers[1] = (double)byte_count;
}

/* Opens the buffer and writes the agent's table into it. numbers: its address and size. */
EXPORT(int32_t, qh_export, (uint32_t handle)) {
    AGENT_OR_RETURN(agent, handle);
    size_t byte_count;
    QH_TRY(qh_agent_export_size(agent, &byte_count));
    if (byte_count > UINT32_MAX) return QH_OVERFLOW;
    QH_TRY(qh_transfer_open((uint32_t)byte_count));
    qh_agent_export(agent, transfer);
    return QH_OK;
}

/* Replaces the agent's table by the one in the buffer, which stays open. */
EXPORT(int32_t, qh_import, (uint32_t handle)) {
    AGENT_OR_RETURN(agent, handle);
    QH_HOLD_REGISTRY(runtime); /* others sum its states up */
    return transfer ? qh_agent_import(agent, transfer, transfer_bytes) : QH_INVALID_STATE;
}

#if QH_SHARED

/* ---------------------------------------------------------------- knowledge */

#define KNOWLEDGE_OR_RETURN                                                                        \
    if (!runtime) return QH_INVALID_STATE;                                                         \
    qh_knowledge *knowledge = &runtime->knowledge;                                                 \
    QH_HOLD(knowledge_held, knowledge)

/* For what changes it, or tells of references. */
#define KNOWLEDGE_TO_CHANGE_OR_RETURN                                                              \
    if (!runtime) return QH_INVALID_STATE;                                                         \
    QH_HOLD_REGISTRY(runtime);                                                                     \
    KNOWLEDGE_OR_RETURN

/* numbers: entries, whether it is frozen, agents tied to it, bytes. */
EXPORT(int32_t, qh_knowledge_info, (void)) {
    KNOWLEDGE_TO_CHANGE_OR_RETURN;
    qh__io.numbers[0] = knowledge->catalogue.count;
    qh__io.numbers[1] = knowledge->shared.frozen;
    qh__io.numbers[2] = knowledge->shared.references;
    qh__io.numbers[3] = (double)knowledge->owner.live_bytes;
    return QH_OK;
}

/* Adds the entries in the transfer buffer, which stays open. On QH_INVALID_ARGUMENT numbers[0] says whose code is there already. */
EXPORT(int32_t, qh_knowledge_add, (void)) {
    KNOWLEDGE_TO_CHANGE_OR_RETURN;
    if (!transfer) return QH_INVALID_STATE;
    uint32_t at_fault = 0;
    qh_result result =
        qh_knowledge_load(knowledge, (qh_text){transfer, (uint32_t)transfer_bytes}, &at_fault);
    qh__io.numbers[0] = at_fault;
    return result;
}

EXPORT(int32_t, qh_knowledge_end, (void)) {
    KNOWLEDGE_TO_CHANGE_OR_RETURN;
    return qh_knowledge_freeze(knowledge);
}

EXPORT(int32_t, qh_knowledge_drop, (void)) {
    KNOWLEDGE_TO_CHANGE_OR_RETURN;
    return qh_knowledge_free(knowledge);
}

/* The entry whose code is in the first `length` bytes of `io.text`; -1: there is none. */
EXPORT(int32_t, qh_knowledge_entry, (uint32_t length)) {
    KNOWLEDGE_OR_RETURN;
    if (length > QH_IO_TEXT_BYTES) return -1;
    return (int32_t)qh_knowledge_find(knowledge, (qh_text){qh__io.text, length});
}

/* numbers: address and length of an entry as it was given. */
EXPORT(int32_t, qh_knowledge_source, (uint32_t entry)) {
    KNOWLEDGE_OR_RETURN;
    const qh_catalogue *catalogue = &knowledge->catalogue;
    if (entry >= catalogue->count) return QH_INVALID_ARGUMENT;
    qh__io.numbers[0] = (double)(uintptr_t)(catalogue->source + catalogue->entries[entry]);
    qh__io.numbers[1] = catalogue->entries[entry + 1] - catalogue->entries[entry];
    return QH_OK;
}

/* Searches for the text in the transfer buffer, or for what is like an entry, or (both not there: no buffer, -1) for the vector in
 * `io.observation`; only in the category in the first `category_length` bytes of `io.text`. Writes entries to `io.counts` and
 * scores to `io.values`: their number. */
EXPORT(int32_t, qh_knowledge_hits,
       (uint32_t hits, uint32_t mode, uint32_t category_length, int32_t like)) {
    KNOWLEDGE_OR_RETURN;
    const qh_catalogue *catalogue = &knowledge->catalogue;
    if (hits > QH_KNOWLEDGE_HITS || category_length > QH_IO_TEXT_BYTES ||
        (like >= 0 && (uint32_t)like >= catalogue->count))
        return QH_INVALID_ARGUMENT;
    qh_knowledge_query query = {.text = {transfer, (uint32_t)transfer_bytes},
                                .category = {qh__io.text, category_length},
                                .mode = mode,
                                .hits = hits};
    if (like >= 0)
        query.vector = catalogue->vectors + (size_t)like * QH_KNOWLEDGE_DIMS;
    else if (!transfer)
        query.vector = qh__io.observation;
    uint32_t count;
    QH_TRY(qh_knowledge_search(knowledge, &query, qh__io.counts, qh__io.values, &count));
    return (int32_t)count;
}

/* The order of activation of the first `wanted` entries in the transfer buffer (uint32 each), written behind them; room for all. The
 * number of entries. On QH_INVALID_ARGUMENT numbers: entries of a cycle (written in place of the order), or 0 and the
 * entry, then address and length of the code that it needs and that is missing. */
EXPORT(int32_t, qh_knowledge_activation, (uint32_t wanted)) {
    KNOWLEDGE_OR_RETURN;
    size_t all = (size_t)wanted + knowledge->catalogue.count;
    if (!transfer || all > transfer_bytes / sizeof(uint32_t)) return QH_INVALID_ARGUMENT;
    uint32_t *entries = transfer, count;
    for (uint32_t i = 0; i < wanted; i++)
        if (entries[i] >= knowledge->catalogue.count) return QH_INVALID_ARGUMENT;
    qh_knowledge_obstacle obstacle = {0};
    qh_result result =
        qh_knowledge_order(knowledge, entries, wanted, entries + wanted, &count, &obstacle);
    if (result == QH_OK) return (int32_t)count;
    qh__io.numbers[0] = obstacle.cycle;
    qh__io.numbers[1] = obstacle.entry;
    qh__io.numbers[2] = (double)(uintptr_t)obstacle.missing.bytes;
    qh__io.numbers[3] = obstacle.missing.length;
    return result;
}

/* Ties an agent to an entry. */
EXPORT(int32_t, qh_knowledge_tie, (uint32_t handle, uint32_t entry)) {
#if QH_THREADS
    AGENT_OR_RETURN(agent, handle);
    QH_HOLD_REGISTRY(runtime);
    QH_HOLD(knowledge_held, &runtime->knowledge);
    (void)agent;
#endif
    return runtime ? qh_runtime_tie_agent(runtime, handle, entry) : QH_STALE_HANDLE;
}

#endif

/* ---------------------------------------------------------------- batches */

#if !QH_THREADS
QH_INLINE qh_batch *batch_of(uint32_t handle) {
    return QH_LIKELY(runtime) ? qh__runtime_object(runtime, handle, QH_SLOT_BATCH) : NULL;
}
#endif

#if QH_THREADS
#define BATCH_OR_RETURN(batch, handle)                                                             \
    QH_CLAIM(batch_claim);                                                                         \
    qh_batch *batch;                                                                               \
    QH_TRY(use(handle, QH_SLOT_BATCH, &batch_claim, &batch))
#else
#define BATCH_OR_RETURN(batch, handle)                                                             \
    qh_batch *batch = batch_of(handle);                                                            \
    if (QH_UNLIKELY(!batch)) return QH_STALE_HANDLE
#endif

/* The result of a batch call; numbers[0] says which row failed. */
static int32_t end_batch(const qh_batch *batch, qh_result result) {
    if (QH_UNLIKELY(result != QH_OK)) qh__io.numbers[0] = batch->failed_row;
    return result;
}

/* Makes a batch for `count` agents: its handle (> 0). numbers: addresses of handles (uint32), observations, rewards (float32),
 * endings (uint8), actions (int32). The handles are to be written before `qh_batch_check`. */
EXPORT(int32_t, qh_batch_open, (uint32_t count)) {
    if (!runtime) return QH_INVALID_STATE;
    qh_batch *batch;
    QH_HOLD_REGISTRY(runtime);
    QH_TRY(qh_batch_create(runtime, count, &batch));
    double *numbers = qh__io.numbers;
    numbers[0] = (double)(uintptr_t)batch->handles;
    numbers[1] = (double)(uintptr_t)batch->observations;
    numbers[2] = (double)(uintptr_t)batch->rewards;
    numbers[3] = (double)(uintptr_t)batch->endings;
    numbers[4] = (double)(uintptr_t)batch->actions;
    return (int32_t)batch->handle;
}

EXPORT(int32_t, qh_batch_check, (uint32_t handle)) {
    BATCH_OR_RETURN(batch, handle);
    return end_batch(batch, qh_batch_seal(runtime, batch));
}

EXPORT(int32_t, qh_batch_free, (uint32_t handle)) {
    BATCH_OR_RETURN(batch, handle);
    QH_HOLD_REGISTRY(runtime);
    qh_batch_destroy(runtime, batch);
#if QH_THREADS
    batch_claim.slot = NULL;
#endif
    return QH_OK;
}

EXPORT(int32_t, qh_batch_begin_all, (uint32_t handle, double time)) {
    BATCH_OR_RETURN(batch, handle);
    batch->time = time;
    return end_batch(batch, qh_batch_begin(runtime, batch));
}

EXPORT(int32_t, qh_batch_step_all, (uint32_t handle, double time)) {
    BATCH_OR_RETURN(batch, handle);
    batch->time = time;
    return end_batch(batch, qh_batch_step(runtime, batch));
}

EXPORT(int32_t, qh_batch_act_all, (uint32_t handle, uint32_t flags, double time)) {
    BATCH_OR_RETURN(batch, handle);
    batch->time = time;
    return end_batch(batch, qh_batch_act(runtime, batch, flags & QH_FLAG_GREEDY));
}

#if QH_SHARED

/* ---------------------------------------------------------------- safe zones */

#define ZONES_OR_RETURN(zones)                                                                     \
    qh_zones *zones = runtime ? qh__zones_of(runtime) : NULL;                                      \
    if (!zones) return QH_INVALID_STATE;                                                           \
    QH_HOLD(zones_held, zones)

/* Freezes the safe zones defined by the numbers in the transfer buffer (qh_zones_def), which stays open. */
EXPORT(int32_t, qh_zones_freeze,
       (uint32_t zone_count, uint32_t trigger_count, uint32_t audit_bytes, double back_off_ms,
        double max_back_off_ms)) {
    if (!runtime || qh__zones_of(runtime) || !transfer) return QH_INVALID_STATE;
    qh_zones_def def = {.numbers = transfer,
                        .number_count = transfer_bytes / sizeof(double),
                        .zone_count = zone_count,
                        .trigger_count = trigger_count,
                        .audit_bytes = audit_bytes,
                        .back_off_ms = back_off_ms,
                        .max_back_off_ms = max_back_off_ms};
#if QH_THREADS
    qh_zones *zones;
    QH_HOLD_REGISTRY(runtime);
    if (runtime->zones) return QH_INVALID_STATE;
    QH_TRY(qh_zones_open(&runtime->memory, &def, &zones));
    zones->lock_id = QH_LOCK_ZONES;
    QH_ATOMIC_STORE(&runtime->zones, zones);
    return QH_OK;
#else
    return qh_zones_open(&runtime->memory, &def, &runtime->zones);
#endif
}

/* Changes are written to the numbers as they are (QH_CHANGE_FIELDS). */
#define CHANGE_OUT ((qh_change *)(void *)qh__io.numbers)

/* numbers: value, value before the oldest event of the audit, time of the last change, time before which none is allowed. */
EXPORT(int32_t, qh_zones_read, (uint32_t number)) {
    ZONES_OR_RETURN(zones);
    if (number >= zones->zone_count) return QH_INVALID_ARGUMENT;
    const qh_zone *zone = &zones->zones[number];
    qh__io.numbers[0] = qh_zone_value(zone, zone->index);
    qh__io.numbers[1] = zone->base;
    qh__io.numbers[2] = zone->last;
    qh__io.numbers[3] = zone->blocked;
    return QH_OK;
}

/* Whether the change would be applied or queued: 1 or 0. */
EXPORT(int32_t, qh_zones_allowed, (uint32_t number, double to, double time)) {
    ZONES_OR_RETURN(zones);
    if (number >= zones->zone_count || !qh__is_time(time)) return QH_INVALID_ARGUMENT;
    return qh_zones_allow(zones, number, to, time);
}

/* Proposes a change in the name of an agent. numbers: the change, also when it is refused (QH_SAFE_ZONE). */
EXPORT(int32_t, qh_zones_propose_for, (uint32_t handle, uint32_t number, double to, double time)) {
    ZONES_OR_RETURN(zones);
    AGENT_OR_RETURN(agent, handle);
    return qh_agent_propose(agent, zones, number, to, time, CHANGE_OUT);
}

/* Proposes the change of an agent's action; QH_INVALID_STATE without an actuator. numbers: the change. */
EXPORT(int32_t, qh_apply, (uint32_t handle, uint32_t action, double time)) {
    AGENT_OR_RETURN(agent, handle);
    if (!agent->actuator) return QH_INVALID_STATE;
    QH_HOLD(zones_held, agent->actuator->zones);
    return qh_actuator_apply(agent->actuator, handle, action, time, CHANGE_OUT);
}

/* numbers: the change, also when it is refused. */
EXPORT(int32_t, qh_zones_approve_one, (double sequence, double time)) {
    ZONES_OR_RETURN(zones);
    return qh_zones_approve(zones, sequence, time, CHANGE_OUT);
}

/* A reading of a KPI; qh_zones_next_undone says what it rolled back. */
EXPORT(int32_t, qh_zones_observe_kpi, (uint32_t kpi, double value, double time)) {
    ZONES_OR_RETURN(zones);
    return qh_zones_observe(zones, kpi, value, time);
}

/* A change that the last reading rolled back, newest first. `place`: 0, then the last result; 0: no more. numbers: the change. */
EXPORT(int32_t, qh_zones_next_undone, (uint32_t place)) {
    ZONES_OR_RETURN(zones);
    return (int32_t)qh_zones_undone(zones, place, CHANGE_OUT);
}

EXPORT(int32_t, qh_zones_reset_all, (double time)) {
    ZONES_OR_RETURN(zones);
    return qh_zones_reset(zones, time);
}

/* The oldest event of the audit (`first` not 0), or the next: 1, or 0 behind the newest. numbers: the change, then value and number
 * of each KPI; values: the Q values. */
EXPORT(int32_t, qh_zones_audit, (uint32_t first)) {
    ZONES_OR_RETURN(zones);
    return qh_zones_event(zones, first != 0, qh__io.numbers, qh__io.values);
}

#endif
