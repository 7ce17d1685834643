/* The vector index: nearest rows by graph and by scan, every row reachable, same bytes in every build, nothing changed by a failure, and
 * nothing believed of hostile bytes. */
#include "fixture.h"

#include "shared/index/index.h"

#define MOST_ROWS 3000u
#define MOST_DIMS 40u
#define K 10u

static qh_memory memory;
static qh_index *index;
static float data[MOST_ROWS * MOST_DIMS];
static unsigned char bytes[400000];

/* Rows around twelve centres, the first `spread` parts of a hundred away from them. */
static void draw_rows(qh_random *random, uint32_t count, uint32_t dims, uint32_t apart) {
    static float centres[12 * MOST_DIMS];
    for (uint32_t i = 0; i < 12 * dims; i++) centres[i] = (float)(qh__random_unit(random) - 0.5);
    for (uint32_t i = 0; i < count * dims; i++)
        data[i] = centres[i / dims % 12 * dims + i % dims] +
                  (float)((qh__random_unit(random) - 0.5) * apart / 100);
}

static void open_index(qh_index_def def) {
    def.m = def.m ? def.m : 8;
    def.ef_construction = def.ef_construction ? def.ef_construction : 60;
    CHECK_OK(test_memory_open(&memory, TEST_NO_POOLS, true));
    CHECK_OK(qh_index_open(&memory, &def, 0x10000, &index));
}

static void close_index(void) {
    CHECK_OK(qh_index_close(index));
    CHECK_EQ(memory.heap.live_blocks, memory.records_owner.live_blocks);
    CHECK_EQ(memory.shared.count, 0);
    CHECK(qh_memory_validate(&memory));
    test_memory_close(&memory);
}

static qh_result add_rows(uint32_t first, uint32_t count) {
    uint32_t failed;
    QH_TRY(qh_index_reserve(index, count));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = index->count + i, dims = index->def.dims;
        memcpy(index->rows.vectors + (size_t)row * index->stride, data + (first + i) * dims,
               dims * sizeof(float));
        index->rows.labels[row] = first + i;
        index->rows.categories[row] = (uint16_t)((first + i) % 3);
    }
    return qh_index_commit(index, count, &failed);
}

/* Searches for a row of the data: how many are found. */
static uint32_t find(uint32_t row, uint32_t k, uint32_t ef, uint32_t mode) {
    uint32_t found = 0, failed;
    CHECK_OK(qh_index_exchange_reserve(index, 1, k, false));
    memcpy(qh__index_desk(index)->exchange.queries, data + row * index->def.dims,
           index->def.dims * sizeof(float));
    CHECK_OK(qh_index_find(index, &(qh_index_request){1, k, ef, mode, NULL, 0}, &found, &failed));
    return found;
}

/* Of the K nearest by a scan, the share that a walk finds. */
static double recall_of(uint32_t first, uint32_t queries, uint32_t ef) {
    uint32_t hits = 0;
    for (uint32_t i = 0; i < queries; i++) {
        uint32_t exact[K];
        find(first + i, K, 1, QH_INDEX_SCAN);
        memcpy(exact, qh__index_desk(index)->exchange.labels, sizeof exact);
        find(first + i, K, ef, QH_INDEX_GRAPH);
        for (uint32_t a = 0; a < K; a++)
            for (uint32_t b = 0; b < K; b++)
                hits += exact[a] == qh__index_desk(index)->exchange.labels[b];
    }
    return (double)hits / (queries * K);
}

static void walks_find_what_scans_find(void) {
    qh_random random = test_random();
    const uint32_t count = TEST_SHARE(2000u);
    for (uint32_t metric = 0; metric <= QH_IP; metric++) {
        draw_rows(&random, count + 50, 24, 60);
        for (uint32_t storage = 0; storage <= QH_STORE_I8; storage++) {
            open_index(
                (qh_index_def){.dims = 24, .metric = metric, .storage = storage, .seed = metric});
            CHECK_OK(add_rows(0, count));
            CHECK_OK(qh_index_build(index, count / 2));
            CHECK(qh_index_validate(index));
            CHECK_OK(qh_index_freeze(index));
            CHECK(qh_index_validate(index));
            double recall = recall_of(count, 50, 80);
            if (recall < 0.95) test_note_double("recall", recall);
            CHECK(recall >= 0.95);
            close_index();
        }
    }
}

/* Every row finds itself first by l2: nothing is lost in the graph. */
static void check_self_found(uint32_t count) {
    for (uint32_t row = 0; row < count; row++) {
        CHECK_EQ(find(row, 1, 40, QH_INDEX_GRAPH), 1);
        CHECK_SAME(qh__index_desk(index)->exchange.distances[0], 0);
    }
}

static void every_row_is_reachable(void) {
    qh_random random = test_random();
    const uint32_t count = TEST_SHARE(1500u);
    for (uint32_t shape = 0; shape < 5; shape++) {
        draw_rows(&random, count, 4, 100);
        for (uint32_t i = 0; i < count * 4; i++) {
            if (shape == 0) data[i] = 1;                          /* all the same */
            if (shape == 1) data[i] = (float)(i / 4 % 5);         /* five heaps of the same */
            if (shape == 2) data[i] = i % 4 ? 0 : (float)(i / 4); /* a line */
            if (shape == 3) data[i] *= i / 4 % 2 ? 1 : 1e6f;      /* a point and a cloud */
        }
        open_index((qh_index_def){
            .dims = 4, .metric = QH_L2, .m = 2, .ef_construction = shape == 4 ? 1 : 8});
        CHECK_OK(add_rows(0, count));
        CHECK_OK(qh_index_freeze(index));
        CHECK(qh_index_validate(index));
        CHECK_EQ(find(0, K, 50, QH_INDEX_GRAPH), K);
        if (shape == 2) check_self_found(TEST_SHARE(200u));
        close_index();
    }
}

static void the_bytes_are_the_same_everywhere(void) {
    /* Found by the native build; SIMD, scalar and sanitized builds must agree. */
    static const uint32_t expected[3][3] = {{0x9039E298u, 0xBC1539A0u, 0x4EC082DCu},
                                            {0x9D7A5970u, 0xCA681F39u, 0x360757AFu},
                                            {0x7D3E7621u, 0x633F4602u, 0xDD0E752Du}};
    qh_random random = qh__random_seeded(1, 2);
    draw_rows(&random, 300, 37, 70);
    for (uint32_t metric = 0; metric <= QH_IP; metric++) {
        for (uint32_t storage = 0; storage <= QH_STORE_I8; storage++) {
            open_index((qh_index_def){.dims = 37, .metric = metric, .storage = storage, .seed = 5});
            CHECK_OK(add_rows(0, 300));
            CHECK_OK(qh_index_freeze(index));
            size_t byte_count;
            CHECK_OK(qh_index_export_size(index, &byte_count));
            REQUIRE(byte_count <= sizeof bytes);
            qh_index_export(index, bytes);
            uint32_t crc;
            memcpy(&crc, bytes + 8, sizeof crc);
            CHECK_EQ(crc, expected[metric][storage]);
            close_index();
        }
    }
}

static void filters_let_through_what_they_say(void) {
    qh_random random = test_random();
    const uint32_t count = TEST_SHARE(2500u);
    draw_rows(&random, count + 20, 8, 80);
    open_index((qh_index_def){.dims = 8, .metric = QH_L2});
    CHECK_OK(add_rows(0, count));
    CHECK_OK(qh_index_freeze(index));
    for (uint32_t share = 2; share <= 400; share *= 5) {
        CHECK_OK(qh_index_exchange_reserve(index, 20, K, true));
        memcpy(qh__index_desk(index)->exchange.queries, data + count * 8, 20 * 8 * sizeof(float));
        uint32_t *bits = qh__index_desk(index)->exchange.bits, found, failed;
        memset(bits, 0, (count / 32 + 1) * sizeof *bits);
        for (uint32_t row = 0; row < count; row++)
            bits[row / 32] |= (uint32_t)(index->rows.labels[row] % share == 1) << row % 32;
        qh_index_request request = {
            20, K, 60, QH_INDEX_SCAN, bits, qh__index_count_bits(bits, count)};
        static uint32_t exact[20 * K];
        CHECK_OK(qh_index_find(index, &request, &found, &failed));
        memcpy(exact, qh__index_desk(index)->exchange.labels, sizeof exact);
        uint32_t hits = 0, all = 0;
        request.mode = QH_INDEX_CHOSEN;
        CHECK_OK(qh_index_find(index, &request, &found, &failed));
        CHECK_EQ(found, QH_MIN(K, request.allowed));
        for (uint32_t i = 0; i < 20 * K; i++) {
            if (exact[i] == UINT32_MAX) continue;
            all++;
            CHECK(qh__index_desk(index)->exchange.labels[i] % share == 1);
            for (uint32_t j = i / K * K; j < i / K * K + K; j++)
                hits += qh__index_desk(index)->exchange.labels[j] == exact[i];
        }
        CHECK(hits >= all * 95 / 100);
    }
    CHECK_EQ(qh_index_category_bits(index, 1, NULL), (count + 1) / 3);
    CHECK_EQ(qh_index_category_bits(index, 1, NULL), (count + 1) / 3);
    CHECK_EQ(qh_index_category_bits(index, 9, NULL), 0);
    close_index();
}

/* ---------------------------------------------------------------- failures */

static qh_result live_a_whole_life(uint32_t step) {
    uint32_t found, failed;
    qh_filter *filter;
    switch (step) {
    case 0: return add_rows(0, 20);
    case 1: return add_rows(20, 40);
    case 2: return qh_index_build(index, 30);
    case 3: return qh_index_exchange_reserve(index, 2, 3, true);
    case 4:
        memcpy(qh__index_desk(index)->exchange.queries, data, 2 * 6 * sizeof(float));
        return qh_index_find(index, &(qh_index_request){2, 3, 300, QH_INDEX_GRAPH, NULL, 0}, &found,
                             &failed);
    case 5: return qh_index_freeze(index);
    case 6:
        return qh_index_find(index, &(qh_index_request){2, 3, 50, QH_INDEX_GRAPH, NULL, 0}, &found,
                             &failed);
    default:
        qh_index_category_bits(index, 1, NULL);
        QH_TRY(qh_filter_open(index, 0x10001, qh__index_desk(index)->exchange.bits, &filter));
        CHECK_RESULT(qh_index_close(index), QH_BUSY);
        CHECK_EQ(filter->allowed, 20);
        qh_filter_close(filter);
        return QH_OK;
    }
}

/* Each step is tried with its first, second, ... allocation failing until it succeeds; what failed changed nothing that counts. */
static void every_allocation_may_fail(void) {
    qh_random random = test_random();
    draw_rows(&random, 60, 6, 100);
    open_index((qh_index_def){.dims = 6, .metric = QH_L2, .storage = QH_STORE_I8_F32});
    memory.heap.records = NULL;
    for (uint32_t step = 0; step < 8; step++) {
        qh_result result = QH_GROWTH_FAILED;
        for (uint32_t fail = 1; result != QH_OK && fail < 20; fail++) {
            uint32_t count = index->count;
            bool frozen = index->shared.frozen;
            memory.heap.fail_after = fail;
            result = live_a_whole_life(step);
            memory.heap.fail_after = 0;
            CHECK(result == QH_OK || result == QH_GROWTH_FAILED);
            CHECK(result == QH_OK || (index->count == count && index->shared.frozen == frozen));
            CHECK(qh_index_validate(index));
        }
        CHECK_OK(result);
    }
    CHECK_EQ(index->count, 60);
    CHECK_OK(qh_index_close(index));
    CHECK(qh_heap_validate(&memory.heap));
    CHECK_EQ(memory.heap.live_bytes, memory.records_owner.live_bytes);
    test_memory_close(&memory);
}

static void what_is_refused_changes_nothing(void) {
    const qh_index_def bad[] = {{0, 0, 8, 60, 0, 0},   {4097, 0, 8, 60, 0, 0}, {3, 3, 8, 60, 0, 0},
                                {3, 0, 1, 60, 0, 0},   {3, 0, 65, 60, 0, 0},   {3, 0, 8, 0, 0, 0},
                                {3, 0, 8, 4097, 0, 0}, {3, 0, 8, 60, 3, 0}};
    uint32_t failed;
    open_index((qh_index_def){.dims = 2, .metric = QH_IP});
    qh_index *other = NULL;
    for (uint32_t i = 0; i < COUNT_OF(bad); i++)
        CHECK_RESULT(qh_index_open(&memory, &bad[i], 1, &other), QH_INVALID_ARGUMENT);
    CHECK(other == NULL);
    for (uint32_t i = 0; i < 40; i++) data[i] = (float)i;
    CHECK_OK(add_rows(0, 10));
    CHECK_RESULT(add_rows(9, 5), QH_INVALID_ARGUMENT);
    CHECK_OK(add_rows(10, 1));
    const float values[] = {__builtin_nanf(""), __builtin_inff(), -__builtin_inff(), 1.1e17f};
    for (uint32_t i = 0; i < COUNT_OF(values); i++) {
        CHECK_OK(qh_index_reserve(index, 3));
        float *row = index->rows.vectors + (size_t)index->count * index->stride;
        for (uint32_t j = 0; j < 3; j++) index->rows.labels[index->count + j] = 20 + j;
        for (uint32_t j = 0; j < 3 * index->stride; j++) row[j] = 1;
        row[2 * index->stride + 1] = values[i];
        CHECK_RESULT(qh_index_commit(index, 3, &failed), QH_INVALID_ARGUMENT);
        CHECK_EQ(failed, 2);
        CHECK_EQ(index->count, 11);
        CHECK(qh_index_validate(index));
    }
    CHECK_RESULT(qh_index_commit(index, 1000, &failed), QH_INVALID_STATE);
    CHECK_RESULT(qh_index_reserve(index, UINT32_MAX), QH_EXCEEDS_LIMIT);
    size_t byte_count;
    CHECK_RESULT(qh_index_export_size(index, &byte_count), QH_INVALID_STATE);
    CHECK_OK(qh_index_freeze(index));
    CHECK_RESULT(qh_index_freeze(index), QH_INVALID_STATE);
    CHECK_RESULT(qh_index_reserve(index, 1), QH_INVALID_STATE);
    CHECK_RESULT(qh_index_commit(index, 1, &failed), QH_INVALID_STATE);
    CHECK_RESULT(qh_index_build(index, 1), QH_INVALID_STATE);
    CHECK_EQ(find(3, K, 20, QH_INDEX_CHOSEN), K);
    CHECK_SAME(qh__index_desk(index)->exchange.distances[0], 1 - (6.0 * 20 + 7.0 * 21));
    close_index();
}

/* ---------------------------------------------------------------- bytes */

static void repair_crc(size_t byte_count) {
    uint32_t crc = 0;
    memcpy(bytes + 8, &crc, sizeof crc);
    crc = qh__crc32c(0, bytes, byte_count);
    memcpy(bytes + 8, &crc, sizeof crc);
}

/* Damaged bytes whose checksum is right: refused, or an index that is sound and can be searched. */
static void hostile_bytes_are_looked_at(void) {
    static unsigned char whole[60000];
    qh_random random = test_random();
    uint32_t refused = 0, rounds = TEST_SHARE(3000u);
    for (uint32_t storage = 0; storage <= QH_STORE_I8; storage++) {
        draw_rows(&random, 120, 5, 100);
        open_index((qh_index_def){.dims = 5, .metric = QH_L2, .m = 3, .storage = storage});
        CHECK_OK(add_rows(0, 120));
        CHECK_OK(qh_index_freeze(index));
        size_t byte_count;
        CHECK_OK(qh_index_export_size(index, &byte_count));
        REQUIRE(byte_count <= sizeof whole);
        qh_index_export(index, whole);
        for (uint32_t round = 0; round < rounds; round++) {
            memcpy(bytes, whole, byte_count);
            size_t cut = qh__random_below(&random, 10)
                             ? byte_count
                             : qh__random_below(&random, (uint32_t)byte_count);
            uint32_t changes = 1 + qh__random_below(&random, 3),
                     limit = qh__random_below(&random, 2) ? 128 : (uint32_t)byte_count;
            for (uint32_t i = 0; i < changes; i++) {
                uint32_t at = qh__random_below(&random, limit);
                bytes[at] = (unsigned char)(qh__random_below(&random, 2)
                                                ? bytes[at] ^ 1u << qh__random_below(&random, 8)
                                                : qh__random_next(&random));
            }
            if (cut >= 12) repair_crc(cut);
            qh_index *imported = NULL, *mine = index;
            size_t live = memory.heap.live_bytes;
            qh_result result = qh_index_import(&memory, bytes, cut, 0x10002, &imported);
            CHECK(result == QH_OK || result == QH_CORRUPT || result == QH_VERSION ||
                  result == QH_EXCEEDS_LIMIT);
            refused += result != QH_OK;
            CHECK(result == QH_OK || memory.heap.live_bytes == live);
            if (result != QH_OK) continue;
            index = imported;
            CHECK(qh_index_validate(index));
            if (index->def.dims <= 5) CHECK(find(0, K, 30, QH_INDEX_GRAPH) <= K);
            CHECK_OK(qh_index_close(index));
            index = mine;
        }
        close_index();
    }
    CHECK(refused > rounds);
}

TEST_SUITE(shared_index, {"walks find what scans find", walks_find_what_scans_find},
           {"every row is reachable", every_row_is_reachable},
           {"the bytes are the same everywhere", the_bytes_are_the_same_everywhere},
           {"filters let through what they say", filters_let_through_what_they_say},
           {"every allocation may fail", every_allocation_may_fail},
           {"what is refused changes nothing", what_is_refused_changes_nothing},
           {"hostile bytes are looked at", hostile_bytes_are_looked_at});
