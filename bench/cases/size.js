/** What is downloaded: both modules and the entries of the package, as they are, with gzip -9 and with brotli at its best. */
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { plain } from '../figures.js';
import { moduleBytes, packageFile } from '../workload.js';

const KIB = 1024;
const ENTRIES = ['qhive.mjs', 'qhive.node.mjs', 'qhive.cjs', 'qhive.global.js'];

const brotli = (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } });

function sizes(id, name, bytes) {
    return [
        plain(`size/${id}/raw`, `${name}`, bytes.length / KIB, 'KiB'),
        plain(`size/${id}/gzip`, `${name}, gzip`, gzipSync(bytes, { level: 9 }).length / KIB, 'KiB'),
        plain(`size/${id}/brotli`, `${name}, brotli`, brotli(bytes).length / KIB, 'KiB'),
    ];
}

function run({ runtime: options }) {
    const scalar = packageFile('qhive/qhive-scalar.wasm');
    const folder = dirname(scalar);
    return [
        ...sizes('simd', 'module, SIMD', moduleBytes(options)),
        ...sizes('scalar', 'module, scalar', readFileSync(scalar)),
        ...ENTRIES.flatMap((name) => sizes(name, `entry ${basename(name)}`, readFileSync(join(folder, name)))),
    ];
}

export const cases = [{ name: 'size', about: 'modules and package entries', run }];
