/** A truncated episode bootstraps from its last observation, a terminated one does not (Pardo et al. 2018). */

import { createRuntimeSync } from 'qhive';
import { testSeed } from './support.js';

const [RATE, DISCOUNT, WORTH, REWARD] = [0.5, 0.9, 10, 3];
const [FROM, TO, END] = [0, 1, 2];
const SEED = testSeed(3101);
const config = {
    actions: 2,
    encoder: { kind: 'index', states: 3 },
    learningRate: RATE,
    discount: DISCOUNT,
    policy: { kind: 'greedy' },
};
const BOOTSTRAPPED = RATE * (REWARD + DISCOUNT * WORTH * RATE);
const PLAIN = RATE * REWARD;

let runtime;
let agent;
beforeEach(() => {
    runtime = createRuntimeSync({ seed: SEED });
    agent = runtime.createAgent({ name: 'traveller', ...config });
    agent.learn(TO, 1, WORTH, END, { terminated: true });
});
afterEach(() => runtime.dispose());

const best = (state) => Math.max(...agent.qValues(state));

test.each([
    ['going on', {}, BOOTSTRAPPED],
    ['truncated', { truncated: true }, BOOTSTRAPPED],
    ['terminated', { terminated: true }, PLAIN],
])('learn, %s', (_, ending, expected) => {
    const error = agent.learn(FROM, 0, REWARD, TO, ending);
    expect(agent.qValues(FROM)[0]).toBeCloseTo(expected, 6);
    expect(error).toBeCloseTo(expected / RATE, 5);
});

test.each([
    ['going on', {}, BOOTSTRAPPED],
    ['truncated', { truncated: true }, BOOTSTRAPPED],
    ['terminated', { terminated: true }, PLAIN],
])('begin and step, %s', (_, ending, expected) => {
    const action = agent.begin(FROM);
    const next = agent.step(REWARD, TO, ending);
    expect(agent.qValues(FROM)[action]).toBeCloseTo(expected, 6);
    expect(next).toBe(ending.truncated || ending.terminated ? -1 : 1);
});

test.each([[0, BOOTSTRAPPED], [1, PLAIN], [2, BOOTSTRAPPED]])('a batch with ending %d', (ending, expected) => {
    const batch = runtime.batch([agent]);
    batch.observations[0] = FROM;
    batch.begin();
    const action = batch.actions[0];
    batch.observations[0] = TO;
    batch.rewards[0] = REWARD;
    batch.endings[0] = ending;
    batch.step();
    expect(agent.qValues(FROM)[action]).toBeCloseTo(expected, 6);
    expect(batch.actions[0]).toBe(ending === 0 ? 1 : -1);
    batch.free();
});

test('after an ending of either kind a step needs a new begin', () => {
    for (const ending of [{ truncated: true }, { terminated: true }]) {
        agent.begin(FROM);
        agent.step(REWARD, TO, ending);
        const before = best(FROM);
        expect(() => agent.step(REWARD, TO)).toThrow(expect.objectContaining({ code: 'INVALID_STATE' }));
        expect(best(FROM)).toBe(before);
        expect(agent.begin(FROM)).toBeGreaterThanOrEqual(0);
        agent.step(REWARD, TO, ending);
    }
});

test('episodes cut after every step still learn the value of going on for ever', () => {
    for (let i = 0; i < 500; i += 1) agent.learn(FROM, 0, 1, FROM, { truncated: true });
    for (let i = 0; i < 500; i += 1) agent.learn(END, 0, 1, END, { terminated: true });
    expect(agent.qValues(FROM)[0]).toBeCloseTo(1 / (1 - DISCOUNT), 4);
    expect(agent.qValues(END)[0]).toBeCloseTo(1, 6);
});
