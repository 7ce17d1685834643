/* The boundary under native threads, for ThreadSanitizer: each thread makes agents, learns with them alone and in batches, shares some with
 * the others, destroys them, and meanwhile changes a zone, searches the knowledge and an index, reads sums and leaves notes. What a thread
 * finds claimed by another is refused with QH_BUSY and nothing else; in the end every learning step that succeeded is counted, nothing
 * is claimed and all is sound. Prints a line for each thing that is wrong; exits with how many. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "wasm/io.h"

#define THREADS 4u
#define ROUNDS 150u
#define SHARED 24u
#define OWN 6u
#define STEPS 20u
#define ROWS 200u
#define DIMS 8u

/* What a thread has done. */
typedef struct tally {
    uint32_t place, begun, learned, busy, stale, made, destroyed, sent, received, batches,
        proposals, searches;
} tally;

static uint32_t shared_handles[SHARED]; /* changed by exchange only */
static uint32_t vectors;
static uint32_t wrong;
static pthread_barrier_t start;

static void expect(bool holds, const char *what) {
    if (holds) return;
    __atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
    printf("not ok %s\n", what);
}

static int32_t expect_ok(int32_t result, const char *what) {
    if (result < -1) printf("# %s: %d\n", what, result);
    expect(result >= -1, what);
    return result;
}

/* The result of a call for an agent that no other thread uses: only who looks at all agents at once (qh_validate, qh_hash) has it in
 * passing. */
#define ALONE(call)                                                                                \
    __extension__({                                                                                \
        int32_t its_result;                                                                        \
        do {                                                                                       \
            its_result = (call);                                                                   \
        } while (its_result == QH_BUSY);                                                           \
        its_result;                                                                                \
    })

/* A result that others may spoil. */
static bool succeeds(tally *at, int32_t result, const char *what) {
    at->busy += result == QH_BUSY;
    at->stale += result == QH_STALE_HANDLE;
    bool allowed = result >= -1 || result == QH_BUSY || result == QH_STALE_HANDLE;
    if (!allowed) printf("# %s: %d\n", what, result);
    expect(allowed, what);
    return result >= -1;
}

static uint32_t next_random(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    return *state ^= *state << 5;
}

static float coordinate(uint32_t row, uint32_t i) {
    return i == 0 ? (float)row : (float)(row * (i + 1) % 31);
}

/* An agent of eight states; each fourth acts on the zone. */
static uint32_t create(tally *at, const char *name) {
    qh_agent_def def = qh_agent_def_default();
    uint32_t length = (uint32_t)strlen(name);
    def.actions = 3;
    def.encoder.states = 8;
    def.zone = at->made % 4 == 0;
    qh__io.def = def;
    const int32_t deltas[] = {0, -1, 1};
    memcpy(qh__io.counts, deltas, sizeof deltas);
    memcpy(qh__io.text, name, length);
    int32_t handle = expect_ok(qh_agent_create(length, 0), "an agent is made");
    at->made += handle > 0;
    expect_ok(qh_agent_release((uint32_t)handle), "an agent is born claimed");
    return (uint32_t)handle;
}

static void put_bytes(const void *bytes, uint32_t length) {
    expect_ok(qh_transfer_open(length), "a buffer");
    memcpy((void *)(uintptr_t)qh__io.numbers[0], bytes, length);
}

static void put_text(const char *text) {
    put_bytes(text, (uint32_t)strlen(text));
}

/* ---------------------------------------------------------------- what a thread does */

static void learn_alone(tally *at, uint32_t handle, uint32_t steps, uint32_t *random) {
    qh__io.time = 0;
    if (!succeeds(at, qh_begin(handle, 0, 0), "begin")) return;
    for (uint32_t i = 0; i < steps; i++) {
        int32_t result = qh_step(handle, 1, next_random(random) % 8, 0, i, 0);
        at->learned += succeeds(at, result, "step");
    }
}

static void learn_in_batch(tally *at, const uint32_t *handles, uint32_t count, uint32_t *random) {
    int32_t batch = expect_ok(qh_batch_open(count), "a batch");
    memcpy((void *)(uintptr_t)qh__io.numbers[0], handles, count * sizeof *handles);
    float *observations = (void *)(uintptr_t)qh__io.numbers[1];
    if (succeeds(at, qh_batch_check((uint32_t)batch), "a batch is checked") &&
        succeeds(at, qh_batch_begin_all((uint32_t)batch, 0), "a batch begins"))
        for (uint32_t i = 1; i <= STEPS; i++) {
            for (uint32_t row = 0; row < count; row++)
                observations[row * QH_BATCH_STRIDE] = (float)(next_random(random) % 8);
            bool done = succeeds(at, qh_batch_step_all((uint32_t)batch, i), "a batch steps");
            at->learned += done ? count : 0;
            at->batches += done;
        }
    expect_ok(qh_batch_free((uint32_t)batch), "a batch is freed");
}

static void use_rooms(tally *at, uint32_t handle, uint32_t other, uint32_t *random) {
    double time = next_random(random) % 1000;
    int32_t result = qh_zones_propose_for(handle, 0, next_random(random) % 10, time);
    if (result != QH_SAFE_ZONE && result != QH_INVALID_ARGUMENT)
        succeeds(at, result, "a proposal"); /* another's was later */
    at->proposals++;
    expect_ok(qh_zones_read(0), "a zone");
    for (uint32_t i = 0; i < DIMS; i++) qh__io.observation[i] = 1;
    put_text("alpha");
    expect_ok(qh_knowledge_hits(2, QH_SEARCH_FUSED, 0, -1), "knowledge is searched");
    expect_ok(qh_transfer_close(), "a buffer is closed");
    expect_ok(qh_index_exchange_open(vectors, 1, 3, 0), "room for a query");
    float *query = (void *)(uintptr_t)qh__io.numbers[0];
    const uint32_t *labels = (const uint32_t *)(uintptr_t)qh__io.numbers[1];
    uint32_t row = next_random(random) % ROWS;
    for (uint32_t i = 0; i < DIMS; i++) query[i] = coordinate(row, i);
    expect(qh_index_search(vectors, 1, 3, 0, QH_INDEX_SCAN, 0, -1) == 3 && labels[0] == row,
           "the index finds a row");
    at->searches++;
    succeeds(at, qh_category(handle, 0), "a category");
    result = qh_message_send(handle, other, 0, 0, 0);
    if (result != QH_INVALID_STATE) at->sent += succeeds(at, result, "a message");
    for (;;) {
        result = qh_message_next(other);
        if (!succeeds(at, result, "the next message") || result < 0) break;
        at->received++;
        succeeds(at, qh_message_take(other), "a message is taken");
    }
}

static void look_around(uint32_t round) {
    expect_ok(qh_metrics_sum(), "sums");
    expect(qh__io.numbers[1] >= 0, "a sum");
    expect_ok(qh_memory_info(), "memory");
    for (uint32_t i = 0; i < QH_LOCK_COUNT; i++) expect_ok(qh_lock_read(i), "a lock");
    if (round % 16 != 0) return;
    int32_t sound = qh_validate();
    expect(sound == 1 || sound == QH_BUSY, "sound, or in use");
    int32_t hashed = qh_hash(0);
    expect(hashed == QH_OK || hashed == QH_BUSY, "hashed, or in use");
}

static void leave_notes(tally *at, uint32_t handle) {
    put_text("what others should know");
    expect_ok(ALONE(qh_note_set(handle, 1, 23)), "a note");
    expect_ok(qh_transfer_close(), "a buffer is closed");
    expect(ALONE(qh_note_get(handle, 1)) == 23, "a note is there");
    expect_ok(qh_transfer_close(), "a buffer is closed");
    succeeds(at, qh_export(handle), "a table is written");
    qh_transfer_close();
}

/* Puts a new agent in the place of one that all may use. */
static void exchange(tally *at, uint32_t own, uint32_t *random) {
    uint32_t *place = &shared_handles[next_random(random) % SHARED];
    uint32_t old = __atomic_exchange_n(place, own, __ATOMIC_SEQ_CST);
    int32_t result = QH_BUSY;
    while (result == QH_BUSY) result = qh_agent_destroy(old); /* a step is short */
    at->destroyed += expect_ok(result, "an agent is destroyed") == QH_OK;
}

static void *run(void *argument) {
    tally *at = argument;
    uint32_t random = 77 + at->place, own[OWN];
    qh__threads()->places[at->place].state = QH_PLACE_TAKEN;
    expect_ok(qh_thread_begin(at->place, 1), "a thread begins");
    pthread_barrier_wait(&start);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        char name[32];
        for (uint32_t i = 0; i < OWN; i++) {
            snprintf(name, sizeof name, "%u-%u-%u", at->place, round, i);
            own[i] = create(at, name);
        }
        expect(ALONE(qh_agent_claim(own[0]) == 1 ? 1 : QH_BUSY) == 1 &&
                   qh_agent_owner(own[0]) == (int32_t)at->place + 1,
               "a claim");
        learn_in_batch(at, own, OWN, &random);
        uint32_t other = __atomic_load_n(&shared_handles[round % SHARED], __ATOMIC_SEQ_CST);
        learn_alone(at, other, STEPS, &random);
        use_rooms(at, own[1], other, &random);
        succeeds(at, qh_knowledge_tie(own[2], 0), "tied");
        leave_notes(at, own[3]);
        look_around(round);
        expect_ok(ALONE(qh_reset(own[4])), "a reset");
        if (round % 2) expect_ok(qh_agent_release(own[0]), "a release");
        exchange(at, own[OWN - 1], &random);
        for (uint32_t i = 0; i < OWN - 1; i++)
            at->destroyed += expect_ok(ALONE(qh_agent_destroy(own[i])), "destroyed") == QH_OK;
    }
    expect_ok(qh_thread_end(), "a thread ends");
    return NULL;
}

/* ---------------------------------------------------------------- before and after */

static void make_world(tally *at) {
    /* No words mean the same; flags and eight texts of an entry, each behind its length. */
    static const char facts[] = "\0"
                                "\0\2A1\5alpha\1x\12alpha beta\0\0\0\0"
                                "\0\2B2\4beta\1x\12beta gamma\0\0\0";
    const double zone[] = {0, 9, 5, 1, 0, 0, 0};
    put_bytes(zone, sizeof zone);
    expect_ok(qh_zones_freeze(1, 0, 0, 1000, 1000), "zones");
    expect_ok(qh_transfer_close(), "a buffer is closed");
    put_bytes(facts, sizeof facts);
    expect_ok(qh_knowledge_add(), "knowledge");
    expect_ok(qh_transfer_close(), "a buffer is closed");
    expect_ok(qh_knowledge_end(), "knowledge ends");
    vectors = (uint32_t)expect_ok(qh_index_create(DIMS, QH_L2, 16, 100, QH_STORE_F32, 0, 0, 0), "");
    expect_ok(qh_index_room(vectors, ROWS), "room");
    float *rows = (void *)(uintptr_t)qh__io.numbers[0];
    uint32_t *labels = (void *)(uintptr_t)qh__io.numbers[1];
    uint32_t stride = (uint32_t)qh__io.numbers[3];
    for (uint32_t row = 0; row < ROWS; row++) {
        labels[row] = row;
        for (uint32_t i = 0; i < DIMS; i++) rows[row * stride + i] = coordinate(row, i);
    }
    expect_ok(qh_index_add(vectors, ROWS), "rows");
    expect_ok(qh_index_insert(vectors, ROWS), "a graph");
    expect_ok(qh_index_end(vectors), "frozen");
    for (uint32_t i = 0; i < SHARED; i++) {
        char name[32];
        snprintf(name, sizeof name, "shared-%u", i);
        shared_handles[i] = create(at, name);
    }
}

int main(void) {
    static tally tallies[THREADS], first, sum;
    pthread_t started[THREADS];
    expect_ok(qh_open(8192, 0, 5, 7, 2000, 2000, 200, 0, THREADS + 1, 1), "open");
    make_world(&first);
    pthread_barrier_init(&start, NULL, THREADS);
    for (uint32_t i = 0; i < THREADS; i++) {
        tallies[i].place = i + 1;
        pthread_create(&started[i], NULL, run, &tallies[i]);
    }
    for (uint32_t i = 0; i < THREADS; i++) pthread_join(started[i], NULL);
    for (uint32_t i = 0; i < THREADS; i++)
        for (uint32_t k = 0; k < sizeof sum / sizeof(uint32_t); k++)
            ((uint32_t *)&sum)[k] += ((uint32_t *)&tallies[i])[k];
    expect_ok(qh_metrics_sum(), "sums");
    expect(qh__io.numbers[1] == sum.learned, "every learning step is counted");
    if (qh__io.numbers[1] != sum.learned)
        printf("# counted %.0f, not %u\n", qh__io.numbers[1], sum.learned);
    expect(qh__io.numbers[6] == SHARED && first.made + sum.made - sum.destroyed == SHARED,
           "as many agents as were made and not destroyed");
    for (uint32_t i = 0; i < SHARED; i++)
        expect(qh_agent_owner(shared_handles[i]) == 0, "nothing is claimed");
    expect(qh_validate() == 1, "all is sound");
    for (uint32_t i = 0; i < SHARED; i++)
        expect_ok(qh_agent_destroy(shared_handles[i]), "destroyed");
    expect(qh_validate() == 1, "all is sound without agents");
    expect_ok(qh_lock_read(QH_LOCK_REGISTRY), "a lock");
    printf(
        "%u threads, %u steps in %u batches and alone, %u agents made, %u messages, %u searches; "
        "%u times busy, %u times stale; %.0f of %.0f times waited for the registry\n",
        THREADS, sum.learned, sum.batches, sum.made, sum.received, sum.searches, sum.busy,
        sum.stale, qh__io.numbers[1], qh__io.numbers[0]);
    return (int)wrong;
}
