/* The exports of the module, for those that call them from C: each is described where it is defined. Their definitions are checked
 * against this. */
#ifndef QH_WASM_EXPORTS_H
#define QH_WASM_EXPORTS_H

#include "base/platform.h"

/* The runtime, agents, batches (exports.c) */
void *qh_io_address(void);
const char *qh_version_address(void);
#if QH_THREADS
int32_t qh_open(uint32_t max_pages, uint32_t initial_pages, uint32_t seed_low, uint32_t seed_high,
                uint32_t state, uint32_t trajectory, uint32_t message, uint32_t track,
                uint32_t places, uint32_t may_sleep);
#else
int32_t qh_open(uint32_t max_pages, uint32_t initial_pages, uint32_t seed_low, uint32_t seed_high,
                uint32_t state, uint32_t trajectory, uint32_t message, uint32_t track);
#endif
int32_t qh_agent_create(uint32_t name_length, uint32_t dim_count);
int32_t qh_agent_destroy(uint32_t handle);
void *qh_agent_input_address(uint32_t handle);
int32_t qh_begin(uint32_t handle, double state, uint32_t flags);
int32_t qh_step(uint32_t handle, double reward, double state, uint32_t ending, double time,
                uint32_t flags);
int32_t qh_act(uint32_t handle, double state, uint32_t flags);
double qh_learn(uint32_t handle, double state, uint32_t action, double reward, double next_state,
                uint32_t ending, int32_t next_action, double time, uint32_t flags);
int32_t qh_recall(uint32_t handle, uint32_t index);
double qh_replay_many(uint32_t handle, uint32_t count);
int32_t qh_encode(uint32_t handle, double state, uint32_t flags);
int32_t qh_q_values(uint32_t handle, double state, uint32_t flags);
int32_t qh_visits(uint32_t handle, double state, uint32_t flags);
int32_t qh_probabilities(uint32_t handle, double state, uint32_t flags);
int32_t qh_metrics(uint32_t handle);
int32_t qh_agent_memory(uint32_t handle);
int32_t qh_reset(uint32_t handle);
int32_t qh_hash(uint32_t handle);
int32_t qh_transfer_close(void);
int32_t qh_transfer_open(uint32_t byte_count);
int32_t qh_export(uint32_t handle);
int32_t qh_import(uint32_t handle);
int32_t qh_batch_open(uint32_t count);
int32_t qh_batch_check(uint32_t handle);
int32_t qh_batch_free(uint32_t handle);
int32_t qh_batch_begin_all(uint32_t handle, double time);
int32_t qh_batch_step_all(uint32_t handle, double time);
int32_t qh_batch_act_all(uint32_t handle, uint32_t flags, double time);

/* Locks, with threads (locks.c) */
int32_t qh_lock_enroll(uint32_t id, double waited_ms);
int32_t qh_lock_withdraw(uint32_t id);
int32_t qh_lock_release(uint32_t id);

/* Memory and its books (memory.c) */
int32_t qh_memory_info(void);
int32_t qh_memory_pool(uint32_t index);
int32_t qh_memory_owner(uint32_t index);
int32_t qh_memory_growth(uint32_t index);
int32_t qh_memory_record(uint32_t index);
int32_t qh_memory_shared(uint32_t index);
int32_t qh_validate(void);

/* Threads (threads.c) */
const void *qh_threads_address(void);
int32_t qh_thread_begin(uint32_t place, uint32_t may_sleep);
int32_t qh_thread_end(void);
int32_t qh_agent_claim(uint32_t handle);
int32_t qh_agent_release(uint32_t handle);
int32_t qh_agent_owner(uint32_t handle);
int32_t qh_changes(void);
int32_t qh_agent_at(uint32_t number);
int32_t qh_note_set(uint32_t handle, uint32_t key, uint32_t byte_count);
int32_t qh_note_get(uint32_t handle, uint32_t key);
int32_t qh_recover(uint32_t number);
int32_t qh_recovered(uint32_t index);

/* What builds without the shared rooms refuse (unsupported.c): knowledge and zones (exports.c), vector indexes (index.c), federation, messages,
 * metrics (rooms.c) */
#if QH_SHARED
int32_t qh_knowledge_info(void);
int32_t qh_knowledge_add(void);
int32_t qh_knowledge_end(void);
int32_t qh_knowledge_drop(void);
int32_t qh_knowledge_entry(uint32_t length);
int32_t qh_knowledge_source(uint32_t entry);
int32_t qh_knowledge_hits(uint32_t hits, uint32_t mode, uint32_t category_length, int32_t like);
int32_t qh_knowledge_activation(uint32_t wanted);
int32_t qh_knowledge_tie(uint32_t handle, uint32_t entry);
int32_t qh_zones_freeze(uint32_t zone_count, uint32_t trigger_count, uint32_t audit_bytes,
                        double back_off_ms, double max_back_off_ms);
int32_t qh_zones_read(uint32_t number);
int32_t qh_zones_allowed(uint32_t number, double to, double time);
int32_t qh_zones_propose_for(uint32_t handle, uint32_t number, double to, double time);
int32_t qh_apply(uint32_t handle, uint32_t action, double time);
int32_t qh_zones_approve_one(double sequence, double time);
int32_t qh_zones_observe_kpi(uint32_t kpi, double value, double time);
int32_t qh_zones_next_undone(uint32_t place);
int32_t qh_zones_reset_all(double time);
int32_t qh_zones_audit(uint32_t first);
int32_t qh_index_create(uint32_t dims, uint32_t metric, uint32_t m, uint32_t ef_construction,
                        uint32_t storage, uint32_t seed_low, uint32_t seed_high, uint32_t seeded);
int32_t qh_index_destroy(uint32_t handle);
int32_t qh_index_room(uint32_t handle, uint32_t count);
int32_t qh_index_add(uint32_t handle, uint32_t count);
int32_t qh_index_insert(uint32_t handle, uint32_t count);
int32_t qh_index_end(uint32_t handle);
int32_t qh_index_info(uint32_t handle);
int32_t qh_index_exchange_open(uint32_t handle, uint32_t query_count, uint32_t k,
                               uint32_t with_bits);
int32_t qh_index_search(uint32_t handle, uint32_t query_count, uint32_t k, uint32_t ef,
                        uint32_t mode, uint32_t filter, int32_t category);
int32_t qh_index_filter(uint32_t handle);
int32_t qh_index_write(uint32_t handle);
int32_t qh_index_read(void);
int32_t qh_category(uint32_t handle, uint32_t length);
int32_t qh_federation_add(uint32_t count, double age);
int32_t qh_federation_read(double age);
int32_t qh_federation_write(uint32_t count, uint32_t all);
int32_t qh_federation_unite(uint32_t across, uint32_t rule, double trim, double visit_cap,
                            double clip, double sigma, uint32_t seed_low, uint32_t seed_high);
int32_t qh_federation_give(uint32_t count);
int32_t qh_federation_end(uint32_t keep_merged);
int32_t qh_federation_info(uint32_t quota_bytes);
int32_t qh_message_send(uint32_t from, uint32_t to, uint32_t category_low, uint32_t category_high,
                        uint32_t length);
int32_t qh_message_next(uint32_t handle);
int32_t qh_message_take(uint32_t handle);
int32_t qh_message_info(void);
int32_t qh_series_find(uint32_t length);
int32_t qh_series_count(uint32_t number, double value);
int32_t qh_series_read(uint32_t number);
int32_t qh_series_octave(uint32_t number, uint32_t index);
int32_t qh_metrics_sum(void);
int32_t qh_lock_read(uint32_t index);
#endif

/* The layout, in a module of its own (abi.c) */
const void *qh_abi_address(void);
uint32_t qh_abi_count(void);

#endif
