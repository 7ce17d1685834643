/**
 * The reference learner behind the package's interface: as much of `createRuntimeSync`, `Agent` and `Batch` as the
 * learning tests use. It lets those tests run without the core (`jest -c tests/reference/jest.config.mjs`), which
 * proves that environments, tests and reference are right on their own.
 */

import { Agent, fail } from './agent.js';

const STRIDE = 64;

class Batch {
    constructor(agents) {
        this.agents = agents;
        this.stride = STRIDE;
        this.time = 0;
        this.observations = new Float32Array(agents.length * STRIDE);
        this.rewards = new Float32Array(agents.length);
        this.endings = new Uint8Array(agents.length);
        this.actions = new Int32Array(agents.length);
    }

    observation(i) {
        const { encoder } = this.agents[i].config;
        if (encoder.kind === 'index') return this.observations[i * STRIDE];
        return this.observations.slice(i * STRIDE, i * STRIDE + encoder.dims.length);
    }

    begin() {
        this.agents.forEach((agent, i) => { this.actions[i] = agent.begin(this.observation(i)); });
    }

    step() {
        this.agents.forEach((agent, i) => {
            const ending = { terminated: this.endings[i] === 1, truncated: this.endings[i] === 2 };
            this.actions[i] = agent.step(this.rewards[i], this.observation(i), ending);
        });
    }

    act(options) {
        this.agents.forEach((agent, i) => { this.actions[i] = agent.act(this.observation(i), options); });
    }

    free() {}
}

class Runtime {
    constructor({ seed = 0 } = {}) {
        this.masterSeed = BigInt.asUintN(64, BigInt(seed));
        this.agents = [];
        this.created = 0;
        this.build = { version: 'reference', simd: false, threads: false, memory64: false };
    }

    createAgent(config) {
        if (config.name !== undefined && this.agents.some((agent) => agent.name === config.name)) fail('INVALID_ARGUMENT', 'the name is taken');
        this.created += 1;
        const agent = new Agent(config, this.created, this.masterSeed, () => this.agents.splice(this.agents.indexOf(agent), 1));
        this.agents.push(agent);
        return agent;
    }

    agent(idOrName) {
        const found = this.agents.find((agent) => agent.id === idOrName || agent.name === idOrName);
        return found ?? fail('INVALID_ARGUMENT', `no agent ${idOrName}`);
    }

    batch(agents = this.agents) {
        return new Batch([...agents]);
    }

    dispose() {
        this.agents = [];
    }
}

export function createRuntimeSync(options) {
    return new Runtime(options);
}

export async function createRuntime(options) {
    return new Runtime(options);
}

export { QhiveError } from './agent.js';
