/**
 * The loops that are timed, of one agent and of 593. Each comparison loads its own copy of this module: a call in a loop then meets
 * one kind of agent only, and the engine optimises it for that.
 */
import { AGENTS, WINDOW } from './workload.js';

/* ---------------------------------------------------------------- one agent */

/** The states of a round, which `prepare` puts there: as many of the walk as `size`, a power of two. */
function createWindow(walk, size = WINDOW) {
    const seen = walk.slice(0, size);
    const prepare = (round) => {
        for (let i = 0; i < size; i++) seen[i] = walk[(round * size + i) % walk.length];
    };
    return { seen, last: size - 1, prepare };
}

export function actLoops(agent, baseline, walk, size) {
    const { seen, last, prepare } = createWindow(walk, size);
    const loops = {
        qhive: (count) => {
            let sum = 0;
            for (let i = 0; i < count; i++) sum += agent.act(seen[i & last]);
            return sum;
        },
        baseline: (count) => {
            let sum = 0;
            for (let i = 0; i < count; i++) sum += baseline.act(seen[i & last]);
            return sum;
        },
    };
    return { loops, prepare };
}

export function maskLoops(agent, baseline, walk, mask) {
    const { seen, last, prepare } = createWindow(walk);
    const options = { mask };
    const loops = {
        qhive: (count) => {
            let sum = 0;
            for (let i = 0; i < count; i++) sum += agent.act(seen[i & last], options);
            return sum;
        },
        baseline: (count) => {
            let sum = 0;
            for (let i = 0; i < count; i++) sum += baseline.actMasked(seen[i & last], mask);
            return sum;
        },
    };
    return { loops, prepare };
}

export function learnLoops(agent, baseline, { walk, actions, rewards }) {
    const { seen, last, prepare } = createWindow(walk);
    const loops = {
        qhive: (count) => {
            let sum = 0;
            for (let i = 0; i < count; i++)
                sum += agent.learn(seen[i & last], actions[i & last], rewards[i & last], seen[(i + 1) & last]);
            return sum;
        },
        baseline: (count) => {
            let sum = 0;
            for (let i = 0; i < count; i++)
                sum += baseline.learn(seen[i & last], actions[i & last], rewards[i & last], seen[(i + 1) & last]);
            return sum;
        },
    };
    return { loops, prepare };
}

/** The state lies in `agent.input`, and in an array of the baseline's own; both rewrite one float of it before each call. */
export function actInPlaceLoops(agent, baseline, { first, places, values }) {
    const last = places.length - 1;
    const own = first.slice();
    const prepare = () => agent.input.set(own);
    const loops = {
        qhive: (count) => {
            const { input } = agent;
            let sum = 0;
            for (let i = 0; i < count; i++) {
                input[places[i & last]] = values[i & last];
                sum += agent.act(input);
            }
            return sum;
        },
        baseline: (count) => {
            let sum = 0;
            for (let i = 0; i < count; i++) {
                own[places[i & last]] = values[i & last];
                sum += baseline.act(own);
            }
            return sum;
        },
    };
    return { loops, prepare };
}

/** The same; the state that it led to, one rewritten float ahead, lies in `agent.nextInput`. */
export function learnInPlaceLoops(agent, baseline, { first, places, values }, { actions, rewards }) {
    const last = places.length - 1;
    const own = first.slice();
    const ownNext = first.slice();
    ownNext[places[0]] = values[0];
    const prepare = () => agent.input.set(own);
    const loops = {
        qhive: (count) => {
            const { input, nextInput } = agent;
            nextInput.set(ownNext);
            let sum = 0;
            for (let i = 0; i < count; i++) {
                input[places[i & last]] = values[i & last];
                nextInput[places[(i + 1) & last]] = values[(i + 1) & last];
                sum += agent.learn(input, actions[i & last], rewards[i & last], nextInput);
            }
            return sum;
        },
        baseline: (count) => {
            let sum = 0;
            for (let i = 0; i < count; i++) {
                own[places[i & last]] = values[i & last];
                ownNext[places[(i + 1) & last]] = values[(i + 1) & last];
                sum += baseline.learn(own, actions[i & last], rewards[i & last], ownNext);
            }
            return sum;
        },
    };
    return { loops, prepare };
}

export function stepLoops(agent, baseline, { walk, rewards }) {
    const { seen, last, prepare } = createWindow(walk);
    agent.begin(seen[0]);
    baseline.begin(seen[0]);
    const loops = {
        qhive: (count) => {
            let sum = 0;
            for (let i = 0; i < count; i++) sum += agent.step(rewards[i & last], seen[i & last]);
            return sum;
        },
        baseline: (count) => {
            let sum = 0;
            for (let i = 0; i < count; i++) sum += baseline.step(rewards[i & last], seen[i & last], 0);
            return sum;
        },
    };
    return { loops, prepare };
}

/** In place as above. `apart`: the baseline remembers no row, it calls learn(state, action, reward, next) and act(next). */
export function stepInPlaceLoops(agent, baseline, { first, places, values }, { rewards }, apart = false) {
    const last = places.length - 1;
    const own = first.slice();
    const before = first.slice();
    const prepare = () => {
        agent.input.set(own);
        agent.begin(agent.input);
        baseline.begin(own);
    };
    const step = (count) => {
        let sum = 0;
        for (let i = 0; i < count; i++) {
            own[places[i & last]] = values[i & last];
            sum += baseline.step(rewards[i & last], own, 0);
        }
        return sum;
    };
    const learnAndAct = (count) => {
        let action = 0;
        for (let i = 0; i < count; i++) {
            own[places[i & last]] = values[i & last];
            baseline.learn(before, action, rewards[i & last], own);
            action = baseline.act(own);
            before[places[i & last]] = values[i & last];
        }
        return action;
    };
    const qhive = (count) => {
        const { input } = agent;
        let sum = 0;
        for (let i = 0; i < count; i++) {
            input[places[i & last]] = values[i & last];
            sum += agent.step(rewards[i & last], input);
        }
        return sum;
    };
    return { loops: { qhive, baseline: apart ? learnAndAct : step }, prepare };
}

/* ---------------------------------------------------------------- 593 agents */

export function batchActLoops(batches, baselines, frames) {
    const actions = new Int32Array(AGENTS);
    return {
        qhive: (count) => {
            for (let i = 0; i < count; i++) batches[i % batches.length].act();
            return batches[0].actions[0];
        },
        baseline: (count) => {
            for (let i = 0; i < count; i++) {
                const { rows } = frames[i % frames.length];
                for (let j = 0; j < AGENTS; j++) actions[j] = baselines[j].act(rows[j]);
            }
            return actions[0];
        },
    };
}

/** The baselines remember the row (the key) of the state they are in, as qhive does: one hash a step. */
export function batchStepLoops(batches, baselines, frames) {
    const actions = new Int32Array(AGENTS);
    for (let j = 0; j < AGENTS; j++) actions[j] = baselines[j].begin(frames[0].rows[j]);
    return {
        qhive: (count) => {
            for (let i = 0; i < count; i++) batches[i % batches.length].step();
            return batches[0].actions[0];
        },
        baseline: (count) => {
            for (let i = 0; i < count; i++) {
                const { rows, rewards, endings } = frames[i % frames.length];
                for (let j = 0; j < AGENTS; j++) actions[j] = baselines[j].step(rewards[j], rows[j], endings[j]);
            }
            return actions[0];
        },
    };
}

/** The same without a memory of the row: learn(state, action, reward, next), then act(next). */
export function batchLearnAndActLoops(batches, baselines, frames) {
    const actions = new Int32Array(AGENTS);
    return {
        qhive: (count) => {
            for (let i = 0; i < count; i++) batches[i % batches.length].step();
            return batches[0].actions[0];
        },
        baseline: (count) => {
            for (let i = 0; i < count; i++) {
                const { rows } = frames[i % frames.length];
                const { rows: nextRows, rewards } = frames[(i + 1) % frames.length];
                for (let j = 0; j < AGENTS; j++) {
                    baselines[j].learn(rows[j], actions[j], rewards[j], nextRows[j]);
                    actions[j] = baselines[j].act(nextRows[j]);
                }
            }
            return actions[0];
        },
    };
}
