/**
 * Mountain Car (S&B example 10.1; Gymnasium `MountainCar` without its time limit): an underpowered car in a
 * valley. Actions 0 reverse, 1 coast, 2 forward; every step costs 1; the episode ends at position 0.5.
 *
 *     velocity += 0.001 (action - 1) - 0.0025 cos(3 position), bounded to +-0.07
 *     position += velocity, bounded to -1.2 .. 0.5; at the left bound the velocity becomes 0
 *
 * Starts uniformly in [-0.6, -0.4) at rest.
 */

const { cos, max, min } = Math;

export const POSITION = { min: -1.2, max: 0.5 };
export const VELOCITY = { min: -0.07, max: 0.07 };

export class MountainCar {
    /**
     * @param {import('./random.js').Random} random
     * @param {{ limit?: number }} [options] steps after which an episode is truncated
     */
    constructor(random, { limit = Infinity } = {}) {
        this.random = random;
        this.limit = limit;
        this.actions = 3;
        this.observation = new Float64Array(2);
        this.reset();
    }

    /** Starts an episode; returns the observation (position, velocity), one array that every step overwrites. */
    reset() {
        this.observation[0] = -0.6 + 0.2 * this.random.uniform();
        this.observation[1] = 0;
        this.steps = 0;
        this.reward = 0;
        this.terminated = false;
        this.truncated = false;
        return this.observation;
    }

    step(action) {
        if (this.terminated || this.truncated) throw new Error('Mountain Car: the episode is over');
        const [position, velocity] = this.observation;
        const pushed = velocity + 0.001 * (action - 1) - 0.0025 * cos(3 * position);
        const speed = min(max(pushed, VELOCITY.min), VELOCITY.max);
        const moved = min(max(position + speed, POSITION.min), POSITION.max);
        this.observation[0] = moved;
        this.observation[1] = moved === POSITION.min && speed < 0 ? 0 : speed;
        this.steps += 1;
        this.reward = -1;
        this.terminated = moved >= POSITION.max;
        this.truncated = !this.terminated && this.steps >= this.limit;
        return this.observation;
    }
}
