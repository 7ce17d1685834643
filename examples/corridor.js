/**
 * The world of the small examples: a corridor of ten rooms. To the right of the last one is the exit, worth 1; every step costs
 * a little. An agent that knows its way takes ten steps.
 */
export const ROOMS = 10;

/** What an agent for the corridor is made from. */
export const CONFIG = Object.freeze({
    actions: 2, // 0: left, 1: right
    encoder: { kind: 'index', states: ROOMS },
    learningRate: 0.5,
});

/** Where an action leads, what it pays, and whether that was the exit. */
export function walk(room, action) {
    const next = room + (action === 1 ? 1 : -1);
    if (next === ROOMS) return { room: ROOMS - 1, reward: 1, terminated: true };
    return { room: Math.max(0, next), reward: -0.01, terminated: false };
}

/** One episode from the first room; the number of steps it took, at most 1000. */
export function liveAnEpisode(agent) {
    let room = 0;
    let action = agent.begin(room);
    for (let steps = 1; ; steps++) {
        const { room: next, reward, terminated } = walk(room, action);
        room = next;
        action = agent.step(reward, room, { terminated, truncated: steps === 1000 });
        if (action < 0) return steps;
    }
}
