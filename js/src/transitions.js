/**
 * What an agent remembers for replay, as copies: in columns that `qhive/evaluate` reads as a log of decisions, the states of
 * full records in the form in which an agent takes them.
 */

/** @typedef {import('./core.js').Core} Core */
/** @typedef {import('../types/qhive.js').Transitions} Transitions */

const hex = (low, high) => high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');

/** One state kept in full: its index, or its dimensions and, behind them, its trends. */
function splitState(view, encoder, width) {
    if (encoder.kind === 'index') return [new Uint32Array(view.buffer, view.byteOffset, 1)[0], NONE];
    const { length } = encoder.dims;
    return [view.slice(0, length), view.slice(length, width)];
}

const NONE = new Float32Array(0);

/**
 * @param {number} count of transitions
 * @param {Readonly<import('../types/qhive.js').AgentConfig>} config of the agent
 * @param {Core} core
 * @param {(index: number) => number} read brings one into the exchange buffer; returns the length of its states
 * @returns {Transitions}
 */
export function recall(count, { actions, encoder, replay }, core, read) {
    /** @type {any} */
    const columns = {
        length: count,
        actionCount: actions,
        contexts: [],
        nextContexts: [],
        actions: new Int32Array(count),
        nextActions: new Int32Array(count),
        rewards: new Float64Array(count),
        endings: new Uint8Array(count),
    };
    const propensities = new Float64Array(count);
    /** @type {Record<string, any[]> | undefined} */
    const states = replay?.record === 'full' ? { observations: [], nextObservations: [], trends: [], nextTrends: [] } : undefined;
    for (let i = 0; i < count; i++) {
        const width = read(i);
        const [reward, action, nextAction, ending, probability, low, high, nextLow, nextHigh] = core.numbers;
        columns.contexts.push(hex(low, high));
        columns.nextContexts.push(hex(nextLow, nextHigh));
        columns.actions[i] = action;
        columns.nextActions[i] = nextAction;
        columns.rewards[i] = reward;
        columns.endings[i] = ending;
        propensities[i] = probability || NaN;
        if (states) {
            if (core.observation.length === 0) core.refresh();
            [states.observations[i], states.trends[i]] = splitState(core.observation, encoder, width);
            [states.nextObservations[i], states.nextTrends[i]] = splitState(core.next, encoder, width);
        }
    }
    if (propensities.some((p) => p === p)) columns.propensities = propensities;
    return states ? { ...columns, ...states } : columns;
}
