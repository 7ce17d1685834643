/** The exact values of the environments: published to so many digits, reproduced to all of them. */

import {
    bestActions, bestEpsilonSoft, blockingMaze, cliffWalking, createRandom, defineModel, deterministic, dynaMaze, epsilonGreedy,
    evaluatePolicy, evaluateWithin, frozenLake, maximisationBias, MountainCar, onlineReturn, pathPolicy, randomWalk,
    randomWalkValues, Simulation, successWithin, taxi, uniform, valueIteration, windyGridworld,
} from './index.js';

const steps = (model) => -valueIteration(model).values[model.starts[0][1]];
const stepsOfDiscounted = (value, discount) => 1 + Math.log(value) / Math.log(discount);

describe('FrozenLake', () => {
    test.each([[0.99, 0.542025932], [0.95, 0.180471578], [0.9, 0.068890905]])('4x4, discount %d: V*(0) = %d', (discount, expected) => {
        expect(valueIteration(frozenLake(), { discount }).values[0]).toBeCloseTo(expected, 9);
    });

    test('4x4: success within 100 steps of the best greedy policy and of chance', () => {
        const model = frozenLake();
        const { policy } = valueIteration(model, { discount: 0.99 });
        expect(successWithin(model, deterministic(model, policy))).toBeCloseTo(0.740165, 6);
        expect(successWithin(model, uniform(model))).toBeCloseTo(0.01394, 6);
    });

    test('4x4: the tie that the best policy has does not matter', () => {
        const model = frozenLake();
        const { q, policy } = valueIteration(model, { discount: 0.99 });
        expect(bestActions(model, q, 6)).toEqual([0, 2]);
        const other = Int32Array.from(policy);
        other[6] = 2;
        expect(successWithin(model, deterministic(model, other))).toBeCloseTo(0.740165, 6);
    });

    test.each([['4x4', 6], ['8x8', 14]])('%s, not slippery: %d steps', (map, expected) => {
        const model = frozenLake({ map, slippery: false });
        const { values, policy } = valueIteration(model, { discount: 0.99 });
        expect(stepsOfDiscounted(values[0], 0.99)).toBeCloseTo(expected, 9);
        expect(evaluateWithin(model, deterministic(model, policy), expected - 1).success).toBe(0);
        expect(evaluateWithin(model, deterministic(model, policy), expected).success).toBe(1);
    });

    test('8x8', () => {
        expect(valueIteration(frozenLake({ map: '8x8' }), { discount: 0.99 }).values[0]).toBeCloseTo(0.414640, 6);
    });
});

describe('CliffWalking', () => {
    const model = cliffWalking();

    test('V* = -13, from the start and by the greedy policy', () => {
        const { values, policy } = valueIteration(model);
        expect(values[36]).toBe(-13);
        expect(evaluatePolicy(model, deterministic(model, policy)).start).toBeCloseTo(-13, 10);
    });

    test.each([['edge', 2, -13, -45.8033], ['middle', 1, -15, -20.8129], ['safe', 0, -17, -22.2728]])(
        '%s path: greedy and online at epsilon .1',
        (_, row, greedy, online) => {
            const policy = pathPolicy(row);
            expect(evaluatePolicy(model, deterministic(model, policy)).start).toBeCloseTo(greedy, 10);
            expect(onlineReturn(model, policy, 0.1)).toBeCloseTo(online, 4);
        },
    );

    test('the best policy that explores takes the middle path', () => {
        const { policy, values } = bestEpsilonSoft(model, 0.1);
        expect(evaluatePolicy(model, deterministic(model, policy)).start).toBeCloseTo(-15, 10);
        expect(onlineReturn(model, policy, 0.1)).toBeCloseTo(values[36], 9);
        expect(values[36]).toBeGreaterThan(onlineReturn(model, pathPolicy(1), 0.1));
    });

    test('a policy that never arrives has no return', () => {
        expect(() => evaluatePolicy(model, deterministic(model, new Int32Array(48)))).toThrow(/never end/);
    });
});

test('windy gridworld: 15 steps, 7 with king\'s moves', () => {
    expect(steps(windyGridworld())).toBe(15);
    expect(steps(windyGridworld({ moves: 'king' }))).toBe(7);
});

test('Dyna maze: 14 steps, V*(start) = .95^13', () => {
    const model = dynaMaze();
    const { values, policy } = valueIteration(model, { discount: 0.95 });
    expect(values[18]).toBeCloseTo(0.5133420833, 10);
    expect(evaluateWithin(model, deterministic(model, policy), 14).success).toBe(1);
});

test('blocking maze: 10 steps before, 16 after', () => {
    for (const [changed, expected] of [[false, 10], [true, 16]]) {
        const value = valueIteration(blockingMaze({ changed }), { discount: 0.95 }).values[48];
        expect(stepsOfDiscounted(value, 0.95)).toBeCloseTo(expected, 9);
    }
});

test('maximisation bias: right is optimal, so epsilon .1 goes left 5 % of the time', () => {
    const model = maximisationBias();
    const { values, policy } = valueIteration(model);
    expect(Array.from(values)).toEqual([0, -0.1, 0]);
    const [left, right, ...others] = epsilonGreedy(model, policy, 0.1)(0);
    expect(left).toBeCloseTo(0.05, 12);
    expect(right).toBeCloseTo(0.95, 12);
    expect(others.every((chance) => chance === 0)).toBe(true);
});

test('19-state random walk: -.9 to .9', () => {
    const model = randomWalk();
    const { values } = evaluatePolicy(model, uniform(model));
    const truth = randomWalkValues();
    expect(truth[0]).toBeCloseTo(-0.9, 12);
    expect(truth[18]).toBeCloseTo(0.9, 12);
    truth.forEach((value, state) => expect(values.get(state)).toBeCloseTo(value, 12));
});

test('Taxi: 7.93 on average over the 300 starts', () => {
    const model = taxi();
    const { policy } = valueIteration(model);
    expect(model.starts.length).toBe(300);
    expect(evaluateWithin(model, deterministic(model, policy), 200).return).toBeCloseTo(7.93, 9);
});

describe('simulation', () => {
    test('plays what the model says', () => {
        const model = frozenLake();
        const play = new Simulation(model, createRandom(11));
        const { policy } = valueIteration(model, { discount: 0.99 });
        const EPISODES = 20000;
        let reached = 0;
        let truncated = 0;
        for (let episode = 0; episode < EPISODES; episode += 1) {
            let state = play.reset();
            while (!play.terminated && !play.truncated) state = play.step(policy[state]);
            reached += play.reward;
            if (play.truncated) truncated += 1;
        }
        const { success, terminated } = evaluateWithin(model, deterministic(model, policy), 100);
        const near = (share, expected) => expect(Math.abs(share - expected)).toBeLessThan(3 * Math.sqrt((expected * (1 - expected)) / EPISODES));
        near(reached / EPISODES, success);
        near(truncated / EPISODES, 1 - terminated);
    });

    test('is replayed by its seed and refuses to go on after the end', () => {
        const episode = (seed) => {
            const play = new Simulation(frozenLake(), createRandom(seed));
            const states = [play.reset()];
            for (let action = 0; !play.terminated; action += 1) states.push(play.step(action % 4));
            expect(() => play.step(0)).toThrow(/over/);
            return states;
        };
        expect(episode(5)).toEqual(episode(5));
        expect(episode(5)).not.toEqual(episode(6));
    });

    test('normal rewards have the mean and deviation of the model', () => {
        const play = new Simulation(maximisationBias(), createRandom(3));
        const rewards = Array.from({ length: 20000 }, () => {
            play.reset();
            play.step(0);
            play.step(4);
            return play.reward;
        });
        const mean = rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
        const variance = rewards.reduce((sum, reward) => sum + (reward - mean) ** 2, 0) / rewards.length;
        expect(Math.abs(mean + 0.1)).toBeLessThan(3 / Math.sqrt(rewards.length));
        expect(Math.abs(variance - 1)).toBeLessThan(3 * Math.sqrt(2 / rewards.length));
    });

    test('a model whose probabilities do not add up is refused', () => {
        const outcomes = () => [{ probability: 0.5, next: 0, reward: 0, terminated: false }];
        expect(() => defineModel({ name: 'half', states: 1, actions: 1, starts: [[1, 0]], outcomes })).toThrow(/add up to 0.5/);
    });
});

describe('Mountain Car', () => {
    test('cannot climb by full throttle, but can by swinging', () => {
        const play = new MountainCar(createRandom(1), { limit: 1000 });
        const drive = (choose) => {
            let [position, velocity] = play.reset();
            while (!play.terminated && !play.truncated) [position, velocity] = play.step(choose(position, velocity));
            return play.steps;
        };
        expect(drive(() => 2)).toBe(1000);
        expect(drive((_, velocity) => (velocity < 0 ? 0 : 2))).toBeLessThan(200);
    });

    test('one step from rest in the valley', () => {
        const play = new MountainCar({ uniform: () => 0.5 });
        const [position, velocity] = play.step(2);
        expect(velocity).toBeCloseTo(0.001 - 0.0025 * Math.cos(-1.5), 15);
        expect(position).toBeCloseTo(-0.5 + velocity, 15);
    });
});
