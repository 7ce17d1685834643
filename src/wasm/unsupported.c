/* What a build without the shared rooms (option QHIVE_SHARED off) exports in their place: each of their functions is there and
 * answers QH_UNSUPPORTED, so that the package finds the boundary it knows. They take no arguments: JavaScript may pass more than
 * a function takes.
 *
 * A shared room that lands puts its exports in exports.c between `#if QH_SHARED` and `#endif`, and lists them here. What only they
 * called goes with them: the linker drops it. */
#include "wasm/io.h"

#if !QH_SHARED

#define REFUSED(name)                                                                              \
    int32_t name(void);                                                                            \
    EXPORT(int32_t, name, (void)) {                                                                \
        return QH_UNSUPPORTED;                                                                     \
    }

/* ---- exports of the shared rooms, in the order of exports.txt */

REFUSED(qh_knowledge_info)
REFUSED(qh_knowledge_add)
REFUSED(qh_knowledge_end)
REFUSED(qh_knowledge_drop)
REFUSED(qh_knowledge_entry)
REFUSED(qh_knowledge_source)
REFUSED(qh_knowledge_hits)
REFUSED(qh_knowledge_activation)
REFUSED(qh_knowledge_tie)
REFUSED(qh_index_create)
REFUSED(qh_index_destroy)
REFUSED(qh_index_room)
REFUSED(qh_index_add)
REFUSED(qh_index_insert)
REFUSED(qh_index_end)
REFUSED(qh_index_info)
REFUSED(qh_index_exchange_open)
REFUSED(qh_index_search)
REFUSED(qh_index_write)
REFUSED(qh_index_read)
REFUSED(qh_index_filter)
REFUSED(qh_zones_freeze)
REFUSED(qh_zones_read)
REFUSED(qh_zones_allowed)
REFUSED(qh_zones_propose_for)
REFUSED(qh_apply)
REFUSED(qh_zones_approve_one)
REFUSED(qh_zones_observe_kpi)
REFUSED(qh_zones_next_undone)
REFUSED(qh_zones_reset_all)
REFUSED(qh_zones_audit)
REFUSED(qh_category)
REFUSED(qh_federation_add)
REFUSED(qh_federation_read)
REFUSED(qh_federation_write)
REFUSED(qh_federation_unite)
REFUSED(qh_federation_give)
REFUSED(qh_federation_end)
REFUSED(qh_federation_info)
REFUSED(qh_message_send)
REFUSED(qh_message_next)
REFUSED(qh_message_take)
REFUSED(qh_message_info)
REFUSED(qh_series_find)
REFUSED(qh_series_count)
REFUSED(qh_series_read)
REFUSED(qh_series_octave)
REFUSED(qh_metrics_sum)
REFUSED(qh_lock_read)

#endif
