/* Handles: 32 bits, positive as a signed number: generation (15 bits) over slot (16 bits). 0 is null.
 * A slot's generation grows at every free; a slot whose generation would wrap is retired, so that a
 * stale handle can never come to name another object. Checked in every build at every export. */
#ifndef QH_BASE_HANDLE_H
#define QH_BASE_HANDLE_H

#include "base/platform.h"

#define QH_HANDLE_SLOTS 0x10000u
#define QH_HANDLE_LAST_GENERATION 0x7FFFu

QH_INLINE uint32_t qh__handle_slot(qh_handle handle) {
    return handle & 0xFFFFu;
}

QH_INLINE uint32_t qh__handle_generation(qh_handle handle) {
    return handle >> 16;
}

QH_INLINE qh_handle qh__handle_make(uint32_t slot, uint32_t generation) {
    return generation << 16 | slot;
}

#endif
