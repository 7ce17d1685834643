/* What JavaScript must know of the core's layout. Compiled to a module of its own, which the package's build runs once to write
 * its tables of offsets, codes and limits (so nothing is typed twice); the shipped module carries none of it. */
#include "wasm/io.h"

#if defined(__wasm__)

typedef struct entry {
    char name[44];
    uint32_t value;
} entry;

#define ENTRY(name, value) {name, (uint32_t)(value)},
#define IO(field) ENTRY("io." #field, offsetof(qh_io, field))
#define DEF(field) ENTRY("def." #field, offsetof(qh_io, def) + offsetof(qh_agent_def, field))
#define SCHEDULE(field) ENTRY("schedule." #field, offsetof(qh_schedule, field))
#define DIM(field) ENTRY("dim." #field, offsetof(qh_dim, field))
#define RESULT(name, value, meaning) ENTRY("result." #name, -(value))
#define BLOCK_KIND(name) ENTRY("block." #name, QH_BLOCK_##name)
#define OWNER_KIND(name) ENTRY("owner." #name, QH_OWNER_##name)
#define CHANGE_FIELD(name) ENTRY("change." #name, offsetof(qh_change, name) / sizeof(double))
#define ZONE_STATUS(name) ENTRY("change_status." #name, QH_CHANGE_##name)
#define ZONE_REASON(name) ENTRY("change_reason." #name, QH_REASON_##name)

#define THREAD(field) ENTRY("thread." #field, offsetof(qh_thread, field))
#define PLACE(name, value) ENTRY("place." name, value)

/* clang-format off */
static const entry abi[] = {
    IO(observation) IO(next) IO(numbers) IO(values) IO(counts) IO(mask) IO(text) IO(dims) IO(time)
    ENTRY("size.io", sizeof(qh_io)) ENTRY("size.dim", sizeof(qh_dim))
    ENTRY("size.text", QH_IO_TEXT_BYTES) ENTRY("size.numbers", QH_IO_NUMBERS)
    ENTRY("size.page", QH_PAGE_BYTES) ENTRY("limit.actions", QH_MAX_ACTIONS)
    ENTRY("limit.dims", QH_MAX_DIMS) ENTRY("limit.tilings", QH_MAX_TILINGS)
    ENTRY("batch.stride", QH_BATCH_STRIDE)
    ENTRY("limit.hits", QH_KNOWLEDGE_HITS) ENTRY("limit.vector", QH_KNOWLEDGE_DIMS)
    ENTRY("search.fused", QH_SEARCH_FUSED) ENTRY("search.lexical", QH_SEARCH_LEXICAL)
    ENTRY("search.vector", QH_SEARCH_VECTOR) DEF(actions) DEF(algorithm) DEF(rate_visits) DEF(rate)
    DEF(discount) DEF(policy) DEF(tie_break) DEF(exploration) DEF(ucb_c) DEF(initial_value)
    DEF(lambda) DEF(n_step) DEF(planning) DEF(replay_capacity) DEF(replay_kind) DEF(replay_record)
    DEF(propensities) DEF(replay_alpha) DEF(replay_beta) DEF(quota_bytes) DEF(zone)
    DEF(encoder.kind) DEF(encoder.states) DEF(encoder.bits)
    DEF(encoder.tilings) SCHEDULE(start) SCHEDULE(end) SCHEDULE(decay) DIM(min) DIM(max) DIM(bins)
    DIM(trend) ENTRY("encoder.index", QH_ENCODER_INDEX) ENTRY("encoder.bins", QH_ENCODER_BINS)
    ENTRY("encoder.simhash", QH_ENCODER_SIMHASH) ENTRY("encoder.tiles", QH_ENCODER_TILES)
    ENTRY("algorithm.q-learning", QH_Q_LEARNING) ENTRY("algorithm.sarsa", QH_SARSA)
    ENTRY("algorithm.expected-sarsa", QH_EXPECTED_SARSA) ENTRY("algorithm.double-q", QH_DOUBLE_Q)
    ENTRY("policy.greedy", QH_GREEDY) ENTRY("policy.epsilon-greedy", QH_EPSILON_GREEDY)
    ENTRY("policy.softmax", QH_SOFTMAX) ENTRY("policy.ucb", QH_UCB)
    ENTRY("replay.uniform", QH_REPLAY_UNIFORM) ENTRY("replay.prioritized", QH_REPLAY_PRIORITIZED)
    ENTRY("tie.random", QH_TIE_RANDOM) ENTRY("tie.first", QH_TIE_FIRST)
    ENTRY("ending.terminated", QH_TERMINATED) ENTRY("ending.truncated", QH_TRUNCATED)
    ENTRY("flag.greedy", QH_FLAG_GREEDY) ENTRY("flag.mask", QH_FLAG_MASK)
    ENTRY("record.compact", QH_RECORD_COMPACT) ENTRY("record.full", QH_RECORD_FULL)
    ENTRY("flag.probability", QH_FLAG_PROBABILITY) ENTRY("flag.in_place", QH_FLAG_IN_PLACE) ENTRY("pool.state", QH_STATE_BYTES)
    ENTRY("pool.trajectory", QH_TRAJECTORY_BYTES) ENTRY("pool.message", QH_MESSAGE_BYTES)
    ENTRY("metric.cosine", QH_COSINE) ENTRY("metric.l2", QH_L2) ENTRY("metric.ip", QH_IP)
    ENTRY("storage.f32", QH_STORE_F32) ENTRY("storage.i8", QH_STORE_I8_F32)
    ENTRY("storage.i8-only", QH_STORE_I8) ENTRY("walk.chosen", QH_INDEX_CHOSEN)
    ENTRY("walk.scan", QH_INDEX_SCAN) ENTRY("walk.graph", QH_INDEX_GRAPH)
    ENTRY("limit.index_dims", QH_INDEX_MAX_DIMS) ENTRY("limit.index_m", QH_INDEX_MAX_M)
    ENTRY("limit.index_ef", QH_INDEX_MAX_EF) ENTRY("limit.category", QH_INDEX_MAX_CATEGORY)
    ENTRY("size.runtime", sizeof(qh_runtime)) QH_RESULTS(RESULT) QH_BLOCK_KINDS(BLOCK_KIND)
    QH_OWNER_KINDS(OWNER_KIND) QH_ZONE_STATUSES(ZONE_STATUS) QH_ZONE_REASONS(ZONE_REASON)
    ENTRY("flag.time", QH_FLAG_TIME) ENTRY("limit.zones", QH_ZONE_MAX_COUNT)
    ENTRY("limit.rate", QH_ZONE_MAX_RATE) ENTRY("limit.depth", QH_ZONE_JOURNAL)
    ENTRY("limit.audit", QH_ZONE_AUDIT * 8)
    ENTRY("size.replay_chunk", QH_REPLAY_CHUNK)
    ENTRY("rule.robust", QH_MERGE_ROBUST) ENTRY("rule.visit-weighted", QH_MERGE_VISIT_WEIGHTED)
    ENTRY("rule.mean", QH_MERGE_MEAN) ENTRY("rule.median", QH_MERGE_MEDIAN)
    ENTRY("rule.trimmed-mean", QH_MERGE_TRIMMED_MEAN) ENTRY("limit.payload", QH_MESSAGE_PAYLOAD)
    ENTRY("limit.series", QH_SERIES_NAME)
    ENTRY("limit.zone_levels", QH_ZONE_MAX_LEVELS) QH_CHANGE_FIELDS(CHANGE_FIELD)
    ENTRY("size.thread", sizeof(qh_thread)) ENTRY("limit.threads", QH_MAX_THREADS) THREAD(wakes)
    THREAD(state) THREAD(stack_base) THREAD(stack_limit) THREAD(tls) THREAD(terms)
    PLACE("none", QH_PLACE_NONE) PLACE("free", QH_PLACE_FREE) PLACE("taken", QH_PLACE_TAKEN) PLACE("live", QH_PLACE_LIVE)
};
/* clang-format on */

/* The table: 48 bytes an entry, a name of at most 43 characters ended by 0, then a number. */
EXPORT(const void *, qh_abi_address, (void)) {
    return abi;
}

EXPORT(uint32_t, qh_abi_count, (void)) {
    return sizeof abi / sizeof *abi;
}

#endif
