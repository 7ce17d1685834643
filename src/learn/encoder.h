/* Encoders: from an observation to the keys of its rows in the Q-table.
 *
 * An encoder yields T >= 1 keys of 64 bits, uniform in all bits; T is 1 for every kind but tiles.
 *   index    the observation is an integer below `states`; its key is a bijection of it
 *   bins     each dimension is cut into `bins` cells; the cells are hashed
 *   simhash  the signs of up to 32 seeded random projections of the normalised vector (Charikar 2002)
 *   tiles    tile coding with asymmetric offsets (1, 3, 5, ...), Sutton & Barto 9.5.4: one key a tiling
 *
 * A dimension d maps x to (x - min) / (max - min), clamped to 0..1. Its cell is floor((x - min) bins / (max - min)), clamped to
 * 0..bins - 1, where a value within 1/1024 of a cell below an edge counts as on it: integer grids and decimal edges fall where one
 * expects in spite of rounding. `bins` 0 carries a dimension without keying it. A trend appends the exponential moving
 * average of a normalised dimension as one more dimension of the same number of bins; `move` moves trends, everything else
 * reads them.
 *
 * The cell comes from one multiplication and two additions in float32: y = x * scale + offset, then y + 2^23, whose bits less
 * 0x4B000000 are y rounded to an integer. `offset` holds -min * scale and the -1/2 + 1/1024 that turns rounding to nearest into
 * a floor. Saturating narrowing clamps; whatever does not narrow as a number should (NaN, infinity, more than 16,384 cells out of
 * range) takes a slow path that looks at each lane.
 *
 * The hash of the cells: two cells make a 16-bit value, and each of 4 lanes sums its values times fixed random odd 16-bit
 * factors, twice with different factors (multilinear hashing, Carter & Wegman 1979): 8 sums of 32 bits, mixed into the
 * key. Up to 16 dimensions no two cell vectors share their sums; beyond, vectors that differ in one lane only agree in both its
 * sums with a chance of 2^-32 at worst, and independent of that in each further lane. One instruction multiplies and adds 8
 * values. Where a dimension has more than 256 bins, cells are hashed one by one instead. */
#ifndef QH_LEARN_ENCODER_H
#define QH_LEARN_ENCODER_H

#include "learn/plan.h"

typedef struct qh_encoder {
    /* the hot path */
    bool quick; /* bins without trends: `qh__encoder_cells_key` is all, on the row in place */
    bool wide;  /* a dimension has more than 256 bins */
    bool alike; /* all dimensions have the same scale and offset */
    uint32_t padded;
    const qh_lanes *lanes;
    /* the rest */
    qh_plan *plan;
    float *average; /* of each trend, now */
    float *moved;   /* what `keys_moving` found; `move` makes it so */
} qh_encoder;

/* Takes a reference to the plan of `def`; trends are the owner's. */
qh_result qh_encoder_open(qh_encoder *encoder, const qh_encoder_def *def, qh_plans *plans,
                          qh_owner *owner);
void qh_encoder_close(qh_encoder *encoder, qh_plans *plans, qh_owner *owner);

/* The keys of an observation with the trends as they are. `state` counts for index encoders, `observation` (dims floats)
 * for all others. QH_INVALID_ARGUMENT for a state that is no integer below `states`, or a NaN. */
qh_result qh_encoder_keys(const qh_encoder *encoder, const float *observation, double state,
                          uint64_t *keys);

/* The keys that the observation will have once the trends have moved there (`first`: once they start there). */
qh_result qh_encoder_keys_moving(qh_encoder *encoder, const float *observation, double state,
                                 bool first, uint64_t *keys);

/* The key of a row under a bins encoder without trends; 0 when one of its floats is NaN. Memory up to a multiple of 16
 * floats is read, and does not count. */
uint64_t qh__encoder_cells_key(const qh_encoder *encoder, const float *row);

/* Makes the move of the last `keys_moving`. */
void qh_encoder_move(qh_encoder *encoder);

/* Words of 32 bits of a state as it was observed: of its index 1, else one a dimension and trend. */
uint32_t qh_encoder_words(const qh_encoder_def *def);

/* Writes an observation that gave keys as those words, trends as they are or, `moving`, as the last `keys_moving` found them. */
void qh_encoder_record(const qh_encoder *encoder, const float *observation, double state,
                       bool moving, uint32_t *words);

/* The keys that the observation had. */
void qh_encoder_recall(const qh_encoder *encoder, const uint32_t *words, uint64_t *keys);

/* Writes the normalised vector (dims + trends floats; the state itself for index); returns its length through `length`. */
qh_result qh_encoder_vector(const qh_encoder *encoder, const float *observation, double state,
                            float *vector, uint32_t *length);

#endif
