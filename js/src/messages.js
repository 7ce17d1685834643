/**
 * The message queue: bytes from agent to agent, or to all others of a category. It lives in linear memory; what crosses is copied.
 */
import { abi } from 'qhive:abi';
import { handleOf, idOf, isAgentOf } from './agent.js';
import { describe, invalid, object, string } from './check.js';
import { codeOf, QhiveError } from './errors.js';
import { resourceProblem } from './failure.js';

/** @typedef {import('./core.js').Core} Core */
/** @typedef {import('./agent.js').Agent} Agent */

const { io, size, limit } = abi;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Puts bytes where the core reads them. @param {Core} core @param {Uint8Array} bytes */
export function writeText(core, bytes) {
    core.view(Uint8Array, core.base + io.text, size.text).set(bytes);
    return bytes.length;
}

/** A category's name, as bytes that the core takes. @param {string} path @param {unknown} value */
export function readCategory(path, value) {
    const name = string(path, value);
    if (LONE_SURROGATE.test(name)) invalid(path, 'a well-formed string', name);
    if (new TextEncoder().encode(name).length > size.text) invalid(path, `at most ${size.text} bytes as UTF-8`, name);
    return name;
}

/** The category of this name as the core knows it, in halves; it becomes that of an agent. @param {Core} core @param {string} name @param {number} [handle] */
export function categorise(core, name, handle = 0) {
    core.read('qh_category', handle, writeText(core, new TextEncoder().encode(name)));
    return [core.numbers[0], core.numbers[1]];
}

/** The handle of an agent that is there. @param {Core} core @param {string} name @param {unknown} value */
function handleFor(core, name, value) {
    if (!isAgentOf(value, core)) return invalid(name, 'an agent of this runtime', value);
    const handle = handleOf(value);
    if (handle === 0) throw new QhiveError('STALE_HANDLE', `${name} ('${value.name}') was freed`);
    return handle;
}

export class MessageQueue {
    /** @type {Core} */
    #core;

    /** @param {Core} core */
    constructor(core) {
        this.#core = core;
    }

    /**
     * @param {Agent} from
     * @param {Agent | { category: string }} to
     * @param {Uint8Array} payload
     */
    send(from, to, payload) {
        const core = this.#core;
        core.alive();
        if (!ArrayBuffer.isView(payload) || Object.prototype.toString.call(payload) !== '[object Uint8Array]') invalid('payload', 'a Uint8Array', payload);
        if (payload.length > limit.payload) throw new QhiveError('INVALID_ARGUMENT', `payload must have at most ${limit.payload} bytes, not ${payload.length}`);
        const one = isAgentOf(to, core);
        const category = one ? '' : readCategory('to.category', object('to', to).category);
        const sender = handleFor(core, 'from', from);
        const receiver = one ? handleFor(core, 'to', to) : 0;
        const [low, high] = one ? [0, 0] : categorise(core, category);
        const result = core.call('qh_message_send', sender, receiver, low, high, writeText(core, payload));
        if (result < 0) throw this.#refused(codeOf(result), from, category);
    }

    /** @param {Agent} agent @returns {{ from: number, payload: Uint8Array } | undefined} */
    receive(agent) {
        const core = this.#core;
        core.alive();
        const handle = handleFor(core, 'agent', agent);
        const length = core.call('qh_message_next', handle);
        if (length < -1) throw this.#refused(codeOf(length), agent, '');
        if (length < 0) return undefined;
        const [address, from] = core.numbers;
        const payload = core.view(Uint8Array, address, length).slice();
        core.read('qh_message_take', handle);
        return { from: idOf(from), payload };
    }

    get capacity() {
        return this.#info()[1];
    }

    get length() {
        return this.#info()[0];
    }

    /** Counts of messages, for monitoring. */
    get counts() {
        const [, , waiting, sent, received, refused] = this.#info();
        return { waiting, sent, received, refused };
    }

    #info() {
        const result = this.#core.call('qh_message_info');
        if (result < 0) throw this.#refused(codeOf(result));
        return this.#core.numbers;
    }

    /** @param {QhiveError['code'] | undefined} code @param {Agent} [from] @param {string} [category] */
    #refused(code, from, category) {
        const problem =
            code === 'INVALID_STATE'
                ? `the queue is full (${this.capacity}); it takes one from '${from?.name}' again when what that has sent is received`
                : code === 'INVALID_ARGUMENT'
                  ? `there is no other agent of the category ${describe(category)}`
                  : resourceProblem(this.#core, code);
        return new QhiveError(code ?? 'INVALID_STATE', `messages: ${problem}`);
    }
}
