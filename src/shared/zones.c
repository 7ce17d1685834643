#include "shared/zones.h"

#include "base/bits.h"
#include "base/bytes.h"
#include "base/maths.h"

#define LARGEST_DIGITS 9u /* behind the point */
#define TOLERANCE 1e-6    /* of a step */
#define LARGEST_BLOCK 0x1p30
#define LARGEST_AUDIT 0x10000000u
#define NEVER (-__builtin_inf())
#define JOURNAL_MASK (QH_ZONE_JOURNAL - 1)

/* ---------------------------------------------------------------- the grid */

QH_NOINLINE double qh_zone_value(const qh_zone *zone, int64_t index) {
    return (zone->origin + (double)(index - (int64_t)zone->home) * zone->stride) / zone->scale;
}

static double nearest(double x) {
    return qh__floor(x + 0.5);
}

/* The least power of ten that makes min, max, initial and step whole; 0 where there is none. */
static double decimal_scale(const double *numbers) {
    double scale = 1;
    for (uint32_t digits = 0; digits <= LARGEST_DIGITS; digits++, scale *= 10) {
        uint32_t whole = 0;
        for (; whole < 4; whole++) {
            double x = nearest(numbers[whole] * scale);
            if (!(qh__abs(x) < 0x1p53 && x / scale == numbers[whole])) break;
        }
        if (whole == 4) return scale;
    }
    return 0;
}

/* The levels from the default to a limit, `way` -1 or 1; the quotient is a level off at most. */
static uint32_t levels_towards(const qh_zone *zone, double reach, int64_t way) {
    int64_t levels = (int64_t)(reach / zone->def.step) + 2;
    double value;
    do value = qh_zone_value(zone, way * --levels);
    while (value < zone->def.min || value > zone->def.max);
    return (uint32_t)levels;
}

static bool set_grid(qh_zone *zone) {
    const qh_zone_def *def = &zone->def;
    if (!(def->step > 0 && def->min <= def->initial && def->initial <= def->max &&
          (def->max - def->min) / def->step < QH_ZONE_MAX_LEVELS))
        return false;
    double scale = decimal_scale(&def->min);
    zone->scale = scale > 0 ? scale : 1;
    zone->origin = scale > 0 ? nearest(def->initial * scale) : def->initial;
    zone->stride = scale > 0 ? nearest(def->step * scale) : def->step;
    uint32_t below = levels_towards(zone, def->initial - def->min, -1);
    zone->levels = below + 1 + levels_towards(zone, def->max - def->initial, 1);
    zone->home = below;
    return true;
}

/* The level that a value counts as. */
static QH_NOINLINE qh_zone_reason find_level(const qh_zone *zone, double value, uint32_t *level) {
    double exact = (value * zone->scale - zone->origin) / zone->stride + zone->home;
    double whole = nearest(exact);
    if (whole >= 0 && whole < zone->levels) {
        *level = (uint32_t)whole;
        if (qh_zone_value(zone, *level) == value || qh__abs(exact - whole) <= TOLERANCE)
            return QH_REASON_within;
    }
    return value < zone->def.min || value > zone->def.max ? QH_REASON_outside : QH_REASON_off_grid;
}

/* ---------------------------------------------------------------- life */

typedef struct limits {
    double least, most;
    bool whole;
} limits;

#define ANY {-0x1.fffffffffffffp1023, 0x1.fffffffffffffp1023, false}
#define TIME {0, QH_ZONE_TIME_LIMIT - 1, false}

/* Of the numbers of a zone, then of a trigger. */
static const limits number_limits[] = {ANY,
                                       ANY,
                                       ANY,
                                       ANY,
                                       {-1, QH_ZONE_MAX_RATE, true},
                                       TIME,
                                       {0, 1, true},
                                       {0, QH_ZONE_MAX_COUNT - 1, true},
                                       ANY,
                                       {0, 1, true},
                                       TIME,
                                       {1, QH_ZONE_JOURNAL, true},
                                       {0, QH_ZONE_MAX_COUNT, true}};

#define ZONE_NUMBERS (sizeof(qh_zone_def) / sizeof(double))
#define TRIGGER_NUMBERS (sizeof(qh_trigger_def) / sizeof(double))

_Static_assert(sizeof number_limits / sizeof(limits) == ZONE_NUMBERS + TRIGGER_NUMBERS,
               "every number has its limits");

static bool number_fits(double x, const limits *of) {
    return x >= of->least && x <= of->most && (!of->whole || qh__floor(x) == x);
}

static void refresh_zone(qh_zone *zone) {
    zone->index = zone->home;
    zone->last = zone->blocked = zone->rolled = NEVER;
    for (uint32_t i = 0; i < zone->rate; i++) zone->times[i] = NEVER;
}

/* Numbers are in range, and as many as they say themselves. `times` and `members` receive what the rings and the lists need. */
static bool check_numbers(const qh_zones_def *def, double *times, double *members) {
    const double *number = def->numbers, *end = number + def->number_count;
    double listed = 0;
    for (uint32_t i = 0; i < def->zone_count + def->trigger_count; i++) {
        uint32_t k = i < def->zone_count ? 0 : ZONE_NUMBERS;
        uint32_t behind = k ? ZONE_NUMBERS + TRIGGER_NUMBERS : ZONE_NUMBERS;
        if ((size_t)(end - number) < behind - k) return false;
        for (; k < behind; k++)
            if (!number_fits(*number++, &number_limits[k])) return false;
        if (i < def->zone_count) {
            *times += QH_MAX(number[-3], 0);
        } else {
            listed += number[-1];
            *members += number[-1] > 0;
        }
    }
    bool complete = (double)(end - number) == listed;
    while (complete && number < end)
        complete = number_fits(*number++, &(limits){0, def->zone_count - 1.0, true});
    return complete;
}

static bool fill_zones(qh_zones *zones, const double *numbers, double *times) {
    for (uint32_t i = 0; i < zones->zone_count; i++) {
        qh_zone *zone = &zones->zones[i];
        zone->def = ((const qh_zone_def *)(const void *)numbers)[i];
        zone->times = times;
        zone->rate = (uint32_t)QH_MAX(zone->def.rate, 0);
        times += zone->rate;
        if (!set_grid(zone)) return false;
        refresh_zone(zone);
        zone->base = qh_zone_value(zone, zone->index);
    }
    return true;
}

static void fill_triggers(qh_zones *zones, const qh_trigger_def *defs, uint64_t *words) {
    const double *list = (const double *)(const void *)(defs + zones->trigger_count);
    for (uint32_t i = 0; i < zones->trigger_count; i++) {
        qh_trigger *trigger = &zones->triggers[i];
        trigger->def = defs[i];
        trigger->since = trigger->time = -1;
        if (defs[i].members == 0) continue;
        trigger->members = words;
        words += zones->zone_count / 64 + 1;
        for (const double *end = list + (uint32_t)defs[i].members; list < end; list++)
            trigger->members[(uint32_t)*list / 64] |= 1ull << (uint32_t)*list % 64;
    }
}

qh_result qh_zones_open(qh_memory *memory, const qh_zones_def *def, qh_zones **result) {
    double times = 0, members = 0;
    if (def->zone_count > QH_ZONE_MAX_COUNT || def->trigger_count > QH_ZONE_MAX_COUNT ||
        def->audit_bytes > LARGEST_AUDIT || !(def->back_off_ms > 0) ||
        !(def->back_off_ms <= def->max_back_off_ms) || !qh__is_time(def->max_back_off_ms) ||
        !check_numbers(def, &times, &members))
        return QH_INVALID_ARGUMENT;
    uint32_t audit = QH_ZONE_AUDIT;
    while (audit < def->audit_bytes / 8) audit *= 2;
    uint32_t words_per_list = def->zone_count / 64 + 1;
    double bytes = (double)(sizeof(qh_zones) + def->zone_count * sizeof(qh_zone) +
                            def->trigger_count * sizeof(qh_trigger)) +
                   8 * (times + members * words_per_list + audit);
    if (bytes > LARGEST_BLOCK) return QH_OVERFLOW;
    qh_owner owner;
    qh_owner_open(&memory->heap, &owner, 0, QH_OWNER_zones, SIZE_MAX);
    void *block;
    QH_TRY(qh_heap_alloc_zeroed(&memory->heap, &owner, (size_t)bytes, QH_BLOCK_zones, &block));
    qh_zones *zones = block;
    zones->memory = memory;
    zones->owner = owner;
    zones->block_bytes = (size_t)bytes;
    zones->zone_count = def->zone_count;
    zones->trigger_count = def->trigger_count;
    zones->zones = (qh_zone *)(void *)(zones + 1);
    zones->triggers = (qh_trigger *)(void *)(zones->zones + def->zone_count);
    zones->audit = (double *)(void *)(zones->triggers + def->trigger_count);
    zones->audit_mask = audit - 1;
    zones->back_off_ms = def->back_off_ms;
    zones->max_back_off_ms = def->max_back_off_ms;
    qh_shared_open(&memory->shared, &zones->shared, &zones->owner, 0, zones->block_bytes);
    double *rings = zones->audit + audit;
    if (!fill_zones(zones, def->numbers, rings)) {
        qh_zones_close(zones);
        return QH_INVALID_ARGUMENT;
    }
    fill_triggers(zones, (const void *)(def->numbers + def->zone_count * ZONE_NUMBERS),
                  (uint64_t *)(void *)(rings + (size_t)times));
    *result = zones;
    return qh_shared_freeze(&zones->shared);
}

qh_result qh_zones_close(qh_zones *zones) {
    QH_TRY(qh_shared_close(&zones->memory->shared, &zones->shared));
    qh_owner owner = zones->owner;
    qh_heap *heap = &zones->memory->heap;
    qh_heap_free(heap, &owner, zones, zones->block_bytes);
    qh_owner_close(heap, &owner);
    return QH_OK;
}

/* ---------------------------------------------------------------- the books */

/* The value was written to the network: cooldown and rate count from now. */
static QH_NOINLINE void note_change(qh_zone *zone, uint32_t index, double time) {
    zone->index = index;
    zone->last = QH_MAX(zone->last, time);
    if (zone->rate == 0) return;
    zone->times[zone->times_next] = zone->last;
    zone->times_next = (zone->times_next + 1) % zone->rate;
}

static const qh_proposal nobody;

/* The end of a change: what has become of it, from the present value, and why, enters the books. */
static QH_NOINLINE void log_change(qh_zones *zones, qh_change *change, qh_zone_status status,
                                   qh_zone_reason reason, const qh_proposal *proposal) {
    const qh_zone *zone = &zones->zones[(uint32_t)change->zone];
    change->from = qh_zone_value(zone, zone->index);
    change->status = status;
    change->reason = reason;
    qh__audit_append(zones, change, proposal->values, proposal->value_count);
}

/* Writes a change that was checked. One to the same value cannot be undone, and need not. */
static QH_NOINLINE void write_value(qh_zones *zones, const qh_change *change, uint32_t index) {
    qh_zone *zone = &zones->zones[(uint32_t)change->zone];
    if (index != zone->index)
        zones->journal[zones->journal_end++ & JOURNAL_MASK] =
            (qh_journal_entry){*change, zone->index, index, 0};
    note_change(zone, index, change->time);
}

static bool has_expired(const qh_change *pending, double time) {
    return time - pending->time >= QH_ZONE_APPROVAL_MS;
}

/* Time goes on: what has waited too long, or everything, waits no more. */
static QH_NOINLINE void pass_time(qh_zones *zones, double time, bool all) {
    uint32_t kept = 0;
    zones->now = QH_MAX(zones->now, time);
    for (uint32_t i = 0; i < zones->pending_count; i++) {
        qh_change change = zones->pending[i];
        bool late = has_expired(&change, time);
        if (late) change.time += QH_ZONE_APPROVAL_MS;
        if (late || all)
            log_change(zones, &change, QH_CHANGE_expired,
                       late ? QH_REASON_timeout : QH_REASON_reset, &nobody);
        else
            zones->pending[kept++] = change;
    }
    zones->pending_count = kept;
}

/* ---------------------------------------------------------------- proposals */

/* What stands in the way of any change, approval aside. */
static QH_NOINLINE qh_zone_reason hold_up(const qh_zone *zone, double time, double *left) {
    *left = zone->blocked - time;
    if (*left > 0) return QH_REASON_back_off;
    *left = zone->last + zone->def.cooldown - time;
    if (*left > 0) return QH_REASON_cooldown;
    double oldest = zone->def.rate < 0 ? NEVER : -NEVER;
    if (zone->rate > 0) oldest = zone->times[zone->times_next];
    *left = oldest + QH_ZONE_HOUR_MS - time;
    if (*left > 0) return QH_REASON_rate;
    *left = 0;
    return QH_REASON_within;
}

qh_zone_reason qh_zone_movable(const qh_zones *zones, const qh_zone *zone, double time,
                               double *left) {
    qh_zone_reason reason = hold_up(zone, time, left);
    if (reason != QH_REASON_within || zone->def.approval == 0) return reason;
    uint32_t waiting = zones->pending_count;
    for (uint32_t i = 0; i < zones->pending_count; i++)
        waiting -= has_expired(&zones->pending[i], time);
    return waiting < QH_ZONE_PENDING ? QH_REASON_within : QH_REASON_queue_full;
}

static QH_NOINLINE qh_zone_reason judge(const qh_zones *zones, uint32_t number, double to,
                                        double time, uint32_t *level, double *left) {
    const qh_zone *zone = &zones->zones[number];
    qh_zone_reason reason = find_level(zone, to, level);
    return reason == QH_REASON_within ? qh_zone_movable(zones, zone, time, left) : reason;
}

bool qh_zones_allow(const qh_zones *zones, uint32_t number, double to, double time) {
    uint32_t level;
    double left;
    return judge(zones, number, to, time, &level, &left) == QH_REASON_within;
}

qh_result qh_zones_propose(qh_zones *zones, const qh_proposal *proposal, qh_change *change) {
    double time = proposal->time;
    if (proposal->zone >= zones->zone_count || !qh__is_finite(proposal->to) || !qh__is_time(time) ||
        time < zones->zones[proposal->zone].last)
        return QH_INVALID_ARGUMENT;
    const qh_zone *zone = &zones->zones[proposal->zone];
    uint32_t level = 0;
    pass_time(zones, time, false);
    *change = (qh_change){.sequence = ++zones->sequence,
                          .time = time,
                          .to = proposal->to,
                          .agent = proposal->agent,
                          .zone = proposal->zone};
    qh_zone_reason reason = judge(zones, proposal->zone, change->to, time, &level, &change->detail);
    qh_zone_status status = QH_CHANGE_rejected;
    if (reason == QH_REASON_within) {
        change->to = qh_zone_value(zone, level);
        status = zone->def.approval > 0 ? QH_CHANGE_pending : QH_CHANGE_applied;
        if (status == QH_CHANGE_pending) reason = QH_REASON_needs_approval;
    }
    log_change(zones, change, status, reason, proposal);
    if (status == QH_CHANGE_pending) zones->pending[zones->pending_count++] = *change;
    if (status == QH_CHANGE_applied) write_value(zones, change, level);
    return status == QH_CHANGE_rejected ? QH_SAFE_ZONE : QH_OK;
}

qh_result qh_zones_approve(qh_zones *zones, double sequence, double time, qh_change *change) {
    if (!qh__is_time(time) || !number_fits(sequence, &(limits){1, zones->sequence, true}))
        return QH_INVALID_ARGUMENT;
    qh_change *pending = zones->pending, *end = pending + zones->pending_count;
    while (pending < end && pending->sequence != sequence) pending++;
    if (pending == end) return QH_INVALID_STATE;
    *change = *pending;
    const qh_zone *zone = &zones->zones[(uint32_t)change->zone];
    if (time < change->time || time < zone->last) return QH_INVALID_ARGUMENT;
    bool expired = has_expired(change, time);
    uint32_t level = 0;
    qh_zone_reason reason = find_level(zone, change->to, &level);
    if (reason == QH_REASON_within) reason = hold_up(zone, time, &change->detail);
    change->time = time;
    change->reason = reason;
    if (!expired && reason != QH_REASON_within) return QH_SAFE_ZONE;
    if (!expired) {
        zones->pending_count--;
        memmove(pending, pending + 1,
                (size_t)((unsigned char *)end - (unsigned char *)(pending + 1)));
        log_change(zones, change, QH_CHANGE_applied, QH_REASON_approved, &nobody);
        write_value(zones, change, level);
    }
    pass_time(zones, time, false);
    return expired ? QH_INVALID_STATE : QH_OK;
}

/* ---------------------------------------------------------------- rollback */

/* Twice as long as the last time, unless that is long ago; once a moment, however many changes go back in it. */
static void back_off(const qh_zones *zones, qh_zone *zone) {
    double time = zone->last;
    if (zone->rolled == time) return;
    bool quiet = time - zone->blocked >= zones->max_back_off_ms;
    zone->back_off =
        quiet ? zones->back_off_ms : QH_MIN(zone->back_off * 2, zones->max_back_off_ms);
    zone->blocked = time + zone->back_off;
    zone->rolled = time;
}

/* The next entry of the journal from `place` on, newest first, that was undone by the reading `undone`; its place + 1, 0 for none. */
static QH_NOINLINE uint32_t find_entry(const qh_zones *zones, uint32_t place, uint32_t undone,
                                       const qh_trigger *trigger) {
    for (; place < QH_MIN(zones->journal_end, QH_ZONE_JOURNAL); place++) {
        const qh_journal_entry *entry =
            &zones->journal[(zones->journal_end - 1 - place) & JOURNAL_MASK];
        if (entry->undone == undone &&
            (!trigger || qh__trigger_undoes(trigger, (uint32_t)entry->change.zone)))
            return place + 1;
    }
    return 0;
}

static qh_journal_entry *journal_at(qh_zones *zones, uint32_t place) {
    return &zones->journal[(zones->journal_end - place) & JOURNAL_MASK];
}

/* The last changes of the trigger's parameters, newest first. Nothing in it can fail, so all of it happens. */
static void roll_back(qh_zones *zones, uint32_t number, double time) {
    const qh_trigger *trigger = &zones->triggers[number];
    double left = trigger->def.depth;
    for (uint32_t place = 0; left > 0 && (place = find_entry(zones, place, 0, trigger)) > 0;
         left--) {
        qh_journal_entry *entry = journal_at(zones, place);
        qh_change *change = &entry->change;
        qh_zone *zone = &zones->zones[(uint32_t)change->zone];
        QH_ASSERT(zone->index == entry->to);
        note_change(zone, entry->from, time);
        back_off(zones, zone);
        entry->undone = zones->readings;
        change->time = time;
        change->status = QH_CHANGE_rolled_back;
        change->reason = QH_REASON_kpi;
        change->detail = number;
        qh__audit_append(zones, change, NULL, 0);
    }
}

uint32_t qh_zones_undone(qh_zones *zones, uint32_t place, qh_change *change) {
    place = zones->readings ? find_entry(zones, place, zones->readings, NULL) : 0;
    if (place) *change = journal_at(zones, place)->change;
    return place;
}

qh_result qh_zones_observe(qh_zones *zones, uint32_t kpi, double value, double time) {
    const qh_trigger *known = NULL;
    for (uint32_t i = 0; i < zones->trigger_count; i++)
        if (zones->triggers[i].def.kpi == kpi) known = &zones->triggers[i];
    if (!known || !qh__is_finite(value) || !qh__is_time(time) || time < known->time)
        return QH_INVALID_ARGUMENT;
    zones->readings += 1u + (zones->readings == UINT32_MAX);
    pass_time(zones, time, false);
    for (uint32_t i = 0; i < zones->trigger_count; i++) {
        qh_trigger *trigger = &zones->triggers[i];
        if (trigger->def.kpi != kpi) continue;
        double threshold = trigger->def.threshold;
        bool beyond = trigger->def.above > 0 ? value > threshold : value < threshold;
        trigger->value = value;
        trigger->time = time;
        if (beyond && trigger->since < 0) trigger->since = time;
        bool fires = beyond && time - trigger->since >= trigger->def.window;
        if (!beyond || fires) trigger->since = -1;
        if (fires) roll_back(zones, i, time);
    }
    return QH_OK;
}

qh_result qh_zones_reset(qh_zones *zones, double time) {
    if (!qh__is_time(time)) return QH_INVALID_ARGUMENT;
    pass_time(zones, time, true);
    for (uint32_t i = 0; i < zones->zone_count; i++) {
        qh_zone *zone = &zones->zones[i];
        qh_change change = {.time = time, .to = qh_zone_value(zone, zone->home), .zone = i};
        if (zone->index != zone->home) {
            change.sequence = ++zones->sequence;
            log_change(zones, &change, QH_CHANGE_applied, QH_REASON_reset, &nobody);
        }
        refresh_zone(zone);
    }
    for (uint32_t i = 0; i < zones->trigger_count; i++)
        zones->triggers[i].since = zones->triggers[i].time = -1;
    zones->journal_end = 0;
    zones->now = time;
    return QH_OK;
}

#if QH_THREADS
void qh__zone_settle(qh_zone *zone, double value, double time) {
    uint32_t level = zone->home;
    (void)find_level(zone, value, &level);
    zone->index = level;
    zone->last = time;
}
#endif

/* ---------------------------------------------------------------- soundness */

/* From the present back: each change must end where the next one of its parameter begins. */
static bool journal_is_sound(qh_zones *zones) {
    for (uint32_t place = 0; (place = find_entry(zones, place, 0, NULL)) > 0;) {
        const qh_journal_entry *entry = journal_at(zones, place);
        if (!(entry->change.zone < zones->zone_count)) return false;
        qh_zone *zone = &zones->zones[(uint32_t)entry->change.zone];
        if (zone->check != entry->to || entry->from >= zone->levels) return false;
        zone->check = entry->from;
    }
    return true;
}

bool qh_zones_validate(qh_zones *zones) {
    for (uint32_t i = 0; i < zones->zone_count; i++) {
        qh_zone *zone = &zones->zones[i];
        double value = qh_zone_value(zone, zone->index);
        if (zone->index >= zone->levels || value < zone->def.min || value > zone->def.max)
            return false;
        zone->check = zone->index;
    }
    return zones->shared.frozen && zones->pending_count <= QH_ZONE_PENDING &&
           journal_is_sound(zones) && qh__audit_replays(zones);
}
