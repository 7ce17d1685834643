/* The feature knowledge: loading all or none, finding, searching, ordering, freezing, and what it does when there is no memory. */
#include "fixture.h"

#include "shared/knowledge.h"

static qh_memory memory;
static qh_knowledge knowledge;

/* ---------------------------------------------------------------- sources */

static unsigned char source[65536];
static uint32_t source_length;

static void put_number(uint32_t number) {
    for (; number >= 0x80; number >>= 7) source[source_length++] = (unsigned char)(number | 0x80);
    source[source_length++] = (unsigned char)number;
}

static void put_bytes(const void *bytes, uint32_t length) {
    put_number(length);
    if (length > 0) memcpy(source + source_length, bytes, length);
    source_length += length;
}

static uint32_t length_of(const char *text) {
    uint32_t length = 0;
    while (text[length]) length++;
    return length;
}

static void put_string(const char *text) {
    put_bytes(text, length_of(text));
}

static void begin_source(void) {
    source_length = 0;
    put_string("- the of and\nphone ue handset\nhandover ho");
}

/* An entry; `requires` of at most one code, `vector` NULL or 64 floats. */
static void put_entry(const char *code, const char *name, const char *category,
                      const char *description, const char *requires, const float *vector) {
    put_number(0);
    put_string(code);
    put_string(name);
    put_string(category);
    put_string(description);
    put_number(0);
    put_number(0);
    if (*requires) {
        put_number(length_of(requires) + 1);
        put_string(requires);
    } else {
        put_number(0);
    }
    put_bytes(vector, vector ? QH_KNOWLEDGE_DIMS * sizeof(float) : 0);
}

static qh_text all_of_source(void) {
    return (qh_text){source, source_length};
}

static void put_catalogue(void) {
    begin_source();
    put_entry("E1", "Cell sleep", "Energy", "cells that are switched off at night", "E2", NULL);
    put_entry("E2", "Load threshold", "Energy", "load below which nothing is needed", "", NULL);
    put_entry("M1", "Offset", "Mobility", "keeps handsets from bouncing at handovers", "", NULL);
    put_entry("M2", "timeToTrigger", "Mobility", "time before a report", "M1", NULL);
}

static bool open_with_catalogue(void) {
    uint32_t at_fault;
    CHECK_OK(test_memory_open(&memory, TEST_NO_POOLS, true));
    qh_knowledge_open(&knowledge, &memory);
    put_catalogue();
    CHECK_OK(qh_knowledge_load(&knowledge, all_of_source(), &at_fault));
    CHECK(qh_knowledge_validate(&knowledge));
    return knowledge.catalogue.count == 4;
}

static void close_all(void) {
    qh_knowledge_close(&knowledge);
    CHECK_EQ(memory.shared.count, 0);
    CHECK(qh_memory_validate(&memory));
    test_memory_close(&memory);
}

static uint32_t hits[QH_KNOWLEDGE_HITS];
static float scores[QH_KNOWLEDGE_HITS];

static uint32_t search_for(const char *text, const char *category, uint32_t mode) {
    qh_knowledge_query query = {
        .text = {(const unsigned char *)text, length_of(text)},
        .category = {(const unsigned char *)category, length_of(category)},
        .mode = mode,
        .hits = 10,
    };
    uint32_t count = 99;
    CHECK_OK(qh_knowledge_search(&knowledge, &query, hits, scores, &count));
    return count;
}

static uint32_t find(const char *code) {
    return qh_knowledge_find(&knowledge, (qh_text){(const unsigned char *)code, length_of(code)});
}

/* ---------------------------------------------------------------- tests */

static void what_is_loaded_is_found(void) {
    REQUIRE(open_with_catalogue());
    CHECK_EQ(find("E1"), 0);
    CHECK_EQ(find("M2"), 3);
    CHECK_EQ(find("m2"), QH_NO_ENTRY);
    CHECK_EQ(find(""), QH_NO_ENTRY);
    qh_text name = qh_knowledge_field(&knowledge, 2, QH_FIELD_NAME);
    CHECK(name.length == 6 && memcmp(name.bytes, "Offset", 6) == 0);
    CHECK_EQ(knowledge.shared.byte_count, knowledge.owner.live_bytes);
    close_all();
}

static void texts_find_their_entries(void) {
    REQUIRE(open_with_catalogue());
    for (uint32_t mode = QH_SEARCH_FUSED; mode <= QH_SEARCH_VECTOR; mode++) {
        CHECK(search_for("CELLS sleeping", "", mode) > 0);
        CHECK_EQ(hits[0], 0);
        CHECK(search_for("phone ho", "", mode) > 0); /* by the table of words */
        CHECK_EQ(hits[0], 2);
        CHECK(search_for("trigger", "", mode) > 0); /* a part of camel case */
        CHECK_EQ(hits[0], 3);
        CHECK_EQ(search_for("", "", mode), 0);
        CHECK_EQ(search_for("the of and", "", mode), 0);
        CHECK_EQ(search_for("zzzzzz", "", mode), 0);
        uint32_t count = search_for("load night offset time", "Energy", mode);
        CHECK(count > 0 && count <= 2);
        for (uint32_t i = 0; i < count; i++) CHECK(hits[i] < 2 && scores[i] > 0);
        CHECK_EQ(search_for("load", "energy", mode), 0); /* categories are told apart */
    }
    CHECK(search_for("M1", "", QH_SEARCH_LEXICAL) > 0);
    CHECK_EQ(hits[0], 2);
    CHECK(qh_knowledge_validate(&knowledge));
    close_all();
}

static void vectors_are_the_callers_where_given(void) {
    float axis[3][QH_KNOWLEDGE_DIMS] = {{0}};
    axis[0][0] = 5;
    axis[1][1] = 0.001f;
    axis[2][0] = -1;
    uint32_t at_fault, count;
    CHECK_OK(test_memory_open(&memory, TEST_NO_POOLS, false));
    qh_knowledge_open(&knowledge, &memory);
    begin_source();
    put_entry("A", "a", "c", "", "", axis[0]);
    put_entry("B", "b", "c", "", "", axis[1]);
    put_entry("C", "c", "c", "", "", axis[2]);
    REQUIRE_OK(qh_knowledge_load(&knowledge, all_of_source(), &at_fault));
    axis[0][1] = 1;
    qh_knowledge_query query = {.vector = axis[0], .hits = 3};
    CHECK_OK(qh_knowledge_search(&knowledge, &query, hits, scores, &count));
    CHECK_EQ(count, 3); /* also what points away */
    CHECK(hits[0] == 0 && hits[1] == 1 && hits[2] == 2);
    CHECK_NEAR(scores[0], 5 / qh__sqrt(26), 1e-6);
    CHECK_NEAR(scores[2], -5 / qh__sqrt(26), 1e-6);
    axis[0][7] = __builtin_nanf("");
    CHECK_RESULT(qh_knowledge_search(&knowledge, &query, hits, scores, &count),
                 QH_INVALID_ARGUMENT);
    axis[0][7] = __builtin_inff();
    begin_source();
    put_entry("D", "d", "c", "", "", axis[1]);
    put_entry("E", "e", "c", "", "", axis[0]);
    CHECK_RESULT(qh_knowledge_load(&knowledge, all_of_source(), &at_fault), QH_INVALID_ARGUMENT);
    CHECK_EQ(at_fault, 4);
    CHECK_EQ(knowledge.catalogue.count, 3);
    close_all();
}

static void more_can_be_loaded_until_it_is_frozen(void) {
    uint32_t at_fault;
    REQUIRE(open_with_catalogue());
    begin_source();
    put_entry("X", "handsets", "New", "", "E1", NULL);
    CHECK_OK(qh_knowledge_load(&knowledge, all_of_source(), &at_fault));
    CHECK_EQ(find("X"), 4);
    CHECK_EQ(find("E1"), 0);
    CHECK(search_for("ue", "New", QH_SEARCH_FUSED) == 1 && hits[0] == 4);
    begin_source();
    CHECK_OK(qh_knowledge_load(&knowledge, all_of_source(), &at_fault)); /* nothing */
    put_entry("Y", "y", "New", "", "", NULL);
    put_entry("E2", "again", "New", "", "", NULL);
    CHECK_RESULT(qh_knowledge_load(&knowledge, all_of_source(), &at_fault), QH_INVALID_ARGUMENT);
    CHECK_EQ(at_fault, 6);
    CHECK_EQ(knowledge.catalogue.count, 5);
    CHECK_OK(qh_knowledge_freeze(&knowledge));
    CHECK_RESULT(qh_knowledge_freeze(&knowledge), QH_INVALID_STATE);
    CHECK_RESULT(qh_knowledge_load(&knowledge, all_of_source(), &at_fault), QH_INVALID_STATE);
    CHECK_OK(qh_shared_acquire(&knowledge.shared));
    CHECK_RESULT(qh_knowledge_free(&knowledge), QH_BUSY);
    CHECK_EQ(knowledge.catalogue.count, 5);
    qh_shared_release(&knowledge.shared);
    CHECK_OK(qh_knowledge_free(&knowledge));
    CHECK_EQ(knowledge.owner.live_bytes, 0);
    CHECK(qh_knowledge_validate(&knowledge));
    CHECK_EQ(search_for("ue", "", QH_SEARCH_FUSED), 0);
    put_catalogue();
    CHECK_OK(qh_knowledge_load(&knowledge, all_of_source(), &at_fault));
    close_all();
}

static void prerequisites_come_first(void) {
    uint32_t order[8], count, at_fault;
    qh_knowledge_obstacle obstacle;
    REQUIRE(open_with_catalogue());
    static const uint32_t wanted[] = {3, 0, 3};
    CHECK_OK(qh_knowledge_order(&knowledge, wanted, 3, order, &count, &obstacle));
    CHECK(count == 4 && order[0] == 2 && order[1] == 3 && order[2] == 1 && order[3] == 0);
    begin_source();
    put_entry("C1", "c", "Cycle", "", "C2", NULL);
    put_entry("C2", "c", "Cycle", "", "C3", NULL);
    put_entry("C3", "c", "Cycle", "", "C2", NULL);
    put_entry("L", "lonely", "Cycle", "", "nowhere", NULL);
    REQUIRE_OK(qh_knowledge_load(&knowledge, all_of_source(), &at_fault));
    uint32_t of_cycle = 4, lonely = 7;
    CHECK_RESULT(qh_knowledge_order(&knowledge, &of_cycle, 1, order, &count, &obstacle),
                 QH_INVALID_ARGUMENT);
    CHECK(obstacle.cycle == 2 && order[0] == 5 && order[1] == 6);
    CHECK_RESULT(qh_knowledge_order(&knowledge, &lonely, 1, order, &count, &obstacle),
                 QH_INVALID_ARGUMENT);
    CHECK(obstacle.cycle == 0 && obstacle.entry == 7 && obstacle.missing.length == 7);
    close_all();
}

static void malformed_sources_are_refused(void) {
    static unsigned char whole[sizeof source];
    uint32_t at_fault = 0;
    REQUIRE(open_with_catalogue());
    CHECK_OK(qh_knowledge_free(&knowledge));
    put_catalogue();
    uint32_t length = source_length;
    memcpy(whole, source, length);
    for (uint32_t cut = 0; cut < length;
         cut++) { /* every prefix is one of whole entries, or damaged */
        qh_text text = {whole, cut};
        qh_result result = qh_knowledge_load(&knowledge, text, &at_fault);
        CHECK(result == QH_CORRUPT || result == QH_OK);
        CHECK_OK(qh_knowledge_free(&knowledge));
    }
    qh_random random = test_random();
    for (uint32_t round = 0; round < TEST_SHARE(3000); round++) {
        memcpy(source, whole, length);
        for (uint32_t i = 0; i < 3; i++)
            source[qh__random_below(&random, length)] = (unsigned char)qh__random_next(&random);
        qh_result result = qh_knowledge_load(&knowledge, (qh_text){source, length}, &at_fault);
        CHECK(result == QH_OK || result == QH_CORRUPT || result == QH_INVALID_ARGUMENT);
        CHECK(qh_knowledge_validate(&knowledge));
        if (result == QH_OK) search_for("cell time", "", QH_SEARCH_FUSED);
        CHECK_OK(qh_knowledge_free(&knowledge));
        CHECK_EQ(knowledge.owner.live_bytes, 0);
    }
    close_all();
}

static void without_memory_nothing_changes(void) {
    uint32_t at_fault, count, failures = 0;
    REQUIRE(open_with_catalogue());
    size_t bytes = knowledge.owner.live_bytes;
    begin_source();
    put_entry("X", "more", "New", "and more of it", "E1", NULL);
    for (uint32_t n = 1;; n++) {
        memory.heap.fail_after = n;
        qh_result result = qh_knowledge_load(&knowledge, all_of_source(), &at_fault);
        memory.heap.fail_after = 0;
        if (result == QH_OK) break;
        failures++;
        CHECK_RESULT(result, QH_GROWTH_FAILED);
        CHECK_EQ(knowledge.owner.live_bytes, bytes);
        CHECK_EQ(knowledge.catalogue.count, 4);
        CHECK(qh_knowledge_validate(&knowledge) && qh_memory_validate(&memory));
    }
    CHECK(failures >= 7);
    qh_knowledge_query query = {.text = {(const unsigned char *)"cell", 4}, .hits = 5};
    memory.heap.fail_after = 1;
    CHECK_RESULT(qh_knowledge_search(&knowledge, &query, hits, scores, &count), QH_GROWTH_FAILED);
    qh_knowledge_obstacle obstacle;
    uint32_t wanted = 0, order[8];
    memory.heap.fail_after = 1;
    CHECK_RESULT(qh_knowledge_order(&knowledge, &wanted, 1, order, &count, &obstacle),
                 QH_GROWTH_FAILED);
    memory.heap.fail_after = 0;
    CHECK(qh_knowledge_validate(&knowledge));
    close_all();
}

/* What every build must find, to the last bit. */
static void scores_are_the_same_everywhere(void) {
    REQUIRE(open_with_catalogue());
    uint64_t hash =
        qh__hash_bytes(knowledge.catalogue.vectors, 4 * QH_KNOWLEDGE_DIMS * sizeof(float), 0);
    static const char *const texts[] = {"cells sleep at night", "handset bouncing", "load"};
    for (uint32_t i = 0; i < COUNT_OF(texts); i++) {
        uint32_t count = search_for(texts[i], "", QH_SEARCH_FUSED);
        hash = qh__hash_bytes(hits, count * sizeof *hits, hash);
        hash = qh__hash_bytes(scores, count * sizeof *scores, hash);
    }
    test_note_integer("hash of vectors, hits and scores", (int64_t)hash);
    CHECK_EQ(hash >> 1, 6556604736107206393);
    close_all();
}

static void a_damaged_catalogue_is_noticed(void) {
    REQUIRE(open_with_catalogue());
    qh_catalogue *catalogue = &knowledge.catalogue;
    catalogue->entries[1]++;
    CHECK(!qh_knowledge_validate(&knowledge));
    catalogue->entries[1]--;
    catalogue->used_slots++;
    CHECK(!qh_knowledge_validate(&knowledge));
    catalogue->used_slots--;
    knowledge.shared.byte_count++;
    CHECK(!qh_knowledge_validate(&knowledge));
    knowledge.shared.byte_count--;
    CHECK(qh_knowledge_validate(&knowledge));
    close_all();
}

TEST_SUITE(shared_knowledge, {"what is loaded is found", what_is_loaded_is_found},
           {"texts find their entries", texts_find_their_entries},
           {"vectors are the caller's where given", vectors_are_the_callers_where_given},
           {"more can be loaded until it is frozen", more_can_be_loaded_until_it_is_frozen},
           {"prerequisites come first", prerequisites_come_first},
           {"malformed sources are refused", malformed_sources_are_refused},
           {"without memory nothing changes", without_memory_nothing_changes},
           {"scores are the same everywhere", scores_are_the_same_everywhere},
           {"a damaged catalogue is noticed", a_damaged_catalogue_is_noticed});
