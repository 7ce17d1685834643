/** The small examples run as they stand: in Node, from a script tag, bundled, as a worker, in React. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import * as esbuild from 'esbuild';
import { parseHTML } from 'linkedom';
import { root } from '../../cmake/build.mjs';

const examples = join(root, 'examples');
const read = (...path) => readFileSync(join(root, ...path), 'utf8');
const settled = async (done) => {
    for (let i = 0; i < 6000 && !done(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
};

/** One classic script of an example, as a bundler at its defaults makes it for browsers. */
async function bundle(file, options = {}) {
    const made = await esbuild.build({
        entryPoints: [join(examples, file)], bundle: true, write: false, format: 'iife', platform: 'browser', logLevel: 'silent', jsx: 'automatic', ...options,
    });
    return made.outputFiles[0].text;
}

/** Runs a script in a world that has what browsers have, and `globals`. */
function runInPage(source, globals = {}) {
    const { WebAssembly, TextEncoder, TextDecoder, setTimeout, clearTimeout, queueMicrotask, MessageChannel, console, performance } = globalThis;
    const world = Object.assign(globals, { WebAssembly, TextEncoder, TextDecoder, setTimeout, clearTimeout, queueMicrotask, MessageChannel, console, performance });
    world.globalThis = world.self = world.window = world;
    return runInContext(source, createContext(world));
}

test('node: learns, saves, loads', () => {
    const printed = execFileSync(process.execPath, ['examples/node/main.js'], { cwd: root, encoding: 'utf8' });
    expect(printed).toMatch(/last five episodes: (1[0-9] ?){5}\n/);
    expect(printed).toContain('steps of one who inherits what it learned: 10\n');
    expect(printed).toMatch(/memory: \d+ pages/);
});

test('browser: one script tag', async () => {
    const html = read('examples', 'browser', 'index.html');
    const { document } = parseHTML(html);
    const [library, script] = document.querySelectorAll('script');
    expect(existsSync(join(examples, 'browser', library.getAttribute('src')))).toBe(true);
    runInPage(`${read('dist', 'qhive.global.js')}\n${script.textContent}`, { document });
    const out = document.getElementById('steps');
    await settled(() => out.textContent !== '');
    const lines = out.textContent.split('\n');
    expect(lines.length).toBe(30);
    expect(Number(lines.at(-1).split(': ')[1])).toBeLessThan(20);
});

test('bundler: an import', async () => {
    const source = await bundle('bundler/main.js', { format: 'esm' });
    const { document } = parseHTML(read('examples', 'bundler', 'index.html'));
    const out = document.getElementById('out');
    runInPage(`(async () => {${source}\n})()`, { document });
    await settled(() => out.textContent !== 'learning...');
    expect(out.textContent).toMatch(/^The first episode took \d+ steps, the last 1\d\.$/);
});

describe('worker', () => {
    let world;
    const heard = [];
    const say = async (data) => {
        const before = heard.length;
        world.self.onmessage({ data: structuredClone(data) });
        await settled(() => heard.length > before);
        return heard.at(-1);
    };

    beforeAll(async () => {
        world = { postMessage: (data) => heard.push(structuredClone(data)) };
        runInPage(await bundle('worker/worker.js'), world);
    });

    test('says what cannot be', async () => {
        expect(await say({ type: 'learn', episodes: 1 })).toEqual({ type: 'error', code: undefined, message: 'start comes before learn' });
        expect(await say({ type: 'toString' })).toMatchObject({ type: 'error', message: "no message 'toString'" });
        expect(await say({ type: 'start', agents: 5, seed: -1 })).toMatchObject({ type: 'error', code: 'INVALID_ARGUMENT' });
    });

    test('learns what it is told to, and starts anew', async () => {
        for (let round = 0; round < 2; round++) {
            expect(await say({ type: 'start', agents: 100, seed: 1 })).toEqual({ type: 'ready', agents: 100, simd: true });
            const first = await say({ type: 'learn', episodes: 1 });
            const later = await say({ type: 'learn', episodes: 30 });
            expect(later.meanSteps).toBeLessThan(first.meanSteps);
            expect(later.liveBytes).toBeGreaterThan(100_000);
        }
    });

    test('the page names the worker as bundlers know it', () => {
        expect(read('examples', 'worker', 'main.js')).toContain("new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })");
    });
});

describe('React', () => {
    const browser = parseHTML('<!doctype html><html><body><div id="root"></div></body></html>');
    const names = ['document', 'window', 'navigator', 'HTMLIFrameElement', 'IS_REACT_ACT_ENVIRONMENT'];
    const before = Object.fromEntries(names.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]));
    let React;
    let client;
    let App;

    beforeAll(async () => {
        Object.assign(globalThis, { document: browser.document, window: browser.window, navigator: { userAgent: 'linkedom' }, HTMLIFrameElement: browser.HTMLIFrameElement, IS_REACT_ACT_ENVIRONMENT: true });
        const file = join(root, 'build', 'readme', 'react-app.mjs');
        mkdirSync(join(root, 'build', 'readme'), { recursive: true });
        await esbuild.build({
            entryPoints: [join(examples, 'react', 'app.jsx')], bundle: true, outfile: file, format: 'esm', packages: 'external', jsx: 'automatic', logLevel: 'silent',
        });
        React = await import('react');
        client = await import('react-dom/client');
        ({ App } = await import(file));
    });

    afterAll(() => {
        for (const [name, descriptor] of Object.entries(before)) {
            if (descriptor) Object.defineProperty(globalThis, name, descriptor);
            else delete globalThis[name];
        }
    });

    test('the component mounts twice in strict mode, learns, and gives everything back', async () => {
        const container = browser.document.getElementById('root');
        const reactRoot = client.createRoot(container);
        await React.act(async () => reactRoot.render(React.createElement(React.StrictMode, null, React.createElement(App))));
        for (let i = 0; i < 3000 && !container.querySelector('button'); i++)
            await React.act(() => new Promise((resolve) => setTimeout(resolve, 20)));
        const button = container.querySelector('button');
        expect(button).not.toBe(null);
        for (let i = 0; i < 3; i++)
            await React.act(async () => button.dispatchEvent(new browser.window.Event('click', { bubbles: true })));
        expect(container.querySelectorAll('li').length).toBe(3);
        expect(container.querySelector('li').textContent).toMatch(/^\d+ steps$/);
        await React.act(async () => reactRoot.unmount());
        expect(container.textContent).toBe('');
    });
});

test('examples/README.md names every folder', () => {
    const folders = readdirSync(examples, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name);
    const page = read('examples', 'README.md');
    expect(folders.filter((name) => !page.includes(`(${name}/`))).toEqual([]);
});
