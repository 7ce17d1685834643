/** What one thread does: some of the agents in a batch, in a world of integers. */

export const DIMS = 4;

export const configOf = (i) => ({
    name: `agent-${i}`,
    actions: 4,
    encoder: { kind: 'bins', dims: [17, 13, 9, 4].map((bins) => ({ min: 0, max: 16, bins })) },
    policy: { kind: 'epsilon-greedy', epsilon: 0.1 },
});

/** A batch of these agents, claimed for good or call by call. */
export function createPart(runtime, agents, claims) {
    if (claims) for (const agent of agents) agent.claim();
    const batch = runtime.batch(agents);
    const { observations, rewards, actions } = batch;
    const places = Uint32Array.from(agents, (_, i) => i);
    const observe = () => {
        for (let i = 0; i < places.length; i++)
            for (let dim = 0; dim < DIMS; dim++) observations[i * 64 + dim] = (places[i] >>> (dim * 4)) & 15;
    };
    observe();
    batch.begin();
    return {
        step(count) {
            for (let step = 0; step < count; step++) {
                for (let i = 0; i < places.length; i++) {
                    places[i] = (Math.imul(places[i] + actions[i], 2654435761) >>> 7) & 0x3fff;
                    rewards[i] = (places[i] & 7) / 8;
                }
                observe();
                batch.step();
            }
        },
    };
}
