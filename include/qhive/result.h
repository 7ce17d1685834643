/* Results: every way a qhive call can fail, in one table.
 *
 * What the world does (no memory, a stale handle, bad bytes) is returned as a `qh_result`; what only a
 * programmer inside the core can do wrong asserts and traps. After a failure nothing has changed.
 * The JavaScript names (`QhiveError.code`) are generated from this table: never type them twice. */
#ifndef QHIVE_RESULT_H
#define QHIVE_RESULT_H

/* X(name, value, meaning). -1 is left out: it is QH_NO_ACTION where a call returns an action. */
#define QH_RESULTS(X)                                                                              \
    X(OVERFLOW, -2, "page arithmetic overflows")                                                   \
    X(EXCEEDS_LIMIT, -3, "growth would pass the page budget")                                      \
    X(GROWTH_FAILED, -4, "the engine refused to grow the memory")                                  \
    X(QUOTA_EXCEEDED, -5, "the owner's memory quota is spent")                                     \
    X(STALE_HANDLE, -6, "the object behind the handle was destroyed")                              \
    X(INVALID_ARGUMENT, -7, "an argument has the wrong type, range or length, or is not a number") \
    X(INVALID_STATE, -8, "the call is right, the moment is not")                                   \
    X(BUSY, -9, "the object is exclusively borrowed")                                              \
    X(CORRUPT, -10, "the bytes given are damaged")                                                 \
    X(VERSION, -11, "the bytes are of another, unsupported version")                               \
    X(SAFE_ZONE, -12, "the change leaves its safe zone, or comes too soon")                        \
    X(UNSUPPORTED, -13, "this build or engine lacks what was asked for")

typedef enum qh_result {
    QH_OK = 0,
#define QH_RESULT_ENUM(name, value, meaning) QH_##name = value,
    QH_RESULTS(QH_RESULT_ENUM)
#undef QH_RESULT_ENUM
} qh_result;

/* The action of an episode that has ended. */
#define QH_NO_ACTION (-1)

/* The name of a result ("OVERFLOW", ...), "OK" for 0, "UNKNOWN" for any other number. Static storage. */
#if defined(__cplusplus)
extern "C" const char *qh_result_name(int result);
#else
const char *qh_result_name(int result);
#endif

#endif
