/** What js/build.mjs puts in the place of `qhive:*` imports. Not part of the package's own types. */
declare module 'qhive:abi' {
    /** Version of the package, and of the modules it accepts. */
    export const VERSION: string;
    /** What a module exports. */
    export const EXPORTS: string[];
    /** Pages a module needs to be instantiated. */
    export const MODULE_PAGES: number;
    /** Where static data ends, bytes. */
    export const HEAP_BASE: number;
    /** Offsets, codes and limits of the core, by group. */
    export const abi: Record<string, Record<string, number>>;
}
/** The binary with SIMD128, deflated, base64. */
declare module 'qhive:simd' {
    const text: string;
    export default text;
}
/** The binary without SIMD, deflated, base64. */
declare module 'qhive:scalar' {
    const text: string;
    export default text;
}
/** All that the package uses of Node, in one file that browsers never see. */
declare module 'node:module' {
    export function createRequire(url: string): (path: string) => any;
}
declare module 'qhive:binaries' {
    export const simd: string;
    export function loadScalar(): Promise<string>;
    export function loadScalarSync(): string | undefined;
}
