/* Encoders: from an observation to the keys of its rows in the Q-table.
 *
 * An encoder yields T >= 1 keys of 64 bits, uniform in all bits; T is 1 for every kind but tiles.
 *   index    the observation is an integer below `states`; its key is a bijection of it
 *   bins     each dimension is cut into `bins` cells; the cells are hashed
 *   simhash  the signs of up to 32 seeded random projections of the normalised vector (Charikar 2002)
 *   tiles    tile coding with asymmetric offsets (1, 3, 5, ...), Sutton & Barto 9.5.4: one key a tiling
 *
 * A dimension d maps x to (x - min) / (max - min), clamped to 0..1. Its cell is min(bins - 1, floor((x - min) * bins / (max - min))):
 * one subtraction and one multiplication in float32, so that integer grids fall exactly on their cells. `bins` 0 carries a
 * dimension without keying it. A trend appends the exponential moving average of a normalised dimension as one more
 * dimension of the same number of bins; `move` moves trends, everything else reads them.
 *
 * The hash of cells c_i is four sums S_k = sum c_i K_ki modulo 2^32 with fixed random 16-bit K: two different cell vectors agree in
 * one sum with a chance of at most 2^-16, in all four of 2^-64 (multilinear hashing, Carter & Wegman 1979). Sums suit SIMD:
 * one multiply-add instruction takes 8 cells. Two cells share a lane, the second with the exponent bits of 2^23 folded
 * in, which every build reproduces; see `cells_key`. */
#ifndef QH_LEARN_ENCODER_H
#define QH_LEARN_ENCODER_H

#include "base/random.h"
#include "memory/memory.h"
#include "qhive/agent.h"

typedef struct qh_trend {
    uint32_t dim; /* the dimension it averages */
    float alpha;
} qh_trend;

/* Arrays have `padded` floats: raw dimensions, then trends, then neutral lanes up to a multiple of 8. */
typedef struct qh_encoder {
    uint32_t kind;
    uint32_t dims; /* as observed */
    uint32_t trends;
    uint32_t padded;
    uint32_t keys; /* T */
    uint32_t bits;
    uint32_t states;
    bool plain;                /* rows can be read in place: no trends, no tail */
    uint64_t keyed;            /* bit d: dimension d has bins */
    float *min, *scale, *last; /* cell = floor(min(max((x - min) * scale, 0), last)) */
    float *range;              /* 1 / (max - min) */
    qh_trend *trend;
    float *average; /* of each trend, now */
    float *moved;   /* what `prepare_move` found; `move` makes it so */
    float *planes;  /* simhash: bits rows of `padded` */
    size_t byte_count;
    void *block;
} qh_encoder;

/* Checks a definition: QH_OK or QH_INVALID_ARGUMENT. */
qh_result qh_encoder_check(const qh_encoder_def *def);

/* `seed` draws the hyperplanes of a simhash. */
qh_result qh_encoder_open(qh_encoder *encoder, const qh_encoder_def *def, qh_heap *heap,
                          qh_owner *owner, uint64_t seed);
void qh_encoder_close(qh_encoder *encoder, qh_heap *heap, qh_owner *owner);

/* The keys of an observation with the trends as they are. `state` counts for index encoders, `observation` (dims floats)
 * for all others. QH_INVALID_ARGUMENT for a state that is no integer below `states`, or a NaN. */
qh_result qh_encoder_keys(const qh_encoder *encoder, const float *observation, double state,
                          uint64_t *keys);

/* The keys that the observation will have once the trends have moved there (`first`: once they start there). */
qh_result qh_encoder_keys_moving(qh_encoder *encoder, const float *observation, double state,
                                 bool first, uint64_t *keys);

/* Makes the move of the last `keys_moving`. */
void qh_encoder_move(qh_encoder *encoder);

/* Writes the normalised vector (dims + trends floats; the state itself for index); returns its length through `length`. */
qh_result qh_encoder_vector(const qh_encoder *encoder, const float *observation, double state,
                            float *vector, uint32_t *length);

#endif
