import { readLogs } from '../../examples/ran-replay/logs.js';
import { arbitrate, decideRun, learnStream, trainingRuns, trainRun, transitionsOf } from '../../examples/ran-replay/offline.js';
import { configOf, isControlled, jointAction, rewardTerms, shareOut, sliceAction, streamReward } from '../../examples/ran-replay/roles.js';
import { BEST_ACTION, consequence, rewardOf, writeSyntheticLogs } from './synthetic.js';

/** Stands for an agent: keeps what it was taught, and the mean reward per action as its values. */
class Recorder {
    calls = [];

    learn(observation, action, reward, next, ending) {
        this.calls.push({ observation: [...observation], action, reward, next: [...next], ending });
        return 0;
    }

    qValues() {
        const means = new Float32Array(33).fill(-1);
        for (let a = 0; a < 33; a++) {
            const own = this.calls.filter((c) => c.action === a);
            if (own.length > 0) means[a] = own.reduce((s, c) => s + c.reward, 0) / own.length;
        }
        return means;
    }
}

let written;
let logs;
const seed = 11;
beforeAll(async () => {
    console.info(`seed ${seed}`);
    written = writeSyntheticLogs({ seed });
    logs = await readLogs(written.folder);
});
afterAll(() => written.remove());

describe('actions', () => {
    test('the 297 joint actions and their 33 per slice agree with the log\'s encoding', () => {
        for (let action = 0; action < 297; action++) {
            const slicing = Math.trunc(action / 27);
            const schedulers = [Math.trunc(action / 9) % 3, Math.trunc(action / 3) % 3, action % 3];
            expect(jointAction(slicing, schedulers)).toBe(action);
            expect([0, 1, 2].map((s) => sliceAction(action, s))).toEqual(schedulers.map((z) => slicing * 3 + z));
        }
    });

    test('the arbiter finds the best of all 297 sums, the first of equals', () => {
        const values = [0, 1, 2].map((s) => Float64Array.from({ length: 33 }, (_, a) => Math.sin(7 * a + s)));
        let best = -Infinity;
        let expected = -1;
        for (let action = 0; action < 297; action++) {
            const value = [0, 1, 2].reduce((sum, s) => sum + values[s][sliceAction(action, s)], 0);
            if (value > best) [best, expected] = [value, action];
        }
        expect(arbitrate(values)).toEqual({ action: expected, value: best });
        expect(arbitrate([0, 1, 2].map(() => new Float64Array(33))).action).toBe(0);
    });
});

describe('rewards', () => {
    test('shares sum to the logged reward, each its term and a third of what the formula leaves', () => {
        const shares = shareOut(0.4, [0.3, 0.05, -0.01]);
        expect(shares[0] + shares[1] + shares[2]).toBeCloseTo(0.4, 12);
        expect(shares[0]).toBeCloseTo(0.3 + 0.02, 12);
    });

    test('a transition\'s reward is the consequence of its own action: logged with the NEXT decision', () => {
        const transitions = transitionsOf(logs.runs.get('winter-e01'));
        const { run, decisions, rewards, shares } = transitions;
        expect(decisions.length).toBeGreaterThan(250);
        decisions.forEach((i, j) => {
            expect(rewards[j]).toBeCloseTo(rewardOf(consequence(run.actions[i])), 9);
            expect(shares[0][j] + shares[1][j] + shares[2][j]).toBeCloseTo(rewards[j], 12);
            expect(shares[0][j]).toBeCloseTo(0.07204403 * consequence(run.actions[i])[0][1], 9);
        });
    });

    test('a decision without a logged reward is not learned from, and counted', () => {
        const { run, decisions, unrewarded } = transitionsOf(logs.runs.get('spring-e02'));
        expect(unrewarded.count).toBe(29);
        expect(decisions).not.toContain(9);
        expect(run.rewards[10]).toBeNaN();
        expect(decisions.length + unrewarded.count).toBe(run.count - 1);
    });

    test('a stream\'s own reward is its slice\'s term', () => {
        const run = logs.runs.get('winter-e01');
        const row = run.rows[5 * 6];
        const own = [0, 2, 4].map((local) => streamReward(run.streams[local], row));
        rewardTerms(run.states, 5 * 18).forEach((term, s) => expect(own[s]).toBeCloseTo(term, 5));
        expect(streamReward(logs.streams.at(-1), 0)).toBeCloseTo(4.5, 6);
    });
});

describe('what may be learned from what', () => {
    test('rewards of main runs are never learned from', () => {
        const main = logs.runs.get('main-e01');
        expect(isControlled(main)).toBe(false);
        expect(isControlled(undefined)).toBe(false);
        expect(() => transitionsOf(main)).toThrow(/another unit/);
        for (const held of logs.runs.values()) expect(trainingRuns(held, logs.runs.values())).not.toContain(main);
        for (const stream of main.streams) expect(configOf(stream, false).actions).toBe(1);
    });

    test('the held-out run is not among its own training runs, nor are runs of other traffic', () => {
        const held = logs.runs.get('winter-e01');
        expect(trainingRuns(held, logs.runs.values()).map((r) => r.name)).toEqual(['winter-e02', 'spring-e01', 'spring-e02']);
        const elsewhere = { ...logs.runs.get('winter-e02'), traffic: 'trf2' };
        expect(trainingRuns(held, [held, elsewhere, logs.runs.get('spring-e01')]).map((r) => r.name)).toEqual(['spring-e01']);
    });

    test('training calls agent.learn with other runs\' transitions only, of the agent\'s slice and position', () => {
        const controlled = [...logs.runs.values()].filter(isControlled);
        const transitions = new Map(controlled.map((run) => [run.name, transitionsOf(run)]));
        const agents = logs.streams.map(() => new Recorder());
        const held = logs.runs.get('spring-e01');
        const learned = trainRun(held, agents, transitions);
        const others = controlled.filter((r) => r !== held).map((r) => transitions.get(r.name));
        expect(learned).toBe(6 * others.reduce((n, t) => n + t.decisions.length, 0));
        logs.streams.forEach((stream) => expect(agents[stream.agent].calls.length > 0).toBe(stream.run === 'spring-e01'));

        const mtc = held.streams.find((s) => s.slice === 1 && s.k === 1);
        const expected = others.flatMap(({ run, decisions, shares }) => [...decisions].map((i, j) => [sliceAction(run.actions[i], 1), shares[1][j]]));
        expect(agents[mtc.agent].calls.map((c) => [c.action, c.reward])).toEqual(expected);
    });

    test('a changed held-out run changes nothing that its agents learn', () => {
        const controlled = [...logs.runs.values()].filter(isControlled);
        const held = logs.runs.get('winter-e02');
        const train = (run) => {
            const agents = logs.streams.map(() => new Recorder());
            trainRun(run, agents, new Map(controlled.map((r) => (r === held ? [r.name, transitionsOf(run)] : [r.name, transitionsOf(r)]))));
            return run.streams.map((s) => agents[s.agent].calls);
        };
        const poisoned = { ...held, rewards: held.rewards.map((r) => 1000 - r), actions: held.actions.map((a) => 296 - a) };
        expect(train(poisoned)).toEqual(train(held));
    });

    test('observation before, observation after; the run\'s last transition is truncated, never terminated', () => {
        const transitions = transitionsOf(logs.runs.get('winter-e01'));
        const agent = new Recorder();
        learnStream(agent, transitions, 0);
        const { run, decisions } = transitions;
        const brate = (action) => Math.fround(consequence(action)[0][1]);
        agent.calls.slice(1).forEach((call, j) => {
            const i = decisions[j + 1];
            expect(call.observation[1]).toBe(brate(run.actions[i - 1]));
            expect(call.next[1]).toBe(brate(run.actions[i]));
        });
        expect(agent.calls.map((c) => c.ending.truncated).lastIndexOf(true)).toBe(agent.calls.length - 1);
        expect(agent.calls.filter((c) => c.ending.truncated)).toHaveLength(1);
        expect(agent.calls.some((c) => c.ending.terminated)).toBe(false);
    });

    test('where a UE was absent it learns nothing, and a slice without agents decides nothing', () => {
        const run = { ...logs.runs.get('winter-e01'), rows: logs.runs.get('winter-e01').rows.slice() };
        const transitions = { ...transitionsOf(logs.runs.get('winter-e01')), run };
        const [first] = transitions.decisions;
        run.rows[first * 6] = -1;
        const agent = new Recorder();
        expect(learnStream(agent, transitions, 0)).toBe(transitions.decisions.length - 1);
        const agents = logs.streams.map(() => agent);
        expect(decideRun(transitions, agents).actions[0]).not.toBe(-1);
        run.rows[first * 6 + 1] = -1;
        const decided = decideRun(transitions, agents);
        expect(decided.actions[0]).toBe(-1);
        expect(decided.values[0]).toBeNaN();
        expect(decided.actions[1]).not.toBe(-1);
    });

    test('the known best joint action is found, by parts', () => {
        const controlled = [...logs.runs.values()].filter(isControlled);
        const transitions = new Map(controlled.map((run) => [run.name, transitionsOf(run)]));
        const agents = logs.streams.map(() => new Recorder());
        const held = logs.runs.get('winter-e02');
        trainRun(held, agents, transitions);
        for (const stream of held.streams) {
            const q = agents[stream.agent].qValues();
            agents[stream.agent].qValues = () => q;
        }
        const { actions, values } = decideRun(transitions.get('winter-e02'), agents);
        expect(new Set(actions)).toEqual(new Set([BEST_ACTION]));
        expect(values[0]).toBeCloseTo(rewardOf(consequence(BEST_ACTION)), 5);
    });
});
