/**
 * Experience replay: a ring of transitions, drawn uniformly or by priority (Schaul et al. 2016, proportional
 * variant). New transitions get the largest priority seen, so each is likely to be learned from once.
 *
 * The ring is scanned where an efficient implementation has a sum tree: same probabilities, plainly.
 */

import { importance, priorityOf } from './arithmetic.js';

const { max } = Math;

export class Replay {
    /** @param {{ capacity: number, kind?: 'uniform' | 'prioritized', alpha?: number, beta?: number }} options */
    constructor({ capacity, kind = 'uniform', alpha = 0.6, beta = 0.4 }) {
        this.capacity = capacity;
        this.prioritized = kind === 'prioritized';
        this.alpha = alpha;
        this.beta = beta;
        this.clear();
    }

    clear() {
        this.items = [];
        this.priorities = [];
        this.next = 0;
        this.largest = 1;
    }

    /** Stores a transition over the oldest one when the ring is full. */
    add(transition) {
        this.items[this.next] = transition;
        this.priorities[this.next] = this.largest;
        this.next = (this.next + 1) % this.capacity;
    }

    get total() {
        return this.priorities.reduce((sum, priority) => sum + priority, 0);
    }

    /** Draws the places of `count` transitions, with replacement. */
    drawMany(count, generator) {
        return Array.from({ length: count }, () => this.draw(generator));
    }

    draw(generator) {
        if (!this.prioritized) return generator.below(this.items.length);
        let left = generator.uniform() * this.total;
        for (let i = 0; i < this.items.length; i += 1) {
            left -= this.priorities[i];
            if (left < 0) return i;
        }
        return this.items.length - 1;
    }

    /** By how much the updates from these places are weighted; the largest weight is 1. */
    weights(places) {
        if (!this.prioritized) return places.map(() => 1);
        const { total } = this;
        const raw = places.map((i) => importance(this.priorities[i] / total, this.items.length, this.beta));
        const largest = raw.reduce((most, weight) => max(most, weight), 0);
        return raw.map((weight) => weight / largest);
    }

    /** Tells the TD error that place `i` had. */
    learned(i, error) {
        if (!this.prioritized) return;
        this.priorities[i] = priorityOf(error, this.alpha);
        this.largest = max(this.largest, this.priorities[i]);
    }
}
