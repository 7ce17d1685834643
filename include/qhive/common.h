/* What every public header begins with: C linkage, handles, results and the limits of the core. */
#ifndef QHIVE_COMMON_H
#define QHIVE_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qhive/result.h"

/* clang-format off */
#if defined(__cplusplus)
#define QH_BEGIN_DECLARATIONS extern "C" {
#define QH_END_DECLARATIONS }
#else
#define QH_BEGIN_DECLARATIONS
#define QH_END_DECLARATIONS
#endif
/* clang-format on */

/* Names an object of a runtime: 32 bits, positive as a signed number, 0 is none. A handle whose object was destroyed is
 * refused for good (QH_STALE_HANDLE), whatever was made since. */
typedef uint32_t qh_handle;

#define QH_MAX_ACTIONS 1024
#define QH_MAX_DIMS 64
#define QH_MAX_TILINGS 32
#define QH_MASK_WORDS (QH_MAX_ACTIONS / 32)

#endif
