/** The reference itself: its rules by hand, its policies by counting, its replay by frequency. */

import { Learner } from './learner.js';
import { Generator, seedState } from './random.js';

const SEED = 77n;
const { fround } = Math;
const learner = (config) => new Learner({ actions: 3, encoder: { kind: 'index', states: 8 }, discount: 0.9, learningRate: 0.5, ...config }, new Generator(seedState(SEED, 1n)));
const cell = (subject, state, action, side = 0) => subject.table.value([state], action, side);

describe('one update by hand', () => {
    const prepared = (config) => {
        const subject = learner({ policy: { kind: 'epsilon-greedy', epsilon: 0.3 }, ...config });
        [4, 1, 2].forEach((value, action) => subject.learn(1, action, value, 0, { terminated: true }));
        return subject;
    };

    test('Q-learning takes the best next value', () => {
        const subject = prepared({});
        expect(subject.learn(0, 2, 1, 1)).toBeCloseTo(1 + 0.9 * 2, 12);
        expect(cell(subject, 0, 2)).toBe(fround(0.5 * (1 + 0.9 * 2)));
    });

    test('SARSA takes the next action told', () => {
        const subject = prepared({ algorithm: 'sarsa' });
        expect(subject.learn(0, 2, 1, 1, { nextAction: 1 })).toBeCloseTo(1 + 0.9 * 0.5, 12);
    });

    test('Expected SARSA takes what its policy expects', () => {
        const subject = prepared({ algorithm: 'expected-sarsa' });
        expect(subject.learn(0, 2, 1, 1)).toBeCloseTo(1 + 0.9 * (0.7 * 2 + 0.1 * (2 + 0.5 + 1)), 12);
    });

    test('Double Q-learning values the choice of one table by the other', () => {
        const subject = learner({ algorithm: 'double-q' });
        const row = subject.table.row(1);
        row.q[0].set([5, 1, 0]);
        row.q[1].set([2, 3, 0]);
        const before = subject.generator.a;
        subject.learn(0, 0, 1, 1);
        expect(subject.generator.a).not.toBe(before);
        const [first, second] = [cell(subject, 0, 0, 0), cell(subject, 0, 0, 1)];
        expect([first, second].sort()).toEqual([0, first === 0 ? fround(0.5 * (1 + 0.9 * 1)) : fround(0.5 * (1 + 0.9 * 2))]);
    });

    test('a step size of 1 / visits averages', () => {
        const subject = learner({ learningRate: 'visits' });
        for (const reward of [3, 5, 10]) subject.learn(0, 0, reward, 1, { terminated: true });
        expect(cell(subject, 0, 0)).toBeCloseTo(6, 6);
    });

    test('schedules decay per learning step', () => {
        const subject = learner({ learningRate: { start: 1, end: 0.5, decay: 0.5 } });
        subject.learn(0, 0, 1, 1, { terminated: true });
        expect(subject.rate.value).toBe(0.75);
        subject.learn(0, 0, 1, 1, { terminated: true });
        expect(subject.rate.value).toBe(0.625);
    });
});

describe('equivalences', () => {
    const rewards = [1, -2, 3, 0.5];
    const walk = (subject) => {
        subject.begin(0);
        rewards.forEach((reward, i) => subject.step(reward, i + 1, { terminated: i === rewards.length - 1 }));
        return rewards.map((_, state) => cell(subject, state, 0));
    };
    const single = { actions: 1, algorithm: 'sarsa', learningRate: 1 };

    test('more steps than the episode has are Monte Carlo returns', () => {
        const returns = [];
        rewards.reduceRight((after, reward, i) => { returns[i] = reward + 0.9 * after; return returns[i]; }, 0);
        walk(learner({ ...single, nStep: 10 })).forEach((value, i) => expect(value).toBeCloseTo(returns[i], 5));
    });

    test('lambda 1 from zero values is the same, lambda 0 is one step', () => {
        const full = walk(learner({ ...single, nStep: 10 }));
        walk(learner({ ...single, lambda: 1 })).forEach((value, i) => expect(value).toBeCloseTo(full[i], 5));
        expect(walk(learner({ ...single, lambda: 0 }))).toEqual(walk(learner({ ...single, nStep: 1 })));
    });
});

describe('policies', () => {
    const DRAWS = 30000;
    test.each([
        ['greedy', { kind: 'greedy' }],
        ['epsilon-greedy', { kind: 'epsilon-greedy', epsilon: 0.4 }],
        ['softmax', { kind: 'softmax', temperature: 0.8 }],
        ['UCB', { kind: 'ucb', c: 1 }],
    ])('%s chooses as often as its probabilities say, with and without a mask', (_, policy) => {
        const subject = learner({ actions: 5, policy });
        [1, 2, 2, 0.5, 1.5].forEach((value, action) => subject.learn(0, action, value, 1, { terminated: true }));
        for (const mask of [undefined, [1, 0, 1, 0, 1]]) {
            const counts = new Array(5).fill(0);
            for (let i = 0; i < DRAWS; i += 1) counts[subject.choose([0], mask)] += 1;
            const chances = subject.probabilities([0], mask);
            expect(chances.reduce((sum, chance) => sum + chance, 0)).toBeCloseTo(1, 12);
            chances.forEach((chance, action) => {
                expect(Math.abs(counts[action] / DRAWS - chance)).toBeLessThanOrEqual(4 * Math.sqrt((chance * (1 - chance)) / DRAWS));
            });
        }
    });

    test('UCB tries every action once before any twice', () => {
        const subject = learner({ actions: 6, policy: { kind: 'ucb', c: 2 } });
        const tried = Array.from({ length: 6 }, () => {
            const action = subject.choose([0]);
            subject.learn(0, action, action, 1, { terminated: true });
            return action;
        });
        expect(new Set(tried).size).toBe(6);
    });
});

describe('replay', () => {
    test('a full ring forgets the oldest', () => {
        const subject = learner({ replay: { capacity: 3 } });
        [0, 1, 2, 3, 4].forEach((state) => subject.learn(state, 0, 1, 7, { terminated: true }));
        expect(subject.memory.items.map(({ keys }) => keys[0]).sort()).toEqual([2, 3, 4]);
    });

    test('prioritised: drawn in proportion, weighted against it', () => {
        const subject = learner({ replay: { capacity: 4, kind: 'prioritized', alpha: 1, beta: 1 } });
        [0, 1, 2, 3].forEach((state) => subject.learn(state, 0, 0, 7, { terminated: true }));
        [1, 2, 3, 4].forEach((error, place) => subject.memory.learned(place, error - 0.01));
        const counts = new Array(4).fill(0);
        for (const place of subject.memory.drawMany(40000, subject.generator)) counts[place] += 1;
        counts.forEach((count, i) => expect(Math.abs(count / 40000 - (i + 1) / 10)).toBeLessThan(0.01));
        subject.memory.weights([0, 1, 2, 3]).forEach((weight, i) => expect(weight).toBeCloseTo(1 / (i + 1), 6));
    });

    test('replaying without end reaches the values that the stored transitions imply', () => {
        const subject = learner({ replay: { capacity: 8 } });
        subject.learn(0, 0, 0, 1);
        subject.learn(1, 0, 1, 2, { terminated: true });
        for (const action of [1, 2]) subject.learn(1, action, 0, 2, { terminated: true });
        subject.replay(1000);
        expect(cell(subject, 1, 0)).toBeCloseTo(1, 6);
        expect(cell(subject, 0, 0)).toBeCloseTo(0.9, 6);
    });
});

test('planning alone carries a reward back to the start', () => {
    const subject = learner({ planning: 200 });
    subject.learn(0, 0, 0, 1);
    subject.learn(1, 0, 0, 2);
    subject.learn(2, 0, 1, 3, { terminated: true });
    expect(cell(subject, 0, 0)).toBeCloseTo(0.81, 4);
    expect(Array.from(subject.table.row(0).visits)).toEqual([1, 0, 0]);
});
