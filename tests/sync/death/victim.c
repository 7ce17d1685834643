#include "victim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "sync/room.h"

#define STACK_BYTES (1u << 20)
#define MOST_REGIONS 16

/* ---------------------------------------------------------------- dying */

static ucontext_t life, beyond;
static uint64_t left;
static bool mortal, ended;
static void (*running)(void);
uint64_t victim_blocks;

void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void) {
    if (!mortal) return;
    victim_blocks++;
    if (left > 0 && --left == 0) {
        mortal = false;
        swapcontext(&life, &beyond);
    }
}

static void live(void) {
    mortal = true;
    running();
    mortal = false;
    ended = true;
    swapcontext(&life, &beyond);
}

bool victim_run(void (*operation)(void), uint64_t blocks) {
    static unsigned char *stack;
    if (!stack) stack = malloc(STACK_BYTES);
    qh_thread_open(qh__threads(), SURVIVOR, true);
    getcontext(&life);
    life.uc_stack.ss_sp = stack;
    life.uc_stack.ss_size = STACK_BYTES;
    life.uc_link = NULL;
    running = operation;
    ended = false;
    left = blocks;
    victim_blocks = 0;
    makecontext(&life, live, 0);
    qh__thread_self = VICTIM;
    swapcontext(&beyond, &life);
    qh__thread_self = SURVIVOR;
#if QH_ASSERT_LEVEL >= 2
    qh__ranks_held = 0;
#endif
    return ended;
}

void victim_may_sleep(bool may_sleep) {
    qh_thread_open(qh__threads(), VICTIM, may_sleep);
}

/* ---------------------------------------------------------------- images */

static struct {
    void *at;
    size_t byte_count;
    unsigned char *copy;
} regions[MOST_REGIONS];
static int region_count;

void image_begin(void) {
    while (region_count > 0) free(regions[--region_count].copy);
}

void image_add(void *at, size_t byte_count) {
    if (region_count == MOST_REGIONS) abort();
    regions[region_count].at = at;
    regions[region_count].byte_count = byte_count;
    regions[region_count++].copy = malloc(byte_count);
}

void image_save(void) {
    for (int i = 0; i < region_count; i++)
        memcpy(regions[i].copy, regions[i].at, regions[i].byte_count);
}

void image_restore(void) {
    for (int i = 0; i < region_count; i++)
        memcpy(regions[i].at, regions[i].copy, regions[i].byte_count);
}

/* ---------------------------------------------------------------- reports */

uint32_t wrong;
const char *scene = "";

void expect(bool holds, const char *what) {
    if (holds) return;
    if (++wrong <= 20) printf("not ok %s: %s\n", scene, what);
    fflush(stdout);
}
