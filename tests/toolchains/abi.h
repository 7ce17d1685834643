/* What C and C++ must agree on: X(what, value), sizes and offsets of every public struct, and the values of constants. */
#ifndef TOOLCHAINS_ABI_H
#define TOOLCHAINS_ABI_H

#include <stddef.h>

#include "qhive/qhive.h"

#define SIZE(X, type)                                                                              \
    X("size of " #type, sizeof(type)) X("alignment of " #type, QH_TEST_ALIGNOF(type))
#define FIELD(X, type, field) X(#type "." #field, offsetof(type, field))

#if defined(__cplusplus)
#define QH_TEST_ALIGNOF(type) alignof(type)
#else
#define QH_TEST_ALIGNOF(type) _Alignof(type)
#endif

/* clang-format off */
#define ABI(X)                                                                                     \
    SIZE(X, bool) SIZE(X, qh_result) SIZE(X, qh_handle)                                            \
    SIZE(X, qh_dim) FIELD(X, qh_dim, max) FIELD(X, qh_dim, bins) FIELD(X, qh_dim, trend)           \
    SIZE(X, qh_encoder_def) FIELD(X, qh_encoder_def, dim_count) FIELD(X, qh_encoder_def, dims)     \
    SIZE(X, qh_schedule) FIELD(X, qh_schedule, decay)                                              \
    SIZE(X, qh_agent_def) FIELD(X, qh_agent_def, encoder) FIELD(X, qh_agent_def, rate)             \
    FIELD(X, qh_agent_def, exploration) FIELD(X, qh_agent_def, replay_alpha)                       \
    FIELD(X, qh_agent_def, quota_bytes) FIELD(X, qh_agent_def, zones) FIELD(X, qh_agent_def, zone) \
    FIELD(X, qh_agent_def, deltas)                                                                 \
    SIZE(X, qh_observation) FIELD(X, qh_observation, state)                                        \
    SIZE(X, qh_experience) FIELD(X, qh_experience, reward) FIELD(X, qh_experience, ending)         \
    FIELD(X, qh_experience, time)                                                                  \
    SIZE(X, qh_agent_metrics) SIZE(X, qh_agent_info) FIELD(X, qh_agent_info, metrics)              \
    SIZE(X, qh_table_info) FIELD(X, qh_table_info, rows)                                           \
    SIZE(X, qh_runtime_def) FIELD(X, qh_runtime_def, seed) FIELD(X, qh_runtime_def, pools)         \
    FIELD(X, qh_runtime_def, track_allocations)                                                    \
    SIZE(X, qh_runtime_info) FIELD(X, qh_runtime_info, live_bytes)                                 \
    SIZE(X, qh_batch_rows) FIELD(X, qh_batch_rows, actions) FIELD(X, qh_batch_rows, time)          \
    SIZE(X, qh_index_def) FIELD(X, qh_index_def, seed)                                             \
    SIZE(X, qh_index_details) FIELD(X, qh_index_details, live_bytes)                               \
    SIZE(X, qh_change) FIELD(X, qh_change, values) SIZE(X, qh_zone_def) SIZE(X, qh_trigger_def)    \
    SIZE(X, qh_zones_def) FIELD(X, qh_zones_def, max_back_off_ms)                                  \
    SIZE(X, qh_proposal) FIELD(X, qh_proposal, values) FIELD(X, qh_proposal, value_count)          \
    X("QH_UNSUPPORTED", 100 + QH_UNSUPPORTED) X("QH_DOUBLE_Q", QH_DOUBLE_Q) X("QH_UCB", QH_UCB)    \
    X("QH_ENCODER_TILES", QH_ENCODER_TILES) X("QH_POOL_COUNT", QH_POOL_COUNT)                      \
    X("QH_STORE_I8", QH_STORE_I8) X("QH_CHANGE_rolled_back", QH_CHANGE_rolled_back)                \
    X("QH_REASON_keep", QH_REASON_keep) X("QH_CHANGE_NUMBERS", QH_CHANGE_NUMBERS)
/* clang-format on */

#if defined(__cplusplus)
extern "C" {
#endif
/* The numbers as C sees them, and how many there are. */
extern const size_t abi_of_c[];
extern const size_t abi_of_c_count;
#if defined(__cplusplus)
}
#endif

#endif
