/** What js/build.mjs puts in the place of `qhive:*` imports. Not part of the package's own types. */
declare module 'qhive:abi' {
    /** Version of the package, and of the modules it accepts. */
    export const VERSION: string;
    /** What a module exports. */
    export const EXPORTS: string[];
    /** What the module for threads exports beside. */
    export const THREAD_EXPORTS: string[];
    /** Pages a module needs to be instantiated. */
    export const MODULE_PAGES: number;
    /** Where static data ends, bytes. */
    export const HEAP_BASE: number;
    /** Offsets, codes and limits of the core, by group. */
    export const abi: Record<string, Record<string, number>>;
}
/** A module, LZMA in base64. */
declare module 'qhive:simd' {
    const packed: { byteCount: number; text: string };
    export default packed;
}
declare module 'qhive:scalar-packed' {
    const packed: { byteCount: number; text: string };
    export default packed;
}
/** The chunk with the scalar build: its bytes. */
declare module 'qhive:scalar' {
    export function scalarBytes(): Uint8Array<ArrayBuffer>;
}
/** What the host compiled. */
declare module 'qhive:module' {
    const module: WebAssembly.Module;
    export default module;
}
/** All that the package uses of Node, in one file that browsers never see. */
declare module 'node:module' {
    export function createRequire(url: string): (path: string) => any;
}
declare module 'qhive:binaries' {
    export const simd: { byteCount: number; text: string };
    export function loadScalar(): Promise<Uint8Array<ArrayBuffer>>;
    export function loadScalarSync(): Uint8Array<ArrayBuffer> | undefined;
    export function threadsModule(): Promise<WebAssembly.Module>;
    export function threadsModuleSync(): WebAssembly.Module;
}
declare module 'qhive:threads-packed' {
    const packed: { byteCount: number; text: string };
    export default packed;
}
/** The chunk with the build for threads: its bytes. */
declare module 'qhive:threads-build' {
    export function threadsBytes(): Uint8Array<ArrayBuffer>;
}
/** The chunk with the code for threads. */
declare module 'qhive:threads-code' {
    type Code = typeof import('../src/threads.js');
    export const attach: Code['attach'];
    export const found: Code['found'];
    export const requireThreads: Code['requireThreads'];
    export const requireThreadsModule: Code['requireThreadsModule'];
}
/** How an entry of the package loads it. */
declare module 'qhive:threads' {
    export function loadThreads(): Promise<typeof import('qhive:threads-code')>;
    export function loadThreadsSync(): typeof import('qhive:threads-code');
}
/** The module that an entry of the package has without being given one. */
declare module 'qhive:own' {
    export function ownModule(simd: boolean | undefined, threads: boolean): Promise<WebAssembly.Module>;
    export function ownModuleSync(simd: boolean | undefined, threads: boolean): WebAssembly.Module;
}
