/* Tables as bytes: what an agent learned, to keep or to give to another of the same configuration.
 *
 * Little-endian, no padding:
 *   0  "QHTB"          4  version (1)        8  configuration hash (64 bits)
 *   16 actions         20 tables (1 or 2)    24 rows              28 CRC-32C of all bytes, this field as 0
 *   32 rows: key (64 bits), then for each table `actions` float32 values, then `actions` uint32 visit counts
 * Rows come in the order in which they were first learned from. Nothing of the agent's chance, replay or episode is in it. */
#ifndef QH_LEARN_TRANSFER_H
#define QH_LEARN_TRANSFER_H

#include "learn/agent.h"

/* Bytes that `qh_agent_export` writes. QH_OVERFLOW when their number does not fit a size. */
qh_result qh_agent_export_size(const qh_agent *agent, size_t *byte_count);

/* Writes the table into `bytes`, which has room for all of it. */
void qh_agent_export(const qh_agent *agent, unsigned char *bytes);

/* Replaces the table by the one in `bytes`. QH_VERSION for another version; QH_CORRUPT for anything damaged, cut, of another
 * configuration, or holding what no table can hold (a value that is not finite, a key twice, keys that fall into one bucket); QH_QUOTA_EXCEEDED when both
 * tables do not fit the quota at once. Nothing has changed then. */
qh_result qh_agent_import(qh_agent *agent, const unsigned char *bytes, size_t byte_count);

#endif
