/** What the tests of the package share: small agents, and the check that a refused call changed nothing. */
import { createRuntimeSync } from 'qhive';

export const INDEX = { actions: 4, encoder: { kind: 'index', states: 16 } };
export const BINS = {
    actions: 3,
    encoder: { kind: 'bins', dims: [{ name: 'load', min: 0, max: 1, bins: 4 }, { min: -10, max: 10, bins: 8 }] },
};

/** A small runtime: few pools, so that a test can look at every byte. */
export const open = (options = {}) => createRuntimeSync({ seed: 1, pools: { state: 8, trajectory: 8, message: 2 }, ...options });

/** What a user can see of the learning state. */
export function snapshot(runtime) {
    return { hash: runtime.hash(), agents: [...runtime.agents].map(({ name, metrics }) => ({ name, ...metrics })) };
}

/** The error that a call throws. */
export function thrownBy(call) {
    try {
        call();
    } catch (error) {
        return error;
    }
    throw new Error('the call did not throw');
}

/** The call fails with this code, says something, and leaves every table and counter of the runtime as it was. */
export function expectRefused(runtime, code, call, message) {
    const before = snapshot(runtime);
    const error = thrownBy(call);
    expect(`${error.name} ${error.code}: ${error.message}`).toMatch(new RegExp(`^QhiveError ${code}: `));
    expect(error.message.length).toBeGreaterThan(10);
    expect(error.message).not.toMatch(/undefined\b.*\bundefined|\[object/);
    if (message) expect(error.message).toMatch(message);
    expect(snapshot(runtime)).toEqual(before);
    expect(runtime.validate()).toBe(true);
    return error;
}

/** Numbers 0..1 from a linear congruential generator (Numerical Recipes). */
export function generator(seed) {
    let state = seed >>> 0;
    return () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state / 2 ** 32;
    };
}

/** Some steps of a random walk over 16 states, so that there is a table to lose. */
export function wander(agent, steps = 200, seed = 7) {
    const random = generator(seed);
    let state = 0;
    let action = agent.begin(state);
    for (let i = 0; i < steps; i++) {
        state = (state + action + Math.floor(random() * 3)) % 16;
        const terminated = random() < 0.05;
        action = agent.step(random() - 0.5, state, { terminated, time: i });
        if (terminated) action = agent.begin((state = 0));
    }
}
