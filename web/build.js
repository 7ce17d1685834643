/**
 * Makes dist/web, a static page that works from any folder of any host: `node web/build.js`. Needs dist/qhive.mjs.
 */
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import * as esbuild from 'esbuild';
import { licencesOf } from '../js/licences.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const STATIC = ['web/index.html', 'web/icon.svg', 'examples/ran/features.json'];
/** Where the page is made. */
export const folder = join(root, 'dist', 'web');

/** @returns {Promise<string[]>} the names of the files that make the page */
export async function buildPage() {
    const made = `${folder}.new`;
    rmSync(made, { recursive: true, force: true });
    mkdirSync(made, { recursive: true });
    const { metafile } = await esbuild.build({
        absWorkingDir: root,
        entryPoints: ['web/src/main.js', 'web/src/worker.js', 'web/page.css'].map((input) => ({ in: input, out: basename(input).replace(/\..*/, '') })),
        entryNames: '[name]', chunkNames: 'chunk-[hash]',
        outdir: made,
        alias: { qhive: join(root, 'dist', 'qhive.mjs') },
        bundle: true, splitting: true, minify: true, metafile: true,
        format: 'esm', target: 'es2022', charset: 'utf8', legalComments: 'none', logLevel: 'warning',
    });
    for (const path of STATIC) copyFileSync(join(root, path), join(made, basename(path)));
    writeFileSync(join(made, 'LICENCES.txt'), licencesOf(root, [metafile]));
    rmSync(folder, { recursive: true, force: true });
    renameSync(made, folder);
    return [...Object.keys(metafile.outputs), ...STATIC].map((path) => basename(path));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    let sum = 0;
    for (const name of await buildPage()) {
        const bytes = readFileSync(join(folder, name));
        const gzip = gzipSync(bytes, { level: 9 }).length;
        sum += gzip;
        console.log(`${name.padEnd(22)}${String(bytes.length).padStart(8)} B${String(gzip).padStart(8)} B gzipped`);
    }
    console.log(`${'in all'.padEnd(30)}  ${String(sum).padStart(8)} B gzipped`);
}
