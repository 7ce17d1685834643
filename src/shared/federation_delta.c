/* Deltas: contributions on their way to another runtime. */
#include "shared/federation.h"

#include "base/maths.h"

#define DELTA_MAGIC 0x44464851u /* "QHFD" */
#define DELTA_VERSION 1u
#define CRC_END 8u /* what is behind it is summed */

typedef struct delta_header {
    uint32_t magic, crc, version, sections;
} delta_header;

typedef struct delta_section {
    uint64_t group, config;
    uint32_t actions, tables, rows;
    float initial_value;
} delta_section;

_Static_assert(sizeof(delta_header) == 16 && sizeof(delta_section) == 32, "without padding");

static QH_NOINLINE size_t delta_row_bytes(const delta_section *section) {
    return 8 + 4 * (size_t)section->actions * (section->tables + 1);
}

/* ---------------------------------------------------------------- export */

static delta_section section_of(const qh_agent *agent) {
    return (delta_section){
        agent->category,     agent->config_hash, agent->actions, agent->double_q ? 2 : 1, 0,
        agent->initial_value};
}

/* Whether row `i` is to be exported. */
static QH_NOINLINE bool is_news(const qh_agent *agent, uint32_t i, bool all) {
    qh_row *row = qh__row_number(&agent->table, i);
    return qh__was_visited(&agent->table, row) && (all || row->stamp != qh__row_stamp(agent, row));
}

static uint32_t count_news(const qh_agent *agent, bool all) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < agent->table.rows; i++) count += is_news(agent, i, all);
    return count;
}

qh_result qh_delta_size(qh_agent *const *agents, uint32_t count, bool all, size_t *byte_count) {
    uint64_t bytes = sizeof(delta_header);
    for (uint32_t i = 0; i < count; i++) {
        delta_section section = section_of(agents[i]);
        if (agents[i]->borrowed) return QH_BUSY;
        bytes += sizeof section + (uint64_t)count_news(agents[i], all) * delta_row_bytes(&section);
    }
    *byte_count = (size_t)bytes;
    return bytes > UINT32_MAX ? QH_OVERFLOW : QH_OK;
}

/* Writes a row, or reads one. */
static void carry_row(unsigned char *bytes, unsigned char *row, const delta_section *section,
                      bool out) {
    size_t values = section->actions * sizeof(float);
    size_t stride = qh__stride_of(section->actions) * sizeof(float), at = QH_ROW_HEADER_BYTES;
    const size_t parts[][2] = {{0, 8},
                               {at, values},
                               {at + 2 * stride, section->tables == 2 ? values : 0},
                               {at + stride, values}};
    for (uint32_t i = 0; i < 4; i++) {
        unsigned char *place = row + parts[i][0];
        memcpy(out ? bytes : place, out ? place : bytes, parts[i][1]);
        bytes += parts[i][1];
    }
}

static QH_NOINLINE uint64_t key_at(const unsigned char *bytes) {
    uint64_t key;
    memcpy(&key, bytes, sizeof key);
    return key;
}

static QH_NOINLINE void swap_rows(unsigned char *a, unsigned char *b, size_t byte_count) {
    for (size_t i = 0; i < byte_count; i++) {
        unsigned char byte = a[i];
        a[i] = b[i];
        b[i] = byte;
    }
}

/* Puts rows in the order of their keys where they are: a heap sort, whose worst case is no worse. */
static void sort_rows(unsigned char *rows, uint32_t count, size_t row_bytes) {
    for (uint32_t start = count / 2, end = count; end > 1;) {
        if (start > 0) {
            start--;
        } else {
            end--;
            swap_rows(rows, rows + end * row_bytes, row_bytes);
        }
        for (uint32_t at = start, child; (child = 2 * at + 1) < end; at = child) {
            child += child + 1 < end &&
                     key_at(rows + child * row_bytes) < key_at(rows + (child + 1) * row_bytes);
            if (key_at(rows + at * row_bytes) >= key_at(rows + child * row_bytes)) break;
            swap_rows(rows + at * row_bytes, rows + child * row_bytes, row_bytes);
        }
    }
}

static unsigned char *write_section(const qh_agent *agent, bool all, unsigned char *at) {
    delta_section section = section_of(agent);
    unsigned char *rows = at + sizeof section, *end = rows;
    for (uint32_t i = 0; i < agent->table.rows; i++) {
        if (!is_news(agent, i, all)) continue;
        qh_row *row = qh__row_number(&agent->table, i);
        carry_row(end, (unsigned char *)row, &section, true);
        row->stamp = qh__row_stamp(agent, row);
        end += delta_row_bytes(&section);
        section.rows++;
    }
    memcpy(at, &section, sizeof section);
    sort_rows(rows, section.rows, delta_row_bytes(&section));
    return end;
}

void qh_delta_write(qh_agent *const *agents, uint32_t count, bool all, unsigned char *bytes) {
    delta_header header = {DELTA_MAGIC, 0, DELTA_VERSION, count};
    unsigned char *at = bytes + sizeof header;
    memcpy(bytes, &header, sizeof header);
    for (uint32_t i = 0; i < count; i++) at = write_section(agents[i], all, at);
    header.crc = qh__crc32c(0, bytes + CRC_END, (size_t)(at - bytes) - CRC_END);
    memcpy(bytes, &header, sizeof header);
}

/* ---------------------------------------------------------------- import */

/* Reads a section; NULL where it is none. */
static const unsigned char *read_section(const unsigned char *at, const unsigned char *end,
                                         delta_section *section) {
    if ((size_t)(end - at) < sizeof *section) return NULL;
    memcpy(section, at, sizeof *section);
    at += sizeof *section;
    if (section->actions - 1 >= QH_MAX_ACTIONS || section->tables - 1 >= 2 ||
        section->rows > (size_t)(end - at) / delta_row_bytes(section))
        return NULL;
    for (uint32_t i = 1; i < section->rows; i++) {
        const unsigned char *row = at + i * delta_row_bytes(section);
        if (key_at(row) <= key_at(row - delta_row_bytes(section))) return NULL;
    }
    return at;
}

static qh_result add_section(qh_federation *federation, const delta_section *section,
                             const unsigned char *rows, double weight) {
    qh_contribution made = {
        .key = {section->group, section->config, section->actions, section->tables},
        .initial_value = section->initial_value,
        .weight = weight};
    if (!qh__federation_agrees(federation, &made)) return QH_INVALID_ARGUMENT;
    QH_TRY(qh__federation_take(federation, &made, section->rows));
    uint32_t row_bytes = qh__federated_row_bytes(&made.key);
    for (uint32_t i = 0; i < section->rows; i++) {
        /* only read from: the direction says so */
        unsigned char *from = (unsigned char *)(uintptr_t)(rows + i * delta_row_bytes(section));
        carry_row(from, made.rows + (size_t)i * row_bytes, section, false);
    }
    federation->contributions[federation->count++] = made;
    return QH_OK;
}

/* Reads all sections, which end where the bytes do, and adds them unless `federation` is NULL. */
static qh_result read_sections(qh_federation *federation, const unsigned char *at,
                               const unsigned char *end, uint32_t sections, double weight) {
    for (uint32_t i = 0; i < sections; i++) {
        delta_section section;
        at = read_section(at, end, &section);
        if (!at) return QH_CORRUPT;
        if (federation) QH_TRY(add_section(federation, &section, at, weight));
        at += section.rows * delta_row_bytes(&section);
    }
    return at == end ? QH_OK : QH_CORRUPT;
}

static qh_result check_delta(const unsigned char *bytes, size_t byte_count, delta_header *header) {
    if (byte_count < sizeof *header) return QH_CORRUPT;
    memcpy(header, bytes, sizeof *header);
    if (header->magic != DELTA_MAGIC) return QH_CORRUPT;
    if (header->version != DELTA_VERSION) return QH_VERSION;
    if (header->crc != qh__crc32c(0, bytes + CRC_END, byte_count - CRC_END)) return QH_CORRUPT;
    return read_sections(NULL, bytes + sizeof *header, bytes + byte_count, header->sections, 0);
}

qh_result qh_federation_accumulate_delta(qh_federation *federation, const unsigned char *bytes,
                                         size_t byte_count, double age) {
    delta_header header;
    if (!(age >= 0 && age < 0x1p53)) return QH_INVALID_ARGUMENT;
    QH_TRY(check_delta(bytes, byte_count, &header));
    QH_ENTER(federation);
    uint32_t first = federation->count;
    qh_result result = qh__federation_reserve(federation, header.sections);
    if (result == QH_OK)
        result = read_sections(federation, bytes + sizeof header, bytes + byte_count,
                               header.sections, 1 / qh__sqrt(1 + age));
    if (result != QH_OK) qh__federation_drop(federation, first);
    return QH_LEAVE(federation, result);
}
