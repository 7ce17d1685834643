/**
 * The federation of the design's table: ten clients learn FrozenLake 4x4 on their own for a number of episodes, their tables are
 * merged, all go on from the merged one, and so on. What was learned is judged by the exact success of its greedy policy, by dynamic
 * programming. Q-learning with step size 0.1, discount 0.98, epsilon 0.35 throughout.
 *
 * Liars send -10 times what they know, and claim 1000 visits where they have made any, by a delta.
 */
import { createRuntimeSync } from 'qhive';
import { crc32c } from './delta.js';
import { createRandom, deterministic, frozenLake, successWithin } from '../environments/index.js';

const CLIENTS = 10;
const ROUNDS = 30;
const EPISODES = 60;
const LIARS = 2;
const CLAIM = 1000;
const LIE = -10;
const LIMIT = 100;
const TERMINATED = { terminated: true };
const TRUNCATED = { truncated: true };
const MODEL = frozenLake();
const { actions: ACTIONS, states: STATES, terminal } = MODEL;
const SAFE = Array.from({ length: STATES }, (_, state) => state).filter((state) => !terminal.has(state));
const AGENT = {
    category: 'lake',
    actions: ACTIONS,
    encoder: { kind: 'index', states: STATES },
    learningRate: 0.1,
    discount: 0.98,
    policy: { kind: 'epsilon-greedy', epsilon: 0.35 },
};

/** Next state after action - 1, action, action + 1, of each state and action. */
const NEXT = MODEL.outcomes.map((outcomes) => outcomes.flatMap(({ next, probability }) => new Array(Math.round(3 * probability)).fill(next)));
const REWARD = Float64Array.from({ length: STATES }, (_, state) => (state === STATES - 1 ? 1 : 0));

function playEpisode(agent, random, start) {
    let state = start;
    let action = agent.begin(state);
    for (let step = 1; action >= 0; step++) {
        state = NEXT[state * ACTIONS + action][random.below(3)];
        const terminated = terminal.has(state);
        action = agent.step(REWARD[state], state, terminated ? TERMINATED : step === LIMIT ? TRUNCATED : undefined);
    }
}

/** The delta of a liar: one section. */
export function lie(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const rows = view.getUint32(16 + 24, true);
    for (let row = 0, at = 48 + 8; row < rows; row++, at += 8 + 8 * ACTIONS)
        for (let action = 0; action < ACTIONS; action++) {
            view.setFloat32(at + 4 * action, LIE * view.getFloat32(at + 4 * action, true), true);
            if (view.getUint32(at + 4 * (ACTIONS + action), true) > 0) view.setUint32(at + 4 * (ACTIONS + action), CLAIM, true);
        }
    view.setUint32(4, crc32c(bytes.subarray(8)), true);
    return bytes;
}

/** @param {{ rule: string, elsewhere: boolean, lied: boolean, seed: number }} options `elsewhere`: clients start in any safe state */
export function federate({ rule, elsewhere, lied, seed }) {
    const runtime = createRuntimeSync({ seed, pools: { state: 16, trajectory: 1, message: 1 } });
    const clients = Array.from({ length: CLIENTS }, () => runtime.createAgent(AGENT));
    const randoms = clients.map((_, i) => createRandom(seed, i));
    const honest = lied ? clients.slice(0, CLIENTS - LIARS) : clients;
    const liars = clients.slice(honest.length);
    for (let round = 0; round < ROUNDS; round++) {
        clients.forEach((client, i) => {
            for (let episode = 0; episode < EPISODES; episode++) playEpisode(client, randoms[i], elsewhere ? SAFE[randoms[i].below(SAFE.length)] : 0);
        });
        runtime.federation.accumulate(honest);
        for (const liar of liars) runtime.federation.accumulateDelta(lie(runtime.federation.exportDelta([liar], { all: true })));
        runtime.federation.merge({ rule });
        runtime.federation.apply(clients);
        runtime.federation.clear();
    }
    const policy = Int32Array.from({ length: STATES }, (_, state) => {
        const values = clients[0].qValues(state);
        return values.indexOf(Math.max(...values));
    });
    const sound = runtime.validate();
    runtime.dispose();
    if (!sound) throw new Error('the runtime is not sound');
    return successWithin(MODEL, deterministic(MODEL, policy));
}
