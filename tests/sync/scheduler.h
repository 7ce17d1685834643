/* A deterministic scheduler for the real C of src/sync: every execution of a small program of a few threads, with a bounded number of
 * preemptions (Musuvathi and Qadeer, "Iterative Context Bounding", PLDI 2007), found by depth-first search over its choices.
 *
 * Threads are fibers. They switch at atomic operations (qh_model_step) and where they sleep or end. Choices besides which thread
 * runs: that a sleep with a timeout times out, and that a thread is killed, each within a budget an execution. */
#ifndef QH_TESTS_SCHEDULER_H
#define QH_TESTS_SCHEDULER_H

#include <stdbool.h>
#include <stdint.h>

#define MODEL_THREADS 4

typedef struct model_program {
    const char *name;
    uint32_t thread_count;
    void (*prepare)(void);            /* before each execution */
    void (*body)(uint32_t thread);    /* each thread */
    const char *(*finish)(void);      /* after each execution: what does not hold, or NULL */
    uint32_t preemptions, timeouts, kills;
} model_program;

typedef struct model_result {
    uint64_t executions;
    bool complete; /* all executions within the bounds were seen */
    const char *failure; /* NULL: none */
} model_result;

/* Runs executions until all are seen, one fails, or `limit` ran. A failure prints its schedule. */
model_result model_explore(const model_program *program, uint64_t limit);

/* Ends the execution with a failure. */
_Noreturn void model_fail(const char *what);

#define MODEL_CHECK(x) ((x) ? (void)0 : model_fail(#x))

/* How many threads the program that runs has. */
uint32_t model_thread_count(void);

/* Whether a thread was killed; whether it has ended, killed or not. */
bool model_is_dead(uint32_t thread);
bool model_is_over(uint32_t thread);

/* Lets others run until `thread` is over. */
void model_await(uint32_t thread);

/* From here on a thread cannot be killed, or can again. */
void model_shelter(bool sheltered);

#endif
