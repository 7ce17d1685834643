/** The same seed and the same calls give the same bytes; the order in which named agents are made changes nothing. */

import { createRuntimeSync } from 'qhive';
import { cliffWalking, createRandom, frozenLake, Simulation } from '../environments/index.js';
import { indexed, playEpisode, testSeed } from './support.js';

const SEED = testSeed(5101);
const EPISODES = 40;
const lake = frozenLake();
const cliff = cliffWalking();
const grid = [{ min: 0, max: 4, bins: 4 }, { min: 0, max: 12, bins: 12 }];

/** The cliff seen as two dimensions. */
class CliffByPosition extends Simulation {
    reset() {
        super.reset();
        return this.position();
    }

    step(action) {
        super.step(action);
        return this.position();
    }

    position() {
        return [Math.floor(this.state / 12) + 0.5, (this.state % 12) + 0.5];
    }
}

/** Name, configuration, environment: unlike in every respect. */
const casts = [
    ['anna', indexed(lake, { discount: 0.99 }), (random) => new Simulation(lake, random)],
    ['bert', indexed(cliff, { learningRate: 0.5, discount: 1 }), (random) => new Simulation(cliff, random, { limit: 300 })],
    ['cleo', { actions: 4, encoder: { kind: 'bins', dims: grid }, policy: { kind: 'epsilon-greedy', epsilon: 0.3 } }, (random) => new CliffByPosition(cliff, random, { limit: 200 })],
    ['dirk', indexed(lake, { policy: { kind: 'epsilon-greedy', epsilon: 1 } }), (random) => new Simulation(lake, random)],
    ['elsa', indexed(cliff, { policy: { kind: 'epsilon-greedy', epsilon: { start: 1, end: 0.1, decay: 0.99 } } }), (random) => new Simulation(cliff, random, { limit: 250 })],
];

const bits = (values) => Array.from(new Uint32Array(values.buffer.slice(values.byteOffset, values.byteOffset + values.byteLength)));

/** Every bit that an agent has learned. */
function learned(agent) {
    const observations = agent.config.encoder.kind === 'bins'
        ? Array.from({ length: cliff.states }, (_, state) => [Math.floor(state / 12) + 0.5, (state % 12) + 0.5])
        : Array.from({ length: agent.config.encoder.states }, (_, state) => state);
    return observations.map((observation) => [bits(agent.qValues(observation)), Array.from(agent.visits(observation))]);
}

/** Trains the named agents, made in the order given and played in the order given; what each did and learned, by name. */
function trainInOrder({ seed = SEED, made = casts, played = made, spoil = false }) {
    const runtime = createRuntimeSync({ seed });
    const agents = new Map();
    for (const [name, config] of made) {
        if (spoil) runtime.createAgent({ actions: 3, encoder: { kind: 'index', states: 5 } }).free();
        agents.set(name, runtime.createAgent({ name, ...config }));
    }
    const plays = new Map(casts.map(([name, , environment], i) => [name, environment(createRandom(SEED, i))]));
    const did = new Map(casts.map(([name]) => [name, []]));
    for (let episode = 0; episode < EPISODES; episode += 1) {
        for (const [name] of played) playEpisode(agents.get(name), plays.get(name), (_, action) => did.get(name).push(action));
    }
    const result = Object.fromEntries(casts.map(([name]) => [name, { did: did.get(name), learned: learned(agents.get(name)) }]));
    runtime.dispose();
    return result;
}

const reversed = [...casts].reverse();
const rotated = [...casts.slice(2), ...casts.slice(0, 2)];

test('same seed, same calls: same actions and the same bytes', () => {
    expect(trainInOrder({})).toEqual(trainInOrder({}));
});

test('another seed: other actions', () => {
    const [one, other] = [trainInOrder({}), trainInOrder({ seed: SEED + 1 })];
    for (const [name] of casts) expect(one[name].did).not.toEqual(other[name].did);
});

test('a seed may be a bigint, and all of its 64 bits count', () => {
    expect(trainInOrder({ seed: BigInt(SEED) })).toEqual(trainInOrder({}));
    expect(trainInOrder({ seed: BigInt(SEED) + (1n << 60n) }).anna.did).not.toEqual(trainInOrder({}).anna.did);
});

test.each([['reversed', reversed], ['rotated', rotated]])('named agents made in another order (%s) learn the same', (_, made) => {
    expect(trainInOrder({ made, played: casts })).toEqual(trainInOrder({}));
});

test('named agents played in another order learn the same', () => {
    expect(trainInOrder({ played: reversed })).toEqual(trainInOrder({}));
});

test('agents that come and go in between change nothing for named ones', () => {
    expect(trainInOrder({ spoil: true })).toEqual(trainInOrder({}));
});

test('equal configurations under different names do not act alike', () => {
    const runtime = createRuntimeSync({ seed: SEED });
    const first = runtime.createAgent({ name: 'first', ...indexed(lake) });
    const second = runtime.createAgent({ name: 'second', ...indexed(lake) });
    const actions = (agent) => Array.from({ length: 64 }, () => agent.act(0));
    expect(actions(first)).not.toEqual(actions(second));
    runtime.dispose();
});

describe('a batch', () => {
    const STEPS = 2000;
    const made = casts.filter(([, config]) => config.encoder.kind === 'index');

    function start() {
        const runtime = createRuntimeSync({ seed: SEED });
        const agents = made.map(([name, config]) => runtime.createAgent({ name, ...config }));
        const plays = made.map(([, , environment], i) => environment(createRandom(SEED, i)));
        return { runtime, agents, plays };
    }

    function oneByOne() {
        const { runtime, agents, plays } = start();
        const did = agents.map((agent, i) => [agent.begin(plays[i].reset())]);
        for (let step = 0; step < STEPS; step += 1) {
            agents.forEach((agent, i) => {
                const observation = plays[i].step(did[i].at(-1));
                const action = agent.step(plays[i].reward, observation, plays[i]);
                did[i].push(action >= 0 ? action : agent.begin(plays[i].reset()));
            });
        }
        const result = { did, learned: agents.map(learned) };
        runtime.dispose();
        return result;
    }

    function atOnce() {
        const { runtime, agents, plays } = start();
        const batch = runtime.batch(agents);
        expect(batch.stride).toBe(64);
        plays.forEach((play, i) => { batch.observations[i * batch.stride] = play.reset(); });
        batch.begin();
        const did = Array.from(batch.actions, (action) => [action]);
        for (let step = 0; step < STEPS; step += 1) {
            plays.forEach((play, i) => {
                const observation = play.step(did[i].at(-1));
                batch.observations[i * batch.stride] = observation;
                batch.rewards[i] = play.reward;
                batch.endings[i] = play.terminated ? 1 : play.truncated ? 2 : 0;
            });
            batch.step();
            Array.from(batch.actions).forEach((action, i) => did[i].push(action >= 0 ? action : agents[i].begin(plays[i].reset())));
        }
        const result = { did, learned: agents.map(learned) };
        batch.free();
        runtime.dispose();
        return result;
    }

    test('does what single calls do, to the last bit', () => {
        expect(atOnce()).toEqual(oneByOne());
    });
});
