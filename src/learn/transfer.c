#include "learn/transfer.h"

#include "base/bytes.h"

#define MAGIC 0x42544851u /* "QHTB" */
#define FORMAT_VERSION 1u
#define HEADER_BYTES 32u
#define CRC_OFFSET 28u

static void put32(unsigned char *at, uint32_t value) {
    memcpy(at, &value, sizeof value);
}

static void put64(unsigned char *at, uint64_t value) {
    memcpy(at, &value, sizeof value);
}

static uint32_t get32(const unsigned char *at) {
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static uint64_t get64(const unsigned char *at) {
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static uint32_t tables_of(const qh_agent *agent) {
    return agent->double_q ? 2 : 1;
}

static size_t exported_row_bytes(const qh_agent *agent) {
    return 8 + 4 * (size_t)agent->actions * (tables_of(agent) + 1);
}

static uint32_t checksum(const unsigned char *bytes, size_t byte_count) {
    static const unsigned char zeros[4];
    uint32_t crc = qh__crc32c(0, bytes, CRC_OFFSET);
    crc = qh__crc32c(crc, zeros, sizeof zeros);
    return qh__crc32c(crc, bytes + HEADER_BYTES, byte_count - HEADER_BYTES);
}

/* ---------------------------------------------------------------- export */

qh_result qh_agent_export_size(const qh_agent *agent, size_t *byte_count) {
    size_t rows;
    if (__builtin_mul_overflow(exported_row_bytes(agent), (size_t)agent->table.rows, &rows))
        return QH_OVERFLOW;
    return __builtin_add_overflow(rows, (size_t)HEADER_BYTES, byte_count) ? QH_OVERFLOW : QH_OK;
}

static void export_row(const qh_agent *agent, qh_row *row, unsigned char *at) {
    size_t values = sizeof(float) * agent->actions;
    put64(at, row->key);
    at += 8;
    memcpy(at, row->q, values);
    at += values;
    if (agent->double_q) {
        memcpy(at, qh__row_second(agent, row), values);
        at += values;
    }
    memcpy(at, qh__row_counts(&agent->table, row), values);
}

void qh_agent_export(const qh_agent *agent, unsigned char *bytes) {
    size_t row_bytes = exported_row_bytes(agent);
    put32(bytes, MAGIC);
    put32(bytes + 4, FORMAT_VERSION);
    put64(bytes + 8, agent->config_hash);
    put32(bytes + 16, agent->actions);
    put32(bytes + 20, tables_of(agent));
    put32(bytes + 24, agent->table.rows);
    for (uint32_t i = 0; i < agent->table.rows; i++) {
        qh_row *row = qh__table_row(&agent->table, qh_table_location(&agent->table, i));
        export_row(agent, row, bytes + HEADER_BYTES + i * row_bytes);
    }
    put32(bytes + CRC_OFFSET, checksum(bytes, HEADER_BYTES + agent->table.rows * row_bytes));
}

/* ---------------------------------------------------------------- import */

qh_result qh_table_inspect(const unsigned char *bytes, size_t byte_count, qh_table_info *info) {
    if (byte_count < HEADER_BYTES || get32(bytes) != MAGIC) return QH_CORRUPT;
    if (get32(bytes + 4) != FORMAT_VERSION) return QH_VERSION;
    qh_table_info found = {.config_hash = get64(bytes + 8),
                           .version = FORMAT_VERSION,
                           .actions = get32(bytes + 16),
                           .tables = get32(bytes + 20),
                           .rows = get32(bytes + 24)};
    if (found.actions - 1 >= QH_MAX_ACTIONS || found.tables - 1 >= 2) return QH_CORRUPT;
    uint64_t row_bytes = 8 + 4 * (uint64_t)found.actions * (found.tables + 1);
    if (byte_count - HEADER_BYTES != row_bytes * found.rows) return QH_CORRUPT;
    if (get32(bytes + CRC_OFFSET) != checksum(bytes, byte_count)) return QH_CORRUPT;
    *info = found;
    return QH_OK;
}

static qh_result check_header(const qh_agent *agent, const unsigned char *bytes,
                              size_t byte_count) {
    if (byte_count < HEADER_BYTES || get32(bytes) != MAGIC) return QH_CORRUPT;
    if (get32(bytes + 4) != FORMAT_VERSION) return QH_VERSION;
    size_t rows_bytes = byte_count - HEADER_BYTES, row_bytes = exported_row_bytes(agent);
    bool fits = get64(bytes + 8) == agent->config_hash && get32(bytes + 16) == agent->actions &&
                get32(bytes + 20) == tables_of(agent) && rows_bytes % row_bytes == 0 &&
                get32(bytes + 24) == rows_bytes / row_bytes;
    return fits && get32(bytes + CRC_OFFSET) == checksum(bytes, byte_count) ? QH_OK : QH_CORRUPT;
}

static bool values_are_finite(const unsigned char *at, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if ((~get32(at + 4 * (size_t)i) & 0x7F800000u) == 0) return false;
    return true;
}

static qh_result import_row(const qh_agent *agent, qh_table *table, const unsigned char *at) {
    size_t values = sizeof(float) * agent->actions;
    uint64_t key = get64(at);
    at += 8;
    if (!values_are_finite(at, agent->actions * tables_of(agent)) ||
        qh_table_find(table, key) != QH_NO_ROW || qh_table_is_crowded(table, key))
        return QH_CORRUPT;
    QH_TRY(qh_table_reserve(table, 1));
    qh_row *row = qh__table_row(table, qh__agent_insert(agent, table, key));
    memcpy(row->q, at, values);
    at += values;
    if (agent->double_q) {
        memcpy(qh__row_second(agent, row), at, values);
        at += values;
    }
    memcpy(qh__row_counts(table, row), at, values);
    return QH_OK;
}

static qh_result import_rows(const qh_agent *agent, qh_table *table, const unsigned char *bytes) {
    uint32_t rows = get32(bytes + 24);
    for (uint32_t i = 0; i < rows; i++)
        QH_TRY(import_row(agent, table, bytes + HEADER_BYTES + i * exported_row_bytes(agent)));
    return QH_OK;
}

qh_result qh_agent_import(qh_agent *agent, const unsigned char *bytes, size_t byte_count) {
    if (agent->borrowed) return QH_BUSY;
    QH_TRY(check_header(agent, bytes, byte_count));
    qh_table fresh;
    qh_table_open(&fresh, agent->table.memory, agent->table.owner, agent->actions,
                  agent->table.extra_bytes, agent->initial_value);
    qh_result result = import_rows(agent, &fresh, bytes);
    if (result != QH_OK) {
        qh_table_clear(&fresh);
        return result;
    }
    agent->lost_rows = agent->replay.count > 0 ? agent->lost_rows + agent->table.rows : 0;
    qh_table_clear(&agent->table);
    agent->table = fresh;
    qh__rules_forget_episode(agent); /* its locations are gone */
    if (agent->running) qh__agent_find(agent, agent->keys, agent->rows);
    return QH_OK;
}
