/**
 * Encoders turn an observation into the keys of the rows that hold its action values: one key for all of them
 * but tile coding, which has one per tiling. A key here is a number or a string; nothing else knows what is in it.
 */

const { floor, min, max } = Math;

/**
 * @typedef {object} Encoder
 * @property {number} cells  keys per observation
 * @property {(observation: number | ArrayLike<number>, keys: (number | string)[]) => void} encode
 */

/** @returns {Encoder} */
export function createEncoder(definition) {
    switch (definition.kind) {
        case 'index': return indexEncoder(definition);
        case 'bins': return binsEncoder(definition);
        case 'tiles': return tilesEncoder(definition);
        default: throw new RangeError(`the reference has no encoder '${definition.kind}'`);
    }
}

function indexEncoder({ states }) {
    return {
        cells: 1,
        encode: (observation, keys) => {
            const state = typeof observation === 'number' ? observation : observation[0];
            if (!(Number.isInteger(state) && state >= 0 && state < states)) throw new RangeError(`state ${state} of ${states}`);
            keys[0] = state;
        },
    };
}

/** Position of a value within its dimension, 0 .. 1. */
export function normalise(value, dim) {
    if (!Number.isFinite(value)) throw new RangeError(`${dim.name ?? 'a dimension'} is ${value}`);
    return min(max((value - dim.min) / (dim.max - dim.min), 0), 1);
}

function checkLength(observation, dims) {
    if (observation.length !== dims.length) throw new RangeError(`${observation.length} values for ${dims.length} dimensions`);
}

function binsEncoder({ dims }) {
    if (dims.some((dim) => dim.trend !== undefined)) throw new RangeError('the reference has no trends');
    return {
        cells: 1,
        encode: (observation, keys) => {
            checkLength(observation, dims);
            let key = '';
            for (let d = 0; d < dims.length; d += 1) {
                const cell = floor(normalise(observation[d], dims[d]) * dims[d].bins);
                if (dims[d].bins > 0) key += `${min(cell, dims[d].bins - 1)},`;
            }
            keys[0] = key;
        },
    };
}

/**
 * Tile coding (S&B 9.5.4). A dimension is cut into `bins` tiles; tiling t is shifted in dimension d by
 * t (2d + 1) / tilings of a tile, the asymmetric displacement (1, 3, 5, ...). Keys are exact: no collisions.
 */
function tilesEncoder({ dims, tilings }) {
    return {
        cells: tilings,
        encode: (observation, keys) => {
            checkLength(observation, dims);
            const fine = dims.map((dim, d) => floor(normalise(observation[d], dim) * dim.bins * tilings));
            for (let t = 0; t < tilings; t += 1) {
                let key = t;
                for (let d = 0; d < dims.length; d += 1) key = key * 1024 + floor((fine[d] + t * (2 * d + 1)) / tilings);
                keys[t] = key;
            }
        },
    };
}
