/** Messages between agents. */
import type { Agent } from './agent.js';
import type { QhiveError } from './errors.js';

/**
 * Messages between agents. An inbox is first in, first out. When `capacity` deliveries wait, a sender that has one waiting is refused;
 * one that has none may still send one: no flood shuts it out. Nothing is lost and nothing overwritten.
 */
export interface MessageQueue {
    /**
     * Sends a copy of the payload, at most 4080 bytes, to an agent, or to all other agents of a category.
     * @throws {QhiveError} INVALID_STATE when the queue is full; INVALID_ARGUMENT for a payload that is too long or a category without
     *   another agent; STALE_HANDLE for an agent that was freed; EXCEEDS_LIMIT, GROWTH_FAILED, OVERFLOW when there is no memory
     */
    send(from: Agent, to: Agent | { category: string }, payload: Uint8Array): void;
    /** The oldest message for an agent, and the id of who sent it; undefined where there is none. */
    receive(agent: Agent): { from: number; payload: Uint8Array } | undefined;
    /** Deliveries that may wait: eight to a block of the message pool, 64 at least. */
    readonly capacity: number;
    /** Deliveries that wait; a broadcast is one for each receiver. */
    readonly length: number;
    /** Messages that wait (a broadcast is one), sent, received, and refused because the queue was full. */
    readonly counts: { waiting: number; sent: number; received: number; refused: number };
}
