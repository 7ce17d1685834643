#include "shared/knowledge.h"

#include "base/bytes.h"
#include "base/maths.h"

#define MAX_SOURCE_BYTES (64u << 20)
#define VECTOR_BYTES (QH_KNOWLEDGE_DIMS * 4u)

/* ---------------------------------------------------------------- blocks */

QH_NOINLINE qh_result qh__knowledge_take(qh_knowledge *knowledge, size_t byte_count, void *block) {
    void *taken = NULL;
    if (byte_count > 0)
        QH_TRY(qh_heap_alloc_zeroed(&knowledge->memory->heap, &knowledge->owner, byte_count,
                                    QH_BLOCK_knowledge, &taken));
    memcpy(block, &taken, sizeof taken);
    return QH_OK;
}

void qh__knowledge_give(qh_knowledge *knowledge, void *block, size_t byte_count) {
    qh_heap_free(&knowledge->memory->heap, &knowledge->owner, block, byte_count);
}

static void give_catalogue(qh_knowledge *knowledge, qh_catalogue *catalogue) {
    size_t count = catalogue->count;
    qh__knowledge_give(knowledge, catalogue->source, catalogue->source_bytes);
    qh__knowledge_give(knowledge, catalogue->entries, (count + 1) * sizeof(uint32_t));
    qh__knowledge_give(knowledge, catalogue->slots,
                       catalogue->slot_count * sizeof(qh_knowledge_slot));
    qh__knowledge_give(knowledge, catalogue->postings, catalogue->posting_bytes);
    qh__knowledge_give(knowledge, catalogue->lengths, count * sizeof(float));
    qh__knowledge_give(knowledge, catalogue->vectors, count * VECTOR_BYTES);
    *catalogue = (qh_catalogue){0};
}

void qh_knowledge_open(qh_knowledge *knowledge, qh_memory *memory) {
    *knowledge = (qh_knowledge){.memory = memory};
    qh_owner_open(&memory->heap, &knowledge->owner, 0, QH_OWNER_knowledge, SIZE_MAX);
}

void qh_knowledge_close(qh_knowledge *knowledge) {
    QH_ASSERT(qh_knowledge_free(knowledge) == QH_OK);
    qh_owner_close(&knowledge->memory->heap, &knowledge->owner);
}

/* ---------------------------------------------------------------- source */

QH_NOINLINE uint32_t qh__next_number(const unsigned char **at, const unsigned char *end) {
    uint32_t number = 0;
    for (uint32_t shift = 0; shift < 32 && *at < end; shift += 7) {
        uint32_t byte = *(*at)++;
        number |= (byte & 0x7F) << shift;
        if (byte < 0x80) return number;
    }
    return UINT32_MAX;
}

QH_NOINLINE bool qh__next_text(const unsigned char **at, const unsigned char *end, qh_text *text) {
    uint32_t length = qh__next_number(at, end);
    if (length > (size_t)(end - *at)) return false;
    *text = (qh_text){*at, length};
    *at += length;
    return true;
}

QH_NOINLINE qh_text qh__catalogue_field(const qh_catalogue *catalogue, uint32_t entry,
                                        uint32_t field) {
    const unsigned char *at = catalogue->source + catalogue->entries[entry];
    const unsigned char *end = catalogue->source + catalogue->source_bytes;
    qh_text text;
    qh__next_number(&at, end);
    for (uint32_t i = 0; i <= field; i++) QH_ASSERT(qh__next_text(&at, end, &text));
    return text;
}

qh_text qh_knowledge_field(const qh_knowledge *knowledge, uint32_t entry, uint32_t field) {
    return qh__catalogue_field(&knowledge->catalogue, entry, field);
}

/* Goes behind the entry at `at`, which must be one. */
static bool skip_entry(const unsigned char **at, const unsigned char *end) {
    qh_text text;
    bool sound = qh__next_number(at, end) != UINT32_MAX;
    for (uint32_t field = 0; field < QH_FIELD_COUNT; field++) {
        sound = sound && qh__next_text(at, end, &text);
        if (field == QH_FIELD_CODE) sound = sound && text.length > 0;
    }
    return sound && (text.length == 0 || text.length == VECTOR_BYTES);
}

/* ---------------------------------------------------------------- life */

/* Both sources as one; the table of words is the old one's, if there is one. */
static qh_result take_source(qh_knowledge *knowledge, qh_text added, uint32_t added_count,
                             qh_catalogue *made) {
    const qh_catalogue *old = &knowledge->catalogue;
    made->source_bytes = old->source_bytes + added.length;
    made->count = old->count + added_count;
    QH_TRY(qh__knowledge_take(knowledge, made->source_bytes, &made->source));
    QH_TRY(qh__knowledge_take(knowledge, (made->count + (size_t)1) * sizeof(uint32_t),
                              &made->entries));
    if (old->count > 0) memcpy(made->source, old->source, old->source_bytes);
    memcpy(made->source + old->source_bytes, added.bytes, added.length);
    const unsigned char *at = made->source, *end = at + made->source_bytes;
    qh_text words;
    qh__next_text(&at, end, &words);
    for (uint32_t i = 0; i <= made->count; i++) {
        made->entries[i] = (uint32_t)(at - made->source);
        if (i < made->count) skip_entry(&at, end);
    }
    return QH_OK;
}

static bool is_same(qh_text a, qh_text b) {
    return a.length == b.length && memcmp(a.bytes, b.bytes, a.length) == 0;
}

static uint32_t find_code(const qh_catalogue *catalogue, qh_text code) {
    if (catalogue->slot_count == 0) return QH_NO_ENTRY;
    uint32_t slot = qh__slot_of(catalogue, qh__text_term(code.bytes, code.length, QH_TERM_CODE));
    if (catalogue->slots[slot].term == 0) return QH_NO_ENTRY;
    qh_postings postings = qh__postings_open(catalogue, slot);
    while (qh__postings_next(&postings))
        if (is_same(qh__catalogue_field(catalogue, postings.entry, QH_FIELD_CODE), code))
            return postings.entry;
    return QH_NO_ENTRY;
}

/* Each code is found as the entry it is of: no two are the same. */
static bool codes_differ(const qh_catalogue *catalogue, uint32_t *at_fault) {
    for (uint32_t i = 0; i < catalogue->count; i++)
        if (find_code(catalogue, qh__catalogue_field(catalogue, i, QH_FIELD_CODE)) != i) {
            *at_fault = i;
            return false;
        }
    return true;
}

static qh_result build_catalogue(qh_knowledge *knowledge, qh_text source, uint32_t count,
                                 qh_catalogue *made, uint32_t *at_fault) {
    QH_TRY(take_source(knowledge, source, count, made));
    QH_TRY(qh__catalogue_index(knowledge, made));
    QH_TRY(qh__knowledge_take(knowledge, made->count * (size_t)VECTOR_BYTES, &made->vectors));
    return codes_differ(made, at_fault) ? qh__catalogue_embed(made, at_fault) : QH_INVALID_ARGUMENT;
}

/* Puts it on the list of what is shared, once there is something to share. */
static void list_knowledge(qh_knowledge *knowledge) {
    if (!knowledge->listed)
        qh_shared_open(&knowledge->memory->shared, &knowledge->shared, &knowledge->owner, 0, 0);
    knowledge->listed = true;
    knowledge->shared.byte_count = knowledge->owner.live_bytes;
}

#if QH_THREADS
#define QH_CHANGING(knowledge, is)                                                                 \
    (QH_ORDERED(), (void)((knowledge)->changing = (is)), QH_ORDERED())
#else
#define QH_CHANGING(knowledge, is) ((void)0)
#endif

qh_result qh_knowledge_load(qh_knowledge *knowledge, qh_text source, uint32_t *at_fault) {
    if (knowledge->shared.frozen) return QH_INVALID_STATE;
    if (source.length > MAX_SOURCE_BYTES - knowledge->catalogue.source_bytes)
        return QH_EXCEEDS_LIMIT;
    const unsigned char *at = source.bytes, *end = at + source.length;
    uint32_t count = 0;
    qh_text words;
    if (!qh__next_text(&at, end, &words)) return QH_CORRUPT;
    if (knowledge->catalogue.count > 0) source = (qh_text){at, (uint32_t)(end - at)};
    for (; at < end; count++)
        if (!skip_entry(&at, end)) return QH_CORRUPT;
    if (count == 0) return QH_OK;
    qh_catalogue made = {0};
    QH_CHANGING(knowledge, true);
    qh_result result = build_catalogue(knowledge, source, count, &made, at_fault);
    if (result == QH_OK) {
        qh_catalogue old = knowledge->catalogue;
        knowledge->catalogue = made;
        made = old;
    }
    give_catalogue(knowledge, &made);
    QH_CHANGING(knowledge, false);
    if (result == QH_OK) list_knowledge(knowledge);
    return result;
}

qh_result qh_knowledge_freeze(qh_knowledge *knowledge) {
    list_knowledge(knowledge);
    return qh_shared_freeze(&knowledge->shared);
}

qh_result qh_knowledge_free(qh_knowledge *knowledge) {
    if (!knowledge->listed) return QH_OK;
    QH_TRY(qh_shared_close(&knowledge->memory->shared, &knowledge->shared));
    QH_CHANGING(knowledge, true);
    knowledge->listed = knowledge->shared.frozen = false;
    give_catalogue(knowledge, &knowledge->catalogue);
    QH_CHANGING(knowledge, false);
    return QH_OK;
}

uint32_t qh_knowledge_find(const qh_knowledge *knowledge, qh_text code) {
    return find_code(&knowledge->catalogue, code);
}

/* ---------------------------------------------------------------- order */

/* A depth-first walk along prerequisites. */
typedef struct order_walk {
    const qh_catalogue *catalogue;
    uint32_t *path;  /* entries from the one wanted to the one reached */
    uint8_t *states; /* of every entry: 0 not seen, 1 on the path, 2 in the order */
    uint32_t depth, count;
    uint32_t *order;
    qh_knowledge_obstacle *obstacle;
} order_walk;

static void enter_entry(order_walk *walk, uint32_t entry) {
    if (walk->states[entry]) return;
    walk->states[entry] = 1;
    walk->path[walk->depth++] = entry;
}

/* Writes the path from `entry` on to the order. */
static qh_result report_cycle(const order_walk *walk, uint32_t entry) {
    uint32_t from = walk->depth - 1;
    while (walk->path[from] != entry) from--;
    *walk->obstacle = (qh_knowledge_obstacle){.entry = QH_NO_ENTRY, .cycle = walk->depth - from};
    memmove(walk->order, walk->path + from, walk->obstacle->cycle * sizeof(uint32_t));
    return QH_INVALID_ARGUMENT;
}

/* Goes to the first prerequisite of the entry reached that is not in the order yet, or back when there is none. */
static qh_result advance_walk(order_walk *walk) {
    uint32_t depth = walk->depth, entry = walk->path[depth - 1];
    qh_text needs = qh__catalogue_field(walk->catalogue, entry, QH_FIELD_REQUIRES), code;
    const unsigned char *at = needs.bytes, *end = at + needs.length;
    while (walk->depth == depth && qh__next_text(&at, end, &code)) {
        uint32_t needed = find_code(walk->catalogue, code);
        if (needed == QH_NO_ENTRY) {
            *walk->obstacle = (qh_knowledge_obstacle){.entry = entry, .missing = code};
            return QH_INVALID_ARGUMENT;
        }
        if (walk->states[needed] == 1) return report_cycle(walk, needed);
        enter_entry(walk, needed);
    }
    if (walk->depth > depth) return QH_OK;
    walk->states[entry] = 2;
    walk->order[walk->count++] = entry;
    walk->depth--;
    return QH_OK;
}

qh_result qh_knowledge_order(qh_knowledge *knowledge, const uint32_t *wanted, uint32_t wanted_count,
                             uint32_t *order, uint32_t *order_count,
                             qh_knowledge_obstacle *obstacle) {
    size_t count = knowledge->catalogue.count, byte_count = count * 5;
    order_walk walk = {.catalogue = &knowledge->catalogue, .order = order, .obstacle = obstacle};
    QH_TRY(qh__knowledge_take(knowledge, byte_count, &walk.path));
    walk.states = (uint8_t *)(walk.path + count);
    qh_result result = QH_OK;
    for (uint32_t i = 0; i < wanted_count && result == QH_OK; i++) {
        enter_entry(&walk, wanted[i]);
        while (walk.depth > 0 && result == QH_OK) result = advance_walk(&walk);
    }
    *order_count = walk.count;
    qh__knowledge_give(knowledge, walk.path, byte_count);
    return result;
}

/* ---------------------------------------------------------------- validation */

static bool slot_is_sound(const qh_catalogue *catalogue, uint32_t slot) {
    qh_postings postings = qh__postings_open(catalogue, slot);
    uint32_t last = UINT32_MAX;
    bool sound = postings.holders > 0;
    while (sound && qh__postings_next(&postings)) {
        sound = postings.entry != last && postings.entry < catalogue->count;
        last = postings.entry;
    }
    return sound && postings.at <= catalogue->postings + catalogue->posting_bytes;
}

static bool slots_are_sound(const qh_catalogue *catalogue) {
    uint32_t used = 0;
    for (uint32_t i = 0; i < catalogue->slot_count; i++) {
        const qh_knowledge_slot *slot = &catalogue->slots[i];
        if (slot->term == 0) continue;
        used++;
        if (qh__slot_of(catalogue, slot->term) != i) return false;
        if (qh__has_postings(slot) && !slot_is_sound(catalogue, i)) return false;
    }
    return used == catalogue->used_slots;
}

bool qh_knowledge_validate(const qh_knowledge *knowledge) {
    const qh_catalogue *catalogue = &knowledge->catalogue;
    if (knowledge->listed && knowledge->shared.byte_count != knowledge->owner.live_bytes)
        return false;
    if (catalogue->count == 0) return knowledge->owner.live_bytes == 0;
    const unsigned char *at = catalogue->source, *end = at + catalogue->source_bytes;
    qh_text words;
    bool sound = qh__next_text(&at, end, &words);
    for (uint32_t i = 0; sound && i < catalogue->count; i++)
        sound = catalogue->entries[i] == (uint32_t)(at - catalogue->source) && skip_entry(&at, end);
    uint32_t at_fault;
    return sound && at == end && slots_are_sound(catalogue) && codes_differ(catalogue, &at_fault);
}
