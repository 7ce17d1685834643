/**
 * Runs the C unit tests that were compiled to a WebAssembly module (target qhive_tests_wasm):
 *
 *   node tests/c/run-wasm.mjs build/wasm/qhive_tests.wasm [maxPages]
 *
 * The module exports `int qh_test_main(void)`, the number of failures, and imports beside its memory
 * one function, `env.qh_test_print(const char *text, uint32_t byte_count)`.
 * Exits with 0 if every test passed.
 */
import { readFileSync } from 'node:fs';
import { readModule } from '../build/wasm-binary.js';

const [file, maxPages = '16384'] = process.argv.slice(2);
const bytes = readFileSync(file);
const { min } = readModule(bytes).imports.find(({ kind }) => kind === 'memory');
const memory = new WebAssembly.Memory({ initial: min, maximum: Number(maxPages) });
const decoder = new TextDecoder();
const env = {
    memory,
    qh_test_print(text, byteCount) {
        process.stdout.write(decoder.decode(new Uint8Array(memory.buffer, text >>> 0, byteCount)));
    },
};
const { instance } = await WebAssembly.instantiate(bytes, { env });
process.exitCode = instance.exports.qh_test_main() === 0 ? 0 : 1;
