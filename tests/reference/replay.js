/**
 * Experience replay: a ring of transitions, drawn uniformly or by priority (Schaul et al. 2016, proportional
 * variant). New transitions get the largest priority seen, so each is likely to be learned from once.
 *
 * The ring is scanned where an efficient implementation has a sum tree: same probabilities, plainly.
 */

import { importance, priorityOf } from './arithmetic.js';

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

  /** Draws the place of one transition. */
  draw(generator) {
    if (!this.prioritized) return generator.below(this.items.length);
    let left = generator.uniform() * this.priorities.reduce((sum, priority) => sum + priority, 0);
    for (let i = 0; i < this.items.length; i += 1) {
      left -= this.priorities[i];
      if (left < 0) return i;
    }
    return this.items.length - 1;
  }

  /** By how much an update from place `i` is weighted, at most 1. */
  weight(i) {
    return this.prioritized ? importance(this.priorities[i], Math.min(...this.priorities), this.beta) : 1;
  }

  /** Tells the TD error that place `i` had. */
  learned(i, error) {
    if (!this.prioritized) return;
    this.priorities[i] = priorityOf(error, this.alpha);
    this.largest = Math.max(this.largest, this.priorities[i]);
  }
}
