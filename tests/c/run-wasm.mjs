/**
 * Runs the C unit tests that were compiled to a WebAssembly module (target qhive_tests_wasm):
 *
 *   node tests/c/run-wasm.mjs build/wasm/qhive_tests.wasm [--seed number] [--max-pages number] [part of `suite: name`]
 *
 * The module exports `int qh_test_main(void)`, the number of failures, and the setters of tests/c/test.h; it imports beside
 * its memory one function, `env.qh_test_print(const char *text, uint32_t byte_count)`.
 * Exits with 0 if every test passed.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { readModule } from '../build/wasm-binary.js';

const FILTER_BYTES = 256;

const { values, positionals } = parseArgs({
    options: { seed: { type: 'string', default: '1' }, rounds: { type: 'string', default: '0' }, 'max-pages': { type: 'string', default: '16384' } },
    allowPositionals: true,
});
const [file, filter = ''] = positionals;
const bytes = readFileSync(file);
const { min } = readModule(bytes).imports.find(({ kind }) => kind === 'memory');
const memory = new WebAssembly.Memory({ initial: min, maximum: Number(values['max-pages']) });
const decoder = new TextDecoder();
const env = {
    memory,
    qh_test_print(text, byteCount) {
        process.stdout.write(decoder.decode(new Uint8Array(memory.buffer, text >>> 0, byteCount)));
    },
};
const { exports } = (await WebAssembly.instantiate(bytes, { env })).instance;
const seed = BigInt(values.seed);
exports.qh_test_seed(Number(seed & 0xffffffffn), Number(seed >> 32n));
const rounds = BigInt(values.rounds);
exports.qh_test_rounds(Number(rounds & 0xffffffffn), Number(rounds >> 32n));
const text = new TextEncoder().encode(filter).subarray(0, FILTER_BYTES - 1);
new Uint8Array(memory.buffer, exports.qh_test_filter() >>> 0, FILTER_BYTES).set(text);
process.exitCode = exports.qh_test_main() === 0 ? 0 : 1;
