/** Who has claimed what, at the module's boundary: two threads in one system thread take turns, so that every refusal comes when it must. */
import { abi, attach, compile, openRuntime } from './module.mjs';

const module = compile();
const config = (name) => ({ name, actions: 3, encoder: { kind: 'index', states: 8 } });

let first;
let second;
let agents;
beforeEach(() => {
    first = openRuntime({ module, places: 3 });
    second = attach(module, first.memory);
    agents = Array.from({ length: 6 }, (_, i) => first.createAgent(config(`agent ${i}`)));
});
afterEach(() => expect(first.call('qh_validate')).toBe(1));

const ownersOf = (handles) => handles.map((handle) => first.call('qh_agent_owner', handle));

test('every call that uses an agent is refused while another thread has it, and nothing has changed', () => {
    const [handle] = agents;
    first.call('qh_begin', handle, 0, 0);
    const before = first.hash(handle);
    first.call('qh_agent_claim', handle);
    const calls = [
        ['qh_begin', 0, 0], ['qh_step', 1, 1, 0, 0, 0], ['qh_act', 0, 0], ['qh_recall', 0], ['qh_encode', 0, 0], ['qh_q_values', 0, 0],
        ['qh_visits', 0, 0], ['qh_probabilities', 0, 0], ['qh_metrics'], ['qh_agent_memory'], ['qh_reset'], ['qh_hash'], ['qh_export'],
        ['qh_import'], ['qh_apply', 0, 0], ['qh_category', 1], ['qh_message_next'], ['qh_agent_destroy'], ['qh_agent_release'],
    ];
    for (const [name, ...args] of calls) expect(() => second.call(name, handle, ...args)).toThrow(`${name}: BUSY`);
    expect(second.call('qh_learn', handle, 0, 0, 1, 1, 0, -1, 0, 0)).toBeNaN();
    expect(second.numbers[0]).toBe(-abi.result.BUSY);
    expect(second.call('qh_replay_many', handle, 1)).toBeNaN();
    expect(() => second.call('qh_message_send', handle, agents[1], 0, 0, 1)).toThrow('BUSY');
    expect(second.call('qh_agent_input_address', handle)).toBe(first.call('qh_agent_input_address', handle));
    expect(first.hash(handle)).toBe(before);
    first.call('qh_agent_release', handle);
    expect(second.call('qh_step', handle, 1, 1, 0, 0, 0)).toBeGreaterThanOrEqual(0);
    expect(ownersOf(agents)).toEqual([0, 0, 0, 0, 0, 0]); // what is claimed for a call is given back
});

test('a batch takes all of its agents or none', () => {
    second.call('qh_agent_claim', agents[4]);
    expect(() => first.batch(agents)).toThrow('BUSY');
    expect(first.numbers[0]).toBe(4);
    second.call('qh_agent_release', agents[4]);
    const batch = first.batch(agents);
    first.call('qh_agent_claim', agents[2]);
    first.call('qh_batch_begin_all', batch.handle, 0);
    expect(ownersOf(agents)).toEqual([0, 0, 1, 0, 0, 0]); // what was claimed before stays so
    const learned = agents.map((handle) => first.hash(handle));
    second.call('qh_agent_claim', agents[3]);
    for (const [name, ...args] of [['qh_batch_step_all', 0], ['qh_batch_begin_all', 0], ['qh_batch_act_all', 0, 0]]) {
        expect(() => first.call(name, batch.handle, ...args)).toThrow(`${name}: BUSY`);
        expect(first.numbers[0]).toBe(3);
    }
    expect(ownersOf(agents)).toEqual([0, 0, 1, 2, 0, 0]);
    second.call('qh_agent_release', agents[3]);
    expect(agents.map((handle) => first.hash(handle))).toEqual(learned);
    expect(() => second.call('qh_batch_step_all', batch.handle, 0)).toThrow('BUSY'); // the first has agent 2
    first.call('qh_agent_release', agents[2]);
    second.call('qh_batch_step_all', batch.handle, 0); // a batch is anybody's, one at a time
    first.call('qh_agent_claim', batch.handle);
    for (const name of ['qh_batch_step_all', 'qh_batch_free']) expect(() => second.call(name, batch.handle, 0)).toThrow('BUSY');
    second.call('qh_agent_destroy', agents[5]);
    expect(() => first.call('qh_batch_step_all', batch.handle, 0)).toThrow('STALE_HANDLE');
    expect(first.numbers[0]).toBe(5);
});

test('a federated merge takes all of its agents or none', () => {
    const add = () => {
        first.call('qh_transfer_open', 8 * agents.length);
        const list = new Uint32Array(first.memory.buffer, first.numbers[0], 2 * agents.length);
        agents.forEach((handle, i) => (list[2 * i] = handle));
        try {
            return first.call('qh_federation_add', agents.length, 0);
        } finally {
            first.call('qh_transfer_close');
        }
    };
    second.call('qh_agent_claim', agents[2]);
    expect(add).toThrow('BUSY');
    expect(ownersOf(agents)).toEqual([0, 0, 2, 0, 0, 0]);
    second.call('qh_agent_release', agents[2]);
    expect(add()).toBe(0);
    expect(ownersOf(agents)).toEqual([0, 0, 0, 0, 0, 0]);
});

test('what asks for everything is refused while another thread has anything', () => {
    second.call('qh_agent_claim', agents[3]);
    expect(() => first.call('qh_hash', 0)).toThrow('BUSY');
    expect(() => first.call('qh_validate')).toThrow('BUSY');
    expect(ownersOf(agents)).toEqual([0, 0, 0, 2, 0, 0]);
    expect(first.call('qh_metrics_sum')).toBe(0); // sums are read over all agents at any time
    expect(first.numbers[6]).toBe(6);
    second.call('qh_agent_release', agents[3]);
    expect(first.call('qh_hash', 0)).toBe(0);
});

test('an agent is its maker\'s until that releases it, and goes with a maker that dies before', () => {
    const [told, untold] = ['told', 'untold'].map((name) => second.bearAgent(config(name)));
    expect(ownersOf([told, untold])).toEqual([2, 2]);
    for (const handle of [told, untold]) expect(() => first.call('qh_act', handle, 0, 0)).toThrow('qh_act: BUSY');
    second.call('qh_agent_release', told);
    second.call('qh_agent_claim', told); // it lives on, whoever has it
    second.noteSet(untold, 1, 'half a word');
    expect(first.call('qh_recover', second.number)).toBe(0);
    const [released, , , removed, , blocks] = first.numbers;
    expect([released, removed, blocks > 0]).toEqual([1, 1, true]);
    expect(ownersOf([told])).toEqual([0]);
    expect(() => first.call('qh_agent_owner', untold)).toThrow('STALE_HANDLE');
    expect(first.createAgent(config('untold')) & 0xffff).toBe(untold & 0xffff); // its slot and its name are free
});

test('a thread that ends leaves its agents to the others, and gives its batches back unless somebody uses them', () => {
    const batches = [first, second, second].map((thread) => thread.batch(agents.slice(0, 3)).handle);
    const handle = second.bearAgent(config('left'));
    first.call('qh_agent_claim', batches[1]);
    second.call('qh_thread_end');
    expect(ownersOf([handle, ...batches.slice(0, 2)])).toEqual([0, 0, 1]);
    expect(() => first.call('qh_agent_owner', batches[2])).toThrow('STALE_HANDLE');
    expect(first.call('qh_act', handle, 0, 0)).toBeGreaterThanOrEqual(0);
    first.call('qh_batch_begin_all', batches[1], 0);
    first.call('qh_agent_release', batches[1]);
});

test('the batches of a thread that died go, and those of others stay', () => {
    const batches = [first, second, second].map((thread) => thread.batch(agents.slice(0, 3)).handle);
    first.call('qh_agent_claim', batches[1]);
    expect(first.call('qh_recover', second.number)).toBe(0);
    expect(first.numbers[3]).toBe(1);
    expect(ownersOf(batches.slice(0, 2))).toEqual([0, 1]);
    expect(() => first.call('qh_batch_free', batches[2])).toThrow('STALE_HANDLE');
    for (const batch of batches.slice(0, 2)) first.call('qh_batch_free', batch);
});

test('a stale handle claims nothing, whoever has its slot', () => {
    const [handle] = agents;
    second.call('qh_agent_claim', handle);
    second.call('qh_agent_destroy', handle);
    const fresh = first.createAgent(config('fresh'));
    expect(fresh & 0xffff).toBe(handle & 0xffff);
    for (const thread of [first, second]) {
        expect(() => thread.call('qh_agent_claim', handle)).toThrow('STALE_HANDLE');
        expect(() => thread.call('qh_agent_owner', handle)).toThrow('STALE_HANDLE');
        expect(() => thread.call('qh_step', handle, 0, 0, 0, 0, 0)).toThrow('STALE_HANDLE');
    }
    expect(first.call('qh_agent_owner', fresh)).toBe(0);
});

test('notes are replaced, removed, and end with their object', () => {
    const live = () => {
        first.call('qh_memory_owner', 8);
        return first.numbers[2];
    };
    const [handle] = agents;
    const empty = live();
    for (const [about, key, text] of [[handle, 1, 'one'], [handle, 2, 'two'], [0, 1, 'of all'], [handle, 1, 'one again']]) first.noteSet(about, key, text);
    expect([second.noteOf(handle, 1), second.noteOf(handle, 2), second.noteOf(0, 1), second.noteOf(0, 9)]).toEqual(['one again', 'two', 'of all', undefined]);
    second.call('qh_note_set', 0, 1, 0);
    expect(first.noteOf(0, 1)).toBeUndefined();
    second.call('qh_agent_destroy', handle);
    expect(() => first.noteOf(handle, 1)).toThrow('STALE_HANDLE');
    expect(live()).toBe(empty);
});

test('a frozen index is searched by many threads at once; one that is built is one thread\'s', () => {
    const index = first.call('qh_index_create', 4, abi.metric.l2, 8, 50, abi.storage.f32, 1, 0, 1);
    first.call('qh_index_room', index, 20);
    const [vectors, labels, , stride] = first.numbers;
    const rows = new Float32Array(first.memory.buffer, vectors, 20 * stride);
    for (let i = 0; i < 20; i++) rows.fill(i, i * stride, i * stride + 4);
    new Uint32Array(first.memory.buffer, labels, 20).set(Array.from({ length: 20 }, (_, i) => i));
    first.call('qh_index_add', index, 20);
    first.call('qh_agent_claim', index);
    for (const name of ['qh_index_info', 'qh_index_end', 'qh_index_destroy']) expect(() => second.call(name, index)).toThrow('BUSY');
    first.call('qh_agent_release', index);
    second.call('qh_index_insert', index, 20);
    second.call('qh_index_end', index);
    /** Opens a thread's desk; the function writes a query, searches and tells the nearest row. */
    const desk = (thread) => {
        thread.call('qh_index_exchange_open', index, 1, 1, 0);
        const [queries, found] = thread.numbers;
        return {
            write: (value) => new Float32Array(thread.memory.buffer, queries, 4).fill(value),
            search() {
                thread.call('qh_index_search', index, 1, 1, 0, abi.walk.scan, 0, -1);
                return new Uint32Array(thread.memory.buffer, found, 1)[0];
            },
        };
    };
    const [one, other] = [desk(first), desk(second)];
    one.write(3);
    other.write(11);
    expect([one.search(), other.search(), one.search()]).toEqual([3, 11, 3]);
    first.call('qh_index_destroy', index);
    expect(() => second.call('qh_index_info', index)).toThrow('STALE_HANDLE');
});
