/* Atomic words. One order only, sequential consistency: it is all that wasm has, and what the models in tests/sync prove.
 *
 * Without QH_THREADS these are plain loads and stores. Under QH_MODEL each operation is a point at which a deterministic scheduler
 * may switch to another thread; threads are then fibers of one system thread. */
#ifndef QH_SYNC_ATOMIC_H
#define QH_SYNC_ATOMIC_H

#include "base/platform.h"

#if defined(QH_MODEL)
void qh_model_step(void);
#define QH_ATOMIC_STEP() qh_model_step()
#else
#define QH_ATOMIC_STEP() ((void)0)
#endif

#if QH_THREADS
#define QH_ATOMIC_LOAD(at) __atomic_load_n(at, __ATOMIC_SEQ_CST)
#define QH_ATOMIC_STORE(at, value) __atomic_store_n(at, value, __ATOMIC_SEQ_CST)
#define QH_ATOMIC_ADD(at, value) __atomic_fetch_add(at, value, __ATOMIC_SEQ_CST)
#define QH_ATOMIC_SWAP(at, expected, value)                                                        \
    __atomic_compare_exchange_n(at, expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#else
#define QH_ATOMIC_LOAD(at) (*(at))
#define QH_ATOMIC_STORE(at, value) ((void)(*(at) = (value)))
#define QH_ATOMIC_ADD(at, value) ((*(at) += (value)) - (value))
#define QH_ATOMIC_SWAP(at, expected, value)                                                        \
    (*(at) == *(expected) ? (*(at) = (value), true) : (*(expected) = *(at), false))
#endif

QH_INLINE uint32_t qh__atomic_load(const uint32_t *at) {
    QH_ATOMIC_STEP();
    return QH_ATOMIC_LOAD(at);
}

QH_INLINE uint64_t qh__atomic_load64(const uint64_t *at) {
    QH_ATOMIC_STEP();
    return QH_ATOMIC_LOAD(at);
}

QH_INLINE void qh__atomic_store(uint32_t *at, uint32_t value) {
    QH_ATOMIC_STEP();
    QH_ATOMIC_STORE(at, value);
}

/* Adds, and returns what was there before. */
QH_INLINE uint32_t qh__atomic_add(uint32_t *at, uint32_t value) {
    QH_ATOMIC_STEP();
    return QH_ATOMIC_ADD(at, value);
}

/* Puts `value` where `*expected` is; otherwise reads what is there into `*expected` and returns false. */
QH_INLINE bool qh__atomic_swap(uint32_t *at, uint32_t *expected, uint32_t value) {
    QH_ATOMIC_STEP();
    return QH_ATOMIC_SWAP(at, expected, value);
}

/* A number that one thread changes (whoever has claimed or locked what it belongs to) and any thread may read meanwhile: neither ordered nor
 * exchanged, just not torn. In wasm that is what an aligned access is on every machine of 64 bits, and an atomic store would cost as much as
 * an exchange. */
#if QH_THREADS && !defined(__wasm__)
#define QH_CELL(at)                                                                                \
    __extension__({                                                                                \
        __typeof__((__typeof__(*(at)))*(at)) cell_;                                                \
        __atomic_load((at), &cell_, __ATOMIC_RELAXED);                                             \
        cell_;                                                                                     \
    })
#define QH_CELL_SET(at, value)                                                                     \
    do {                                                                                           \
        __typeof__(*(at)) cell_ = (value);                                                         \
        __atomic_store((at), &cell_, __ATOMIC_RELAXED);                                            \
    } while (0)
#define QH_CELL_ADD(at, value) QH_CELL_SET(at, *(at) + (value))
#else
#define QH_CELL(at) (*(at))
#define QH_CELL_SET(at, value) ((void)(*(at) = (value)))
#define QH_CELL_ADD(at, value) ((void)(*(at) += (value)))
#endif

QH_INLINE bool qh__atomic_swap64(uint64_t *at, uint64_t *expected, uint64_t value) {
    QH_ATOMIC_STEP();
    return QH_ATOMIC_SWAP(at, expected, value);
}

#endif
