/**
 * Every fenced block of every page is run, or held against what it speaks of:
 *
 *   js       runs in Node against the built package, as it stands
 *   js page  is a page's or a bundler's: esbuild bundles it at its defaults, its inline scripts are not run
 *   html     its classic scripts run in a page that has no more than the script-tag file
 *   jsx      is bundled
 *   c        compiles without a warning; tests/toolchains runs it
 *   cmake    stands in examples/c/CMakeLists.txt
 *   sh       names commands, scripts, presets, targets and files that are there
 *   json     parses; text is for people, and no block is without a kind
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import * as esbuild from 'esbuild';
import { parseHTML } from 'linkedom';
import { findProgram, root } from '../../cmake/build.mjs';
import { blocks, links, of, pages, titled } from './pages.js';

const read = (path) => readFileSync(join(root, path), 'utf8');
const manifest = JSON.parse(read('package.json'));
const scratch = join(root, 'build', 'readme');
mkdirSync(scratch, { recursive: true });

/** A test for each block, where there are any. */
const each = (list, run = test) => (list.length > 0 ? run.each(titled(list)) : () => {});

const KINDS = ['js', 'js page', 'jsx', 'html', 'c', 'cmake', 'sh', 'json', 'text'];

test('every block says what it is', () => {
    expect(blocks.filter(({ info }) => !KINDS.includes(info)).map(({ page, number, info }) => [page, number, info])).toEqual([]);
    expect(blocks.length).toBeGreaterThan(30);
});

/* ---------------------------------------------------------------- JavaScript */

/** What a block needs that its reader has, by what it contains: agents, and a world for them. */
const PREAMBLES = {
    'const batch = runtime.batch(agents)': `
        import { createRuntimeSync } from 'qhive';
        const runtime = createRuntimeSync();
        const agents = [1, 2, 3].map(() => runtime.createAgent({ actions: 2, encoder: { kind: 'index', states: 5 } }));
        const firstObservations = new Float32Array(3 * 64);
        const rewards = [1, 2, 3];
    `,
    'const index = runtime.createIndex(': `
        import { createRuntimeSync } from 'qhive';
        const runtime = createRuntimeSync();
        const vectors = Float32Array.from({ length: 64 * 20 }, (_, i) => Math.sin(i));
        const vector = vectors.subarray(0, 64);
    `,
};

/** What other toolchains made is run by tests/toolchains; here it is only parsed. */
const parsedOnly = (source) => source.includes('build/wasm-wasi/');

describe('js', () => {
    const list = of('js').map((block, i) => ({ ...block, file: join(scratch, `block-${i}.mjs`) }));
    const results = new Map();

    beforeAll(() => {
        const run = [];
        for (const { source, file } of list) {
            const preamble = Object.entries(PREAMBLES).find(([start]) => source.includes(start))?.[1] ?? '';
            writeFileSync(file, `${preamble}\n${source}`);
            if (parsedOnly(source)) execFileSync(process.execPath, ['--check', file], { cwd: root });
            else run.push(file);
        }
        const { stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', 'tests/docs/run-blocks.mjs', ...run], { cwd: root, encoding: 'utf8' });
        for (const line of stdout.split('\n').filter((text) => text.startsWith('{"file":'))) { // WASI prints by itself
            const result = JSON.parse(line);
            results.set(result.file, { ...result, stderr });
        }
    });

    each(list)('%s runs', (_, { file, source }) => {
        if (parsedOnly(source)) return;
        expect(results.get(file)?.error).toBeUndefined();
        expect(results.has(file)).toBe(true);
    });

    const promises = pages.flatMap(({ path, text }) =>
        [...text.matchAll(/^```js\n([^]*?)^```\n\nIt prints\n\n```text\n([^]*?)^```$/gm)].map(([, source, printed]) => [path, source, printed]));

    test.each(promises)('%s: what is said to be printed is printed', (page, source, printed) => {
        const { file } = list.find((block) => block.page === page && block.source === source);
        expect(results.get(file).said).toBe(printed);
    });

    test('the offline value of a better policy is found', () => {
        const { file } = list.findLast(({ page }) => page === 'docs/learning.md');
        const [logged, snips] = results.get(file).said.split(' ').map(Number);
        expect(logged).toBeGreaterThan(0.3);
        expect(snips).toBe(1);
    });
});

/** A bundle as esbuild makes it at its defaults; addresses that only a server or another bundler knows stay as they are. */
async function bundle(source, loader = 'js') {
    const { outputFiles } = await esbuild.build({
        stdin: { contents: source, resolveDir: root, loader }, bundle: true, write: false, format: 'esm', platform: 'browser', logLevel: 'silent', jsx: 'automatic',
        external: ['*?url', '*?worker', './app.jsx', 'react', 'react-dom', 'react-dom/client', 'react/jsx-runtime'], loader: { '.wasm': 'file' }, outdir: scratch,
    });
    return outputFiles.length;
}

each([...of('js page'), ...of('jsx')])('%s can be bundled', async (_, { source, info }) => {
    expect(await bundle(source, info === 'jsx' ? 'jsx' : 'js')).toBeGreaterThan(0);
});

test('what the pages import from the package is there to import', () => {
    const imports = blocks.filter(({ info }) => /^js/.test(info)).flatMap(({ source }) => [...source.matchAll(/from '(qhive[^'?]*)/g)].map(([, name]) => name.replace('qhive', '.')));
    expect(imports.filter((name) => !(name in manifest.exports))).toEqual([]);
    expect(new Set(imports).size).toBeGreaterThan(2);
});

/* ---------------------------------------------------------------- pages */

each(of('html'))('%s runs in a page', async (_, { source }) => {
    const { document } = parseHTML(`<!doctype html><html><body>${source}</body></html>`);
    const scripts = [...document.querySelectorAll('script')];
    const said = [];
    const { WebAssembly, TextEncoder, TextDecoder, setTimeout } = globalThis;
    const world = { WebAssembly, TextEncoder, TextDecoder, setTimeout, document, console: { log: (...words) => said.push(words) } };
    world.globalThis = world.self = world.window = world;
    createContext(world);
    for (const script of scripts) {
        const address = script.getAttribute('src');
        if (address) expect(address).toMatch(/qhive\.global\.js$/);
        if (address) runInContext(read('dist/qhive.global.js'), world);
        else if (script.getAttribute('type') === 'module') expect(await bundle(script.textContent)).toBeGreaterThan(0);
        else runInContext(script.textContent, world);
    }
    const speaks = source.includes('console.log');
    for (let i = 0; speaks && i < 6000 && said.length === 0; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(said.length > 0).toBe(speaks);
});

/* ---------------------------------------------------------------- C */

const cc = findProgram('cc', 'gcc', 'clang');

each(of('c'), cc ? test : test.skip)('%s compiles', (_, { source }) => {
    const file = join(scratch, 'block.c');
    writeFileSync(file, source);
    execFileSync(cc, ['-std=c17', '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-Iinclude', '-fsyntax-only', file], { cwd: root, stdio: 'pipe' });
});

each(of('cmake'))('%s is what the example does', (_, { source }) => {
    const known = read('examples/c/CMakeLists.txt').split('\n').map((line) => line.trim());
    expect(source.split('\n').map((line) => line.trim()).filter((line) => line && !known.includes(line))).toEqual([]);
});

/* ---------------------------------------------------------------- commands */

const presets = JSON.parse(read('CMakePresets.json')).configurePresets.map(({ name }) => name);
const NPM = new Set(['start', 'test', 'install', 'ci', 'run', 'i', 'pack']);

/** The words of a line of shell, without its comment and what is piped or redirected. */
const words = (line) => line.replace(/(^|\s)#.*/, '').split(/\s*(?:\||>|&&)\s*/)[0].trim().split(/\s+/).filter(Boolean);

/** What a page tells its reader to save a block as. */
const toldToSave = new Set(pages.flatMap(({ text }) => [...text.matchAll(/[Ss]ave this as `([^`]+)`/g)].map(([, name]) => name)));

/** Whether a word is a file of the tree, something that the build makes, or a name to be replaced. */
const isThere = (path) => toldToSave.has(path) || existsSync(join(root, path)) || /^(build|dist)\//.test(path) || /^[A-Z<.]/.test(path) || path.startsWith('path/to/') || path.startsWith('../');

const commands = new Map();
function helpOf(name) {
    if (!commands.has(name)) commands.set(name, execFileSync(process.execPath, ['dist/cli.mjs', ...(name ? [name] : []), '--help'], { cwd: root, encoding: 'utf8' }));
    return commands.get(name);
}

let benchText;
const benchHelp = () => (benchText ??= execFileSync(process.execPath, ['bench/main.js', '--help'], { cwd: root, encoding: 'utf8' }));

const PROGRAMS = {
    npm(args) {
        const [name, script] = args.filter((word) => !/^(--silent|-s)$/.test(word));
        expect(NPM).toContain(name);
        if (name === 'run') expect(Object.keys(manifest.scripts)).toContain(script);
        const cases = args[args.indexOf('--only') + 1];
        if (script === 'bench' && args.includes('--only')) for (const one of cases.split(',')) expect(benchHelp()).toContain(`  ${one} `);
        if (['start', 'test'].includes(name)) expect(Object.keys(manifest.scripts)).toContain(name);
    },
    npx([name, ...args]) {
        if (name !== 'qhive') return void expect(Object.keys(manifest.devDependencies)).toContain(name);
        const [command] = args;
        if (command.startsWith('-')) return void expect(helpOf('')).toContain(command);
        const help = helpOf(command);
        for (const option of args.filter((word) => word.startsWith('--'))) expect(help).toContain(option.split('=')[0]);
    },
    node(args) {
        const file = args.find((word) => !word.startsWith('-'));
        expect([file, isThere(file)]).toEqual([file, true]);
        if (file === 'cmake/build.mjs')
            for (const target of args.slice(1).filter((word) => word.includes(':'))) expect(presets).toContain(target.split(':')[0]);
    },
    cmake(args) {
        const preset = args[args.indexOf('--preset') + 1];
        if (args.includes('--preset')) expect(presets).toContain(preset);
        for (const flag of ['-S', '--install']) if (args.includes(flag)) expect(isThere(args[args.indexOf(flag) + 1])).toBe(true);
    },
    git: ([verb]) => expect(['clone', 'commit', 'rebase']).toContain(verb),
    cd: ([path]) => expect(path).toBeTruthy(),
};

each(of('sh'))('%s names what is there', (_, { source }) => {
    const lines = source.split('\n').map(words).filter((line) => line.length > 0);
    for (const [program, ...args] of lines) {
        if (/^build\//.test(program)) continue;
        expect(Object.keys(PROGRAMS)).toContain(program);
        PROGRAMS[program](args);
    }
    expect(lines.length).toBeGreaterThan(0);
});

each(of('json'))('%s parses', (_, { source }) => void JSON.parse(source));

/** `npm run x` and `npx qhive x` in running text are commands as well. */
test.each(pages.map(({ path, text }) => [path, text]))('%s speaks of commands that are there', (_, text) => {
    const prose = text.replace(/^```[^]*?^```$/gm, '');
    for (const [, command] of prose.matchAll(/`((?:npm|npx qhive|node) [^`]+)`/g)) {
        const [program, ...args] = words(command);
        PROGRAMS[program](args);
    }
});

/* ---------------------------------------------------------------- links */

/** The anchor that a heading gets. */
const anchor = (heading) => heading.trim().toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-');

test('every link leads to a file, every fragment to a heading', () => {
    const dead = links.filter(({ file, fragment }) => {
        if (!existsSync(join(root, file))) return true;
        if (!fragment || !file.endsWith('.md')) return false;
        return ![...read(file).matchAll(/^#+ (.*)$/gm)].some(([, heading]) => anchor(heading) === fragment);
    });
    expect(dead.map(({ page, target }) => `${page}: ${target}`)).toEqual([]);
});

test('files that a page names in running text are there', () => {
    const named = pages.filter(({ path }) => /^(README|[A-Z]+|docs\/[^/]+)\.md$/.test(path)).flatMap(({ path, text }) =>
        [...text.replace(/^```[^]*?^```$/gm, '').matchAll(/`((?:src|js|tests|cmake|include|docs|examples|bench)\/[\w./-]+)`/g)].map(([, file]) => [path, file]));
    expect(named.filter(([, file]) => !existsSync(join(root, file)))).toEqual([]);
    expect(named.length).toBeGreaterThan(20);
});

test('the guides are found from the README', () => {
    const named = links.filter(({ page }) => page === 'README.md').map(({ file }) => file);
    const guides = pages.map(({ path }) => path).filter((path) => /^(docs\/[^/]+\.md|[A-Z]+\.md)$/.test(path) && path !== 'README.md');
    expect(guides.filter((path) => !named.includes(path))).toEqual([]);
});
