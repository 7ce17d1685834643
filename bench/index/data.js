/** Sets of vectors: files of a folder as its README describes them, or synthetic ones where they are not there. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const DIMS = 64;
const NEIGHBOURS = 10;
const COUNTS = { lsa593: 593, lsa10k: 10000, digits: 1597 };

function read(file, Type) {
    const { buffer, byteOffset, byteLength } = readFileSync(file);
    return new Type(buffer.slice(byteOffset, byteOffset + byteLength));
}

/** Rows of unit length around 40 centres in a space of 20 dimensions, turned into 64 at random. */
function synthetic(count, seed) {
    let state = seed;
    const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
    const normal = () => random() + random() + random() + random() - 2;
    const turn = Float64Array.from({ length: 20 * DIMS }, normal);
    const centres = Float64Array.from({ length: 40 * 20 }, normal);
    const rows = new Float32Array(count * DIMS);
    for (let i = 0; i < count; i++) {
        const centre = Math.floor(random() * 40) * 20;
        const point = Array.from({ length: 20 }, (_, d) => centres[centre + d] + 0.7 * normal());
        const row = rows.subarray(i * DIMS, (i + 1) * DIMS);
        for (let d = 0; d < DIMS; d++) for (let p = 0; p < 20; p++) row[d] += point[p] * turn[p * DIMS + d];
        const length = Math.hypot(...row);
        for (let d = 0; d < DIMS; d++) row[d] /= length;
    }
    return rows;
}

/** The ten nearest rows of each query by squared distance, in double arithmetic. */
function neighbours(base, query) {
    const count = base.length / DIMS;
    return Array.from({ length: query.length / DIMS }, (_, q) => {
        const found = [];
        for (let i = 0; i < count; i++) {
            let distance = 0;
            for (let d = 0; d < DIMS; d++) distance += (base[i * DIMS + d] - query[q * DIMS + d]) ** 2;
            found.push({ i, distance });
        }
        return new Set(found.sort((a, b) => a.distance - b.distance).slice(0, NEIGHBOURS).map(({ i }) => i));
    });
}

/** @param {string} folder @param {string} name @returns {{ name: string, base: Float32Array, query: Float32Array, count: number, queries: number, truth: Set<number>[], real: boolean }} */
export function loadSet(folder, name) {
    const file = (part) => join(folder, `${name}.${part}`);
    const real = ['base.f32', 'query.f32', 'gt100.u32'].every((part) => existsSync(file(part)));
    if (!real) {
        const count = COUNTS[name];
        const all = synthetic(count + 500, count);
        const base = all.slice(0, count * DIMS);
        const query = all.slice(count * DIMS);
        return { name, base, query, count, queries: 500, truth: neighbours(base, query), real };
    }
    const base = read(file('base.f32'), Float32Array);
    const query = read(file('query.f32'), Float32Array);
    const nearest = read(file('gt100.u32'), Uint32Array);
    const queries = query.length / DIMS;
    const truth = Array.from({ length: queries }, (_, i) => new Set(nearest.subarray(i * 100, i * 100 + NEIGHBOURS)));
    return { name, base, query, count: base.length / DIMS, queries, truth, real };
}

/** Share of the true neighbours that a search finds. @param {ReturnType<typeof loadSet>} set @param {(i: number) => Iterable<number>} search */
export function recallOf(set, search) {
    let hits = 0;
    for (let i = 0; i < set.queries; i++) for (const label of search(i)) hits += set.truth[i].has(Number(label)) ? 1 : 0;
    return hits / (set.queries * NEIGHBOURS);
}
