/* Who watches the watchers: the model that the heap is held against must fail every heap that is broken. One set of checks (contents,
 * alignment, quota, books of owner and heap, the validator, zeros) runs over the heap as it is, which passes, and over the heap with
 * one thing broken at a time, none of which may. */
#include "fixture.h"

#define PLACES 64u
#define OWNERS 3u
#define OPERATIONS 3000u

typedef enum breakage {
    SOUND,
    OVERLAPPING,   /* a block begins inside another */
    SHORT,         /* a block is smaller than it was asked for */
    LOST,          /* what is freed never serves again, though the books say that it does */
    NOT_FREEING,   /* free does nothing */
    WRONG_OWNER,   /* somebody else is charged */
    IGNORED_QUOTA, /* the quota is not looked at */
    MISALIGNED,
    DIRTY,              /* zeroed memory is not zero */
    MOVED_EMPTY,        /* a resize forgets what was in the block */
    SERVED_TWICE,       /* one block serves two */
    CHANGED_ON_REFUSAL, /* a failure leaves something behind */
    BREAKAGES
} breakage;

static const char *const breakage_names[BREAKAGES] = {
    "sound",         "overlapping", "short", "lost",        "not freeing",  "wrong owner",
    "ignored quota", "misaligned",  "dirty", "moved empty", "served twice", "changed on refusal"};

static qh_memory memory;
static qh_owner owners[OWNERS];
static breakage broken;
static uint32_t found; /* violations */

static struct place {
    unsigned char *at;
    size_t byte_count;
    uint32_t owner;
    unsigned char fill;
} places[PLACES];

static size_t expected_bytes[OWNERS];

static void expect(bool holds) {
    found += !holds;
}

/* ---------------------------------------------------------------- the heap, as broken as asked for */

static bool now_and_then(void) {
    static uint32_t calls;
    return ++calls % 7 == 0;
}

static qh_result broken_alloc(uint32_t owner, size_t byte_count, bool zeroed, void **block) {
    qh_heap *heap = &memory.heap;
    qh_owner *payer =
        &owners[broken == WRONG_OWNER && now_and_then() ? (owner + 1) % OWNERS : owner];
    size_t quota = payer->quota_bytes;
    if (broken == IGNORED_QUOTA) payer->quota_bytes = SIZE_MAX / 2;
    size_t asked =
        broken == SHORT && byte_count > 64 && now_and_then() ? byte_count / 2 : byte_count;
    qh_result result = zeroed && broken != DIRTY
                           ? qh_heap_alloc_zeroed(heap, payer, asked, QH_BLOCK_buffer, block)
                           : qh_heap_alloc(heap, payer, asked, QH_BLOCK_buffer, block);
    if (broken == IGNORED_QUOTA) payer->quota_bytes = quota;
    if (result != QH_OK && broken == CHANGED_ON_REFUSAL && result == QH_QUOTA_EXCEEDED)
        payer->quota_bytes += 16, qh_owner_charge(payer, 16);
    if (result != QH_OK) return result;
    if (broken == DIRTY && zeroed) memset(*block, 0x77, byte_count);
    if (broken == MISALIGNED && now_and_then()) *block = (unsigned char *)*block + 8;
    if (broken == OVERLAPPING && now_and_then() && places[0].at && places[0].byte_count >= 32)
        *block = places[0].at + 16;
    for (uint32_t i = 0; broken == SERVED_TWICE && i < PLACES; i++)
        if (places[i].at && places[i].byte_count >= byte_count) *block = places[i].at;
    return QH_OK;
}

static void broken_free(uint32_t owner, void *block, size_t byte_count) {
    if (broken == NOT_FREEING && now_and_then()) return;
    if (broken == LOST && now_and_then()) {
        qh_owner_discharge(&owners[owner], qh_heap_charge(byte_count));
        return;
    }
    qh_heap_free(&memory.heap, &owners[owner], block, byte_count);
}

static qh_result broken_resize(uint32_t owner, void **block, size_t before, size_t after) {
    qh_result result =
        qh_heap_resize(&memory.heap, &owners[owner], block, before, after, QH_BLOCK_buffer);
    if (result == QH_OK && broken == MOVED_EMPTY) memset(*block, 0, QH_MIN(before, after));
    return result;
}

/* ---------------------------------------------------------------- the model */

/* It is for the model to find what is broken, not for the sanitizer. */
static void expose(void) {
    if (broken != SOUND) test_expose(&memory);
}

static bool is_intact(const struct place *place) {
    for (size_t i = 0; i < place->byte_count; i++)
        if (place->at[i] != place->fill) return false;
    return true;
}

static void fill(struct place *place) {
    memset(place->at, place->fill, place->byte_count);
}

static void check_all(void) {
    size_t total = 0;
    for (uint32_t i = 0; i < OWNERS; i++) {
        expect(owners[i].live_bytes == expected_bytes[i]);
        expect(owners[i].live_bytes <= owners[i].quota_bytes);
        total += expected_bytes[i];
    }
    expect(memory.heap.live_bytes == total);
    for (uint32_t i = 0; i < PLACES; i++)
        if (places[i].at) expect(is_intact(&places[i]));
    if (found == 0) expect(qh_heap_validate(&memory.heap));
}

static void take(struct place *place, uint32_t owner, size_t byte_count, bool zeroed) {
    size_t before = owners[owner].live_bytes;
    bool fits = qh_heap_charge(byte_count) <= owners[owner].quota_bytes - expected_bytes[owner];
    void *block = NULL;
    qh_result result = broken_alloc(owner, byte_count, zeroed, &block);
    expose();
    expect(result == (fits ? QH_OK : QH_QUOTA_EXCEEDED));
    if (result != QH_OK) {
        expect(owners[owner].live_bytes == before && block == NULL);
        return;
    }
    *place = (struct place){block, byte_count, owner, (unsigned char)(byte_count * 37 % 251 + 1)};
    expect((uintptr_t)block % QH_HEAP_ALIGNMENT == 0);
    for (size_t i = 0; zeroed && i < byte_count; i++) expect(place->at[i] == 0);
    fill(place);
    expected_bytes[owner] += qh_heap_charge(byte_count);
}

static void change(struct place *place, size_t byte_count) {
    void *block = place->at;
    size_t before = place->byte_count;
    qh_result result = broken_resize(place->owner, &block, before, byte_count);
    expose();
    if (result != QH_OK) return;
    place->at = block;
    place->byte_count = QH_MIN(before, byte_count);
    expect(is_intact(place));
    place->byte_count = byte_count;
    fill(place);
    expected_bytes[place->owner] += qh_heap_charge(byte_count) - qh_heap_charge(before);
}

/* A run ends at the first violation: a broken heap may do anything after it. */
static void run_model(breakage kind, qh_random random) {
    static const size_t quotas[OWNERS] = {3000, 40000, SIZE_MAX / 4};
    if (test_memory_open(&memory, TEST_NO_POOLS, false) != QH_OK) TEST_FAIL("no memory");
    memset(places, 0, sizeof places);
    memset(expected_bytes, 0, sizeof expected_bytes);
    for (uint32_t i = 0; i < OWNERS; i++)
        qh_owner_open(&memory.heap, &owners[i], i, QH_OWNER_metrics, quotas[i]);
    broken = kind;
    found = 0;
    for (uint32_t i = 0; i < OPERATIONS && found == 0; i++) {
        struct place *place = &places[qh__random_below(&random, PLACES)];
        uint32_t owner = qh__random_below(&random, OWNERS), dice = qh__random_below(&random, 8);
        size_t byte_count = 1 + qh__random_below(&random, dice == 0 ? 9000 : 700);
        if (!place->at) {
            take(place, owner, byte_count, dice == 1);
        } else if (dice < 2) {
            change(place, byte_count);
        } else {
            expect(is_intact(place));
            broken_free(place->owner, place->at, place->byte_count);
            expose();
            expected_bytes[place->owner] -= qh_heap_charge(place->byte_count);
            place->at = NULL;
        }
        check_all();
    }
    broken = SOUND;
    test_memory_close(&memory);
}

static void a_sound_heap_passes(void) {
    run_model(SOUND, test_random());
    CHECK_EQ(found, 0);
}

static void every_broken_heap_is_found(void) {
    qh_random random = test_random();
    for (uint32_t kind = SOUND + 1; kind < BREAKAGES; kind++) {
        run_model((breakage)kind, random);
        CHECK(found > 0);
        if (found == 0) test_note(breakage_names[kind]);
    }
}

TEST_SUITE(memory_detector, {"a sound heap passes", a_sound_heap_passes},
           {"every broken heap is found", every_broken_heap_is_found});
