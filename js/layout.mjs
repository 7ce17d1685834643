/**
 * What a module says of itself, read from its bytes: how many pages it needs, and the layout table of src/wasm/abi.c.
 */

const ENTRY_BYTES = 48;
const NAME_BYTES = 44;

/** A module in the smallest memory with which it can be instantiated. @param {Uint8Array} bytes @param {boolean} shared */
export function openModule(bytes, shared = false) {
    const module = new WebAssembly.Module(bytes);
    for (let initial = 1; ; initial++) {
        const memory = new WebAssembly.Memory(shared ? { initial, maximum: 1024, shared } : { initial });
        try {
            return { initial, memory, exports: new WebAssembly.Instance(module, { env: { memory } }).exports };
        } catch (error) {
            if (!(error instanceof WebAssembly.LinkError) || initial === 1024) throw error;
        }
    }
}

/** The layout table of the layout module: `{ 'io.observation': 0, 'result.OVERFLOW': 2, ... }`. @param {Uint8Array} bytes */
export function readLayout(bytes) {
    const { memory, exports } = openModule(bytes);
    const view = new DataView(memory.buffer, exports.qh_abi_address(), exports.qh_abi_count() * ENTRY_BYTES);
    const layout = {};
    for (let at = 0; at < view.byteLength; at += ENTRY_BYTES) {
        const name = Buffer.from(view.buffer, view.byteOffset + at, NAME_BYTES).toString('ascii').replace(/\0.*$/s, '');
        layout[name] = view.getUint32(at + NAME_BYTES, true);
    }
    return layout;
}
