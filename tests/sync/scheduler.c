#include "scheduler.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "sync/thread.h"

#define STACK_BYTES 65536
#define CHOICES_MAX 4096

typedef enum state { READY, ASLEEP, AWAITING, OVER } state;

/* A context is left and entered by _setjmp and _longjmp, which save no signal mask: a system call less each. Only a new fiber is entered by
 * its ucontext. */
typedef struct fiber {
    ucontext_t context;
    jmp_buf at;
    bool entered;
    unsigned char *stack;
    state state;
    const uint32_t *word; /* slept on */
    uint32_t seen;
    bool may_time_out, timed_out, dead, sheltered;
    uint32_t awaited;
} fiber;

typedef enum action { RUN, TIME_OUT, KILL } action;

typedef struct move {
    action action;
    uint32_t thread;
} move;

static struct {
    const model_program *program;
    fiber fibers[MODEL_THREADS];
    jmp_buf scheduler;
    uint32_t current;
    uint32_t preemptions, timeouts, kills; /* left in this execution */
    uint32_t chosen[CHOICES_MAX], offered[CHOICES_MAX]; /* the path of this execution */
    move moves[CHOICES_MAX];
    uint32_t depth, replayed;
    const char *failure;
} model;

static void leave(void) {
    if (_setjmp(model.fibers[model.current].at) == 0) _longjmp(model.scheduler, 1);
}

static void resume(fiber *next) {
    if (_setjmp(model.scheduler) != 0) return;
    if (next->entered) _longjmp(next->at, 1);
    next->entered = true;
    setcontext(&next->context);
}

void model_fail(const char *what) {
    model.failure = what;
    model.fibers[model.current].state = OVER;
    leave();
    abort();
}

void qh_model_step(void) {
    if (model.program != NULL) leave();
}

bool qh_model_sleep(uint32_t thread, const uint32_t *word, uint32_t seen, int64_t timeout_ns);
bool qh_model_sleep(uint32_t thread, const uint32_t *word, uint32_t seen, int64_t timeout_ns) {
    fiber *self = &model.fibers[thread];
    leave(); /* between the decision to sleep and the sleep */
    if (*word != seen) return true;
    self->state = ASLEEP;
    self->word = word;
    self->seen = seen;
    self->may_time_out = timeout_ns != QH_FOREVER;
    self->timed_out = false;
    leave();
    return !self->timed_out;
}

void qh_model_wake(uint32_t thread);
void qh_model_wake(uint32_t thread) {
    fiber *woken = &model.fibers[thread];
    if (woken->state == ASLEEP && *woken->word != woken->seen) woken->state = READY;
}

uint32_t model_thread_count(void) {
    return model.program->thread_count;
}

bool model_is_dead(uint32_t thread) {
    return model.fibers[thread].dead;
}

bool model_is_over(uint32_t thread) {
    return model.fibers[thread].state == OVER;
}

void model_await(uint32_t thread) {
    fiber *self = &model.fibers[model.current];
    while (!model_is_over(thread)) {
        self->awaited = thread;
        self->state = AWAITING;
        leave();
    }
}

void model_shelter(bool sheltered) {
    model.fibers[model.current].sheltered = sheltered;
}

static void enter(int thread) {
    model.program->body((uint32_t)thread);
    model.fibers[thread].state = OVER;
    leave();
}

static void start_fibers(void) {
    for (uint32_t t = 0; t < model.program->thread_count; t++) {
        fiber *each = &model.fibers[t];
        unsigned char *stack = each->stack != NULL ? each->stack : malloc(STACK_BYTES);
        memset(each, 0, sizeof *each);
        each->stack = stack;
        getcontext(&each->context);
        each->context.uc_stack.ss_sp = stack;
        each->context.uc_stack.ss_size = STACK_BYTES;
        each->context.uc_link = NULL;
        makecontext(&each->context, (void (*)(void))enter, 1, (int)t);
    }
}

static bool can_run(uint32_t thread) {
    const fiber *each = &model.fibers[thread];
    return each->state == READY || (each->state == AWAITING && model_is_over(each->awaited));
}

/* What can happen next, the unchanged course first. */
static uint32_t list_moves(move *moves) {
    uint32_t count = 0;
    bool goes_on = can_run(model.current);
    if (goes_on) moves[count++] = (move){RUN, model.current};
    for (uint32_t t = 0; t < model.program->thread_count; t++) {
        const fiber *each = &model.fibers[t];
        if (t != model.current && can_run(t) && (!goes_on || model.preemptions > 0)) moves[count++] = (move){RUN, t};
        if (each->state == ASLEEP && each->may_time_out && model.timeouts > 0) moves[count++] = (move){TIME_OUT, t};
        if (each->state != OVER && !each->sheltered && model.kills > 0) moves[count++] = (move){KILL, t};
    }
    return count;
}

static void perform(move next) {
    fiber *subject = &model.fibers[next.thread];
    switch (next.action) {
    case TIME_OUT:
        model.timeouts--;
        subject->timed_out = true;
        subject->state = READY;
        break;
    case KILL:
        model.kills--;
        subject->dead = true;
        subject->state = OVER;
        break;
    case RUN:
        if (next.thread != model.current && can_run(model.current)) model.preemptions--;
        subject->state = READY;
        model.current = next.thread;
        resume(subject);
        break;
    }
}

static bool all_over(void) {
    for (uint32_t t = 0; t < model.program->thread_count; t++)
        if (model.fibers[t].state != OVER) return false;
    return true;
}

/* One execution: the recorded choices first, then always the first one. */
static void execute(void) {
    const model_program *program = model.program;
    model.depth = 0;
    model.failure = NULL;
    model.current = 0;
    model.preemptions = program->preemptions;
    model.timeouts = program->timeouts;
    model.kills = program->kills;
    model.program = NULL; /* preparing is no part of the schedule */
    program->prepare();
    model.program = program;
    start_fibers();
    while (model.failure == NULL && !all_over()) {
        move moves[3 * MODEL_THREADS];
        uint32_t count = list_moves(moves);
        if (count == 0) {
            model.failure = "deadlock: everybody sleeps";
            break;
        }
        if (model.depth == CHOICES_MAX) {
            model.failure = "livelock: an execution without end";
            break;
        }
        uint32_t choice = model.depth < model.replayed ? model.chosen[model.depth] : 0;
        model.chosen[model.depth] = choice;
        model.offered[model.depth] = count;
        model.moves[model.depth++] = moves[choice];
        perform(moves[choice]);
    }
    if (model.failure != NULL) return;
    model.program = NULL;
    model.failure = program->finish();
    model.program = program;
}

/* Makes the next path: the deepest choice with an alternative takes it. */
static bool next_path(void) {
    while (model.depth > 0 && model.chosen[model.depth - 1] + 1 >= model.offered[model.depth - 1]) model.depth--;
    if (model.depth == 0) return false;
    model.chosen[model.depth - 1]++;
    model.replayed = model.depth;
    return true;
}

static void print_failure(void) {
    printf("# %s: %s\n#", model.program->name, model.failure);
    for (uint32_t i = 0; i < model.depth; i++) {
        static const char *const marks[] = {"", "timeout", "kill"};
        printf(" %s%u", marks[model.moves[i].action], model.moves[i].thread);
    }
    printf("\n");
}

model_result model_explore(const model_program *program, uint64_t limit) {
    model_result result = {0};
    model.program = program;
    model.replayed = 0;
    do {
        execute();
        result.executions++;
        if (model.failure != NULL) {
            result.failure = model.failure;
            print_failure();
            break;
        }
        result.complete = !next_path();
    } while (!result.complete && result.executions < limit);
    model.program = NULL;
    return result;
}
