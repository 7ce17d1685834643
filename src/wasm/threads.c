/* The exports of the module for threads: places, claims, notes. Nothing without QH_THREADS.
 *
 * An instance of the module becomes a thread of the runtime in another's memory like this (JavaScript; offsets from the layout
 * table, `thread.*`):
 *
 *   1. the memory is the creator's; its maximum and `shared: true` as there
 *   2. table = qh_threads_address(); a place i with Atomics.compareExchange(state, FREE, TAKEN) === FREE
 *   3. __wasm_init_tls(tls), __stack_pointer.value = stack_base, __set_stack_limits(stack_base, stack_limit)
 *   4. qh_thread_begin(i, may_sleep); now every export works
 *   5. qh_thread_end(), and no call after it
 *
 * A thread's number, as JavaScript knows it, is 1 + its place + 32 x the terms of its place: no two threads of a runtime have the same.
 * qh_threads_address needs no stack. The creator calls __set_stack_limits(__stack_pointer.value, 0) before anything else, and its
 * qh_open says how many places there are; it has place 0. */
#include "wasm/io.h"

#if QH_THREADS

#include "base/bytes.h"
#include "runtime/claims.h"
#include "runtime/notes.h"
#include "runtime/recover.h"

#define OPEN_OR_RETURN                                                                             \
    qh_runtime *opened = qh__instance();                                                           \
    if (QH_UNLIKELY(!opened)) return QH_INVALID_STATE

/* ---------------------------------------------------------------- places */

#if QH_OWNS_MEMORY
#define STACK_BYTES ((size_t)131072)
#define FIRST_STACK_BYTES ((uintptr_t)1048576)

/* Stacks and thread-local blocks of all places but the first, one after the other. */
static qh_result make_stacks(qh_runtime *opened, uint32_t places) {
    size_t tls = qh__align_up(__builtin_wasm_tls_size(), 64), each = STACK_BYTES + tls;
    qh_thread *place = qh__threads()->places;
    place->stack_base = FIRST_STACK_BYTES;
    place->tls = (uintptr_t)__builtin_wasm_tls_base();
    if (places == 1) return QH_OK;
    QH_ASSERT(__builtin_wasm_tls_align() <= 64);
    QH_TRY(qh_heap_alloc_aligned(&opened->memory.heap, &opened->threads_owner, each * (places - 1),
                                 64, QH_BLOCK_stack, &opened->stacks));
    opened->stack_bytes = each * (places - 1);
    for (uint32_t i = 1; i < places; i++) {
        place[i].stack_limit = (uintptr_t)opened->stacks + (i - 1) * each;
        place[i].stack_base = place[i].tls = place[i].stack_limit + STACK_BYTES;
    }
    return QH_OK;
}
#else
static qh_result make_stacks(qh_runtime *opened, uint32_t places) {
    (void)opened, (void)places;
    return QH_OK;
}
#endif

qh_result qh__places_open(qh_runtime *opened, uint32_t places, bool may_sleep) {
    qh_threads *threads = qh__threads();
    if (places == 0 || places > QH_MAX_THREADS) return QH_INVALID_ARGUMENT;
    QH_TRY(make_stacks(opened, places));
    for (uint32_t i = 0; i < QH_MAX_THREADS; i++)
        qh__atomic_store(&threads->places[i].state, i < places ? QH_PLACE_FREE : QH_PLACE_NONE);
    qh__thread_self = 0;
    qh_thread_open(threads, 0, may_sleep);
    qh__atomic_store(&threads->places[0].state, QH_PLACE_LIVE);
    return QH_OK;
}

#define TERMS_IN_NUMBER ((uint32_t)INT32_MAX / QH_MAX_THREADS)

static uint32_t number_of(uint32_t place) {
    uint32_t terms = qh__atomic_load(&qh__threads()->places[place].terms);
    return terms % TERMS_IN_NUMBER * QH_MAX_THREADS + place + 1;
}

/* Whoever takes it next is another thread, and has another number. */
static void vacate(uint32_t number) {
    qh_thread *place = &qh__threads()->places[number];
    qh__atomic_add(&place->terms, 1);
    qh__atomic_store(&place->state, QH_PLACE_FREE);
}

/* The address of the table of places (qh_threads). */
EXPORT(const void *, qh_threads_address, (void)) {
    return qh__threads();
}

/* The calling instance becomes the thread of a place that it has taken. Only a thread that may sleep waits for locks. */
EXPORT(int32_t, qh_thread_begin, (uint32_t place, uint32_t may_sleep)) {
    qh_threads *threads = qh__threads();
    if (place >= QH_MAX_THREADS) return QH_INVALID_ARGUMENT;
    if (!qh__instance() || qh__atomic_load(&threads->places[place].state) != QH_PLACE_TAKEN)
        return QH_INVALID_STATE;
    qh__thread_self = place;
    qh_thread_open(threads, place, may_sleep != 0);
    qh__atomic_store(&threads->places[place].state, QH_PLACE_LIVE);
    return QH_OK;
}

/* Where the registry is not to be had, who has the place next gives back what this thread leaves. */
static qh_result give_back_own(qh_runtime *opened) {
    QH_HOLD_REGISTRY(opened);
    qh_runtime_give_back(opened);
    return QH_OK;
}

/* Ends the calling thread: its claims, its locks, its transfer buffer, its batches and indexes. Others may take its place, and its stack, at once. */
EXPORT(int32_t, qh_thread_end, (void)) {
    OPEN_OR_RETURN;
    if (qh__atomic_load(&qh__threads()->places[qh__self()].state) != QH_PLACE_LIVE)
        return QH_INVALID_STATE;
    qh_transfer_close();
    qh__locks_end();
    (void)give_back_own(opened);
    qh_runtime_release_all(opened, qh__self());
    vacate(qh__self());
    return QH_OK;
}

/* ---------------------------------------------------------------- claims */

/* Claims an agent (or batch, or index) for the calling thread: 1; 0 while another has it. */
EXPORT(int32_t, qh_agent_claim, (uint32_t handle)) {
    OPEN_OR_RETURN;
    qh_result result = qh_runtime_claim(opened, handle);
    return result == QH_OK ? 1 : result == QH_BUSY ? 0 : result;
}

/* QH_BUSY where the calling thread has not claimed it. */
EXPORT(int32_t, qh_agent_release, (uint32_t handle)) {
    OPEN_OR_RETURN;
    return qh_runtime_release(opened, handle);
}

/* The number of the thread that has it, 0: none. */
EXPORT(int32_t, qh_agent_owner, (uint32_t handle)) {
    OPEN_OR_RETURN;
    uint32_t place;
    QH_TRY(qh_runtime_claimant(opened, handle, &place));
    return place == QH_NO_THREAD ? 0 : (int32_t)number_of(place);
}

/* ---------------------------------------------------------------- who is there */

/* Differs from what it was where objects were made or destroyed, or notes about them left, since. Not negative. */
EXPORT(int32_t, qh_changes, (void)) {
    OPEN_OR_RETURN;
    return (int32_t)(qh__atomic_load(&opened->changes) & INT32_MAX);
}

/* The handle of the agent in a slot, from 0 on; 0: none there, QH_INVALID_ARGUMENT behind the last slot. */
EXPORT(int32_t, qh_agent_at, (uint32_t number)) {
    OPEN_OR_RETURN;
    if (number >= qh__slot_count(opened)) return QH_INVALID_ARGUMENT;
    uint32_t word = qh__atomic_load(&qh__slot_at(opened, number)->word);
    bool is_agent = (word >> 8 & 0xFF) == QH_SLOT_AGENT;
    return is_agent ? (int32_t)qh__handle_make(number, word >> 16) : 0;
}

/* ---------------------------------------------------------------- notes */

/* Keeps the first `byte_count` bytes of the transfer buffer, which stays open, as a note about an object (0: the runtime) under a key;
 * 0 bytes: removes it. */
EXPORT(int32_t, qh_note_set, (uint32_t handle, uint32_t key, uint32_t byte_count)) {
    OPEN_OR_RETURN;
    size_t room;
    const unsigned char *text = qh__transfer(&room);
    if (byte_count > room) return QH_INVALID_ARGUMENT;
    QH_HOLD_REGISTRY(opened);
    return qh_note_put(opened, handle, key, text, byte_count);
}

/* Puts a copy of a note into the place of the transfer buffer: its length, 0 where there is none. numbers: address and size. */
EXPORT(int32_t, qh_note_get, (uint32_t handle, uint32_t key)) {
    OPEN_OR_RETURN;
    void *copy;
    uint32_t byte_count;
    QH_HOLD_REGISTRY(opened);
    QH_TRY(qh_note_copy(opened, handle, key, &copy, &byte_count));
    if (copy) qh__transfer_replace(copy, byte_count);
    return (int32_t)byte_count;
}

/* ---------------------------------------------------------------- death */

static QH_THREAD_LOCAL qh_recovery recovered;

/* One at a time, nothing where nobody is, and never a thread that has come after the one that is meant. */
static qh_result recover_thread(qh_runtime *opened, uint32_t number) {
    uint32_t place = (number - 1) % QH_MAX_THREADS;
    uint32_t *state = &qh__threads()->places[place].state, was = qh__atomic_load(state);
    recovered = (qh_recovery){0};
    if (was == QH_PLACE_NONE || was == QH_PLACE_FREE || number_of(place) != number) return QH_OK;
    if (was == QH_PLACE_RECOVERING || !qh__atomic_swap(state, &was, QH_PLACE_RECOVERING))
        return QH_BUSY;
    bool is_meant = number_of(place) == number;
    qh_result result = is_meant ? qh_runtime_recover(opened, place, &recovered) : QH_OK;
    if (is_meant && result == QH_OK)
        vacate(place);
    else
        qh__atomic_store(state, was);
    return result;
}

/* Makes sound what the thread of a number left behind when it died, and free what it had (runtime/recover.h). Whoever calls knows that it is dead: it runs
 * no more. numbers: objects released, agents repaired, agents reset, objects removed that were half made, half destroyed or its own, bits of the
 * rooms that lost something (1 << lock), blocks of memory given back, whether memory was being changed. Its place is free then. */
EXPORT(int32_t, qh_recover, (uint32_t number)) {
    OPEN_OR_RETURN;
    if (number == 0 || number > (uint32_t)INT32_MAX || number == number_of(qh__self()))
        return QH_INVALID_ARGUMENT;
    QH_TRY(recover_thread(opened, number));
    double *numbers = qh__io.numbers;
    numbers[0] = recovered.released;
    numbers[1] = recovered.repaired;
    numbers[2] = recovered.reset;
    numbers[3] = recovered.removed;
    numbers[4] = recovered.rooms;
    numbers[5] = recovered.blocks;
    numbers[6] = recovered.undone;
    return QH_OK;
}

/* The handle of agent `index` of those that the last qh_recover reset, 0 behind the last. */
EXPORT(int32_t, qh_recovered, (uint32_t index)) {
    bool is_one = index < QH_MIN(recovered.reset, QH_RECOVERED_HANDLES);
    return is_one ? (int32_t)recovered.handles[index] : 0;
}

#endif
