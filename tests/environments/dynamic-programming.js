/**
 * Exact answers about finite models (S&B, chapter 4): what the best policy is worth, what a given policy is
 * worth, how often it reaches a reward in time. Nothing here samples.
 *
 * A policy is a function `probabilities(state)` that returns one probability per action. `deterministic`,
 * `epsilonGreedy` and `uniform` make such functions from what learners have.
 */

/**
 * Value iteration, in place and swept until no value moves by more than `tolerance`.
 *
 * @param {import('./finite-model.js').FiniteModel} model
 * @param {{ discount?: number, tolerance?: number, sweeps?: number }} [options]
 * @returns {{ values: Float64Array, q: Float64Array, policy: Int32Array }} the optimal values, action values (NaN
 *   where an action is not allowed) and the first of the best actions in each state (-1 in terminal states)
 * @throws {Error} when it does not converge within `sweeps`
 */
export function valueIteration(model, { discount = 1, tolerance = 1e-14, sweeps = 200000 } = {}) {
    const values = new Float64Array(model.states);
    let change = Infinity;
    for (let sweep = 0; change > tolerance; sweep += 1) {
        if (sweep === sweeps) throw new Error(`${model.name}: value iteration did not converge, change ${change}`);
        change = 0;
        for (let state = 0; state < model.states; state += 1) {
            if (model.terminal.has(state)) continue;
            const best = bestValue(model, values, state, discount);
            change = Math.max(change, Math.abs(best - values[state]) / Math.max(1, Math.abs(best)));
            values[state] = best;
        }
    }
    const q = actionValues(model, values, discount);
    return { values, q, policy: firstBest(model, q) };
}

function bestValue(model, values, state, discount) {
    let best = -Infinity;
    for (let action = 0; action < model.actions; action += 1) {
        const value = backup(model, values, state, action, discount);
        if (value > best) best = value;
    }
    return best;
}

function backup(model, values, state, action, discount) {
    const list = model.outcomes[state * model.actions + action];
    if (list.length === 0) return NaN;
    let sum = 0;
    for (const { probability, reward, next, terminated } of list) {
        sum += probability * (reward + (terminated ? 0 : discount * values[next]));
    }
    return sum;
}

/** Action values of given state values, at state * actions + action; NaN where an action is not allowed. */
export function actionValues(model, values, discount = 1) {
    const q = new Float64Array(model.states * model.actions);
    for (let index = 0; index < q.length; index += 1) {
        q[index] = backup(model, values, Math.floor(index / model.actions), index % model.actions, discount);
    }
    return q;
}

/**
 * The first of the best actions of each state; -1 in terminal states. Values closer than `tolerance` are taken
 * as equal, so that rounding does not choose among tied actions.
 */
export function firstBest(model, q, tolerance = 1e-10) {
    const policy = new Int32Array(model.states).fill(-1);
    for (let state = 0; state < model.states; state += 1) {
        if (!model.terminal.has(state)) [policy[state]] = bestActions(model, q, state, tolerance);
    }
    return policy;
}

/** All best actions of a state, in order. */
export function bestActions(model, q, state, tolerance = 1e-10) {
    const row = Array.from(q.subarray(state * model.actions, (state + 1) * model.actions));
    const best = Math.max(...row.filter((value) => !Number.isNaN(value)));
    return row.flatMap((value, action) => (value >= best - tolerance ? [action] : []));
}

// ------------------------------------------------------------------ policies

/** Always `actions[state]`. */
export function deterministic(model, actions) {
    return (state) => {
        const row = new Float64Array(model.actions);
        row[actions[state]] = 1;
        return row;
    };
}

/** Every allowed action equally often. */
export function uniform(model) {
    return (state) => uniformRow(model, state, 1);
}

function uniformRow(model, state, mass) {
    const mask = model.allowed(state) ?? new Array(model.actions).fill(1);
    const count = mask.reduce((sum, flag) => sum + (flag ? 1 : 0), 0);
    return Float64Array.from(mask, (flag) => (flag ? mass / count : 0));
}

/** `actions[state]`, but with probability epsilon any allowed action (S&B 2.2). */
export function epsilonGreedy(model, actions, epsilon) {
    return (state) => {
        const row = uniformRow(model, state, epsilon);
        row[actions[state]] += 1 - epsilon;
        return row;
    };
}

// ------------------------------------------------------------------ evaluation

/**
 * The states that a policy can visit from the starts of its model, in order of discovery, terminal ones left out.
 * @returns {number[]}
 */
export function reachable(model, policy) {
    const found = new Set(model.starts.map(([, state]) => state));
    for (const state of found) {
        policy(state).forEach((chance, action) => {
            if (chance === 0) return;
            for (const { next, terminated } of model.outcomes[state * model.actions + action]) if (!terminated) found.add(next);
        });
    }
    return [...found];
}

/**
 * The exact expected (discounted) return of a policy without a time limit, from every state it can visit, by
 * solving the Bellman equations (S&B 4.4) directly.
 *
 * @returns {{ values: Map<number, number>, start: number }} by state, and averaged over the starts
 * @throws {Error} when the equations are singular: an undiscounted policy that may never end
 */
export function evaluatePolicy(model, policy, { discount = 1 } = {}) {
    const states = reachable(model, policy);
    const row = new Map(states.map((state, index) => [state, index]));
    const matrix = states.map(() => new Float64Array(states.length + 1));
    states.forEach((state, i) => {
        matrix[i][i] += 1;
        policy(state).forEach((chance, action) => {
            if (chance === 0) return;
            for (const { probability, reward, next, terminated } of model.outcomes[state * model.actions + action]) {
                matrix[i][states.length] += chance * probability * reward;
                if (!terminated) matrix[i][row.get(next)] -= discount * chance * probability;
            }
        });
    });
    const solution = solve(matrix, model.name);
    const values = new Map(states.map((state, index) => [state, solution[index]]));
    return { values, start: overStarts(model, (state) => values.get(state) ?? 0) };
}

function overStarts(model, value) {
    return model.starts.reduce((sum, [probability, state]) => sum + probability * value(state), 0);
}

/** Gaussian elimination with partial pivoting on an augmented matrix, which it overwrites. */
function solve(matrix, name) {
    const n = matrix.length;
    for (let column = 0; column < n; column += 1) {
        let pivot = column;
        for (let i = column + 1; i < n; i += 1) if (Math.abs(matrix[i][column]) > Math.abs(matrix[pivot][column])) pivot = i;
        if (Math.abs(matrix[pivot][column]) < 1e-12) throw new Error(`${name}: this policy may never end, its return is not defined`);
        [matrix[column], matrix[pivot]] = [matrix[pivot], matrix[column]];
        for (let i = column + 1; i < n; i += 1) eliminate(matrix[i], matrix[column], column);
    }
    const solution = new Float64Array(n);
    for (let i = n - 1; i >= 0; i -= 1) {
        let sum = matrix[i][n];
        for (let j = i + 1; j < n; j += 1) sum -= matrix[i][j] * solution[j];
        solution[i] = sum / matrix[i][i];
    }
    return solution;
}

function eliminate(target, source, column) {
    const factor = target[column] / source[column];
    if (factor === 0) return;
    for (let j = column; j < source.length; j += 1) target[j] -= factor * source[j];
}

/** The exact expected number of steps of an episode under a policy, from the starts of its model. */
export function expectedSteps(model, policy) {
    const outcomes = model.outcomes.map((list) => list.map((outcome) => ({ ...outcome, reward: 1 })));
    return evaluatePolicy({ ...model, outcomes }, policy).start;
}

/**
 * What a policy collects within `steps` steps, exactly: the expected undiscounted return, the probability that
 * the episode has terminated by then, and the probability that it did so with a positive last reward.
 *
 * @returns {{ return: number, terminated: number, success: number }}
 */
export function evaluateWithin(model, policy, steps) {
    let mass = new Float64Array(model.states);
    for (const [probability, state] of model.starts) mass[state] += probability;
    const rows = new Map(reachable(model, policy).map((state) => [state, policy(state)]));
    const totals = { return: 0, terminated: 0, success: 0 };
    for (let step = 0; step < steps; step += 1) mass = advance(model, rows, mass, totals);
    return totals;
}

function advance(model, rows, mass, totals) {
    const after = new Float64Array(model.states);
    for (const [state, row] of rows) {
        if (mass[state] === 0) continue;
        for (let action = 0; action < model.actions; action += 1) {
            if (row[action] === 0) continue;
            for (const outcome of model.outcomes[state * model.actions + action]) {
                const flow = mass[state] * row[action] * outcome.probability;
                totals.return += flow * outcome.reward;
                if (!outcome.terminated) after[outcome.next] += flow;
                else {
                    totals.terminated += flow;
                    if (outcome.reward > 0) totals.success += flow;
                }
            }
        }
    }
    return after;
}

/** The exact probability that a policy ends an episode with a reward within `steps` steps (the model's own limit). */
export function successWithin(model, policy, steps = model.limit) {
    return evaluateWithin(model, policy, steps).success;
}

/** The exact online return of an agent that follows `actions` but explores with probability epsilon; no time limit. */
export function onlineReturn(model, actions, epsilon, { discount = 1 } = {}) {
    return evaluatePolicy(model, epsilonGreedy(model, actions, epsilon), { discount }).start;
}

/**
 * The best policy among those that explore with probability epsilon (S&B 5.4: policy iteration over
 * epsilon-soft policies), the fixed point of Expected SARSA.
 *
 * @returns {{ policy: Int32Array, values: Float64Array }}
 */
export function bestEpsilonSoft(model, epsilon, { discount = 1, tolerance = 1e-13, sweeps = 200000 } = {}) {
    const values = new Float64Array(model.states);
    let change = Infinity;
    for (let sweep = 0; change > tolerance; sweep += 1) {
        if (sweep === sweeps) throw new Error(`${model.name}: no convergence, change ${change}`);
        change = 0;
        for (let state = 0; state < model.states; state += 1) {
            if (model.terminal.has(state)) continue;
            const row = uniformRow(model, state, epsilon);
            let best = -Infinity;
            let mean = 0;
            row.forEach((chance, action) => {
                const value = backup(model, values, state, action, discount);
                if (value > best) best = value;
                if (chance > 0) mean += chance * value;
            });
            const value = (1 - epsilon) * best + mean;
            change = Math.max(change, Math.abs(value - values[state]));
            values[state] = value;
        }
    }
    return { policy: firstBest(model, actionValues(model, values, discount)), values };
}
