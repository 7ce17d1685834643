/**
 * Experience replay: a ring of transitions, drawn uniformly or by priority (Schaul et al. 2016, proportional
 * variant). New transitions get the largest priority seen, so each is likely to be learned from once.
 *
 * Priorities are the leaves of a binary tree, a power of two of them, whose nodes hold the float32 sums of their two
 * children; a draw descends from the root. An efficient implementation keeps the sums; here they are added up anew
 * whenever one is asked for, so nothing can be out of date.
 */

import { importance, priorityOf } from './arithmetic.js';

const { max, fround } = Math;

export class Replay {
    /** @param {{ capacity: number, kind?: 'uniform' | 'prioritized', alpha?: number, beta?: number }} options */
    constructor({ capacity, kind = 'uniform', alpha = 0.6, beta = 0.4 }) {
        this.capacity = capacity;
        this.prioritized = kind === 'prioritized';
        this.alpha = alpha;
        this.beta = beta;
        this.leaves = 1;
        while (this.leaves < capacity) this.leaves *= 2;
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

    /** The transitions, oldest first. */
    inOrder() {
        return this.items.length < this.capacity ? this.items : [...this.items.slice(this.next), ...this.items.slice(0, this.next)];
    }

    /** The sum below a node of the tree; node 1 is the root, node `leaves` + i the priority of place i. */
    sum(node) {
        if (node >= this.leaves) return this.priorities[node - this.leaves] ?? 0;
        return fround(this.sum(2 * node) + this.sum(2 * node + 1));
    }

    /** Draws the places of `count` transitions, with replacement. */
    drawMany(count, generator) {
        return Array.from({ length: count }, () => this.draw(generator));
    }

    draw(generator) {
        if (!this.prioritized) return generator.below(this.items.length);
        let left = generator.uniform() * this.sum(1);
        let node = 1;
        while (node < this.leaves) {
            node *= 2;
            if (left < this.sum(node) || this.sum(node + 1) === 0) continue;
            left -= this.sum(node);
            node += 1;
        }
        return node - this.leaves;
    }

    /** By how much the updates from these places are weighted; the largest weight is 1. */
    weights(places) {
        if (!this.prioritized) return places.map(() => 1);
        const total = this.sum(1);
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
