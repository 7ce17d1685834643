/** What both the page and the worker know of the job, without the simulation itself. */
import { CELLS, SECTORS } from '../../examples/ran/geometry.js';
import { AGENTS, KNOBS, instances } from '../../examples/ran/parameters.js';

export { AGENTS, CELLS, KNOBS, SECTORS };
export const PAGE_BYTES = 65536;
export const MAX_SEED = 0xffffffff;

/** Cells, sites and sectors are counted from 1 for people. */
export const cellName = (cell) => `cell ${cell + 1}`;

/** Codes of errors for want of memory. */
export const OUT_OF_MEMORY = new Set(['EXCEEDS_LIMIT', 'GROWTH_FAILED', 'QUOTA_EXCEEDED']);

/** The agents in the order of the run. @type {readonly { index: number, name: string, knob: import('../../examples/ran/parameters.js').Knob, unit: number, place: string }[]} */
export const CREW = Object.freeze(
    KNOBS.flatMap((knob) => Array.from({ length: instances(knob) }, (_, unit) => ({ knob, unit }))).map(({ knob, unit }, index) =>
        Object.freeze({ index, knob, unit, name: `${knob.name}/${unit}`, place: placeOf(knob, unit) }),
    ),
);

function placeOf(knob, unit) {
    if (knob.scope === 'network') return 'the whole network';
    return knob.scope === 'site' ? `site ${unit + 1}` : cellName(unit);
}

export const siteOf = (cell) => Math.floor(cell / SECTORS);

/** Number of the agent of a knob at a unit. */
export const agentOf = (knob, unit) => CREW.find((agent) => agent.knob === knob && agent.unit === unit).index;

/** By `Area` of the city. */
export const AREA_NAMES = Object.freeze(['offices', 'homes', 'industry']);
