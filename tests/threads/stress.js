/**
 * Every part of a shared runtime at once, from one thread. The function is sent to workers as text, so it uses nothing from outside of it.
 *
 * It does `rounds` of: making agents, learning with one alone and with all in a batch, learning with agents that all threads use, federating,
 * sending and receiving, counting, forgetting and freeing. What another thread has is BUSY, what it has freed STALE_HANDLE or unknown; any other
 * error is the caller's. Returns what was done, for the books of all threads together to be compared.
 */
export function stress(runtime, { seed, rounds, common }) {
    const done = { learned: 0, observed: 0, sent: 0, received: 0, busy: 0, made: 0 };
    let state = seed >>> 0 || 1;
    const random = (below) => {
        state ^= state << 13;
        state ^= state >>> 17;
        state = (state ^ (state << 5)) >>> 0;
        return state % below;
    };
    const allowed = (call) => {
        try {
            return call() ?? true;
        } catch (error) {
            if (error.code !== 'BUSY') throw error;
            done.busy++;
            return undefined;
        }
    };
    const until = (call) => {
        for (let tries = 0; tries < 1e6; tries++) {
            const result = allowed(call);
            if (result !== undefined) return result;
        }
        throw new Error('busy for ever');
    };
    const config = { category: 'stress', actions: 3, encoder: { kind: 'index', states: 50 }, replay: { capacity: 64 } };
    for (let round = 0; round < rounds; round++) {
        const own = Array.from({ length: 3 }, () => until(() => runtime.createAgent(config)));
        done.made += own.length;
        for (let i = 0; i < 50; i++) until(() => own[0].learn(random(50), random(3), 1, random(50)));
        done.learned += 50;
        const batch = until(() => runtime.batch(own));
        until(() => batch.begin());
        for (let i = 0; i < 20; i++) {
            for (let row = 0; row < own.length; row++) batch.observations[row * batch.stride] = random(50);
            until(() => batch.step());
        }
        done.learned += 20 * own.length;
        batch.free();
        const shared = until(() => runtime.agent(common[random(common.length)]));
        for (let i = 0; i < 20; i++) if (allowed(() => shared.learn(random(50), random(3), 1, random(50))) !== undefined) done.learned++;
        if (allowed(() => runtime.federation.accumulate(own)) !== undefined) allowed(() => (runtime.federation.merge(), runtime.federation.clear()));
        try {
            if (allowed(() => runtime.messages.send(own[1], shared, Uint8Array.of(round & 255))) !== undefined) done.sent++;
        } catch (error) {
            if (error.code !== 'INVALID_STATE') throw error; // the queue is full
        }
        const message = allowed(() => runtime.messages.receive(shared));
        if (typeof message === 'object') done.received++;
        until(() => (runtime.metrics.observe('rounds', round), true));
        done.observed++;
        until(() => (own[2].reset(), true));
        for (const agent of own) until(() => (agent.free(), true));
    }
    return done;
}

/** What must be true of a runtime when all threads have ended their stress. @param {any} runtime @param {any[]} tallies @param {any[]} common ids */
export function books(runtime, tallies, common) {
    const sum = (name) => tallies.reduce((total, tally) => total + tally[name], 0);
    let waiting = 0;
    for (const id of common) while (runtime.messages.receive(runtime.agent(id)) !== undefined) waiting++;
    const { learningSteps } = runtime.metrics.snapshot();
    return {
        agents: runtime.agents.length, learned: learningSteps - sum('learned'), messages: sum('sent') - sum('received') - waiting,
        observed: Number(/rounds_count\S* (\d+)/.exec(runtime.metrics.prometheus())?.[1]) - sum('observed'), sound: runtime.validate(),
    };
}
