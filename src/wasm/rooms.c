/* The exports of the shared, mutable rooms: federation, metrics, messages. As in exports.c: handles are looked up, numbers checked,
 * nothing is trusted. */
#include "wasm/io.h"

#include "base/bytes.h"
#include "runtime/claims.h"

#if QH_SHARED

#define OPENED_OR_RETURN                                                                           \
    qh_runtime *opened = qh__instance();                                                           \
    if (QH_UNLIKELY(!opened)) return QH_INVALID_STATE

/* The category whose name is in the first `length` bytes of `io.text`, which becomes that of the agent unless `handle` is 0.
 * numbers: low and high half. */
EXPORT(int32_t, qh_category, (uint32_t handle, uint32_t length)) {
    OPENED_OR_RETURN;
#if QH_THREADS
    QH_CLAIM(agent_claim);
    QH_HOLD_REGISTRY(opened); /* broadcasts read it */
    if (handle) QH_TRY(qh__claim(opened, handle, QH_SLOT_AGENT, &agent_claim));
#endif
    qh_agent *agent = qh_runtime_agent(opened, handle);
    if (handle && !agent) return QH_STALE_HANDLE;
    if (length > QH_IO_TEXT_BYTES) return QH_INVALID_ARGUMENT;
    uint64_t category = qh__category(qh__io.text, length);
    if (agent) agent->category = category;
    qh__io.numbers[0] = (double)(uint32_t)category;
    qh__io.numbers[1] = (double)(uint32_t)(category >> 32);
    return QH_OK;
}

/* ---------------------------------------------------------------- federation */

#if QH_THREADS
/* Agents claimed for the length of a call. */
typedef struct taken_agents {
    qh_runtime *opened;
    qh_agent **agents;
    uint32_t count;
} taken_agents;

static void give_agents_back(const taken_agents *taken) {
    for (uint32_t i = 0; i < taken->count; i++)
        qh__claim_end_passing(taken->opened, taken->agents[i]->handle);
}

#define AGENTS_OR_RETURN(opened, count, agents)                                                    \
    __attribute__((cleanup(give_agents_back))) taken_agents taken = {0};                           \
    QH_TRY(agents_in_transfer(opened, count, agents, &taken))
#define TAKEN , taken_agents *taken
#else
#define AGENTS_OR_RETURN(opened, count, agents) QH_TRY(agents_in_transfer(opened, count, agents))
#define TAKEN
#endif

/* Looks up the agents whose handles are in the transfer buffer, 8 bytes each, in place. numbers[0]: which is at fault. */
static qh_result agents_in_transfer(qh_runtime *opened, uint32_t count, qh_agent ***agents TAKEN) {
    size_t byte_count;
    unsigned char *bytes = qh__transfer(&byte_count);
    if (!bytes || count > byte_count / 8) return QH_INVALID_ARGUMENT;
    *agents = (qh_agent **)(void *)bytes;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t handle;
        memcpy(&handle, bytes + 8 * (size_t)i, sizeof handle);
        qh__io.numbers[0] = i;
#if QH_THREADS
        QH_TRY(qh__claim_passing(opened, handle));
#endif
        qh_agent *agent = qh_runtime_agent(opened, handle);
        if (!agent) return QH_STALE_HANDLE;
        (*agents)[i] = agent;
#if QH_THREADS
        *taken = (taken_agents){opened, *agents, i + 1};
#endif
    }
    return QH_OK;
}

/* Copies what the agents in the transfer buffer have learned, `age` ago. numbers[0]: which is at fault. */
EXPORT(int32_t, qh_federation_add, (uint32_t count, double age)) {
    OPENED_OR_RETURN;
    qh_agent **agents;
    uint32_t at_fault;
    AGENTS_OR_RETURN(opened, count, &agents);
    qh_result result = qh_federation_accumulate(&opened->federation, agents, count, age, &at_fault);
    qh__io.numbers[0] = at_fault;
    return result;
}

/* The same for the delta in the transfer buffer. */
EXPORT(int32_t, qh_federation_read, (double age)) {
    OPENED_OR_RETURN;
    size_t byte_count;
    const unsigned char *bytes = qh__transfer(&byte_count);
    if (!bytes) return QH_INVALID_STATE;
    return qh_federation_accumulate_delta(&opened->federation, bytes, byte_count, age);
}

/* Puts the delta of the agents in the transfer buffer in their place: its address and size in numbers. */
EXPORT(int32_t, qh_federation_write, (uint32_t count, uint32_t all)) {
    OPENED_OR_RETURN;
    qh_agent **agents;
    size_t byte_count;
    void *bytes;
    AGENTS_OR_RETURN(opened, count, &agents);
    QH_TRY(qh_delta_size(agents, count, all != 0, &byte_count));
    QH_TRY(qh_heap_alloc(&opened->memory.heap, QH_SCRATCH_OWNER(opened), byte_count,
                         QH_BLOCK_buffer, &bytes));
    qh_delta_write(agents, count, all != 0, bytes);
#if QH_THREADS
    give_agents_back(&taken); /* their list goes with the buffer */
    taken.count = 0;
#endif
    qh__transfer_replace(bytes, byte_count);
    return QH_OK;
}

/* numbers: groups, rows, contributions rejected, clipped, values with noise. */
EXPORT(int32_t, qh_federation_unite,
       (uint32_t across, uint32_t rule, double trim, double visit_cap, double clip, double sigma,
        uint32_t seed_low, uint32_t seed_high)) {
    OPENED_OR_RETURN;
    qh_merge_def def = {
        across, rule, trim, visit_cap, clip, sigma, (uint64_t)seed_high << 32 | seed_low};
    qh_merge_report report;
    QH_TRY(qh_federation_merge(&opened->federation, &def, &report));
    double *numbers = qh__io.numbers;
    numbers[0] = report.groups;
    numbers[1] = report.rows;
    numbers[2] = report.rejected;
    numbers[3] = report.clipped;
    numbers[4] = report.noisy;
    return QH_OK;
}

/* Writes what was merged into the agents in the transfer buffer: into how many. numbers[0]: which is at fault. */
EXPORT(int32_t, qh_federation_give, (uint32_t count)) {
    OPENED_OR_RETURN;
    qh_agent **agents;
    uint32_t applied, at_fault;
    AGENTS_OR_RETURN(opened, count, &agents);
    qh_result result = qh_federation_apply(&opened->federation, agents, count, &applied, &at_fault);
    qh__io.numbers[0] = at_fault;
    return result == QH_OK ? (int32_t)applied : result;
}

EXPORT(int32_t, qh_federation_end, (uint32_t keep_merged)) {
    OPENED_OR_RETURN;
    return qh_federation_clear(&opened->federation, keep_merged != 0);
}

/* Sets the quota, unless `quota_bytes` is 0. numbers: contributions, merged groups, bytes, quota. */
EXPORT(int32_t, qh_federation_info, (uint32_t quota_bytes)) {
    OPENED_OR_RETURN;
    qh_federation *federation = &opened->federation;
    QH_HOLD(federation_held, federation);
    if (quota_bytes) federation->owner.quota_bytes = quota_bytes;
    double *numbers = qh__io.numbers;
    numbers[0] = federation->count;
    numbers[1] = federation->merged.count;
    numbers[2] = (double)federation->owner.live_bytes;
    numbers[3] = (double)federation->owner.quota_bytes;
    return QH_OK;
}

/* ---------------------------------------------------------------- messages */

/* Collects the handles of all agents of a category but one, or counts them where there is no room. */
static QH_NOINLINE uint32_t agents_of_category(const qh_runtime *opened, uint64_t category,
                                               uint32_t but, qh_handle *handles) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < opened->slot_count; i++) {
        const qh_slot *slot = qh__slot_at(opened, i);
        const qh_agent *agent = slot->object;
        if (qh__slot_kind(slot) != QH_SLOT_AGENT || agent->category != category ||
            agent->handle == but)
            continue;
        if (handles) handles[count] = agent->handle;
        count++;
    }
    return count;
}

static qh_result broadcast(qh_runtime *opened, qh_message_def *def, uint64_t category) {
    def->receivers = agents_of_category(opened, category, def->from, NULL);
    if (def->receivers == 0) return QH_INVALID_ARGUMENT;
    qh_heap *heap = &opened->memory.heap;
    qh_owner *owner = QH_SCRATCH_OWNER(opened);
    size_t byte_count = def->receivers * sizeof(qh_handle);
    void *handles;
    QH_TRY(qh_heap_alloc(heap, owner, byte_count, QH_BLOCK_buffer, &handles));
    agents_of_category(opened, category, def->from, handles);
    def->to = handles;
    qh_result result = qh_messages_send(&opened->messages, def);
    qh_heap_free(heap, owner, handles, byte_count);
    return result;
}

#if QH_THREADS
static bool receiver_lives(const void *opened, qh_handle agent) {
    return qh__is_named(opened, agent, QH_SLOT_AGENT);
}

/* Whoever destroys the receiver ends its name and drops what waits for it under the lock under which that is looked up here. */
static qh_result send_one(qh_runtime *opened, uint32_t from, uint32_t to, uint32_t length) {
    if (!receiver_lives(opened, to)) return QH_STALE_HANDLE;
    if (length > QH_MESSAGE_PAYLOAD) return QH_INVALID_ARGUMENT;
    qh_message_def def = {from, &to, 1, qh__io.text, length, receiver_lives, opened};
    return qh_messages_send(&opened->messages, &def);
}
#endif

/* Sends the first `length` bytes of `io.text` to an agent, or (`to` 0) to all others of a category. */
EXPORT(int32_t, qh_message_send,
       (uint32_t from, uint32_t to, uint32_t category_low, uint32_t category_high,
        uint32_t length)) {
    OPENED_OR_RETURN;
#if QH_THREADS
    QH_CLAIM(agent_claim);
    QH_TRY(qh__claim(opened, from, QH_SLOT_AGENT, &agent_claim));
    if (to) return send_one(opened, from, to, length);
    QH_HOLD_REGISTRY(opened); /* nobody of the category goes meanwhile */
#endif
    if (!qh_runtime_agent(opened, from) || (to && !qh_runtime_agent(opened, to)))
        return QH_STALE_HANDLE;
    if (length > QH_MESSAGE_PAYLOAD) return QH_INVALID_ARGUMENT;
    qh_message_def def = {
        .from = from, .to = &to, .receivers = 1, .payload = qh__io.text, .byte_count = length};
    return to ? qh_messages_send(&opened->messages, &def)
              : broadcast(opened, &def, (uint64_t)category_high << 32 | category_low);
}

#if QH_THREADS
/* The length of the oldest message for an agent, which is taken out, -1 where there is none. numbers: address of its bytes (in `io.text`, where
 * no other thread changes them), sender. */
EXPORT(int32_t, qh_message_next, (uint32_t handle)) {
    OPENED_OR_RETURN;
    QH_CLAIM(agent_claim);
    const qh_message *message;
    QH_TRY(qh__claim(opened, handle, QH_SLOT_AGENT, &agent_claim));
    QH_TRY(qh_messages_peek(&opened->messages, handle, &message));
    if (!message) return -1;
    uint32_t length =
        message->byte_count; /* it is the receiver's, which is claimed: nobody else takes it */
    memcpy(qh__io.text, message->payload, length);
    qh__io.numbers[0] = (double)(uintptr_t)qh__io.text;
    qh__io.numbers[1] = message->from;
    QH_TRY(qh_messages_take(&opened->messages, handle));
    return (int32_t)length;
}

/* Nothing: qh_message_next has done it. */
EXPORT(int32_t, qh_message_take, (uint32_t handle)) {
    OPENED_OR_RETURN;
    return qh__is_named(opened, handle, QH_SLOT_AGENT) ? QH_OK : QH_STALE_HANDLE;
}
#else
/* The length of the oldest message for an agent, -1 where there is none. numbers: address of its bytes, sender. */
EXPORT(int32_t, qh_message_next, (uint32_t handle)) {
    OPENED_OR_RETURN;
    if (!qh_runtime_agent(opened, handle)) return QH_STALE_HANDLE;
    const qh_message *message;
    QH_TRY(qh_messages_peek(&opened->messages, handle, &message));
    if (!message) return -1;
    qh__io.numbers[0] = (double)(uintptr_t)message->payload;
    qh__io.numbers[1] = message->from;
    return (int32_t)message->byte_count;
}

/* Takes it out. */
EXPORT(int32_t, qh_message_take, (uint32_t handle)) {
    OPENED_OR_RETURN;
    return qh_messages_take(&opened->messages, handle);
}
#endif

/* numbers: deliveries that wait, that may, messages that wait, sent, received, refused. */
EXPORT(int32_t, qh_message_info, (void)) {
    OPENED_OR_RETURN;
    qh_messages *messages = &opened->messages;
    double *numbers = qh__io.numbers;
    QH_ENTER(messages);
    numbers[0] = messages->length;
    numbers[1] = messages->capacity;
    numbers[2] = messages->blocks;
    numbers[3] = messages->sent;
    numbers[4] = messages->received;
    numbers[5] = messages->refused;
    return QH_LEAVE(messages, QH_OK);
}

/* ---------------------------------------------------------------- metrics */

/* The number of the series named by the first `length` bytes of `io.text`, made if there is none. */
EXPORT(int32_t, qh_series_find, (uint32_t length)) {
    OPENED_OR_RETURN;
    uint32_t number;
    if (length > QH_SERIES_NAME) return QH_INVALID_ARGUMENT;
    QH_TRY(qh_metrics_find(&opened->metrics, (qh_text){qh__io.text, length}, &number));
    return (int32_t)number;
}

EXPORT(int32_t, qh_series_count, (uint32_t number, double value)) {
    OPENED_OR_RETURN;
    return qh_metrics_count(&opened->metrics, number, value);
}

/* numbers: count, sum, least, greatest, 50 %, 90 % and 99 % quantile, octaves, address and length of the name. */
EXPORT(int32_t, qh_series_read, (uint32_t number)) {
    OPENED_OR_RETURN;
    qh_metrics_store *metrics = &opened->metrics;
    QH_ENTER_TO_READ(metrics);
    if (number >= metrics->series_count) return QH_LEAVE_READING(metrics, QH_INVALID_ARGUMENT);
    const qh_series *series = &metrics->series[number];
    double *numbers = qh__io.numbers;
    numbers[0] = series->count;
    numbers[1] = series->sum;
    numbers[2] = series->least;
    numbers[3] = series->greatest;
    numbers[4] = qh_series_quantile(series, 0.5);
    numbers[5] = qh_series_quantile(series, 0.9);
    numbers[6] = qh_series_quantile(series, 0.99);
    numbers[7] = series->octave_count;
#if QH_THREADS
    memcpy(qh__io.text, series->name, series->name_length); /* the series may move */
    numbers[8] = (double)(uintptr_t)qh__io.text;
#else
    numbers[8] = (double)(uintptr_t)series->name;
#endif
    numbers[9] = series->name_length;
    return QH_LEAVE_READING(metrics, QH_OK);
}

/* numbers: the greatest value of octave `index` of a series, and how many values are in it. */
EXPORT(int32_t, qh_series_octave, (uint32_t number, uint32_t index)) {
    OPENED_OR_RETURN;
    qh_metrics_store *metrics = &opened->metrics;
    QH_ENTER_TO_READ(metrics);
    if (number >= metrics->series_count || index >= metrics->series[number].octave_count)
        return QH_LEAVE_READING(metrics, QH_INVALID_ARGUMENT);
    qh__io.numbers[0] = qh_octave_end(&metrics->series[number].octaves[index]);
    qh__io.numbers[1] = qh_octave_count(&metrics->series[number].octaves[index]);
    return QH_LEAVE_READING(metrics, QH_OK);
}

/* numbers: actions, learning steps, episodes, sum of rewards, sum of |TD errors| of all agents that ever were; states of those there
 * are, and their number. */
EXPORT(int32_t, qh_metrics_sum, (void)) {
    OPENED_OR_RETURN;
    QH_HOLD_REGISTRY(opened); /* nobody is destroyed or reset meanwhile; all go on learning */
    qh_agent_metrics sum = opened->metrics.retired;
    double states = 0, *numbers = qh__io.numbers;
    for (uint32_t i = 0; i < opened->slot_count; i++) {
        const qh_agent *agent = qh__slot_at(opened, i)->object;
        if (qh__slot_kind(qh__slot_at(opened, i)) != QH_SLOT_AGENT) continue;
        qh_metrics_add(&sum, &agent->metrics);
        states += QH_CELL(&agent->table.rows);
    }
    numbers[0] = sum.action_count;
    numbers[1] = sum.learning_steps;
    numbers[2] = sum.episodes;
    numbers[3] = sum.reward_sum;
    numbers[4] = sum.td_error_sum;
    numbers[5] = states;
    numbers[6] = opened->agent_count;
    return QH_OK;
}

/* numbers: how often lock `index` (qh_lock_id) was taken, how often not at once, the longest wait in milliseconds. Without threads there are
 * no locks: zeros. */
EXPORT(int32_t, qh_lock_read, (uint32_t index)) {
    OPENED_OR_RETURN;
    if (index >= QH_LOCK_COUNT) return QH_INVALID_ARGUMENT;
    qh__io.numbers[0] = qh__io.numbers[1] = qh__io.numbers[2] = 0;
#if QH_THREADS
    const qh_mutex *lock = qh_runtime_lock(opened, index);
    if (!lock) return QH_OK;
    qh_lock_counters counters = index == QH_LOCK_METRICS ? qh_rwlock_counters(&opened->metrics.lock)
                                                         : qh_mutex_counters(lock);
    qh__io.numbers[0] = (double)counters.acquired;
    qh__io.numbers[1] = (double)counters.contended;
    qh__io.numbers[2] = (double)counters.longest_wait_ms;
#endif
    return QH_OK;
}

#endif
