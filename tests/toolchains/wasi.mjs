/** Runs a WASI command: `node wasi.mjs module.wasm folder [argument...]`; the folder is `/guest` to it. */
import { readFileSync } from 'node:fs';
import { WASI } from 'node:wasi';

const [file, folder, ...args] = process.argv.slice(2);
const wasi = new WASI({ version: 'preview1', args: ['qhive', ...args], preopens: { '/guest': folder }, returnOnExit: true });
const module = await WebAssembly.compile(readFileSync(file));
const instance = await WebAssembly.instantiate(module, wasi.getImportObject());
process.exitCode = wasi.start(instance);
