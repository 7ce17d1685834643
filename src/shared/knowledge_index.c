/* Terms to postings, in three readings of the texts: which terms there are, how many bytes the postings of each take, and the
 * postings themselves. */
#include "shared/knowledge.h"

#include "base/bytes.h"

#define FIRST_SLOTS 1024u
#define MAX_SLOTS (1u << 26)
#define MAX_WEIGHT 15u
#define NO_MEANING UINT32_MAX

/* How often a word counts for each time it comes. */
static const uint8_t field_weights[QH_FIELD_COUNT] = {
    [QH_FIELD_CODE] = 2,        [QH_FIELD_NAME] = 3,       [QH_FIELD_CATEGORY] = 1,
    [QH_FIELD_DESCRIPTION] = 2, [QH_FIELD_PARAMETERS] = 1, [QH_FIELD_KPIS] = 1,
};

typedef struct index_builder {
    qh_knowledge *knowledge;
    qh_catalogue *catalogue;
    qh_result result;
    uint32_t entry, weight;
    uint32_t meaning; /* of the words of a line of the table */
    uint32_t words;   /* of the entry, weighted */
    bool writing;
    uint32_t *cursors; /* of each slot: bytes of its postings, then where the next one goes */
    uint32_t *lasts;   /* 1 + the last entry that has it */
    uint32_t *holders; /* entries that have it */
    uint32_t *touched; /* slots that the entry has, in all `touched_count` */
    uint8_t *weights;  /* of the slot in the entry */
    uint32_t touched_count;
} index_builder;

/* ---------------------------------------------------------------- slots */

QH_NOINLINE uint32_t qh__slot_of(const qh_catalogue *catalogue, uint32_t term) {
    uint32_t mask = catalogue->slot_count - 1, slot = (term >> 2) & mask;
    while (catalogue->slots[slot].term != 0 && catalogue->slots[slot].term != term)
        slot = (slot + 1) & mask;
    return slot;
}

uint32_t qh__meaning_of(const qh_catalogue *catalogue, uint32_t term) {
    if (qh__term_kind(term) != QH_TERM_WORD) return term;
    uint32_t alias = term - QH_TERM_WORD;
    const qh_knowledge_slot *slot = &catalogue->slots[qh__slot_of(catalogue, alias)];
    return slot->term == alias && alias != 0 ? slot->start : term;
}

static qh_result grow_slots(qh_knowledge *knowledge, qh_catalogue *catalogue) {
    qh_catalogue grown = *catalogue;
    grown.slot_count = grown.slot_count ? grown.slot_count * 2 : FIRST_SLOTS;
    if (grown.slot_count > MAX_SLOTS) return QH_EXCEEDS_LIMIT;
    QH_TRY(
        qh__knowledge_take(knowledge, grown.slot_count * sizeof(qh_knowledge_slot), &grown.slots));
    for (uint32_t i = 0; i < catalogue->slot_count; i++) {
        qh_knowledge_slot slot = catalogue->slots[i];
        if (slot.term) grown.slots[qh__slot_of(&grown, slot.term)] = slot;
    }
    qh__knowledge_give(knowledge, catalogue->slots,
                       catalogue->slot_count * sizeof(qh_knowledge_slot));
    *catalogue = grown;
    return QH_OK;
}

/* Makes a slot for a term unless there is one, and room for the next. */
static void add_slot(index_builder *builder, uint32_t term, uint32_t start) {
    qh_catalogue *catalogue = builder->catalogue;
    uint32_t slot = qh__slot_of(catalogue, term);
    if (builder->result != QH_OK || catalogue->slots[slot].term != 0) return;
    catalogue->slots[slot] = (qh_knowledge_slot){term, start};
    if (++catalogue->used_slots > catalogue->slot_count / 4 * 3)
        builder->result = grow_slots(builder->knowledge, catalogue);
}

/* A word of the table: the first of a line is what is meant by the others. */
static bool learn_word(void *context, uint32_t term) {
    index_builder *builder = context;
    if (builder->meaning == NO_MEANING)
        builder->meaning = term;
    else
        add_slot(builder, term - QH_TERM_WORD, builder->meaning);
    return false;
}

static void learn_words(index_builder *builder) {
    const unsigned char *at = builder->catalogue->source;
    qh_text words, line;
    qh__next_text(&at, at + builder->catalogue->source_bytes, &words);
    for (uint32_t from = 0, to = 0; to <= words.length; to++) {
        if (to < words.length && words.bytes[to] != '\n') continue;
        line = (qh_text){words.bytes + from, to - from};
        builder->meaning = line.length > 0 && *line.bytes == '-' ? 0 : NO_MEANING;
        qh__text_terms(line, learn_word, builder);
        from = to + 1;
    }
}

static bool note_term(void *context, uint32_t term) {
    index_builder *builder = context;
    term = qh__meaning_of(builder->catalogue, term);
    if (term) add_slot(builder, term, 0);
    return term != 0;
}

/* ---------------------------------------------------------------- postings */

static QH_NOINLINE uint32_t varint_bytes(uint32_t number) {
    uint32_t count = 1;
    while (number >>= 7) count++;
    return count;
}

static QH_NOINLINE uint32_t put_varint(unsigned char *bytes, uint32_t at, uint32_t number) {
    for (; number >= 0x80; number >>= 7) bytes[at++] = (unsigned char)(number | 0x80);
    bytes[at++] = (unsigned char)number;
    return at;
}

static bool weigh_term(void *context, uint32_t term) {
    index_builder *builder = context;
    term = qh__meaning_of(builder->catalogue, term);
    if (term == 0) return false;
    uint32_t slot = qh__slot_of(builder->catalogue, term), weight = builder->weights[slot];
    if (weight == 0) builder->touched[builder->touched_count++] = slot;
    builder->weights[slot] = (uint8_t)QH_MIN(weight + builder->weight, MAX_WEIGHT);
    if (qh__term_kind(term) == QH_TERM_WORD) builder->words += builder->weight;
    return true;
}

static void end_entry(index_builder *builder) {
    for (uint32_t i = 0; i < builder->touched_count; i++) {
        uint32_t slot = builder->touched[i], *place = &builder->cursors[slot];
        uint32_t gap = builder->entry + 1 - builder->lasts[slot];
        uint32_t posting = gap << 4 | builder->weights[slot];
        if (builder->writing)
            *place = put_varint(builder->catalogue->postings, *place, posting);
        else
            *place += varint_bytes(posting);
        builder->lasts[slot] += gap;
        builder->holders[slot]++;
        builder->weights[slot] = 0;
    }
    builder->catalogue->lengths[builder->entry] = (float)builder->words;
    builder->touched_count = builder->words = 0;
}

static void read_field(index_builder *builder, uint32_t field, qh_term_visitor *visit) {
    qh_text text = qh__catalogue_field(builder->catalogue, builder->entry, field);
    const unsigned char *at = text.bytes, *end = at + text.length;
    builder->weight = field_weights[field];
    if (field == QH_FIELD_CODE) visit(builder, qh__text_term(at, text.length, QH_TERM_CODE));
    do {
        if (field >= QH_FIELD_PARAMETERS && !qh__next_text(&at, end, &text)) break;
        qh__text_terms(text, visit, builder);
    } while (field >= QH_FIELD_PARAMETERS);
}

static void read_all(index_builder *builder, qh_term_visitor *visit) {
    for (builder->entry = 0; builder->entry < builder->catalogue->count; builder->entry++) {
        for (uint32_t field = 0; field <= QH_FIELD_KPIS; field++) read_field(builder, field, visit);
        if (visit == weigh_term) end_entry(builder);
    }
}

/* From the bytes of each slot's postings to where they begin; takes their block. */
static qh_result place_postings(index_builder *builder) {
    qh_catalogue *catalogue = builder->catalogue;
    uint32_t at = 0;
    for (uint32_t i = 0; i < catalogue->slot_count; i++) {
        if (!qh__has_postings(&catalogue->slots[i])) continue;
        catalogue->slots[i].start = at;
        at += varint_bytes(builder->holders[i]) + builder->cursors[i];
    }
    QH_TRY(qh__knowledge_take(builder->knowledge, at, &catalogue->postings));
    catalogue->posting_bytes = at;
    for (uint32_t i = 0; i < catalogue->slot_count; i++) {
        if (!qh__has_postings(&catalogue->slots[i])) continue;
        builder->cursors[i] =
            put_varint(catalogue->postings, catalogue->slots[i].start, builder->holders[i]);
        builder->lasts[i] = 0;
    }
    return QH_OK;
}

static qh_result write_postings(index_builder *builder) {
    read_all(builder, weigh_term);
    QH_TRY(place_postings(builder));
    builder->writing = true;
    read_all(builder, weigh_term);
    return QH_OK;
}

static void relate_lengths(qh_catalogue *catalogue) {
    double sum = 1;
    for (uint32_t i = 0; i < catalogue->count; i++) sum += (double)catalogue->lengths[i];
    for (uint32_t i = 0; i < catalogue->count; i++)
        catalogue->lengths[i] = (float)((double)catalogue->lengths[i] * catalogue->count / sum);
}

qh_result qh__catalogue_index(qh_knowledge *knowledge, qh_catalogue *catalogue) {
    index_builder builder = {.knowledge = knowledge, .catalogue = catalogue};
    QH_TRY(qh__knowledge_take(knowledge, catalogue->count * sizeof(float), &catalogue->lengths));
    QH_TRY(grow_slots(knowledge, catalogue));
    learn_words(&builder);
    read_all(&builder, note_term);
    QH_TRY(builder.result);
    size_t slots = catalogue->slot_count, byte_count = slots * 17;
    uint32_t *scratch;
    QH_TRY(qh__knowledge_take(knowledge, byte_count, &scratch));
    builder.cursors = scratch;
    builder.lasts = scratch + slots;
    builder.holders = scratch + 2 * slots;
    builder.touched = scratch + 3 * slots;
    builder.weights = (uint8_t *)(scratch + 4 * slots);
    qh_result result = write_postings(&builder);
    relate_lengths(catalogue);
    qh__knowledge_give(knowledge, scratch, byte_count);
    return result;
}

qh_postings qh__postings_open(const qh_catalogue *catalogue, uint32_t slot) {
    const unsigned char *at = catalogue->postings + catalogue->slots[slot].start;
    uint32_t holders = qh__next_number(&at, catalogue->postings + catalogue->posting_bytes);
    return (qh_postings){.at = at, .holders = holders, .left = holders, .entry = UINT32_MAX};
}

bool qh__postings_next(qh_postings *postings) {
    if (postings->left == 0) return false;
    uint32_t posting = qh__next_number(&postings->at, postings->at + 5);
    postings->left--;
    postings->entry += posting >> 4;
    postings->weight = posting & 15;
    return true;
}
