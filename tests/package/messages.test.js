/** The message queue against a model of arrays (fast-check), and what it refuses. */
import fc from 'fast-check';
import { expectRefused, INDEX, open } from './support.js';

const SEED = Number(process.env.QHIVE_SEED ?? 20262);
const PAYLOAD = 4080;
const bytesOf = (...numbers) => Uint8Array.from(numbers);

/** Agents 0..4; 0, 1, 2 are of category 'x'. */
function openAgents(options) {
    const runtime = open(options);
    const agents = Array.from({ length: 5 }, (_, i) => runtime.createAgent({ ...INDEX, category: i < 3 ? 'x' : 'y' }));
    return { runtime, agents, messages: runtime.messages };
}

/** What the queue has to do, in the plainest way. */
class Model {
    constructor(capacity) {
        this.capacity = capacity;
        this.inboxes = Array.from({ length: 5 }, () => []);
    }

    get length() {
        return this.inboxes.reduce((sum, inbox) => sum + inbox.length, 0);
    }

    send(from, receivers, number) {
        const waits = this.inboxes.some((inbox) => inbox.some((message) => message.from === from));
        if (this.length + receivers.length > this.capacity && waits) return false;
        for (const to of receivers) this.inboxes[to].push({ from, number });
        return true;
    }
}

const command = fc.record({
    kind: fc.constantFrom('send', 'send', 'send', 'broadcast', 'receive', 'receive'), from: fc.nat(4), to: fc.nat(4), category: fc.constantFrom('x', 'y'), times: fc.integer({ min: 1, max: 40 }),
});

function runCommand({ agents, messages }, model, { kind, from, to, category }, number) {
    const payload = bytesOf(number & 255, (number >> 8) & 255);
    if (kind === 'receive') {
        const expected = model.inboxes[to].shift();
        const received = messages.receive(agents[to]);
        expect(received).toEqual(expected && { from: agents[expected.from].id, payload: bytesOf(expected.number & 255, (expected.number >> 8) & 255) });
        return;
    }
    const receivers = kind === 'send' ? [to] : [0, 1, 2, 3, 4].filter((i) => i !== from && (i < 3) === (category === 'x'));
    const target = kind === 'send' ? agents[to] : { category };
    if (model.send(from, receivers, number)) messages.send(agents[from], target, payload);
    else expect(() => messages.send(agents[from], target, payload)).toThrow(expect.objectContaining({ code: 'INVALID_STATE' }));
}

test('does what the model does', () => {
    const commands = fc.array(command, { minLength: 1, maxLength: 60 });
    const property = fc.property(commands, (list) => {
        const world = openAgents();
        const model = new Model(world.messages.capacity);
        let number = 0;
        for (const each of list)
            for (let i = 0; i < each.times; i++) {
                runCommand(world, model, each, number++);
                expect(world.messages.length).toBe(model.length);
            }
        expect(world.runtime.validate()).toBe(true);
        world.runtime.dispose();
    });
    fc.assert(property, { seed: SEED, numRuns: 60 });
});

test('full: refused, nothing lost; then everything arrives in order', () => {
    const { runtime, agents, messages } = openAgents();
    expect(messages.capacity).toBe(64);
    for (let i = 0; i < 64; i++) messages.send(agents[0], agents[1], bytesOf(i));
    expectRefused(runtime, 'INVALID_STATE', () => messages.send(agents[0], agents[2], bytesOf(99)), /full \(64\)/);
    expect(messages.length).toBe(64);
    for (let i = 0; i < 64; i++) expect(messages.receive(agents[1])).toEqual({ from: agents[0].id, payload: bytesOf(i) });
    expect(messages.receive(agents[1])).toBeUndefined();
    expect(messages.counts).toEqual({ waiting: 0, sent: 64, received: 64, refused: 1 });
    expect(runtime.memory.pools()[2]).toMatchObject({ inUse: 0, peak: 2, fallbacks: 62 });
});

test('a flood shuts nobody out, and what it sends later is behind', () => {
    const { agents, messages } = openAgents();
    for (let round = 0; round < 50; round++) {
        for (const flooder of agents.slice(0, 3))
            for (let i = 0; i < 70; i++)
                try {
                    messages.send(flooder, agents[4], bytesOf(1));
                } catch (error) {
                    expect(error.code).toBe('INVALID_STATE');
                }
        messages.send(agents[3], agents[4], bytesOf(2));
        let ahead = 0;
        while (messages.receive(agents[4]).from !== agents[3].id) ahead++;
        expect(ahead).toBeLessThanOrEqual(messages.capacity + 4);
    }
});

test('a broadcast is one block for all others of a category', () => {
    const { runtime, agents, messages } = openAgents({ pools: { state: 8, trajectory: 8, message: 50 } });
    expect(messages.capacity).toBe(400);
    messages.send(agents[4], { category: 'x' }, bytesOf(7));
    expect([messages.length, runtime.memory.pools()[2].inUse]).toEqual([3, 1]);
    for (const agent of agents.slice(0, 3)) expect(messages.receive(agent)).toEqual({ from: agents[4].id, payload: bytesOf(7) });
    expect([messages.length, runtime.memory.pools()[2].inUse]).toEqual([0, 0]);
    messages.send(agents[0], { category: 'x' }, bytesOf(8));
    expect(agents.map((agent) => messages.receive(agent) !== undefined)).toEqual([false, true, true, false, false]);
});

test('the payload is a copy, both ways, and may be empty or as long as a block', () => {
    const { agents, messages } = openAgents();
    const payload = new Uint8Array(PAYLOAD).map((_, i) => i * 7);
    messages.send(agents[0], agents[0], payload);
    messages.send(agents[0], agents[0], new Uint8Array(0));
    const expected = payload.slice();
    payload.fill(0);
    const received = messages.receive(agents[0]);
    expect(received.payload).toEqual(expected);
    received.payload.fill(1);
    expect(messages.receive(agents[0]).payload).toHaveLength(0);
});

test('what waits for an agent goes with it; what it sent is delivered', () => {
    const { runtime, agents, messages } = openAgents();
    messages.send(agents[0], agents[1], bytesOf(1));
    messages.send(agents[1], agents[2], bytesOf(2));
    const { id } = agents[1];
    agents[1].free();
    expect(messages.length).toBe(1);
    const heir = runtime.createAgent(INDEX);
    expect(messages.receive(heir)).toBeUndefined();
    expect(messages.receive(agents[2])).toEqual({ from: id, payload: bytesOf(2) });
    expect(runtime.validate()).toBe(true);
});

test('what is no message is refused', () => {
    const { runtime, agents, messages } = openAgents();
    const [from, to] = agents;
    const payload = bytesOf(1);
    const refuse = (call, message) => expectRefused(runtime, 'INVALID_ARGUMENT', call, message);
    refuse(() => messages.send(from, to, new Uint8Array(PAYLOAD + 1)), /4080/);
    refuse(() => messages.send(from, to, [1]), /payload/);
    refuse(() => messages.send(from, to, new Uint16Array(1)), /payload/);
    refuse(() => messages.send(from, to), /payload/);
    refuse(() => messages.send(5, to, payload), /from/);
    refuse(() => messages.send(from, undefined, payload), /to must/);
    refuse(() => messages.send(from, {}, payload), /category/);
    refuse(() => messages.send(from, { category: 'nobody' }, payload), /"nobody"/);
    refuse(() => messages.send(from, { category: 'x'.repeat(5000) }, payload), /4096/);
    refuse(() => messages.send(open().createAgent(INDEX), to, payload), /from/);
    refuse(() => messages.receive(5), /agent/);
    refuse(() => runtime.createAgent({ ...INDEX, category: 'x'.repeat(5000) }), /category/);
    to.free();
    expectRefused(runtime, 'STALE_HANDLE', () => messages.send(from, to, payload), /freed/);
    expectRefused(runtime, 'STALE_HANDLE', () => messages.send(to, from, payload), /freed/);
    expectRefused(runtime, 'STALE_HANDLE', () => messages.receive(to), /freed/);
    expect(messages.length).toBe(0);
});
