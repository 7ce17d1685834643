/* CliffWalking (Sutton & Barto, example 6.6): a grid of 4 rows and 12 columns. From the lower left corner to the lower right
 * one, every move costs 1; between them is the cliff, which costs 100 and leads back to the start. */
#ifndef WORLD_H
#define WORLD_H

#include <stdint.h>

enum {
    ROWS = 4,
    COLUMNS = 12,
    STATES = ROWS * COLUMNS,
    START = 3 * COLUMNS,
    GOAL = STATES - 1,
    MOVES = 4 /* up, right, down, left */
};

typedef struct world_step {
    int32_t state;
    double reward;
} world_step;

static inline world_step world_move(int32_t state, int32_t action) {
    int32_t row = state / COLUMNS, column = state % COLUMNS;
    if (action == 0 && row > 0) row--;
    if (action == 1 && column < COLUMNS - 1) column++;
    if (action == 2 && row < ROWS - 1) row++;
    if (action == 3 && column > 0) column--;
    int32_t next = row * COLUMNS + column;
    if (next > START && next < GOAL) return (world_step){START, -100};
    return (world_step){next, -1};
}

#endif
