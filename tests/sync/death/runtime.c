/* Whole calls of a runtime, ended at their basic blocks: agents of every kind that learn, grow, replay, are reset, made, destroyed; batches;
 * the federation; messages; series; zones; a search. What a survivor recovers is sound, nothing has leaked, the agent in question is sound or as new,
 * all others learn on exactly as in a runtime in which nobody died.
 *
 *   runtime SHARE OF THE BLOCKS, in thousandths */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../c/cast.h"
#include "learn/transfer.h"
#include "memory/salvage.h"
#include "runtime/claims.h"
#include "runtime/recover.h"
#include "victim.h"

void test__fail(const char *file, int line, const char *text) {
    (void)file, (void)line;
    expect(false, text);
}
void test__fail_integers(const char *file, int line, const char *text, int64_t actual,
                         int64_t expected) {
    (void)actual, (void)expected;
    test__fail(file, line, text);
}
void test__fail_doubles(const char *file, int line, const char *text, double actual,
                        double expected) {
    (void)actual, (void)expected;
    test__fail(file, line, text);
}
void test__fail_results(const char *file, int line, const char *text, int actual, int expected) {
    (void)actual, (void)expected;
    test__fail(file, line, text);
}
bool test_same(double a, double b) {
    return a == b;
}

#define OTHERS 3u
#define INDEX_ROWS 400u
#define ROWS_DIMS 4u

static qh_runtime *runtime;
static qh_handle others[OTHERS], subject, batch_handle, index_handle;
static cast_world world;
static uint32_t member;
static unsigned char bytes[1 << 20];
static size_t byte_count;
static qh_result result;

/* ---------------------------------------------------------------- what a thread does */

static qh_agent *agent_now(void) {
    return qh_runtime_agent(runtime, subject);
}

static void claim(void) {
    (void)qh_runtime_claim(runtime, subject);
}

#define REGISTERED(call)                                                                           \
    do {                                                                                           \
        if (qh__room_enter(&runtime->registry.lock, QH_LOCK_REGISTRY) != QH_OK) abort();           \
        call;                                                                                      \
        qh__room_leave(&runtime->registry.lock, QH_LOCK_REGISTRY);                                 \
    } while (0)

static void learn(void) {
    claim();
    qh_agent *agent = agent_now();
    for (uint32_t i = 0; i < 3; i++) {
        double td_error, mean;
        int32_t action;
        qh_experience first = cast_experience(&world);
        if (!agent->running) result = qh_agent_begin(agent, first.next, &action);
        qh_experience experience = cast_experience(&world);
        result = qh_agent_step(agent, &experience, &action);
        qh_observation from = first.next;
        result = qh_agent_learn(agent, from, 0, &experience, QH_NO_ACTION, &td_error);
        result = qh_agent_replay(agent, 3, &mean);
    }
}

static void reset(void) {
    claim();
    REGISTERED(result = qh_runtime_reset_agent(runtime, subject));
}

static void create(void) {
    qh_agent_def def;
    qh_handle made = 0;
    cast_member(member, &def);
    REGISTERED(result = qh_runtime_create_agent(runtime, &def, &made));
}

static void destroy(void) {
    claim();
    REGISTERED(result = qh_runtime_destroy_agent(runtime, subject));
}

static void import(void) {
    claim();
    result = qh_agent_import(agent_now(), bytes, byte_count);
}

static void step_batch(void) {
    qh_batch *batch = qh__runtime_object(runtime, batch_handle, QH_SLOT_BATCH);
    qh_runtime_claim(runtime, batch_handle);
    for (uint32_t i = 0; i < OTHERS; i++) qh_runtime_claim(runtime, batch->handles[i]);
    result = qh_batch_begin(runtime, batch);
    result = qh_batch_step(runtime, batch);
}

static void federate(void) {
    uint32_t fault, applied;
    qh_agent *agent = agent_now();
    qh_merge_def def = {
        .rule = QH_MERGE_ROBUST, .trim = 0.1, .visit_cap = 100, .clip = __builtin_inf()};
    qh_merge_report report;
    claim();
    result = qh_federation_accumulate(&runtime->federation, &agent, 1, 0, &fault);
    result = qh_federation_merge(&runtime->federation, &def, &report);
    result = qh_federation_apply(&runtime->federation, &agent, 1, &applied, &fault);
}

static void send(void) {
    qh_handle to[] = {others[0], others[1], others[2]};
    qh_message_def def = {subject, to, 3, "hello", 5};
    result = qh_messages_send(&runtime->messages, &def);
}

static void take(void) {
    result = qh_messages_take(&runtime->messages, others[0]);
}

static void count(void) {
    uint32_t number;
    result =
        qh_metrics_find(&runtime->metrics, (qh_text){(const unsigned char *)"deaths", 6}, &number);
    for (uint32_t i = 1; i < 20 && result == QH_OK; i++)
        result = qh_metrics_count(&runtime->metrics, number, (double)((i * 7919) % 1000));
}

static void propose(void) {
    qh_change change;
    static double time = 1e6;
    qh_proposal proposal = {subject, 0, 3, time, NULL, 0};
    if (qh__room_enter(&runtime->zones->lock, QH_LOCK_ZONES) != QH_OK) abort();
    result = qh_zones_propose(runtime->zones, &proposal, &change);
    qh__room_leave(&runtime->zones->lock, QH_LOCK_ZONES);
}

static void open_batch(void) {
    qh_batch *batch;
    REGISTERED(result = qh_batch_create(runtime, 2 * OTHERS, &batch));
}

/* An index of its own, from nothing to a filter of it. */
static void build(void) {
    static const uint32_t bits[] = {0x5555};
    qh_index_def def = qh_index_def_default();
    qh_handle made = 0;
    uint32_t failed, rows = 16;
    def.dims = ROWS_DIMS;
    REGISTERED(result = qh_runtime_create_index(runtime, &def, NULL, 0, &made));
    if (result != QH_OK || qh_runtime_claim(runtime, made) != QH_OK) return;
    qh_index *index = qh__claimed(runtime, made);
    qh_filter *filter;
    result = qh_index_reserve(index, rows);
    if (result != QH_OK) return;
    for (uint32_t i = 0; i < rows; i++) {
        for (uint32_t d = 0; d < ROWS_DIMS; d++)
            index->rows.vectors[i * index->stride + d] = (float)((i * 7 + d) % 13);
        index->rows.labels[i] = i;
    }
    if (qh_index_commit(index, rows, &failed) != QH_OK || qh_index_build(index, rows) != QH_OK ||
        qh_index_freeze(index) != QH_OK)
        return;
    qh_runtime_release(runtime, made);
    REGISTERED(result = qh_runtime_create_filter(runtime, index, bits, &filter));
}

/* The desk grows, and grows again. */
static void search(void) {
    static qh_claim claim_to_read;
    if (qh__claim_to_read(runtime, index_handle, QH_SLOT_INDEX, &claim_to_read) != QH_OK) abort();
    qh_index *index = qh__claimed(runtime, index_handle);
    for (uint32_t k = 4; k <= 300; k += 148) {
        uint32_t found, failed;
        qh_index_request request = {.query_count = 1, .k = k, .ef = k, .mode = QH_INDEX_GRAPH};
        result = qh_index_exchange_reserve(index, 1, k, k == 4);
        if (result != QH_OK) continue;
        memset(qh__index_desk(index)->exchange.queries, 0, ROWS_DIMS * sizeof(float));
        result = qh_index_find(index, &request, &found, &failed);
    }
    qh__claim_end(&claim_to_read);
}

typedef struct operation {
    const char *name;
    void (*run)(void);
    bool each_member;
} operation;

static const operation operations[] = {
    {"learn", learn, true},        {"reset", reset, true},      {"create", create, true},
    {"destroy", destroy, true},    {"import", import, true},    {"batch", step_batch, false},
    {"federate", federate, false}, {"send", send, false},       {"take", take, false},
    {"count", count, false},       {"propose", propose, false}, {"open", open_batch, false},
    {"search", search, false},     {"build", build, false},
};

/* ---------------------------------------------------------------- worlds */

static void play(qh_agent *agent, cast_world *at, uint32_t steps) {
    int32_t action;
    for (uint32_t i = 0; i < steps; i++) {
        qh_experience experience = cast_experience(at);
        if (!agent->running && qh_agent_begin(agent, experience.next, &action) != QH_OK) continue;
        (void)qh_agent_step(agent, &experience, &action);
    }
}

static void open_zones(void) {
    static qh_zone_def zone = {0};
    double *numbers = (double *)&zone;
    zone.min = 0;
    zone.max = 10;
    zone.initial = 2;
    zone.step = 1;
    zone.rate = 5;
    zone.cooldown = 10;
    qh_zones_def def = {.numbers = numbers,
                        .number_count = sizeof zone / sizeof(double),
                        .zone_count = 1,
                        .back_off_ms = 1000,
                        .max_back_off_ms = 10000};
    if (qh_zones_open(&runtime->memory, &def, &runtime->zones) != QH_OK) {
        printf("# no zones\n");
        exit(2);
    }
    qh_change change;
    for (uint32_t i = 0; i < 4; i++) {
        qh_proposal proposal = {1, 0, 3 + i % 2, 1000.0 * i, NULL, 0};
        (void)qh_zones_propose(runtime->zones, &proposal, &change);
    }
}

static void open_index(void) {
    qh_index_def def = qh_index_def_default();
    uint32_t failed;
    def.dims = ROWS_DIMS;
    if (qh_runtime_create_index(runtime, &def, NULL, 0, &index_handle) != QH_OK) abort();
    qh_index *index = qh__claimed(runtime, index_handle);
    if (qh_index_reserve(index, INDEX_ROWS) != QH_OK) abort();
    for (uint32_t i = 0; i < INDEX_ROWS; i++) {
        for (uint32_t d = 0; d < ROWS_DIMS; d++)
            index->rows.vectors[i * index->stride + d] = (float)((i * 37 + d * 11) % 97);
        index->rows.labels[i] = i;
    }
    if (qh_index_commit(index, INDEX_ROWS, &failed) != QH_OK ||
        qh_index_build(index, INDEX_ROWS) != QH_OK || qh_index_freeze(index) != QH_OK)
        abort();
}

static void open_runtime(void) {
    qh_runtime_def def = qh_runtime_def_default();
    def.seed = 5;
    for (uint32_t i = 0; i < QH_POOL_COUNT; i++) def.pools[i] = TEST_POOLS[i];
    if (qh_runtime_open(&def, 0, &runtime) != QH_OK) abort();
    world.random = qh__random_seeded(9, member);
    for (uint32_t i = 0; i < OTHERS; i++) {
        qh_agent_def other;
        cast_member(i, &other);
        if (qh_runtime_create_agent(runtime, &other, &others[i]) != QH_OK) abort();
        (void)qh_runtime_release(runtime, others[i]);
        play(qh_runtime_agent(runtime, others[i]), &world, 30);
    }
    qh_agent_def own;
    cast_member(member, &own);
    if (qh_runtime_create_agent(runtime, &own, &subject) != QH_OK) abort();
    (void)qh_runtime_release(runtime, subject);
    play(agent_now(), &world, 60);
    qh_agent_export_size(agent_now(), &byte_count);
    if (byte_count <= sizeof bytes) qh_agent_export(agent_now(), bytes);
    play(agent_now(), &world, 20);
    qh_batch *batch;
    if (qh_batch_create(runtime, OTHERS, &batch) != QH_OK) abort();
    batch_handle = batch->handle;
    memcpy(batch->handles, others, sizeof others);
    if (qh_batch_seal(runtime, batch) != QH_OK) abort();
    qh_message_def message = {subject, others, 2, "before", 6};
    for (uint32_t i = 0; i < 3; i++) (void)qh_messages_send(&runtime->messages, &message);
    open_zones();
    open_index();
}

/* ---------------------------------------------------------------- afterwards */

static void check_index(const qh_index *index, qh_handle handle) {
    const qh_memory *memory = &runtime->memory;
    expect(index->owner.books == qh__salvage_books(memory, handle, QH_OWNER_index),
           "an index has what its records say");
    for (size_t i = 0; i < memory->records.capacity; i++) {
        const qh_record *record = &memory->records.places[i];
        expect(!record->block || record->owner != handle || qh__index_knows(index, record->block),
               "an index knows of what it has");
    }
}

/* Every record has an owner that lives, and every owner what its records say. */
static void check_books(void) {
    const qh_memory *memory = &runtime->memory;
    const qh_records *records = &memory->records;
    uint64_t rooms[5] = {0};
    const qh_owner *owners[] = {&runtime->plans.owner, &runtime->federation.owner,
                                &runtime->metrics.owner, &runtime->messages.owner,
                                &runtime->threads_owner};
    for (size_t i = 0; i < records->capacity; i++) {
        const qh_record *record = &records->places[i];
        if (!record->block) continue;
        expect(qh_runtime_owner_lives(runtime, record->owner), "a block's owner lives");
        for (uint32_t k = 0; k < COUNT_OF(owners); k++)
            if (record->owner == 0 && record->owner_kind == owners[k]->kind)
                rooms[k] += (uint64_t)record->byte_count << 32 | 1;
    }
    for (uint32_t k = 0; k < COUNT_OF(owners); k++)
        expect(rooms[k] == owners[k]->books, "a room has what its records say");
    for (uint32_t i = 0; i < runtime->slot_count; i++) {
        const qh_slot *slot = qh__slot_at(runtime, i);
        qh_handle handle = qh__handle_make(i, qh__slot_generation(slot));
        const qh_batch *batch = slot->object;
        if (qh__slot_kind(slot) == QH_SLOT_BATCH)
            expect(batch->handle == handle &&
                       batch->owner.live_bytes == qh_heap_charge(batch->block_bytes),
                   "a batch is whole");
        if (qh__slot_kind(slot) == QH_SLOT_INDEX) check_index(slot->object, handle);
        if (qh__slot_kind(slot) != QH_SLOT_AGENT) continue;
        const qh_agent *agent = slot->object;
        expect(qh__agent_is_whole(memory, agent), "an agent is whole");
    }
}

static uint64_t state_of_others(void) {
    uint64_t hash = 0;
    for (uint32_t i = 0; i < OTHERS; i++)
        hash = qh__mix64(hash ^ test_agent_state(qh_runtime_agent(runtime, others[i])));
    return hash;
}

/* What comes after: the others learn on, and search; then everything ends, and nothing is left. */
static uint64_t live_on(bool alone) {
    search();
    expect(result == QH_OK, "others search");
    cast_world at = {.random = qh__random_seeded(77, 1)};
    uint64_t hash = 0;
    if (!alone)
        for (uint32_t i = 0; i < OTHERS; i++) {
            play(qh_runtime_agent(runtime, others[i]), &at, 5);
            hash = qh__mix64(hash ^ test_agent_state(qh_runtime_agent(runtime, others[i])));
        }
    if (agent_now()) {
        cast_world own = {.random = qh__random_seeded(78, 1)};
        play(agent_now(), &own, 10);
        expect(qh_runtime_destroy_agent(runtime, subject) == QH_OK, "it can be destroyed");
    }
    expect(qh_runtime_validate(runtime), "life goes on");
    return hash;
}

/* Of messages and values: who counted what. All of a call, or nothing. */
typedef struct books_of_rooms {
    double sent, received, length, values;
} books_of_rooms;

static books_of_rooms rooms_now(void) {
    const qh_messages *messages = &runtime->messages;
    double values = runtime->metrics.series_count ? runtime->metrics.series[0].count : 0;
    return (books_of_rooms){messages->sent, messages->received, messages->length, values};
}

static void check_rooms(const books_of_rooms *before, const books_of_rooms *after) {
    books_of_rooms now = rooms_now();
    bool none = now.sent == before->sent && now.received == before->received &&
                now.length == before->length;
    bool all =
        now.sent == after->sent && now.received == after->received && now.length == after->length;
    expect(none || all, "messages are sent and taken once or not at all");
}

typedef struct tally {
    uint64_t deaths, undone, repaired, reset, removed, cleared;
} tally;

static void image_of_runtime(void) {
    image_begin();
    image_add((void *)runtime->memory.budget.base,
              (size_t)runtime->memory.budget.pages * QH_PAGE_BYTES);
    image_add(&world, sizeof world);
    image_save();
}

static void die_everywhere(const operation *op, uint32_t per_mille, tally *sums) {
    static char name[64];
    snprintf(name, sizeof name, "%s of %u", op->name, member);
    scene = name;
    open_runtime();
    expect(qh_runtime_validate(runtime), "a world is sound");
    image_of_runtime();
    bool touches_others = op->run == step_batch;
    uint64_t twin = state_of_others();
    books_of_rooms before = rooms_now();
    expect(qh_runtime_reset_agent(runtime, subject) == QH_OK, "it can be reset");
    uint64_t new_born = test_agent_state(agent_now());
    image_restore();
    expect(victim_run(op->run, 0), "it ends");
    uint64_t blocks = victim_blocks;
    books_of_rooms after = rooms_now();
    image_restore();
    uint64_t future = live_on(touches_others);
    uint64_t wanted = QH_MAX(20, blocks * per_mille / 1000);
    qh_random chance = qh__random_seeded(blocks, member);
    uint32_t stride = blocks > wanted ? (uint32_t)(2 * blocks / wanted) : 1;
    for (uint64_t n = 1; n < blocks; n += 1 + qh__random_below(&chance, stride)) {
        static qh_recovery report;
        uint32_t was_wrong = wrong;
        image_restore();
        if (victim_run(op->run, n)) break;
        sums->deaths++;
        expect(qh_runtime_recover(runtime, VICTIM, &report) == QH_OK, "it is recovered");
        sums->undone += report.undone;
        sums->repaired += report.repaired;
        sums->reset += report.reset;
        sums->removed += report.removed;
        sums->cleared += report.rooms != 0;
        expect(qh_runtime_validate(runtime), "the runtime is sound");
        check_books();
        if (op->run != destroy) check_rooms(&before, &after);
        for (uint32_t i = 0; i < report.reset; i++)
            if (report.handles[i] == subject)
                expect(test_agent_state(agent_now()) == new_born,
                       "an agent that was reset is as new");
        if (!touches_others) expect(state_of_others() == twin, "others are what they were");
        uint64_t hash = live_on(touches_others);
        expect(hash == future, "others learn on as they would have");
        check_books();
        if (wrong > was_wrong && wrong <= 20)
            printf(
                "#   in block %llu of %llu: undone %d, %u repaired, %u reset, %u removed, rooms %x\n",
                (unsigned long long)n, (unsigned long long)blocks, report.undone, report.repaired,
                report.reset, report.removed, report.rooms);
        if (wrong > 20) exit(1);
    }
    image_restore();
    qh_runtime_close(runtime);
}

int main(int argument_count, char **arguments) {
    uint32_t per_mille = argument_count > 1 ? (uint32_t)atoi(arguments[1]) : 20;
    const char *only = argument_count > 2 ? arguments[2] : NULL;
    tally sums = {0};
    victim_may_sleep(true);
    for (uint32_t i = 0; i < COUNT_OF(operations); i++) {
        if (only && strcmp(only, operations[i].name) != 0) continue;
        for (member = 0; member < (operations[i].each_member ? CAST_SIZE : 1); member++)
            die_everywhere(&operations[i], per_mille, &sums);
    }
    printf(
        "%llu deaths: %llu undone, %llu repaired, %llu reset, %llu removed, %llu with rooms cleared\n",
        (unsigned long long)sums.deaths, (unsigned long long)sums.undone,
        (unsigned long long)sums.repaired, (unsigned long long)sums.reset,
        (unsigned long long)sums.removed, (unsigned long long)sums.cleared);
    return wrong > 0;
}
