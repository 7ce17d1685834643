/**
 * Makes dist/cli.mjs and dist/cli/: the command line, its commands in files of their own that are loaded when they are needed.
 *
 * What commands need of the rest of the house (the main job, the replay of logs, the benchmark, the page's server) reaches them as
 * virtual modules, and so does cli-progress; the package itself stays outside and is imported by its name.
 */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';
import { licencesOf } from './licences.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** `qhive:<name>`: everything that these files export. */
const PARTS = {
    job: ['examples/ran/job.js', 'examples/ran/scenario.js', 'examples/ran/options.js', 'examples/ran/report.js'],
    progress: ['examples/ran/progress.js'],
    replay: ['examples/ran-replay/replay.js', 'examples/ran-replay/report.js', 'examples/ran-replay/csv.js'],
    bench: ['bench/measure.js', 'bench/figures.js', 'bench/report.js', 'bench/workload.js'],
    contenders: ['bench/loops.js', 'bench/baselines/flat.js', 'bench/baselines/map.js'],
    server: ['web/server.js'],
};

const parts = {
    name: 'parts',
    setup(build) {
        const filter = new RegExp(`^qhive:(${Object.keys(PARTS).join('|')})$`);
        build.onResolve({ filter }, ({ path }) => ({ path: path.slice('qhive:'.length), namespace: 'parts' }));
        build.onLoad({ filter: /.*/, namespace: 'parts' }, ({ path }) => ({
            contents: PARTS[path].map((file) => `export * from './${file}';`).join('\n'), resolveDir: root, loader: 'js',
        }));
    },
};

/** cli-progress is CommonJS and asks for Node's modules by `require`. */
const banner = { js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);" };

/**
 * @param {esbuild.BuildOptions} common @param {esbuild.Plugin} plugin resolves `qhive:abi`
 * @param {(name: string, contents: Uint8Array) => void} put writes a file of dist/
 */
export async function buildCommands(common, plugin, put) {
    const options = {
        ...common, external: ['qhive', 'qhive/evaluate'], plugins: [parts, plugin], banner, metafile: true,
        preserveSymlinks: true, // modules are named by their paths: those of the tree, wherever node_modules lies
        logOverride: { 'empty-glob': 'silent' }, // the benchmark's own loader of baselines, which no command uses
    };
    mkdirSync(join(root, 'dist', 'cli'), { recursive: true });
    const made = await Promise.all([
        esbuild.build({
            ...options, entryPoints: { cli: 'js/src/cli/main.js' }, outdir: 'dist', outExtension: { '.js': '.mjs' }, splitting: true,
            chunkNames: 'cli/[name]-[hash]',
        }),
        // Once for each comparison, as `contenders.mjs?copy=1`: an engine then optimises it for that one alone.
        esbuild.build({ ...options, entryPoints: { contenders: 'qhive:contenders' }, outdir: 'dist/cli', outExtension: { '.js': '.mjs' } }),
    ]);
    const files = made.flatMap(({ outputFiles }) => outputFiles);
    for (const { path, contents } of files.reverse()) put(path.slice(join(root, 'dist/').length), contents);
    put('cli/LICENCES.txt', licencesOf(root, made.map(({ metafile }) => metafile)));
}
