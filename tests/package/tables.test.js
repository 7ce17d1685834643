/** Tables as bytes: what goes out comes back to the bit, and nothing else comes in. */
import fc from 'fast-check';
import { createRuntimeSync } from 'qhive';

const SEED = Number(process.env.QHIVE_TEST_SEED ?? 7);
const KINDS = {
    index: { encoder: { kind: 'index', states: 300 } },
    'double-q': { encoder: { kind: 'index', states: 300 }, algorithm: 'double-q' },
    bins: { encoder: { kind: 'bins', dims: [{ min: 0, max: 300, bins: 300 }] } },
    tiles: { encoder: { kind: 'tiles', dims: [{ min: 0, max: 300, bins: 8 }], tilings: 4 } },
    planning: { encoder: { kind: 'index', states: 300 }, planning: 3, replay: { capacity: 50 } },
};
const observe = (config, state) => (config.encoder.kind === 'index' ? state : [state]);

function taught(runtime, config, steps = 2000) {
    const agent = runtime.createAgent({ actions: 5, ...config });
    for (let i = 0; i < steps; i++)
        agent.learn(observe(config, (i * 7) % 300), i % 5, (i % 11) - 5, observe(config, (i * 7 + 13) % 300));
    return agent;
}

describe.each(Object.entries(KINDS))('%s', (_, config) => {
    test('an imported table gives the same values, visits, hash and bytes', () => {
        const runtime = createRuntimeSync({ seed: SEED });
        const teacher = taught(runtime, config);
        const pupil = runtime.createAgent({ actions: 5, ...config });
        const bytes = teacher.exportTable();
        pupil.importTable(bytes);
        for (let state = 0; state < 300; state += 17) {
            expect(pupil.qValues(observe(config, state))).toEqual(teacher.qValues(observe(config, state)));
            expect(pupil.visits(observe(config, state))).toEqual(teacher.visits(observe(config, state)));
        }
        expect(pupil.exportTable()).toEqual(bytes);
        if (!config.planning) expect(pupil.hash()).toBe(teacher.hash());
        expect(runtime.validate()).toBe(true);
        runtime.dispose();
    });

    test('no damaged byte gets in, and a refusal changes nothing', () => {
        const runtime = createRuntimeSync({ seed: SEED });
        const bytes = taught(runtime, config, 60).exportTable();
        const pupil = taught(runtime, config, 40);
        const [hash, live] = [pupil.hash(), runtime.memory.liveBytes];
        fc.assert(
            fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
                const damaged = bytes.slice();
                damaged[at] ^= flip;
                const code = at >= 4 && at < 8 ? 'VERSION' : 'CORRUPT';
                expect(() => pupil.importTable(damaged)).toThrow(expect.objectContaining({ code }));
            }),
            { seed: SEED, numRuns: 300 },
        );
        fc.assert(
            fc.property(fc.nat(bytes.length - 1), (length) => {
                expect(() => pupil.importTable(bytes.slice(0, length))).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
            }),
            { seed: SEED, numRuns: 100 },
        );
        expect([pupil.hash(), runtime.memory.liveBytes]).toEqual([hash, live]);
        runtime.dispose();
    });
});

test('bytes of another configuration, and what is no Uint8Array, are refused', () => {
    const runtime = createRuntimeSync({ seed: SEED });
    const bytes = taught(runtime, KINDS.index).exportTable();
    for (const other of [{ actions: 6 }, { encoder: { kind: 'index', states: 301 } }, { algorithm: 'double-q' }]) {
        const agent = runtime.createAgent({ actions: 5, ...KINDS.index, ...other });
        expect(() => agent.importTable(bytes)).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
    }
    const agent = runtime.createAgent({ actions: 5, ...KINDS.index });
    for (const bad of [undefined, null, 'QHTB', [1, 2], new Float32Array(8), new ArrayBuffer(8)])
        expect(() => agent.importTable(bad)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    runtime.dispose();
});

/** CRC-32C bit by bit, independent of the core's table. */
function crc32c(parts) {
    let crc = 0xffffffff;
    for (const part of parts)
        for (const byte of part) {
            crc ^= byte;
            for (let k = 0; k < 8; k++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
        }
    return ~crc >>> 0;
}

function sealed(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    view.setUint32(28, crc32c([bytes.subarray(0, 28), new Uint8Array(4), bytes.subarray(32)]), true);
    return bytes;
}

test('a hostile file with a right checksum is refused all the same', () => {
    const runtime = createRuntimeSync({ seed: SEED });
    const teacher = taught(runtime, KINDS.index, 60);
    const bytes = teacher.exportTable();
    expect(sealed(bytes.slice())).toEqual(bytes);
    const rowBytes = 8 + 4 * 5 * 2;
    const forge = (change) => {
        const forged = bytes.slice();
        change(new DataView(forged.buffer), forged);
        return sealed(forged);
    };
    const forgeries = {
        NaN: forge((view) => view.setFloat32(32 + 8, NaN, true)),
        infinity: forge((view) => view.setFloat32(32 + 12, Infinity, true)),
        'a key twice': forge((_, all) => all.copyWithin(32 + rowBytes, 32, 32 + rowBytes)),
        'more rows than bytes': forge((view) => view.setUint32(24, 0xffffffff, true)),
        'another number of tables': forge((view) => view.setUint32(20, 2, true)),
    };
    const hash = teacher.hash();
    const codeOf = (forged) => {
        try {
            teacher.importTable(forged);
            return 'taken';
        } catch (error) {
            return error.code;
        }
    };
    const found = Object.entries(forgeries).map(([what, forged]) => [what, codeOf(forged)]);
    expect(found).toEqual(Object.keys(forgeries).map((what) => [what, 'CORRUPT']));
    expect(teacher.hash()).toBe(hash);
    runtime.dispose();
});

test('a table beyond the quota is QUOTA_EXCEEDED and changes nothing', () => {
    const runtime = createRuntimeSync({ seed: SEED });
    const bytes = taught(runtime, KINDS.index).exportTable();
    const small = runtime.createAgent({ actions: 5, ...KINDS.index, quotaBytes: 8192 });
    small.learn(1, 1, 1, 2);
    const [hash, live] = [small.hash(), small.memory.liveBytes];
    expect(() => small.importTable(bytes)).toThrow(expect.objectContaining({ code: 'QUOTA_EXCEEDED' }));
    expect([small.hash(), small.memory.liveBytes]).toEqual([hash, live]);
    runtime.dispose();
});

test('replay after an import needs a row for each state remembered, not for each transition', () => {
    const runtime = createRuntimeSync({ seed: SEED });
    const config = { actions: 4, encoder: { kind: 'index', states: 8 }, quotaBytes: 262_144, replay: { capacity: 4000 } };
    const empty = runtime.createAgent(config).exportTable();
    const agent = runtime.createAgent(config);
    for (let i = 0; i < 4000; i++) agent.learn(i % 8, 0, 1, (i + 1) % 8);
    const { liveBytes } = agent.memory;
    for (let times = 0; times < 2; times++) {
        agent.importTable(empty);
        agent.replay(1);
        expect(agent.metrics.states).toBe(8);
        expect(agent.memory.liveBytes).toBeLessThan(liveBytes + 2048);
    }
    agent.importTable(empty);
    agent.learn(0, 0, 1, 1);
    agent.importTable(empty);
    agent.replay(1);
    expect(agent.metrics.states).toBe(8);
    expect(runtime.validate()).toBe(true);
    runtime.dispose();
});

test('after an import an agent goes on: in its episode, and replaying what it remembers', () => {
    const runtime = createRuntimeSync({ seed: SEED });
    const config = { actions: 5, encoder: { kind: 'index', states: 300 }, replay: { capacity: 40 } };
    const empty = runtime.createAgent(config).exportTable();
    const agent = runtime.createAgent(config);
    agent.begin(0);
    for (let i = 1; i < 30; i++) agent.step(1, i);
    agent.importTable(empty);
    expect(agent.metrics.states).toBe(0);
    expect(agent.replay(600)).toBeGreaterThan(0);
    expect(agent.step(1, 7)).toBeGreaterThanOrEqual(0);
    expect(runtime.validate()).toBe(true);
    runtime.dispose();
});
