/**
 * What a picture of the run needs, read from it at once and made to be posted: plain numbers and typed arrays of its own.
 */
import { dimensions, ACTIONS } from '../../examples/ran/agents.js';
import { CELLS, IMAGE_X, IMAGE_Y, INTER_SITE_DISTANCE, SITE_X, SITE_Y } from '../../examples/ran/geometry.js';
import { USERS } from '../../examples/ran/mobility.js';
import { COMPONENTS } from '../../examples/ran/reward.js';
import { CELL_FIELDS, Group, USER_FIELDS, UserState } from './fields.js';
import { changesOf, featuresOf, reasonsOf, zoneOf } from './adapters.js';

const OF_OWNER = { zones: Group.SHARED, knowledge: Group.SHARED };
const OF_KIND = {
    agent: Group.AGENTS, state: Group.AGENTS, table: Group.TABLES, index: Group.TABLES, encoder: Group.ENCODERS, batch: Group.BATCH,
};

const INRADIUS = INTER_SITE_DISTANCE / 2;         // of a site's hexagon, m
const NETWORK_FIELDS = CELL_FIELDS.slice(0, -1);   // those that a network keeps by these names

export class Frames {
    /** @param {import('./simulation.js').Simulation} simulation */
    constructor(simulation) {
        this.simulation = simulation;
        this.points = -1;
    }

    /**
     * @param {{ measure?: string, memory?: boolean, agent?: number | null, curves?: boolean }} request
     * @returns {[object, Transferable[]]} the frame and what may be transferred
     */
    read({ measure, memory, agent, curves }) {
        const { simulation } = this;
        const frame = { ...this.clock(), cells: this.cells(), users: this.users() };
        const transfer = [frame.cells.buffer, frame.users.buffer];
        if (measure) {
            frame.measure = measure;
            frame.values = simulation.values(measure);
            transfer.push(frame.values.buffer);
        }
        if (memory) {
            frame.memory = this.memory();
            transfer.push(frame.memory.address.buffer, frame.memory.bytes.buffer, frame.memory.group.buffer, frame.memory.owner.buffer);
        }
        if (agent != null) frame.agent = this.agent(agent);
        if (curves || simulation.curve.days.length !== this.points) {
            this.points = simulation.curve.days.length;
            frame.curves = { ...simulation.curve, baselines: simulation.baselines, hours: simulation.hours, summary: simulation.summary };
        }
        return [frame, transfer];
    }

    clock() {
        const { simulation } = this;
        const { memory } = simulation.runtime;
        return {
            seed: simulation.seed,
            day: simulation.dayNumber,
            hour: ((simulation.environment.period % 96) + 1) / 4,
            decisions: simulation.decisions,
            evaluating: simulation.evaluating,
            pages: memory.pages,
            maxPages: memory.maxPages,
            liveBytes: memory.liveBytes,
            withdrawnBytes: simulation.withdrawnBytes,
        };
    }

    cells() {
        const { network } = this.simulation;
        const table = new Float32Array(CELLS * CELL_FIELDS.length);
        for (let cell = 0, at = 0; cell < CELLS; cell++) {
            let reward = 0;
            for (let c = 0; c < COMPONENTS; c++) reward += network.components[cell * COMPONENTS + c];
            for (const field of NETWORK_FIELDS) table[at++] = network[field][cell];
            table[at++] = reward;
        }
        return table;
    }

    users() {
        const { network, environment: { mobility, active, slice } } = this.simulation;
        const table = new Float32Array(USERS * USER_FIELDS);
        for (let user = 0; user < USERS; user++) {
            if (!active[user]) continue;
            table.set(drawn(mobility.x[user], mobility.y[user]), user * USER_FIELDS);
            table[user * USER_FIELDS + 2] = network.admitted[user] ? UserState.BROADBAND + slice[user] : UserState.REFUSED;
        }
        return table;
    }

    memory() {
        const { runtime, ballast } = this.simulation;
        const blocks = runtime.memory.allocations().sort((a, b) => a.address - b.address);
        const withdrawn = new Set(ballast.map(({ batch }) => `batch-${batch.id}`));
        const names = [];
        const numberOf = new Map();
        const picture = {
            layout: runtime.memory.layout(),
            pools: runtime.memory.pools(),
            growths: runtime.memory.growths(),
            peakLiveBytes: runtime.memory.peakLiveBytes,
            states: this.states(),
            hash: runtime.hash(),
            address: new Uint32Array(blocks.length),
            bytes: new Uint32Array(blocks.length),
            group: new Uint8Array(blocks.length),
            owner: new Uint16Array(blocks.length),
            names,
            kinds: blocks.map(({ kind }) => kind),
        };
        blocks.forEach(({ address, bytes, owner, kind }, i) => {
            if (!numberOf.has(owner)) numberOf.set(owner, names.push(owner) - 1);
            picture.address[i] = address;
            picture.bytes[i] = bytes;
            picture.owner[i] = numberOf.get(owner);
            picture.group[i] = withdrawn.has(owner) ? Group.WITHDRAWN : (OF_OWNER[owner] ?? OF_KIND[kind] ?? Group.RUNTIME);
        });
        return picture;
    }

    states() {
        let states = 0;
        for (const { metrics } of this.simulation.agents) states += metrics.states;
        return states;
    }

    /** Everything about one agent. */
    agent(index) {
        const { simulation } = this;
        const { crew, network, rows, batch, decisions } = simulation;
        const agent = simulation.agents[index];
        const knob = crew.knob[index];
        const source = decisions > 0 ? rows : observed(simulation);
        const dims = dimensions(knob);
        const row = source.slice(index * batch.stride, index * batch.stride + dims.length);
        return {
            index,
            name: agent.name,
            level: network.levels.of[knob.name][crew.unit[index]],
            held: simulation.guard.held[index] === 1,
            why: reasonsOf(simulation, index, row),
            wanted: decisions > 0 ? ACTIONS[simulation.actions[index]] ?? null : null,
            metrics: agent.metrics,
            memory: agent.memory,
            recentReward: simulation.recentReward[index],
            sees: dims.map(({ name, min, max, bins, role }, i) => ({ name, min, max, bins, role, value: row[i] })),
            features: featuresOf(simulation, index),
            changes: changesOf(simulation, index),
            zone: zoneOf(simulation, index),
        };
    }
}

/** Square of the distance to the nearest site. */
function away(x, y) {
    let least = Infinity;
    for (let site = 0; site < SITE_X.length; site++) least = Math.min(least, (x - SITE_X[site]) ** 2 + (y - SITE_Y[site]) ** 2);
    return least;
}

/** Where a user is drawn: of its images on the torus the one that lies on a cell of the map. */
function drawn(x, y) {
    let best = [x, y];
    let least = away(x, y);
    if (least <= INRADIUS ** 2) return best;
    for (let k = 0; k < IMAGE_X.length; k++) {
        const image = [x + IMAGE_X[k], y + IMAGE_Y[k]];
        const square = away(...image);
        if (square < least) [best, least] = [image, square];
    }
    return best;
}

/** Rows before the first decision. */
function observed({ crew, network, environment, batch }) {
    const rows = new Float32Array(batch.observations.length);
    crew.observe(rows, network, environment.hour);
    return rows;
}
