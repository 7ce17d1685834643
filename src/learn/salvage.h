/* Agents of a thread that has died: whole, or to be made anew. With the memory lock held; nothing without QH_THREADS. */
#ifndef QH_LEARN_SALVAGE_H
#define QH_LEARN_SALVAGE_H

#include "learn/agent.h"
#include "memory/salvage.h"

#if QH_THREADS

/* Whether what an agent cannot be made anew without is there: its block, and all that it got when it was made. Reads nothing that has no record. */
bool qh__agent_has_core(const qh_memory *memory, const qh_agent *agent, qh_handle handle);

/* Whether everything an agent points to is its own and what it says, its books are what the records say, and its table and memory of
 * transitions are sound; for one that has its core. Reads nothing that has no record. */
bool qh__agent_is_whole(const qh_memory *memory, const qh_agent *agent);

/* Ends the episode of an agent that is whole but was being changed: it begins anew. */
void qh__agent_mend(qh_agent *agent);

/* Gives back all but the core and forgets what was learned: as qh_agent_reset, whatever state it is in. */
void qh__agent_rebuild(qh_memory *memory, qh_agent *agent);

/* Whether the blocks of a table are the owner's, and every entry and link leads to a row or bucket, so that it can be validated. */
bool qh__table_is_whole(const qh_table *table, qh_survey *survey);

#endif
#endif
