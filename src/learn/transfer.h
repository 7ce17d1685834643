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

/* Declared in qhive/agent.h: qh_agent_export_size, qh_agent_export, qh_agent_import, qh_table_inspect. */

#endif
