/** The boundary is one list: what the linker exports is what JavaScript uses, and every name of the agreement is there. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../cmake/build.mjs';
import { INDEX, open } from './support.js';

const read = (path) => readFileSync(join(root, path), 'utf8');
const exported = (read('src/wasm/exports.txt') + read('src/wasm/exports-threads.txt')).split('\n').map((line) => line.replace(/#.*/, '').trim()).filter((name) => name.startsWith('qh_'));
const sources = readdirSync(join(root, 'js/src'), { recursive: true }).filter((path) => path.endsWith('.js')).map((path) => read(join('js/src', path))).join('\n');

test('JavaScript uses every export, and no other', () => {
    const used = new Set([...sources.matchAll(/\bqh_\w+/g)].map(([name]) => name));
    expect([...used].sort()).toEqual([...exported].sort());
});

test('every export is defined, with a comment or beside its like', () => {
    const core = readdirSync(join(root, 'src/wasm')).filter((path) => path.endsWith('.c')).map((path) => read(join('src/wasm', path))).join('\n');
    for (const name of exported) expect(core).toMatch(new RegExp(`EXPORT\\([^,]+, ${name},`));
});

test('codes in the types are those of the core', () => {
    const core = [...read('include/qhive/result.h').matchAll(/X\((\w+), -\d+,/g)].map(([, name]) => name);
    const [, union] = /export type ErrorCode =([^;]+);/.exec(read('dist/qhive.d.ts'));
    expect([...union.matchAll(/'(\w+)'/g)].map(([, name]) => name).sort()).toEqual(core.sort());
});

describe('every documented name exists', () => {
    const types = read('dist/qhive.d.ts');
    const namesOf = (type) => {
        const [, body] = new RegExp(`export interface ${type} \\{\\n((?:.|\\n)*?)\\n\\}`).exec(types);
        return [...body.matchAll(/^ {4}(?:readonly )?(\w+)\??[(:<]/gm)].map(([, name]) => name);
    };
    const runtime = open({ trackAllocations: true });
    const agent = runtime.createAgent(INDEX);
    const vectors = runtime.createIndex({ dims: 2 });
    const subjects = {
        VectorIndex: vectors, FederatedAccumulator: runtime.federation, MetricsStore: runtime.metrics, MessageQueue: runtime.messages,
        AgentRuntime: runtime, Agent: agent, Batch: runtime.batch(), MemoryInfo: runtime.memory, AgentMetrics: agent.metrics, AgentMemory: agent.memory,
        Explanation: agent.explain(0), SafeZones: runtime.safeZones, AllocationRecord: runtime.memory.allocations()[0], PoolInfo: runtime.memory.pools()[0], OwnerInfo: runtime.memory.owners()[0], SharedInfo: runtime.memory.shared()[0],
    };
    test.each(Object.entries(subjects))('of %s', (type, subject) => {
        const names = namesOf(type);
        expect(names.length).toBeGreaterThan(3);
        expect(names.filter((name) => subject[name] === undefined)).toEqual([]);
    });

    test.each(['AgentRuntime', 'Agent', 'Batch', 'MemoryInfo', 'SafeZones', 'VectorIndex', 'FederatedAccumulator', 'MetricsStore', 'MessageQueue'])('and every public name of %s is documented', (type) => {
        const subject = subjects[type];
        const own = [...Object.getOwnPropertyNames(subject), ...Object.getOwnPropertyNames(Object.getPrototypeOf(subject))];
        const documented = new Set([...namesOf(type), 'constructor']);
        expect(own.filter((name) => !documented.has(name))).toEqual([]);
    });
});
