/* Every operation of heap, pools and records, in hundreds of random states, ended in each of its basic blocks in turn: what a survivor
 * recovers is sound, and is exactly what was there before or exactly what there would have been after. The operation, made again,
 * then does what it would have done. Prints a line for each thing that is wrong, then what was done.
 *
 *   memory STATES SEED */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/random.h"
#include "memory/array.h"
#include "memory/memory.h"
#include "victim.h"

#define OWNERS 4u
#define BLOCKS 96u
#define IMAGE_PAGES 40u
#define EVERY 300u

typedef enum operation {
    TAKE,
    TAKE_MUCH,
    TAKE_ALIGNED,
    CARVE,
    GIVE,
    RESIZE,
    ACQUIRE,
    RELEASE,
    GROW_ARRAY,
    CLOSE_OWNER,
    GIVE_LATE, /* what could not be given back at once, and then take */
    OPERATIONS
} operation;

static const char *const names[OPERATIONS] = {
    "take",    "take much", "take aligned", "carve",       "give",     "resize",
    "acquire", "release",   "grow array",   "close owner", "give late"};

typedef struct held {
    void *block;
    size_t byte_count;
    uint32_t owner;
    uint32_t pool; /* 1 + its number */
} held;

/* All that an operation changes besides memory itself. */
static struct {
    qh_memory memory;
    qh_owner owners[OWNERS];
    held blocks[BLOCKS];
    uint32_t *array;
    uint32_t array_room;
    qh_result result;
} world;

/* What the operation is to do. */
static struct {
    operation operation;
    uint32_t place, owner, pool;
    size_t byte_count;
} task;

static qh_random chance;

/* ---------------------------------------------------------------- the operations */

static void perform(void) {
    qh_heap *heap = &world.memory.heap;
    held *at = &world.blocks[task.place];
    qh_owner *owner = &world.owners[task.owner];
    qh_pool *pool = &world.memory.pools[task.pool];
    switch (task.operation) {
    case TAKE:
    case TAKE_MUCH:
    case GIVE_LATE:
        world.result = qh_heap_alloc(heap, owner, task.byte_count, QH_BLOCK_table, &at->block);
        break;
    case TAKE_ALIGNED:
        world.result =
            qh_heap_alloc_aligned(heap, owner, task.byte_count, 256, QH_BLOCK_table, &at->block);
        break;
    case CARVE: {
        void *carved;
        world.result = qh_heap_carve(heap, &world.memory.runtime_owner, task.byte_count,
                                     QH_BLOCK_table, &carved);
        break;
    }
    case GIVE: qh_heap_free(heap, &world.owners[at->owner], at->block, at->byte_count); break;
    case RESIZE:
        world.result = qh_heap_resize(heap, &world.owners[at->owner], &at->block, at->byte_count,
                                      task.byte_count, QH_BLOCK_table);
        break;
    case ACQUIRE: world.result = qh_pool_acquire(pool, owner, &at->block); break;
    case RELEASE:
        world.result =
            qh_pool_release(&world.memory.pools[at->pool - 1], &world.owners[at->owner], at->block);
        break;
    case GROW_ARRAY:
        world.result = qh__array_grow(heap, &world.owners[0], &world.array, &world.array_room,
                                      world.array_room + 1, sizeof *world.array, QH_BLOCK_runtime);
        break;
    case CLOSE_OWNER:
        qh_owner_close(heap, owner);
        qh_owner_open(heap, owner, 0x10000 + task.owner, QH_OWNER_agent, SIZE_MAX / 2);
        break;
    default: abort();
    }
}

/* Afterwards, for whoever did it in peace: who has what. */
static void note(void) {
    held *at = &world.blocks[task.place];
    bool done = world.result == QH_OK;
    switch (task.operation) {
    case TAKE:
    case TAKE_MUCH:
    case TAKE_ALIGNED:
    case GIVE_LATE:
        if (done) *at = (held){at->block, task.byte_count, task.owner, 0};
        break;
    case ACQUIRE:
        if (done)
            *at = (held){at->block, world.memory.pools[task.pool].block_bytes, task.owner,
                         task.pool + 1};
        break;
    case RESIZE:
        if (done) at->byte_count = task.byte_count;
        break;
    case GIVE:
    case RELEASE: *at = (held){0}; break;
    default: break;
    }
    if (!done && !at->byte_count) at->block = NULL;
}

static size_t draw_size(uint32_t most_log) {
    uint32_t log = qh__random_below(&chance, most_log);
    return 1 + (qh__random_next(&chance) & ((2u << log) - 1));
}

/* Chooses what can be done with a place drawn at random. */
static void draw_task(void) {
    task.place = qh__random_below(&chance, BLOCKS);
    const held *at = &world.blocks[task.place];
    uint32_t dice = qh__random_below(&chance, 100);
    task.owner = qh__random_below(&chance, OWNERS);
    task.pool = qh__random_below(&chance, QH_POOL_COUNT);
    task.byte_count = draw_size(13);
    if (at->pool) {
        task.operation = RELEASE;
    } else if (at->block) {
        task.operation = dice < 60 ? GIVE : RESIZE;
    } else {
        task.operation = dice < 60 ? TAKE : dice < 70 ? TAKE_ALIGNED : ACQUIRE;
        if (task.operation == ACQUIRE && dice < 72 && !qh__random_below(&chance, 4))
            task.operation = CARVE;
    }
    if (dice == 99) task.operation = GROW_ARRAY;
    if (dice == 98 && !at->block) {
        task.operation = TAKE_MUCH;
        task.byte_count = 100000 + draw_size(20);
    }
    if (dice >= 96 && world.owners[task.owner].live_blocks == 0) task.operation = CLOSE_OWNER;
}

/* The place's block is given back while somebody else has the lock; what remains to be done is to take another. */
static void put_off_and_take(void) {
    held *at = &world.blocks[task.place];
    qh_mutex *mutex = &world.memory.heap.lock.mutex;
    qh_mutex_try(mutex, SURVIVOR);
    victim_may_sleep(false);
    victim_run(perform, 0);
    victim_may_sleep(true);
    qh_mutex_unlock(mutex, qh__threads(), SURVIVOR);
    expect(qh__memory_is_deferred(&world.memory.heap, at->block), "it is put off");
    *at = (held){0};
    task.operation = GIVE_LATE;
}

/* The next record needs a larger table. */
static void fill_records(void) {
    const qh_records *records = &world.memory.records;
    void *block;
    while ((records->count + 1) * 4 <= records->capacity * 3)
        if (qh_heap_alloc(&world.memory.heap, &world.owners[2], 16, QH_BLOCK_agent, &block) !=
            QH_OK)
            return;
}

/* As VICTIM: what was put off is given back, and nothing else. */
static void flush(void) {
    (void)qh_heap_validate(&world.memory.heap);
}

/* Any of the operations, as often as any other, where it can be done. */
static void draw_victim(void) {
    operation wanted = qh__random_below(&chance, OPERATIONS);
    draw_task();
    if (wanted == TAKE || wanted == TAKE_MUCH || wanted == TAKE_ALIGNED || wanted == ACQUIRE ||
        wanted == CARVE) {
        for (uint32_t tries = 0; world.blocks[task.place].block; tries++) {
            if (tries == 200) return;
            task.place = qh__random_below(&chance, BLOCKS);
        }
        task.operation = wanted;
    }
    if (wanted == TAKE_MUCH) task.byte_count = 100000 + draw_size(20);
    if (wanted == GROW_ARRAY) task.operation = wanted;
    if (wanted == GIVE_LATE && task.operation == GIVE) put_off_and_take();
    if (qh__random_below(&chance, 4) == 0) fill_records();
    for (uint32_t i = 0; wanted == CLOSE_OWNER && i < OWNERS; i++)
        if (world.owners[i].live_blocks == 0) {
            task.operation = wanted;
            task.owner = i;
        }
}

/* ---------------------------------------------------------------- what is there */

/* Everything that a record says of every block, whatever the order; who has how much. */
static uint64_t state_now(void) {
    const qh_records *records = &world.memory.records;
    uint64_t sum = 0;
    for (size_t i = 0; i < records->capacity; i++) {
        const qh_record *record = &records->places[i];
        if (!record->block) continue;
        sum += qh__mix64((uint64_t)(uintptr_t)record->block ^ qh__mix64(record->byte_count) ^
                         qh__mix64((uint64_t)record->owner << 32 | record->kind));
    }
    for (uint32_t i = 0; i < OWNERS; i++) sum = qh__mix64(sum ^ world.owners[i].books);
    for (uint32_t i = 0; i < QH_POOL_COUNT; i++)
        sum = qh__mix64(sum ^ qh_pool_in_use(&world.memory.pools[i]) ^
                        (uint64_t)world.memory.pools[i].lent << 32);
    return qh__mix64(sum ^ (uint64_t)(uintptr_t)world.array ^ world.array_room ^ records->count);
}

static bool in_region(const void *block) {
    size_t at = (uintptr_t)block - world.memory.budget.base;
    return at >= world.memory.pools_start && at < world.memory.pools_end;
}

/* Live bytes of the heap that no record names: pools, and the table of records; carved blocks in addition. */
static uint64_t unrecorded(void) {
    const qh_records *records = &world.memory.records;
    uint64_t bytes =
        world.memory.heap.live_bytes - qh_heap_charge(records->capacity * sizeof(qh_record));
    for (size_t i = 0; i < records->capacity; i++)
        if (records->places[i].block && !in_region(records->places[i].block))
            bytes -= records->places[i].byte_count;
    return bytes;
}

static void check_owners(void) {
    const qh_records *records = &world.memory.records;
    uint64_t books[OWNERS] = {0};
    size_t count = 0;
    for (size_t i = 0; i < records->capacity; i++) {
        const qh_record *record = &records->places[i];
        if (!record->block) continue;
        count++;
        expect(qh_records_find(records, record->block) == record, "a record is found");
        if (record->owner >= 0x10000)
            books[record->owner - 0x10000] += (uint64_t)record->byte_count << 32 | 1;
    }
    expect(count == records->count, "as many records as it says");
    for (uint32_t i = 0; i < OWNERS; i++)
        expect(books[i] == world.owners[i].books, "an owner has what its records say");
}

static void paint(const held *at, uint32_t salt) {
    unsigned char *bytes = at->block;
    for (size_t i = 0; i < at->byte_count; i += 7) bytes[i] = (unsigned char)(i + salt);
}

static bool is_painted(const held *at, uint32_t salt) {
    const unsigned char *bytes = at->block;
    for (size_t i = 0; i < at->byte_count; i += 7)
        if (bytes[i] != (unsigned char)(i + salt)) return false;
    return true;
}

static void check_paint(bool all) {
    for (uint32_t i = 0; i < BLOCKS; i++)
        if (world.blocks[i].byte_count && (all || i != task.place))
            expect(is_painted(&world.blocks[i], i), "nobody else's block is touched");
}

/* ---------------------------------------------------------------- worlds */

static void open_world(void) {
    static const uint32_t pools[QH_POOL_COUNT] = {6, 8, 3};
    memset(&world, 0, sizeof world);
    qh_budget_open(&world.memory.budget, qh__random_below(&chance, 3) ? 200 : 10);
    if (qh_memory_open(&world.memory, 0, 0, pools, false) != QH_OK) abort();
    for (uint32_t i = 0; i < OWNERS; i++)
        qh_owner_open(&world.memory.heap, &world.owners[i], 0x10000 + i, QH_OWNER_agent,
                      SIZE_MAX / 2);
}

static void step_in_peace(void) {
    draw_task();
    perform();
    note();
    if (world.blocks[task.place].block) paint(&world.blocks[task.place], task.place);
}

static void take_image(void) {
    image_begin();
    image_add(&world, sizeof world);
    image_add((void *)world.memory.budget.base,
              (size_t)QH_MIN(world.memory.budget.pages, IMAGE_PAGES) * QH_PAGE_BYTES);
    image_save();
}

typedef struct tally {
    uint64_t tasks, deaths, rolled_back, most_entries;
    uint64_t of[OPERATIONS];
} tally;

/* Ends the task in its n-th basic block: for every n, or about EVERY of them where there are more. */
static void die_everywhere(tally *sums) {
    uint64_t before = state_now(), rest = unrecorded();
    scene = names[task.operation];
    take_image();
    expect(victim_run(perform, 0), "it ends");
    uint64_t after = state_now(), blocks = victim_blocks, rest_after = unrecorded();
    qh_result result = world.result;
    image_restore();
    victim_run(flush, 0);
    uint64_t between = state_now();
    sums->tasks++;
    sums->of[task.operation]++;
    uint32_t stride = blocks > EVERY ? (uint32_t)(2 * blocks / EVERY) : 1;
    for (uint64_t n = 1; n <= blocks; n += 1 + qh__random_below(&chance, stride)) {
        uint32_t was_wrong = wrong;
        image_restore();
        if (victim_run(perform, n)) {
            expect(false, "it dies");
            break;
        }
        sums->deaths++;
        bool undone = qh_memory_recover(&world.memory.heap, VICTIM);
        sums->rolled_back += undone;
        uint64_t now = state_now(), rest_now = unrecorded();
        expect(qh_mutex_holder(&world.memory.heap.lock.mutex) == QH_NO_THREAD, "the lock is free");
        expect(now == before || now == after || now == between, "all of it or nothing");
        expect(rest_now == rest || rest_now == rest_after, "no block is lost");
        expect(qh_memory_validate(&world.memory), "memory is sound");
        check_owners();
        check_paint(now == before && before != after);
        if ((now == before || now == between) && now != after) {
            world.result = QH_OK;
            perform();
            expect(world.result == result && state_now() == after &&
                       qh_memory_validate(&world.memory),
                   "made again, it does what it would have done");
        }
        if (wrong > was_wrong && wrong <= 20)
            printf("#   in block %llu of %llu, %llu bytes\n", (unsigned long long)n,
                   (unsigned long long)blocks, (unsigned long long)task.byte_count);
        if (wrong > 20) return;
    }
    image_restore();
    sums->most_entries = QH_MAX(sums->most_entries, world.memory.heap.lock.journal.most);
}

int main(int count, char **arguments) {
    uint32_t states = count > 1 ? (uint32_t)atoi(arguments[1]) : 60;
    uint64_t seed = count > 2 ? (uint64_t)atoll(arguments[2]) : 1;
    tally sums = {0};
    victim_may_sleep(true);
    for (uint32_t state = 0; state < states && wrong == 0; state++) {
        chance = qh__random_seeded(seed, state);
        open_world();
        uint32_t steps =
            qh__random_below(&chance, 4) ? qh__random_below(&chance, 1200) : state % 50;
        while (steps-- > 0) step_in_peace();
        expect(qh_memory_validate(&world.memory), "a world is sound");
        for (uint32_t i = 0; i < 8 && wrong == 0; i++) {
            victim_run(flush, 0);
            draw_victim();
            die_everywhere(&sums);
            perform();
            note();
            if (world.blocks[task.place].block) paint(&world.blocks[task.place], task.place);
        }
        sums.most_entries = QH_MAX(sums.most_entries, world.memory.heap.lock.journal.most);
        qh_budget_close(&world.memory.budget);
    }
    printf(
        "seed %llu: %llu operations, %llu deaths, %llu rolled back, at most %llu of %u entries\n",
        (unsigned long long)seed, (unsigned long long)sums.tasks, (unsigned long long)sums.deaths,
        (unsigned long long)sums.rolled_back, (unsigned long long)sums.most_entries,
        QH_JOURNAL_ENTRIES);
    for (uint32_t i = 0; i < OPERATIONS; i++)
        printf("%s %s %llu", i ? "," : "#", names[i], (unsigned long long)sums.of[i]);
    printf("\n");
    return wrong > 0;
}
