/** Ties are broken uniformly, or for the first action; exploration is uniform and as frequent as asked for. */

import { createRuntimeSync } from 'qhive';
import { chiSquare, report, testSeed } from './support.js';

const SEED = testSeed(2401);
const DRAWS = 40000;
const encoder = { kind: 'index', states: 4 };

/** The value that a chi-square variable exceeds once in a thousand times (Wilson & Hilferty 1931). */
function critical(degrees) {
    const spread = 2 / (9 * degrees);
    return degrees * (1 - spread + 3.0902 * Math.sqrt(spread)) ** 3;
}

let runtime;
beforeEach(() => { runtime = createRuntimeSync({ seed: SEED }); });
afterEach(() => runtime.dispose());

function countActions(agent, actions, options) {
    const counts = new Array(actions).fill(0);
    for (let i = 0; i < DRAWS; i += 1) counts[agent.act(0, options)] += 1;
    return counts;
}

function expectUniform(row, counts) {
    const statistic = chiSquare(counts);
    report(`${row}: chi-square ${statistic.toFixed(2)} of ${counts.length - 1} degrees (critical ${critical(counts.length - 1).toFixed(2)}; seed ${SEED})`);
    expect(statistic).toBeLessThan(critical(counts.length - 1));
}

test.each([2, 3, 4, 7, 16, 33])('%d untried actions tie: each is chosen equally often', (actions) => {
    const agent = runtime.createAgent({ name: `chooser-${actions}`, actions, encoder, policy: { kind: 'greedy' } });
    expectUniform(`${actions} tied actions`, countActions(agent, actions));
});

test('ties within some of the actions are uniform there and nowhere else', () => {
    const agent = runtime.createAgent({ name: 'chooser', actions: 9, encoder, policy: { kind: 'greedy' } });
    const best = [1, 4, 8];
    for (const action of best) agent.learn(0, action, 1, 1, { terminated: true });
    const counts = countActions(agent, 9);
    expectUniform('3 of 9 tied actions', best.map((action) => counts[action]));
    expect(best.reduce((sum, action) => sum + counts[action], 0)).toBe(DRAWS);
});

test('the first of tied actions, when asked for', () => {
    const agent = runtime.createAgent({ actions: 9, encoder, policy: { kind: 'greedy' }, tieBreak: 'first' });
    expect(agent.act(0)).toBe(0);
    for (const action of [4, 8, 2]) agent.learn(0, action, 1, 1, { terminated: true });
    expect(countActions(agent, 9)[2]).toBe(DRAWS);
});

test('exploration is uniform over all actions', () => {
    const agent = runtime.createAgent({ name: 'explorer', actions: 6, encoder, policy: { kind: 'epsilon-greedy', epsilon: 1 } });
    agent.learn(0, 3, 1, 1, { terminated: true });
    expectUniform('epsilon 1', countActions(agent, 6));
});

test('exploration is as frequent as epsilon says, and none when greedy is asked for', () => {
    const agent = runtime.createAgent({ name: 'explorer', actions: 5, encoder, policy: { kind: 'epsilon-greedy', epsilon: 0.2 } });
    agent.learn(0, 3, 1, 1, { terminated: true });
    const others = DRAWS - countActions(agent, 5)[3];
    const share = 0.2 * 0.8;
    expect(Math.abs(others / DRAWS - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / DRAWS));
    expect(countActions(agent, 5, { greedy: true })[3]).toBe(DRAWS);
});

test('the first actions of many agents are independent of each other', () => {
    const counts = new Array(16).fill(0);
    const joint = new Array(16).fill(0);
    let last = 0;
    for (let i = 0; i < 4000; i += 1) {
        const agent = runtime.createAgent({ name: `agent-number-${i}`, actions: 16, encoder, policy: { kind: 'greedy' } });
        const action = agent.act(0);
        agent.free();
        counts[action] += 1;
        joint[(action & 3) * 4 + (last & 3)] += 1;
        last = action;
    }
    expectUniform('first actions of named agents', counts);
    expectUniform('first actions of neighbours', joint);
});
