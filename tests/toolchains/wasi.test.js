/** WASI: the command under Node's WASI and, where it is, wasmtime; the reactor as any host would drive it. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WASI } from 'node:wasi';
import { readLayout } from '../../js/layout.mjs';
import { of } from '../docs/pages.js';
import { attempt, COMMAND_STATES, COMMAND_TABLES, findProgram, root, scratch } from './support.js';

const COMMAND = join(root, 'build/wasm-wasi/qhive-command.wasm');
const wasmtime = findProgram('wasmtime');

const HOSTS = {
    node: (args) => attempt(process.execPath, ['--no-warnings', 'tests/toolchains/wasi.mjs', COMMAND, scratch, ...args]),
    wasmtime: (args) => attempt(wasmtime, ['run', '--dir', `${scratch}::/guest`, COMMAND, ...args]),
};

describe.each(Object.entries(HOSTS))('the command under %s', (host, command) => {
    const given = host === 'wasmtime' && !wasmtime ? test.skip : test;

    given('runs agents, to the bit as natively, and inspects what they learned', () => {
        const file = join(scratch, 'wasi.qhtb');
        rmSync(file, { force: true });
        const ran = command(['run', '--out', '/guest/wasi.qhtb']);
        expect(ran.stderr).toBe('');
        expect(ran.stdout).toContain(COMMAND_TABLES);
        const inspected = command(['inspect', '/guest/wasi.qhtb']);
        expect(inspected.stdout).toMatch(new RegExp(`states +${COMMAND_STATES}\n`));
        const bytes = readFileSync(file);
        bytes[100] ^= 1;
        writeFileSync(file, bytes);
        expect(command(['inspect', '/guest/wasi.qhtb'])).toMatchObject({ status: 1, stderr: expect.stringContaining('CORRUPT') });
    });

    given('says what is wrong', () => {
        expect(command(['run', '--agents', 'many'])).toMatchObject({ status: 2, stderr: expect.stringContaining('--agents') });
        expect(command(['inspect', '/etc/passwd'])).toMatchObject({ status: 1, stderr: expect.stringContaining('cannot read') });
    });
});

test.each(of('js').filter(({ source }) => source.includes('build/wasm-wasi/')).map(({ page, source }) => [page, source]))('the program of %s runs', (_, source) => {
    const file = join(scratch, 'page.mjs');
    writeFileSync(file, source);
    expect(attempt(process.execPath, ['--no-warnings', file])).toMatchObject({ status: 0, stdout: expect.stringMatching(/agents +20\n[^]*exit 0\n/) });
});

describe('the reactor', () => {
    const layout = readLayout(readFileSync(join(root, 'build/wasm/qhive_abi.wasm')));
    const module = new WebAssembly.Module(readFileSync(join(root, 'build/wasm-wasi/qhive-reactor.wasm')));

    function start() {
        const wasi = new WASI({ version: 'preview1' });
        const instance = new WebAssembly.Instance(module, wasi.getImportObject());
        wasi.initialize(instance);
        return instance.exports;
    }

    /** Writes the definition of an agent with `states` states and two actions, and makes it. */
    function createAgent(exports, states) {
        const io = exports.qh_io_address();
        const view = new DataView(exports.memory.buffer);
        const put = (name, value) => view.setUint32(io + layout[name], value, true);
        const real = (at, value) => view.setFloat64(io + at, value, true);
        put('def.actions', 2);
        put('def.encoder.kind', layout['encoder.index']);
        put('def.encoder.states', states);
        put('def.policy', layout['policy.epsilon-greedy']);
        put('def.n_step', 1);
        for (const [schedule, value] of [['def.rate', 0.5], ['def.exploration', 0.1]]) {
            real(layout[schedule] + layout['schedule.start'], value);
            real(layout[schedule] + layout['schedule.end'], value);
            real(layout[schedule] + layout['schedule.decay'], 1);
        }
        real(layout['def.discount'], 0.5);
        real(layout['def.quota_bytes'], 1 << 20);
        return exports.qh_agent_create(0, 0);
    }

    test('asks nothing of its host but what WASI has, and has its own memory', () => {
        expect(WebAssembly.Module.imports(module).every(({ module: from }) => from === 'wasi_snapshot_preview1')).toBe(true);
        expect(WebAssembly.Module.exports(module)).toContainEqual({ name: 'memory', kind: 'memory' });
    });

    test('exports what the package\'s module exports', () => {
        const exported = new Set(WebAssembly.Module.exports(module).map(({ name }) => name));
        const listed = readFileSync(join(root, 'src/wasm/exports.txt'), 'utf8').split('\n').map((line) => line.replace(/#.*/, '').trim());
        expect(listed.filter((name) => name && !exported.has(name))).toEqual([]);
        expect(exported.has('_initialize')).toBe(true);
    });

    test('learns which of two buttons pays, within its budget', () => {
        const exports = start();
        expect(exports.qh_step(1, 0, 0, 0, 0, 0)).toBe(-layout['result.STALE_HANDLE']);
        expect(exports.qh_open(40, 0, 7, 0, 8, 8, 2, 0)).toBe(0);
        const agent = createAgent(exports, 3);
        expect(agent).toBeGreaterThan(0);
        let action = exports.qh_begin(agent, 0, 0);
        for (let i = 0; i < 400; i++) action = exports.qh_step(agent, action === 1 ? 1 : 0, i % 3, 0, i, 0);
        expect([0, 1, 2].map((state) => exports.qh_act(agent, state, layout['flag.greedy']))).toEqual([1, 1, 1]);
        expect(exports.qh_act(agent, 3, 0)).toBe(-layout['result.INVALID_ARGUMENT']);
        let last = 1;
        for (let i = 0; i < 600 && last > 0; i++) last = createAgent(exports, 1e6 + i);
        expect(exports.qh_validate()).toBe(1);
    });

    test('refuses more than the host grants', () => {
        const exports = start();
        expect(exports.qh_open(65536, 0, 0, 0, 0, 0, 0, 0)).toBe(-layout['result.OVERFLOW']);
        expect(exports.qh_open(65000, 0, 0, 0, 0, 0, 0, 0)).toBe(-layout['result.GROWTH_FAILED']);
        expect(exports.qh_open(20, 0, 0, 0, 0, 5000, 0, 0)).toBe(-layout['result.EXCEEDS_LIMIT']);
        expect(exports.qh_open(20, 0, 0, 0, 1, 1, 1, 0)).toBe(0);
    });
});
