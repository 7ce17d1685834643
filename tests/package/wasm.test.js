/** The option `wasm`: every form it may have, and every wrong one. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createRuntime, createRuntimeSync } from 'qhive';
import { root } from '../../cmake/build.mjs';
import { INDEX, thrownBy, wander } from './support.js';

const file = join(root, 'dist/qhive.wasm');
const bytes = new Uint8Array(readFileSync(file));
const scalar = new Uint8Array(readFileSync(join(root, 'dist/qhive-scalar.wasm')));
const padded = new Uint8Array(bytes.length + 64);
padded.set(bytes, 32);

let server;
let origin;
beforeAll(async () => {
    const bodies = {
        '/qhive.wasm': bytes, '/index.html': '<!doctype html><title>404</title>', '/empty.wasm': '',
        '/typed.wasm': bytes, '/text.wasm': bytes, '/spa.wasm': '<!doctype html>', '/junk.wasm': 'junk', '/damaged.wasm': bytes.slice(0, 1000),
    };
    const types = {
        '/typed.wasm': 'application/wasm', '/text.wasm': 'text/plain', '/spa.wasm': 'text/html; charset=utf-8', '/junk.wasm': 'text/plain', '/damaged.wasm': 'application/wasm',
        '/cut.wasm': 'application/wasm', '/cut-text.wasm': 'text/plain',
    };
    server = createServer(({ url }, response) => {
        if (url in types) response.setHeader('Content-Type', types[url]);
        if (url.startsWith('/cut')) response.writeHead(200, { 'Content-Length': bytes.length }).write(bytes.slice(0, 1000), () => response.destroy());
        else if (url in bodies) response.end(bodies[url]);
        else response.writeHead(404).end('<!doctype html>');
    });
    await new Promise((resolve) => void server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${server.address().port}`;
});
afterAll(() => {
    server.closeAllConnections();
    server.close();
});

const works = (runtime) => {
    const agent = runtime.createAgent(INDEX);
    wander(agent);
    return agent.hash();
};

describe('accepted', () => {
    const FORMS = [
        ['bytes', () => bytes], ['an ArrayBuffer', () => bytes.buffer.slice(0)], ['a part of a buffer', () => padded.subarray(32, 32 + bytes.length)],
        ['a DataView', () => new DataView(padded.buffer, 32, bytes.length)], ['a Buffer', () => Buffer.from(bytes)], ['a module', () => new WebAssembly.Module(bytes)],
    ];
    test.each(FORMS)('%s, at once and awaited', async (_, make) => {
        const hash = works(createRuntimeSync());
        expect(works(createRuntimeSync({ wasm: make() }))).toBe(hash);
        expect(works(await createRuntime({ wasm: make() }))).toBe(hash);
        expect(works(await createRuntime({ wasm: Promise.resolve(make()) }))).toBe(hash);
    });

    test('shared bytes', async () => {
        const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
        shared.set(bytes);
        works(await createRuntime({ wasm: shared }));
        works(createRuntimeSync({ wasm: shared.buffer }));
    });

    test('a response, a promise of one, a URL, a string, a file URL', async () => {
        const url = `${origin}/qhive.wasm`;
        for (const wasm of [await fetch(url), fetch(url), new URL(url), url, pathToFileURL(file), pathToFileURL(file).href]) works(await createRuntime({ wasm }));
    });

    test('a response of the right type is compiled while it arrives, one of another type when it is there', async () => {
        const { compileStreaming } = WebAssembly;
        const streamed = [];
        WebAssembly.compileStreaming = (response) => {
            streamed.push(response.url);
            return compileStreaming(response);
        };
        try {
            for (const name of ['typed', 'text']) works(await createRuntime({ wasm: `${origin}/${name}.wasm` }));
            await expect(createRuntime({ wasm: `${origin}/damaged.wasm` })).rejects.toMatchObject({ name: 'QhiveError', code: 'CORRUPT' });
        } finally {
            WebAssembly.compileStreaming = compileStreaming;
        }
        expect(streamed).toEqual([`${origin}/typed.wasm`, `${origin}/damaged.wasm`]);
    });

    test('the scalar build, which says so', async () => {
        expect((await createRuntime({ wasm: scalar })).build.simd).toBe(false);
        expect(createRuntimeSync({ wasm: scalar, simd: false }).build.simd).toBe(false);
    });

    test('one module serves many runtimes, which share nothing', () => {
        const wasm = new WebAssembly.Module(bytes);
        const [a, b] = [createRuntimeSync({ wasm }), createRuntimeSync({ wasm })];
        works(a);
        expect(b.agents.length).toBe(0);
        expect(a.hash()).not.toBe(b.hash());
        expect(thrownBy(() => b.batch(a.agents)).code).toBe('INVALID_ARGUMENT');
    });
});

/** The smallest module with one export of this name: (func (export name)) with or without the core's memory. */
function moduleWith(name) {
    const text = [...new TextEncoder().encode(name)];
    return Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 7, text.length + 4, 1, text.length, ...text, 0, 0, 10, 4, 1, 2, 0, 0x0b);
}

/** The same bytes but for the version in the static data. */
function otherVersion() {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const text = Buffer.from(bytes);
    const at = text.indexOf(`${version}+`);
    expect(at).toBeGreaterThan(0);
    text.write('9', at);
    return text;
}

describe('refused', () => {
    const damaged = bytes.slice();
    damaged.fill(0xff, 5000, 5400);
    const WRONG = [
        ['no bytes', new Uint8Array(0), 'INVALID_ARGUMENT', /nothing/], ['other bytes', Uint8Array.of(1, 2, 3), 'INVALID_ARGUMENT', /3 other bytes/],
        ['an HTML page', new TextEncoder().encode('<!doctype html>'), 'INVALID_ARGUMENT', /HTML/], ['truncated bytes', bytes.slice(0, 1000), 'CORRUPT', /compile/],
        ['damaged bytes', damaged, 'CORRUPT', /compile/], ['a module of something else', moduleWith('other'), 'VERSION', /lacks/],
        ['a module of another version', otherVersion(), 'VERSION', /qhive 9/],
    ];
    test.each(WRONG)('%s', async (_, wasm, code, message) => {
        const expected = { name: 'QhiveError', code, message: expect.stringMatching(message) };
        expect(thrownBy(() => createRuntimeSync({ wasm }))).toMatchObject(expected);
        await expect(createRuntime({ wasm })).rejects.toMatchObject(expected);
    });

    test('pages that are not there, not wasm, or cannot be reached', async () => {
        const cases = [
            [`${origin}/gone.wasm`, 'INVALID_ARGUMENT', /404\. Serve qhive\.wasm/], [`${origin}/index.html`, 'INVALID_ARGUMENT', /HTML/], [`${origin}/empty.wasm`, 'INVALID_ARGUMENT', /nothing/],
            ['http://127.0.0.1:9/x.wasm', 'INVALID_ARGUMENT', /fetched/], ['not a url', 'INVALID_ARGUMENT', /fetched/], ['file:///no/such/file.wasm', 'INVALID_ARGUMENT', /read/],
        ];
        for (const [wasm, code, message] of cases) await expect(createRuntime({ wasm })).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    });

    test('the error names the type that the server gave, and what to do', async () => {
        const messageOf = (name) => createRuntime({ wasm: `${origin}/${name}` }).catch(({ message }) => message);
        expect(await messageOf('spa.wasm')).toMatch(/HTML: is its path right, and qhive\.wasm .*spa\.wasm has the type 'text\/html; charset=utf-8', not application\/wasm/);
        expect(await messageOf('junk.wasm')).toMatch(/4 other bytes .*junk\.wasm has the type 'text\/plain', not application\/wasm/);
    });

    test('a module that comes only in part was not fetched; it is not called damaged', async () => {
        for (const name of ['cut', 'cut-text']) {
            const expected = { name: 'QhiveError', code: 'INVALID_ARGUMENT', message: expect.stringMatching(/cannot be fetched/) };
            await expect(createRuntime({ wasm: `${origin}/${name}.wasm` })).rejects.toMatchObject(expected);
        }
    });

    test('another version says how to get the right one', () => {
        expect(thrownBy(() => createRuntimeSync({ wasm: otherVersion() })).message).toMatch(/is the module of qhive 9.*this is qhive .*from the same version/);
    });

    test('a promise that fails passes its reason through', async () => {
        const reason = new Error('mine');
        await expect(createRuntime({ wasm: Promise.reject(reason) })).rejects.toBe(reason);
    });

    test('what needs waiting cannot be had at once', () => {
        for (const wasm of [`${origin}/qhive.wasm`, new URL(origin), new Response(bytes), Promise.resolve(bytes)])
            expect(thrownBy(() => createRuntimeSync({ wasm })).code).toBe('INVALID_ARGUMENT');
    });

    test('the wrong one of the two builds', () => {
        expect(thrownBy(() => createRuntimeSync({ wasm: scalar, simd: true }))).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(/scalar build/) });
        expect(thrownBy(() => createRuntimeSync({ wasm: bytes, simd: false }))).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(/SIMD build/) });
    });
});

describe('an engine that lacks something', () => {
    const withEngine = async (changes, run) => {
        const kept = Object.fromEntries(Object.keys(changes).map((name) => [name, WebAssembly[name]]));
        Object.assign(WebAssembly, changes);
        try {
            return await run();
        } finally {
            Object.assign(WebAssembly, kept);
        }
    };
    /** A copy of the package that has not looked at the engine yet. */
    const fresh = (name) => import(`../../dist/qhive.mjs?${name}`);

    test('SIMD: the scalar chunk is loaded, and forcing SIMD is UNSUPPORTED', async () => {
        const { createRuntime: create, createRuntimeSync: createSync } = await fresh('simd');
        await withEngine({ validate: () => false }, async () => {
            expect(thrownBy(() => createSync())).toMatchObject({ code: 'UNSUPPORTED', message: expect.stringMatching(/createRuntime\(\).*qhive-scalar/) });
            await expect(create({ simd: true })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
            expect((await create()).build.simd).toBe(false);
            expect(createSync().build.simd).toBe(false);
        });
    });

    test('the right to compile: UNSUPPORTED names the policy', async () => {
        const { createRuntime: create } = await fresh('compile');
        const refuse = async () => { throw new WebAssembly.CompileError('refused by policy'); };
        await withEngine({ compile: refuse }, () => expect(create()).rejects.toMatchObject({ code: 'UNSUPPORTED', message: expect.stringMatching(/wasm-unsafe-eval/) }));
        works(await create());
    });

    test('the right to compile what is given: not called damaged', async () => {
        const refuse = function () { throw new WebAssembly.CompileError('blocked'); };
        await withEngine({ compile: refuse, Module: refuse }, async () => {
            const { createRuntime: create, createRuntimeSync: createSync } = await fresh('given');
            const expected = { name: 'QhiveError', code: 'UNSUPPORTED', message: expect.stringMatching(/blocked.*'wasm-unsafe-eval' in script-src.*WebAssembly\.Module/) };
            await expect(create({ wasm: bytes })).rejects.toMatchObject(expected);
            expect(thrownBy(() => createSync({ wasm: bytes }))).toMatchObject(expected);
        });
    });

    test('the right to compile at once: the error names createRuntime', async () => {
        const { Module } = WebAssembly;
        const refuse = function (source) {
            if (source.length > 8) throw new RangeError('disallowed on the main thread');
            return new Module(source);
        };
        const { createRuntimeSync: createSync } = await fresh('at-once');
        await withEngine({ Module: refuse }, () => {
            const expected = { name: 'QhiveError', code: 'UNSUPPORTED', message: expect.stringMatching(/disallowed on the main thread.*, or use createRuntime\(\)$/) };
            for (const options of [{}, { wasm: bytes }]) expect(thrownBy(() => createSync(options))).toMatchObject(expected);
        });
    });

    test('a module that cannot be linked: the error says which to take', async () => {
        const refuse = function () { throw new WebAssembly.LinkError('memory import has 9 pages'); };
        await withEngine({ Instance: refuse, instantiate: async () => refuse() }, async () => {
            const expected = { name: 'QhiveError', code: 'VERSION', message: expect.stringMatching(/9 pages.*qhive\.wasm from the same version/) };
            expect(thrownBy(() => createRuntimeSync())).toMatchObject(expected);
            await expect(createRuntime()).rejects.toMatchObject(expected);
        });
    });

    test('SIMD for what is given: the error names the other build', async () => {
        const { createRuntime: create } = await fresh('given-simd');
        const refuse = async () => { throw new WebAssembly.CompileError('unknown opcode 0xfd'); };
        await withEngine({ compile: refuse, validate: () => false }, () =>
            expect(create({ wasm: bytes })).rejects.toMatchObject({ code: 'UNSUPPORTED', message: expect.stringMatching(/no SIMD.*qhive-scalar\.wasm/) }));
    });

    test('the memory: the error says what to change, be it a string that was thrown', async () => {
        for (const reason of [new RangeError('could not allocate'), 'out of memory'])
            await withEngine({ Memory: class { constructor() { throw reason; } } }, () =>
                expect(createRuntime()).rejects.toMatchObject({ code: 'GROWTH_FAILED', cause: reason, message: expect.stringMatching(/(allocate|out of memory).*smaller maxPages/) }));
    });

    test('WebAssembly altogether', async () => {
        const { createRuntimeSync: create } = await fresh('none');
        const kept = globalThis.WebAssembly;
        delete globalThis.WebAssembly;
        try {
            expect(thrownBy(() => create())).toMatchObject({ code: 'UNSUPPORTED', message: expect.stringMatching(/no WebAssembly/) });
        } finally {
            globalThis.WebAssembly = kept;
        }
    });
});
