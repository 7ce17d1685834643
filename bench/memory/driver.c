/* Traces of allocation, generated before the clock starts and replayed by loops that are the same for every allocator.
 *
 *   a  64 blocks of 64 B taken, then freed in reverse       b  10,000 live blocks of 16..1024 B, a random one replaced
 *   B  the same, the oldest replaced ("b2")                  c  593 owners with 8 blocks of 16 B..64 KiB (log-uniform)
 *   d  agents destroyed and made anew: 12 small structs, a table of 40 KiB, 32 blocks of 1 KiB
 *   D  the same with tables of 8..80 KiB ("d2")               e  one table doubled from 1 KiB to 1 MiB
 *   f  8 MiB live, six regimes of size in turn; a tenth of each phase lives for two more
 *   p  1 KiB taken from a pool and given back                m  agents that grow, shrink, come and go (only for its peak) */
#include "allocator.h"

#define SLOTS 65536u
#define OPERATIONS (1u << 20)
#define AGENTS 593u
#define PARTS 45u
#define MIXED_PARTS 32u

static void *blocks[SLOTS];
static uint32_t sizes[SLOTS];   /* of the replay */
static uint32_t planned[SLOTS]; /* of the generator */
static uint32_t trace_slots[OPERATIONS], trace_sizes[OPERATIONS], length;
static uint64_t state;
static double live, peak;
static int trace;
static uint32_t cursor;

EXPORT("peak") double peak_bytes(void) {
    return peak;
}

static uint32_t draw(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32);
}

static uint32_t below(uint32_t bound) {
    return (uint32_t)((uint64_t)draw() * bound >> 32);
}

/* 2^4 .. 2^16, log-uniform; 2^x by its series, so that no library is needed. */
static uint32_t log_uniform(void) {
    uint32_t exponent = below(12 * 1024);
    double x = (exponent & 1023) / 1024.0 * 0.6931471805599453;
    double power = 1 + x * (1 + x / 2 * (1 + x / 3 * (1 + x / 4 * (1 + x / 5))));
    return (uint32_t)(16 * (double)(1u << (exponent >> 10)) * power);
}

static void count(double added) {
    live += added;
    if (live > peak) peak = live;
}

static void plan(uint32_t slot, uint32_t size) {
    trace_slots[length] = slot;
    trace_sizes[length++] = size;
    live -= planned[slot];
    planned[slot] = size;
    count(size);
}

/* ---- d: agents */

static uint32_t part_size(uint32_t part, uint32_t table) {
    static const uint16_t small[12] = {256, 128, 64, 64, 48, 96, 512, 32, 160, 80, 24, 200};
    return part < 12 ? small[part] : part == 12 ? table : 1024;
}

static uint32_t agent_size(uint32_t table) {
    uint32_t sum = 0;
    for (uint32_t part = 0; part < PARTS; part++) sum += part_size(part, table);
    return sum;
}

static uint32_t draw_table(void) {
    return trace == 'd' ? 40960 : 8192 + below(73729);
}

static void plan_agent(uint32_t agent) {
    uint32_t table = draw_table();
    trace_slots[length] = agent;
    trace_sizes[length++] = table;
    live -= planned[agent];
    planned[agent] = agent_size(table);
    count(planned[agent]);
}

static void make_agent(uint32_t agent, uint32_t table) {
    for (uint32_t part = 0; part < PARTS; part++)
        TAKE(agent, part_size(part, table), blocks[agent * PARTS + part]);
}

static void free_agent(uint32_t agent, uint32_t table) {
    for (uint32_t part = 0; part < PARTS; part++)
        GIVE(agent, blocks[agent * PARTS + part], part_size(part, table));
}

/* ---- f: phases */

static uint32_t phase, dies_in[SLOTS], order[SLOTS];

static void shuffle(void) {
    for (uint32_t i = 0; i < SLOTS; i++) order[i] = i;
    for (uint32_t i = SLOTS - 1; i > 0; i--) {
        uint32_t j = below(i + 1), swapped = order[i];
        order[i] = order[j];
        order[j] = swapped;
    }
}

static void plan_phase(void) {
    static const uint32_t least[6] = {16, 1024, 64, 8192, 256, 32};
    static const uint32_t most[6] = {128, 4096, 512, 32768, 2048, 1024};
    phase++;
    shuffle();
    for (uint32_t i = 0; i < SLOTS; i++) {
        uint32_t slot = order[i];
        if (!planned[slot] || dies_in[slot] > phase) continue;
        if (!dies_in[slot] && below(10) == 0)
            dies_in[slot] = phase + 2;
        else
            plan(slot, 0);
    }
    for (uint32_t slot = 0; slot < SLOTS && live < 8 << 20; slot++) {
        if (planned[slot]) continue;
        dies_in[slot] = 0;
        plan(slot, least[phase % 6] + below(most[phase % 6] - least[phase % 6] + 1));
    }
}

/* ---- generating and replaying */

static uint32_t draw_size(void) {
    return trace == 'c' ? log_uniform() : 16 + below(1009);
}

static uint32_t owner_shift(void) {
    return trace == 'c' ? 3 : 31;
}

/* Fills what is live at the start of a trace. */
EXPORT("start") void start(int which, uint32_t seed) {
    trace = which;
    state = 0x9E3779B97F4A7C15u ^ seed;
    for (int i = 0; i < 20; i++) draw();
    uint32_t filled = which == 'b' || which == 'B' ? 10000 : which == 'c' ? AGENTS * 8 : 0;
    for (uint32_t slot = 0; slot < filled; slot++) {
        sizes[slot] = planned[slot] = draw_size();
        count(sizes[slot]);
        TAKE(slot >> owner_shift(), sizes[slot], blocks[slot]);
    }
    for (uint32_t agent = 0; agent < AGENTS && (which == 'd' || which == 'D'); agent++) {
        sizes[agent] = draw_table();
        planned[agent] = agent_size(sizes[agent]);
        count(planned[agent]);
        make_agent(agent, sizes[agent]);
    }
    if (which == 'e') peak = 1 << 20;
}

/* Plans at most so many operations; how many there are. */
EXPORT("generate") uint32_t generate(uint32_t most) {
    length = 0;
    switch (trace) {
    case 'b':
    case 'c':
        while (length < most / 2) plan(below(trace == 'c' ? AGENTS * 8 : 10000), draw_size());
        return length * 2;
    case 'B':
        for (; length < most / 2; cursor = (cursor + 1) % 10000) plan(cursor, draw_size());
        return length * 2;
    case 'd':
    case 'D':
        while (length < most / (2 * PARTS)) plan_agent(below(AGENTS));
        return length * 2 * PARTS;
    case 'e': length = most / 10; return length * 10;
    case 'f': plan_phase(); return length;
    default: length = most / 128 * 64; return length * 2;
    }
}

static void replace_blocks(void) {
    uint32_t shift = owner_shift();
    for (uint32_t i = 0; i < length; i++) {
        uint32_t slot = trace_slots[i], size = trace_sizes[i], owner = slot >> shift;
        GIVE(owner, blocks[slot], sizes[slot]);
        sizes[slot] = size;
        TAKE(owner, size, blocks[slot]);
    }
}

static void play_phase(void) {
    for (uint32_t i = 0; i < length; i++) {
        uint32_t slot = trace_slots[i], size = trace_sizes[i];
        if (size)
            TAKE(0, size, blocks[slot]);
        else
            GIVE(0, blocks[slot], sizes[slot]);
        sizes[slot] = size;
    }
}

static void replace_agents(bool one_by_one) {
    for (uint32_t i = 0; i < length; i++) {
        uint32_t agent = trace_slots[i];
        if (one_by_one || !RELEASE(agent)) free_agent(agent, sizes[agent]);
        sizes[agent] = trace_sizes[i];
        make_agent(agent, sizes[agent]);
    }
}

static void stack_and_unstack(void) {
    for (uint32_t i = 0; i < length; i += 64) {
        for (int k = 0; k < 64; k++) TAKE(0, 64, blocks[k]);
        for (int k = 63; k >= 0; k--) GIVE(0, blocks[k], 64);
    }
}

static void double_table(void) {
    for (uint32_t i = 0; i < length; i++) {
        void *table;
        TAKE(0, 1024, table);
        for (uint32_t size = 1024; size < 1 << 20; size *= 2) MOVE(0, table, size, 2 * size);
        GIVE(0, table, 1 << 20);
    }
}

static void use_pool(void) {
    for (uint32_t i = 0; i < length; i++) {
        void *block;
        POOL_TAKE(block);
        POOL_GIVE(block);
    }
}

EXPORT("replay") void replay(bool one_by_one) {
    switch (trace) {
    case 'd':
    case 'D': replace_agents(one_by_one); break;
    case 'e': double_table(); break;
    case 'f': play_phase(); break;
    case 'p': use_pool(); break;
    case 'a': stack_and_unstack(); break;
    default: replace_blocks();
    }
}

/* ---- teardown: one owner with many blocks */

EXPORT("build_up") void build_up(uint32_t number, uint32_t size) {
    for (uint32_t i = 0; i < number; i++) {
        sizes[i] = size ? size : 16 + below(1009);
        TAKE(1, sizes[i], blocks[i]);
    }
}

EXPORT("tear_down") void tear_down(uint32_t number, bool one_by_one) {
    if (!one_by_one && RELEASE(1)) return;
    for (uint32_t i = 0; i < number; i++) GIVE(1, blocks[i], sizes[i]);
}

/* ---- mixed agents */

static uint32_t mixed_size(void) {
    uint32_t kind = below(20);
    return kind < 9 ? 16 + below(497) : kind < 15 ? 1024 : kind < 19 ? 4096 + below(12289) : 40960;
}

static void mix_take(uint32_t slot) {
    sizes[slot] = mixed_size();
    count(sizes[slot]);
    TAKE(slot / MIXED_PARTS, sizes[slot], blocks[slot]);
}

static void mix_agent(uint32_t agent) {
    uint32_t first = agent * MIXED_PARTS;
    bool released = RELEASE(agent);
    for (uint32_t slot = first; slot < first + MIXED_PARTS; slot++) {
        if (!released && sizes[slot]) GIVE(agent, blocks[slot], sizes[slot]);
        live -= sizes[slot];
        sizes[slot] = 0;
    }
    uint32_t parts = 8 + below(MIXED_PARTS - 8);
    for (uint32_t slot = first; slot < first + parts; slot++) mix_take(slot);
}

/* So many operations on agents that come, go, grow and shrink; returns the most that was live. */
EXPORT("mix") double mix(double operations) {
    for (double done = 0; done < operations; done++) {
        uint32_t slot = below(AGENTS * MIXED_PARTS), agent = slot / MIXED_PARTS, what = below(100);
        if (what < 2) {
            mix_agent(agent);
            done += MIXED_PARTS;
        } else if (!sizes[slot]) {
            mix_take(slot);
        } else if (what < 12) {
            uint32_t size = what < 7 ? sizes[slot] * 2 : sizes[slot] / 2 + 1;
            if (size > 65536) continue;
            live -= sizes[slot];
            MOVE(agent, blocks[slot], sizes[slot], size);
            sizes[slot] = size;
            count(size);
        } else {
            GIVE(agent, blocks[slot], sizes[slot]);
            live -= sizes[slot];
            sizes[slot] = 0;
        }
    }
    return peak;
}

/* ---- each operation by itself */

extern double clock_ns(void) __attribute__((import_module("env"), import_name("clock_ns")));
static float times[OPERATIONS];
static uint32_t timed;
static size_t pages;

EXPORT("times") float *times_at(void) {
    return times;
}

/* A negative time: the memory grew meanwhile. */
static void keep(double begin) {
    double time = clock_ns() - begin;
    size_t now = __builtin_wasm_memory_size(0);
    times[timed++] = now != pages ? -1 : (float)time;
    pages = now;
}

#define TIMED(call)                                                                                \
    do {                                                                                           \
        double begin_ = clock_ns();                                                                \
        call;                                                                                      \
        keep(begin_);                                                                              \
    } while (0)

/* The traces write into no block, so most pages have never been touched; the first touch, which is the system's, would be charged to
 * whoever writes a link there. */
static void touch_all(void) {
    extern unsigned char __heap_base;
    unsigned char *end = (unsigned char *)(pages * 65536);
    for (volatile unsigned char *at = &__heap_base; at < end; at += 4096) *at = *at;
}

/* Of b and d; how many operations. */
EXPORT("replay_timed") uint32_t replay_timed(void) {
    timed = 0;
    pages = __builtin_wasm_memory_size(0);
    touch_all();
    for (uint32_t i = 0; i < length; i++) {
        uint32_t slot = trace_slots[i], size = trace_sizes[i];
        if (trace == 'b') {
            TIMED(GIVE(0, blocks[slot], sizes[slot]));
            TIMED(TAKE(0, size, blocks[slot]));
        } else {
            bool released;
            TIMED(released = RELEASE(slot));
            for (uint32_t part = 0; part < PARTS && !released; part++)
                TIMED(GIVE(slot, blocks[slot * PARTS + part], part_size(part, sizes[slot])));
            for (uint32_t part = 0; part < PARTS; part++)
                TIMED(TAKE(slot, part_size(part, size), blocks[slot * PARTS + part]));
        }
        sizes[slot] = size;
    }
    return timed;
}
