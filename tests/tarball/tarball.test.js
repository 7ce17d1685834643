/** The package as a user gets it: packed, installed into an empty folder, and used there in every way. */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../../cmake/build.mjs';
import { findChromium, openBrowser } from '../browser/chromium.js';
import { app, install, installed, node, write } from './pack.js';
import { moduleProgram, nodeProgram, scriptProgram, threadsPage, threadsWorker, typed, workerdProgram, workerPage } from './program.js';
import { FORBIDDING, pageOf, serve, STRICT } from './server.js';

const tool = (...path) => join(root, 'node_modules', ...path);
const run = promisify(execFile);
let tarball;
let paths;
let expected;
beforeAll(() => {
    ({ tarball, paths } = install());
    write('esm.js', nodeProgram("import * as qhive from 'qhive';"));
    expected = node('esm.js');
});

const twice = (name) => [`${name}.mjs`, `${name}.cjs`, `${name}.d.ts`, `${name}.d.cts`];
const within = (folder, names) => names.map((name) => `${folder}/${name}`);
const COMMANDS = ['run', 'replay', 'evaluate', 'inspect', 'memory', 'ask', 'bench', 'serve'];
/** Every file; `*` stands for the hash of its contents. */
const SHIPPED = [
    'package.json', 'README.md', 'LICENSE', 'CHANGELOG.md',
    ...within('dist', ['qhive', 'url', 'qhive-scalar', 'evaluate'].flatMap(twice)),
    ...within('dist', ['threads.mjs', 'threads.cjs', 'qhive-threads.mjs', 'qhive-threads.cjs', 'qhive-threads.wasm']),
    ...within('dist', ['qhive.node.mjs', 'qhive.workerd.mjs', 'qhive.edge.mjs', 'qhive.global.js', 'qhive.wasm', 'qhive-scalar.wasm', 'cli.mjs']),
    ...within('dist/cli', [...COMMANDS, 'chunk', 'job', 'progress', 'server'].map((name) => `${name}-*.mjs`)), ...within('dist/cli', ['contenders.mjs', 'LICENCES.txt']),
    ...within('dist/web', ['index.html', 'icon.svg', 'page.css', 'main.js', 'worker.js', 'chunk-*.js', 'features.json', 'LICENCES.txt']),
];

describe('the tarball', () => {
    test('holds what is shipped and nothing else', () => {
        const names = new Set(paths.map((path) => path.replace(/-[0-9A-Z]{8}(?=\.m?js$)/, '-*')));
        expect([...names].sort()).toEqual([...SHIPPED].sort());
        expect(installed()).toEqual(['qhive']);
    });

    test('publint finds nothing', async () => {
        const { publint } = await import('publint');
        const { formatMessage } = await import('publint/utils');
        const { messages, pkg } = await publint({ pkgDir: join(app, 'node_modules/qhive'), pack: false, strict: true });
        expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
    });

    test('are the types wrong? They are not', async () => {
        const args = [tool('@arethetypeswrong/cli/dist/index.js'), tarball, '--format', 'json', '--exclude-entrypoints', './qhive.wasm', './qhive-scalar.wasm', './qhive-threads.wasm'];
        const { stdout } = await run(process.execPath, args, { cwd: app, maxBuffer: 1 << 26 }).catch((failed) => failed);
        const { analysis, problems } = JSON.parse(stdout);
        expect(Object.keys(analysis.entrypoints)).toEqual(expect.arrayContaining(['.', './url', './qhive-scalar', './evaluate']));
        const found = Object.values(problems ?? {}).flat();
        expect(found.filter(({ resolutionKind }) => resolutionKind !== 'node10')).toEqual([]); // Node 10, which knew no exports
    });
});

describe('Node', () => {
    test('ES module and CommonJS learn the same', () => {
        write('commonjs.cjs', nodeProgram("const qhive = require('qhive');"));
        expect(expected).toMatch(/^true [0-9a-f]{16}$/);
        expect(node('commonjs.cjs')).toBe(expected);
    });

    test('the scalar build, by option and by its entry, learns the same', () => {
        const scalar = expected.replace('true', 'false');
        write('scalar.js', nodeProgram("import * as qhive from 'qhive'; import { scalarBytes } from 'qhive/qhive-scalar';", '{ wasm: scalarBytes() }'));
        write('forced.cjs', nodeProgram("const qhive = require('qhive');", '{ simd: false }'));
        expect([node('scalar.js'), node('forced.cjs')]).toEqual([scalar, scalar]);
    });

    test('every entry can be imported and required', () => {
        write('entries.cjs', `
            const names = ['qhive', 'qhive/url', 'qhive/qhive-scalar', 'qhive/evaluate'];
            Promise.all(names.map((name) => import(name))).then((modules) => {
                for (const [i, name] of names.entries())
                    for (const key of Object.keys(modules[i])) if (!(key in require(name))) console.log(name, key);
                return import(require.resolve('qhive'));
            }).then((imported) => {
                if (typeof imported.createRuntime !== 'function') console.log('no names in the CommonJS file');
                console.log(require('qhive/package.json').name, require.resolve('qhive/qhive.wasm').endsWith('qhive.wasm'));
            });`);
        expect(node('entries.cjs')).toBe('qhive true\n');
    });
});

describe('the README', () => {
    test('its first program prints in the project what it says', () => {
        const readme = readFileSync(join(app, 'node_modules/qhive/README.md'), 'utf8');
        const [, program, printed] = /^```js\n([^]*?)^```\n\nIt prints\n\n```text\n([^]*?)^```$/m.exec(readme);
        write('first.mjs', program);
        expect(node('first.mjs')).toBe(printed);
    });

    test('the command is there', async () => {
        const qhive = (...args) => run(join(app, 'node_modules/.bin/qhive'), args, { cwd: app });
        const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
        expect(await qhive('--version')).toEqual({ stdout: `${version}\n`, stderr: '' });
        const { stdout } = await qhive('ask', 'cells that can sleep at night', '--json');
        expect(JSON.parse(stdout).answers).toHaveLength(3);
    });
});

describe('TypeScript', () => {
    const NAMES = 'AgentRuntime, Agent, AgentConfig';
    const module = typed(`import { createRuntime, createRuntimeSync, QhiveError, type ${NAMES.replaceAll(', ', ', type ')} } from 'qhive';
import * as url from 'qhive/url';
import { scalarBytes } from 'qhive/qhive-scalar';
import { evaluatePolicy } from 'qhive/evaluate';`);
    const check = (module, moduleResolution, files) => {
        const compilerOptions = { noEmit: true, strict: true, target: 'es2022', lib: ['es2022', 'dom', 'esnext.disposable'], types: [], module, moduleResolution };
        write(`tsconfig.${moduleResolution}.json`, JSON.stringify({ compilerOptions, files }));
        return run(process.execPath, [tool('typescript/bin/tsc'), '-p', `tsconfig.${moduleResolution}.json`], { cwd: app }).then(() => '', ({ stdout }) => stdout);
    };

    test('strict under node16', async () => {
        expect(await check('node16', 'node16', [write('typed.mts', module), write('typed.cts', module)])).toBe('');
    });

    test('strict under a bundler', async () => {
        expect(await check('esnext', 'bundler', [write('typed.ts', module)])).toBe('');
    });
});

describe('workerd', () => {
    test('refuses bytes with the reason, takes the module that its tools compiled', async () => {
        const folder = join(app, 'workerd');
        write('workerd/source.js', workerdProgram);
        const { build } = await import('esbuild');
        await build({
            absWorkingDir: folder, entryPoints: ['source.js'], outfile: 'worker.js', bundle: true, format: 'esm', conditions: ['workerd'], external: ['*.wasm', 'bytes'],
        });
        copyFileSync(join(app, 'node_modules/qhive/dist/qhive.wasm'), join(folder, 'qhive.wasm'));
        writeFileSync(join(folder, 'config.capnp'), `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = .worker)]);
const worker :Workerd.Worker = (
  modules = [
    (name = "worker", esModule = embed "worker.js"), (name = "qhive.wasm", wasm = embed "qhive.wasm"), (name = "bytes", data = embed "qhive.wasm"),
  ],
  compatibilityDate = "2025-01-01",
);
`);
        const { stdout, stderr } = await run(tool('.bin/workerd'), ['test', 'config.capnp'], { cwd: folder });
        const found = /RESULT (.*)/.exec(stdout + stderr);
        expect(JSON.parse(found?.[1] ?? JSON.stringify(stderr))).toEqual({
            refused: expect.stringMatching(/^UNSUPPORTED: .*import qhive\/qhive\.wasm and give that WebAssembly\.Module/), learned: expected, scalar: 'UNSUPPORTED',
        });
    });
});

/** Loads `x.wasm?module` as the hosts at the edge do: compiled beforehand. */
const compiledBeforehand = {
    name: 'compiled-beforehand',
    setup(build) {
        build.onResolve({ filter: /\.wasm\?module$/ }, ({ path, resolveDir }) => ({ path: join(resolveDir, path.replace('?module', '')), namespace: 'compiled' }));
        build.onLoad({ filter: /.*/, namespace: 'compiled' }, ({ path }) => ({
            contents: `import { readFileSync } from 'node:fs';\nexport default new WebAssembly.Module(readFileSync(${JSON.stringify(path)}));`,
        }));
    },
};

test('edge-light: takes the module that was compiled beforehand, and compiles nothing', async () => {
    const refuse = 'WebAssembly.Module = WebAssembly.compile = () => { throw new WebAssembly.CompileError("not at the edge"); };';
    write('edge/main.js', nodeProgram(`import * as qhive from 'qhive';\n${refuse}`));
    const { build } = await import('esbuild');
    await build({
        absWorkingDir: join(app, 'edge'), entryPoints: ['main.js'], outfile: 'bundle.mjs', bundle: true, format: 'esm', conditions: ['edge-light'], external: ['node:fs'],
        plugins: [compiledBeforehand],
    });
    expect(node('edge/bundle.mjs')).toBe(expected);
});

/** Each bundler at its defaults: makes \`folder\` into a site with index.html. */
const BUNDLERS = {
    async vite(folder) {
        writeFileSync(join(folder, 'index.html'), '<!doctype html><body><script type="module" src="/main.js"></script></body>');
        await run(process.execPath, [tool('vite/bin/vite.js'), 'build', '--logLevel', 'error'], { cwd: folder });
    },
    async webpack(folder) {
        const { default: webpack } = await import('webpack');
        const stats = await promisify(webpack)({ context: folder, entry: './main.js', mode: 'production', output: { path: join(folder, 'dist') } });
        expect(stats.toJson({ all: false, errors: true }).errors).toEqual([]);
        writeFileSync(join(folder, 'dist/index.html'), pageOf('/main.js'));
    },
    async esbuild(folder) {
        const { build } = await import('esbuild');
        await build({ absWorkingDir: folder, entryPoints: ['main.js'], bundle: true, outfile: 'dist/main.js', logLevel: 'error' });
        writeFileSync(join(folder, 'dist/index.html'), pageOf('/main.js'));
    },
    async rollup(folder) {
        const { rollup } = await import('rollup');
        const { nodeResolve } = await import('@rollup/plugin-node-resolve');
        const warnings = [];
        const bundle = await rollup({ input: join(folder, 'main.js'), plugins: [nodeResolve({ browser: true })], onwarn: ({ message }) => warnings.push(message) });
        await bundle.write({ dir: join(folder, 'dist'), entryFileNames: '[name].mjs', format: 'es' });
        expect(warnings).toEqual([]);
        writeFileSync(join(folder, 'dist/index.html'), pageOf('/main.mjs'));
    },
};

/** With a worker. Vite and webpack find it in the page's source; the others are told of it. Makes the site. */
const WITH_WORKER = {
    vite: BUNDLERS.vite,
    webpack: BUNDLERS.webpack,
    async esbuild(folder) {
        const { build } = await import('esbuild');
        await build({
            absWorkingDir: folder, entryPoints: ['main.js', 'worker.js'], bundle: true, splitting: true, format: 'esm', outdir: 'dist', outExtension: { '.js': '.mjs' }, logLevel: 'error',
        });
        writeFileSync(join(folder, 'dist/index.html'), pageOf('/main.mjs'));
    },
    async rollup(folder) {
        const { rollup } = await import('rollup');
        const { nodeResolve } = await import('@rollup/plugin-node-resolve');
        const bundle = await rollup({ input: ['main.js', 'worker.js'].map((name) => join(folder, name)), plugins: [nodeResolve({ browser: true })] });
        await bundle.write({ dir: join(folder, 'dist'), entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs', format: 'es' });
        writeFileSync(join(folder, 'dist/index.html'), pageOf('/main.mjs'));
    },
};

const describeChromium = findChromium() === undefined ? describe.skip : describe;

describeChromium('Chromium', () => {
    let browser;
    const servers = [];
    beforeAll(async () => {
        browser = await openBrowser();
    });
    afterAll(async () => {
        await browser?.close();
        await Promise.all(servers.map(({ close }) => close()));
    });

    /** What the page at a path of a folder comes to show, served under a policy. */
    async function shown(folder, { path = '/', policy = STRICT, pages = {} } = {}) {
        const server = await serve(folder, policy, pages);
        servers.push(server);
        const page = await browser.newPage();
        const said = [];
        page.on('console', (message) => said.push(message.text()));
        page.on('pageerror', ({ message }) => said.push(message));
        try {
            await page.goto(`${server.origin}${path}`);
            await page.waitForFunction(() => document.body?.textContent.trim() !== '', undefined, { timeout: 60_000 });
            return (await page.textContent('body')).trim();
        } catch (error) {
            return `${error.message}; the page said: ${said.join('; ')}`;
        } finally {
            await page.close();
        }
    }

    test.each(Object.keys(BUNDLERS))('%s at its defaults: builds, and runs under a strict policy', async (name) => {
        const folder = join(app, name);
        write(`${name}/main.js`, moduleProgram());
        mkdirSync(join(folder, 'dist'), { recursive: true });
        await BUNDLERS[name](folder);
        expect(await shown(join(folder, 'dist'))).toBe(expected);
    });

    test.each(Object.keys(WITH_WORKER))('%s with threads: splits their build off, and a worker uses the memory of the page', async (name) => {
        const folder = join(app, `${name}-threads`);
        mkdirSync(join(folder, 'dist'), { recursive: true });
        writeFileSync(join(folder, 'main.js'), threadsPage(name === 'vite' || name === 'webpack' ? './worker.js' : './worker.mjs'));
        writeFileSync(join(folder, 'worker.js'), threadsWorker);
        await WITH_WORKER[name](folder);
        expect(await shown(join(folder, 'dist'))).toBe('thread 2 learned, the same');
    });

    const dist = '/node_modules/qhive/dist';

    test('classic script, ES module, and workers of both kinds, under a strict policy', async () => {
        write('classic.js', scriptProgram());
        write('module.mjs', moduleProgram(`${dist}/qhive.mjs`));
        write('classic-worker.js', `importScripts('${dist}/qhive.global.js');\n${scriptProgram()}`);
        write('module-worker.mjs', moduleProgram(`${dist}/qhive.mjs`, '{ simd: false }'));
        write('start-classic.js', workerPage('/classic-worker.js', 'classic'));
        write('start-module.js', workerPage('/module-worker.mjs', 'module'));
        const pages = {
            '/script': pageOf(`${dist}/qhive.global.js`, '/classic.js'), '/module': pageOf('/module.mjs'),
            '/worker': pageOf('/start-classic.js'), '/module-worker': pageOf('/start-module.js'),
        };
        const texts = [];
        for (const path of Object.keys(pages)) texts.push(await shown(app, { path, pages }));
        expect(texts).toEqual([expected, expected, expected, expected.replace('true', 'false')]);
    });

    test('qhive/url streams the module from its address, or says what was there instead', async () => {
        write('url.mjs', moduleProgram(`${dist}/url.mjs`, `{ wasm: '${dist}/qhive.wasm' }`));
        write('lost.mjs', moduleProgram(`${dist}/url.mjs`, "{ wasm: '/fallback' }"));
        const pages = { '/': pageOf('/url.mjs'), '/lost': pageOf('/lost.mjs'), '/fallback': pageOf() };
        expect(await shown(app, { pages })).toBe(expected);
        expect(await shown(app, { path: '/lost', pages })).toMatch(/^failed INVALID_ARGUMENT: .*HTML.*\/fallback has the type 'text\/html'/);
    });

    test('a policy that forbids WebAssembly: the error names what it needs', async () => {
        write('forbidden.mjs', moduleProgram(`${dist}/qhive.mjs`));
        const pages = { '/': pageOf('/forbidden.mjs') };
        expect(await shown(app, { policy: FORBIDDING, pages })).toMatch(/^failed UNSUPPORTED: .*'wasm-unsafe-eval' in script-src/);
    });
});

test('what is installed is what was built', () => {
    for (const name of ['dist/qhive.mjs', 'dist/qhive.wasm', 'package.json'])
        expect(readFileSync(join(app, 'node_modules/qhive', name)).equals(readFileSync(join(root, name)))).toBe(true);
});
