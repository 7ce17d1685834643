/** Waiting for the lock of a room without blocking: the module without the package, its instances as threads. */
import { abi, attach, compile, openRuntime } from './module.mjs';

const module = compile();
const [MEMORY, REGISTRY, FEDERATION, METRICS, MESSAGES, ZONES, SEARCH] = [0, 1, 2, 3, 4, 5, 6];
const ROOMS = [FEDERATION, METRICS, MESSAGES, SEARCH];

/** Two threads, neither of which may sleep, with a series that both count in. */
function openPair() {
    const first = openRuntime({ module, places: 2, maySleep: false });
    const second = attach(module, first.memory, false);
    for (const thread of [first, second]) {
        new Uint8Array(thread.memory.buffer, thread.base + abi.io.text, 1).set([120]);
        thread.series = thread.call('qh_series_find', 1);
        thread.count = () => thread.call('qh_series_count', thread.series, 1);
        thread.enroll = (id, waited) => thread.call('qh_lock_enroll', id, waited);
        thread.word = () => new Int32Array(thread.memory.buffer, thread.numbers[0], 1)[0];
    }
    return [first, second];
}

test.each(ROOMS)('lock %i is kept, waited for, and given up without a trace', (id) => {
    const [first, second] = openPair();
    expect(first.enroll(id)).toBe(1);
    expect(() => first.enroll(id)).toThrow('INVALID_STATE');
    expect(second.enroll(id)).toBe(0);
    expect(second.word()).toBe(second.numbers[1]);
    first.call('qh_lock_release', id);
    expect(second.word()).not.toBe(second.numbers[1]); // woken
    expect(second.enroll(id, 12)).toBe(1);
    second.call('qh_lock_read', id);
    expect(second.numbers[1]).toBe(1); // came by waiting
    expect(second.numbers[2]).toBe(12);
    expect(first.enroll(id)).toBe(0);
    first.call('qh_lock_withdraw', id);
    second.call('qh_lock_release', id);
    expect(first.word()).toBe(first.numbers[1]); // nobody told it any more
    expect(second.enroll(id)).toBe(1);
    second.call('qh_thread_end'); // lets go of it
    expect(first.enroll(id)).toBe(1);
    first.call('qh_lock_release', id);
    expect(first.call('qh_validate')).toBe(1);
});

test('who keeps the lock of a room calls it, and nobody else', () => {
    const [first, second] = openPair();
    expect(first.enroll(METRICS)).toBe(1);
    for (let i = 0; i < 3; i++) first.count();
    first.call('qh_series_read', first.series);
    expect(first.numbers[0]).toBe(3);
    expect(() => second.count()).toThrow('BUSY');
    expect(() => second.call('qh_series_read', second.series)).toThrow('BUSY');
    expect(second.enroll(METRICS)).toBe(0);
    expect(() => second.count()).toThrow('BUSY'); // it waits already
    first.call('qh_lock_release', METRICS);
    second.count(); // past itself
    expect(second.enroll(METRICS)).toBe(1);
    second.count();
    second.call('qh_lock_release', METRICS);
    first.count();
    first.call('qh_series_read', first.series);
    expect(first.numbers[0]).toBe(6);
});

test('a thread waits for one lock, and keeps one', () => {
    const [first, second] = openPair();
    first.enroll(FEDERATION);
    expect(() => first.enroll(MESSAGES)).toThrow('INVALID_STATE');
    expect(second.enroll(FEDERATION)).toBe(0);
    expect(() => second.enroll(MESSAGES)).toThrow('INVALID_STATE');
    expect(() => second.call('qh_lock_withdraw', MESSAGES)).toThrow('INVALID_STATE');
    expect(() => second.call('qh_lock_release', FEDERATION)).toThrow('INVALID_STATE');
    second.call('qh_lock_withdraw', FEDERATION);
    expect(() => second.call('qh_lock_withdraw', FEDERATION)).toThrow('INVALID_STATE');
    expect(second.enroll(MESSAGES)).toBe(1);
    for (const id of [MEMORY, REGISTRY, 7, 2 ** 32 - 1]) expect(() => first.enroll(id)).toThrow('INVALID_ARGUMENT');
    expect(() => first.enroll(ZONES)).toThrow('INVALID_STATE'); // there are none
});

test('every lock counts', () => {
    const [first] = openPair();
    const acquired = (id) => first.call('qh_lock_read', id) === 0 && first.numbers[0];
    const ids = [MEMORY, REGISTRY, FEDERATION, METRICS, MESSAGES, ZONES, SEARCH];
    const before = ids.map(acquired);
    first.createAgent({ name: 'a', actions: 2, encoder: { kind: 'index', states: 2 } });
    first.count();
    first.call('qh_federation_info', 0);
    first.call('qh_message_info');
    const gained = ids.map((id) => acquired(id) > before[id]);
    expect(gained).toEqual([true, true, gained[2], true, true, false, gained[6]]);
    expect(() => first.call('qh_lock_read', 7)).toThrow('INVALID_ARGUMENT');
});
