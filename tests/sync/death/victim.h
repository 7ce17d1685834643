/* Deaths at a chosen place: an operation runs on a stack of its own and is left there for ever when it enters its n-th basic block. What
 * it has written stays as it was; nothing of it runs on. (V8 ends a worker at calls and at heads of loops, which begin basic blocks.)
 *
 * The core is compiled with -fsanitize-coverage=trace-pc, which calls a function in every basic block; the tests are not. */
#ifndef QH_TESTS_DEATH_VICTIM_H
#define QH_TESTS_DEATH_VICTIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SURVIVOR 0u
#define VICTIM 1u

/* Runs it as thread VICTIM. True: it came to its end before it entered `blocks` basic blocks (0: it lives in any case). */
bool victim_run(void (*operation)(void), uint64_t blocks);

/* How many basic blocks the last one entered. */
extern uint64_t victim_blocks;

/* Memory that is as it was after `image_restore`: everything that the operations change. */
void image_begin(void);
void image_add(void *at, size_t byte_count);
void image_save(void);
void image_restore(void);

/* Whether thread VICTIM may sleep (SURVIVOR always may). */
void victim_may_sleep(bool may_sleep);

void expect(bool holds, const char *what);
extern uint32_t wrong;
extern const char *scene; /* what is going on, for the report */

#endif
