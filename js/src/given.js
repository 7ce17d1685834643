/**
 * A module that the caller gives: bytes, compiled, as a response, or by its address.
 */
import { describe, invalid } from './check.js';
import { reasonOf } from './core.js';
import { compile, compileSync, damaged } from './engine.js';
import { QhiveError } from './errors.js';

const MAGIC = [0x00, 0x61, 0x73, 0x6d];
const MIME = 'application/wasm';
const WASM_OPTION = 'bytes, a WebAssembly.Module, a Response, a URL or a string';

export const tagOf = (value) => Object.prototype.toString.call(value).slice(8, -1);
const isModule = (value) => tagOf(value) === 'WebAssembly.Module';
const isBytes = (value) => ArrayBuffer.isView(value) || tagOf(value) === 'ArrayBuffer' || tagOf(value) === 'SharedArrayBuffer';
const isResponse = (value) => typeof value === 'object' && value !== null && typeof value.arrayBuffer === 'function';
const isUrl = (value) => typeof value === 'string' || tagOf(value) === 'URL';

/** A copy of the bytes, if they begin like a module. `origin` says where they are from. @returns {Uint8Array<ArrayBuffer>} */
function readBytes(given, origin = '') {
    const view = ArrayBuffer.isView(given) ? new Uint8Array(given.buffer, given.byteOffset, given.byteLength) : new Uint8Array(given);
    const bytes = new Uint8Array(view); // a copy, never shared
    if (MAGIC.every((byte, i) => bytes[i] === byte)) return bytes;
    const text = bytes[0] === 0x3c || /html/.test(origin);
    const what = bytes.length === 0 ? 'nothing' : text ? 'HTML: is its path right, and qhive.wasm of the package served there?' : `${bytes.length} other bytes`;
    throw new QhiveError('INVALID_ARGUMENT', `options.wasm must be a WebAssembly module, but is ${what}${origin}`);
}

async function fetchBytes(url) {
    const file = readFile(url);
    if (file !== undefined) return file;
    if (typeof fetch !== 'function') throw new QhiveError('UNSUPPORTED', 'this engine has no fetch: give bytes as options.wasm');
    try {
        return await fetch(url);
    } catch (error) {
        throw unfetched(url, error);
    }
}

/** The error of an address that, or all of which, cannot be had. */
const unfetched = (url, error) =>
    new QhiveError('INVALID_ARGUMENT', `options.wasm: ${url ? describe(String(url)) : 'the response'} cannot be fetched (${reasonOf(error)})`, error);

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

/** A response, compiled while it arrives where the engine can and the MIME type is right; any other type costs only that. */
async function responseModule(response) {
    const { ok, url, status } = response;
    if (ok === false) throw new QhiveError('INVALID_ARGUMENT', `options.wasm: ${url} answered ${status}. Serve qhive.wasm of the package there, or give the address at which it is`);
    const type = String(response.headers?.get('content-type') ?? '');
    if (typeof WebAssembly.compileStreaming === 'function' && tagOf(response) === 'Response' && type === MIME)
        return WebAssembly.compileStreaming(response).catch((error) => {
            throw error instanceof WebAssembly.CompileError ? damaged(error) : unfetched(url, error);
        });
    const origin = type === MIME ? '' : ` (${url || 'the response'} has the type '${type}', not ${MIME})`;
    let bytes;
    try {
        bytes = await response.arrayBuffer();
    } catch (error) {
        throw unfetched(url, error);
    }
    return compile(readBytes(bytes, origin), damaged);
}

/** @param {unknown} given bytes, a module, a response or an address, or a promise of one @returns {Promise<WebAssembly.Module>} */
export async function givenModule(given) {
    let source = /** @type {any} */ (await given);
    if (isModule(source)) return source;
    if (isUrl(source)) source = await fetchBytes(source);
    if (isResponse(source)) return responseModule(source);
    if (!isBytes(source)) return invalid('options.wasm', WASM_OPTION, source);
    return compile(readBytes(source), damaged);
}

/** @param {unknown} given bytes or a module */
export function givenModuleSync(given) {
    if (isModule(given)) return given;
    if (isBytes(given)) return compileSync(readBytes(given), damaged);
    return invalid('options.wasm', 'bytes or a WebAssembly.Module (createRuntime() takes more)', given);
}
