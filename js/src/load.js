/**
 * Where the module comes from: the binaries in the package, or what the caller gives as `wasm`.
 *
 * Which of the two binaries runs is decided by the engine's own judgement of the real SIMD bytes (WebAssembly.validate). The compiled
 * default modules are kept: a second runtime costs no second compilation.
 */
import { inflateSync } from 'fflate';
import { EXPORTS, VERSION } from 'qhive:abi';
import { loadScalar, loadScalarSync, simd as simdText } from 'qhive:binaries';
import { describe, invalid } from './check.js';
import { reasonOf } from './core.js';
import { QhiveError } from './errors.js';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const MAGIC = [0x00, 0x61, 0x73, 0x6d];
const WASM_OPTION = 'bytes, a WebAssembly.Module, a Response, a URL or a string';

/** Base64 to bytes; neither Buffer nor atob is everywhere. @param {string} text */
export function decodeBase64(text) {
    const values = new Uint8Array(128);
    for (let i = 0; i < 64; i++) values[ALPHABET.charCodeAt(i)] = i;
    const length = (text.length / 4) * 3 - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0);
    const bytes = new Uint8Array(length);
    for (let i = 0, at = 0; i < text.length; i += 4) {
        let word = 0;
        for (let j = 0; j < 4; j++) word = (word << 6) | values[text.charCodeAt(i + j)];
        bytes[at++] = word >> 16;
        bytes[at++] = word >> 8;
        bytes[at++] = word;
    }
    return bytes;
}

/** A binary as the package carries it: deflated, then base64. @param {string} text */
const unpack = (text) => /** @type {Uint8Array<ArrayBuffer>} */ (inflateSync(decodeBase64(text)));

function requireWebAssembly() {
    if (typeof WebAssembly !== 'object') throw new QhiveError('UNSUPPORTED', 'this engine has no WebAssembly');
}

/* ---------------------------------------------------------------- the package's own binaries */

let simdBytes = /** @type {Uint8Array<ArrayBuffer> | undefined} */ (undefined);
let simdRuns = /** @type {boolean | undefined} */ (undefined);
/** @type {{ simd?: WebAssembly.Module, scalar?: WebAssembly.Module }} */
const compiled = {};

function runsSimd() {
    simdBytes ??= unpack(simdText);
    simdRuns ??= WebAssembly.validate(simdBytes);
    return simdRuns;
}

/** Which binary to use. @param {boolean | undefined} wanted the option `simd` */
function choose(wanted) {
    if (wanted === true && !runsSimd()) throw new QhiveError('UNSUPPORTED', 'options.simd: this engine has no SIMD for WebAssembly');
    return wanted !== false && runsSimd() ? 'simd' : 'scalar';
}

const refused = (error) =>
    new QhiveError('UNSUPPORTED', `this engine does not compile the module (${reasonOf(error)}). A Content-Security-Policy needs 'wasm-unsafe-eval'`, error);

async function ownModule(wanted) {
    const kind = choose(wanted);
    if (compiled[kind] !== undefined) return compiled[kind];
    const bytes = kind === 'simd' ? simdBytes : unpack(await loadScalar());
    try {
        compiled[kind] = await WebAssembly.compile(/** @type {BufferSource} */ (bytes));
    } catch (error) {
        throw refused(error);
    }
    return compiled[kind];
}

function ownModuleSync(wanted) {
    const kind = choose(wanted);
    return (compiled[kind] ??= compileSync(kind === 'simd' ? simdBytes : scalarBytesSync(), refused));
}

function scalarBytesSync() {
    const text = loadScalarSync();
    if (text !== undefined) return unpack(text);
    throw new QhiveError(
        'UNSUPPORTED',
        'an ES module cannot load the scalar build synchronously here: use createRuntime(), or give its bytes (qhive-scalar.wasm) as options.wasm',
    );
}

/* ---------------------------------------------------------------- what the caller gives */

const tagOf = (value) => Object.prototype.toString.call(value).slice(8, -1);
const isModule = (value) => tagOf(value) === 'WebAssembly.Module';
const isBytes = (value) => ArrayBuffer.isView(value) || tagOf(value) === 'ArrayBuffer' || tagOf(value) === 'SharedArrayBuffer';
const isResponse = (value) => typeof value === 'object' && value !== null && typeof value.arrayBuffer === 'function';
const isUrl = (value) => typeof value === 'string' || tagOf(value) === 'URL';

/** A copy of the bytes, if they begin like a module. @returns {Uint8Array} */
function readBytes(given, source) {
    const view = ArrayBuffer.isView(given) ? new Uint8Array(given.buffer, given.byteOffset, given.byteLength) : new Uint8Array(given);
    const bytes = view.slice();
    if (MAGIC.every((byte, i) => bytes[i] === byte)) return bytes;
    const what = bytes.length === 0 ? 'nothing' : bytes[0] === 0x3c ? 'HTML: is its path right?' : `${bytes.length} other bytes`;
    throw new QhiveError('INVALID_ARGUMENT', `${source} must be a WebAssembly module, but is ${what}`);
}

function damaged(error) {
    if (!runsSimd()) return new QhiveError('UNSUPPORTED', 'this engine has no SIMD for WebAssembly: give the scalar build', error);
    return new QhiveError('CORRUPT', `options.wasm does not compile (${reasonOf(error)})`, error);
}

function compileSync(bytes, explain) {
    try {
        return new WebAssembly.Module(bytes);
    } catch (error) {
        throw explain(error);
    }
}

async function fetchBytes(url) {
    const file = readFile(url);
    if (file !== undefined) return file;
    if (typeof fetch !== 'function') throw new QhiveError('UNSUPPORTED', 'this engine has no fetch: give bytes as options.wasm');
    try {
        return await fetch(url);
    } catch (error) {
        throw new QhiveError('INVALID_ARGUMENT', `options.wasm: ${describe(String(url))} cannot be fetched (${reasonOf(error)})`, error);
    }
}

/** Node fetches no files: there a file URL is read. Undefined where that does not apply. */
function readFile(url) {
    if (!/^file:/i.test(String(url))) return undefined;
    const fs = globalThis['process']?.getBuiltinModule?.('node:fs');
    if (fs === undefined) return undefined;
    try {
        return fs.readFileSync(new URL(url));
    } catch (error) {
        throw new QhiveError('INVALID_ARGUMENT', `options.wasm: ${describe(String(url))} cannot be read (${reasonOf(error)})`, error);
    }
}

async function givenModule(given) {
    let source = await given;
    if (isModule(source)) return source;
    if (isUrl(source)) source = await fetchBytes(source);
    if (isResponse(source)) {
        if (source.ok === false) throw new QhiveError('INVALID_ARGUMENT', `options.wasm: ${source.url} answered ${source.status}`);
        source = await source.arrayBuffer();
    }
    if (!isBytes(source)) return invalid('options.wasm', WASM_OPTION, source);
    const bytes = readBytes(source, 'options.wasm');
    try {
        return await WebAssembly.compile(/** @type {BufferSource} */ (bytes));
    } catch (error) {
        throw damaged(error);
    }
}

function givenModuleSync(given) {
    if (isModule(given)) return given;
    if (isBytes(given)) return compileSync(readBytes(given, 'options.wasm'), damaged);
    return invalid('options.wasm', 'bytes or a WebAssembly.Module (createRuntime() takes more)', given);
}

/* ---------------------------------------------------------------- */

/** Throws VERSION unless the module has the core's boundary. */
function checkBoundary(module) {
    const names = new Set(WebAssembly.Module.exports(module).map(({ name }) => name));
    const missing = EXPORTS.filter((name) => !names.has(name));
    const imports = WebAssembly.Module.imports(module);
    const foreign = imports.filter(({ module: from, name, kind }) => from !== 'env' || name !== 'memory' || kind !== 'memory');
    if (missing.length === 0 && foreign.length === 0 && imports.length === 1) return module;
    const why = missing.length > 0 ? `it lacks ${missing[0]}` : 'it imports something else than its memory';
    throw new QhiveError('VERSION', `options.wasm is not the module of qhive ${VERSION}: ${why}`);
}

/** @param {import('./options.js').Options} options @returns {Promise<WebAssembly.Module>} */
export async function loadModule({ wasm, simd }) {
    requireWebAssembly();
    return wasm === undefined ? ownModule(simd) : checkBoundary(await givenModule(wasm));
}

/** @param {import('./options.js').Options} options @returns {WebAssembly.Module} */
export function loadModuleSync({ wasm, simd }) {
    requireWebAssembly();
    return wasm === undefined ? ownModuleSync(simd) : checkBoundary(givenModuleSync(wasm));
}
