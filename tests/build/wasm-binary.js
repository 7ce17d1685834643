/**
 * A reader of the parts of a WebAssembly binary that JavaScript's own reflection does not show: section
 * names, the limits of an imported memory, the initial values of globals, and where static data lies.
 * Source: WebAssembly Core Specification 2.0, chapter 5 (binary format).
 */

const SECTION = { CUSTOM: 0, IMPORT: 2, GLOBAL: 6, EXPORT: 7, DATA: 11 };
const KINDS = ['function', 'table', 'memory', 'global'];
const OPCODE = { I32_CONST: 0x41, GLOBAL_GET: 0x23, END: 0x0b };

class Reader {
    constructor(bytes, start = 0, end = bytes.length) {
        this.bytes = bytes;
        this.at = start;
        this.end = end;
    }

    byte() {
        if (this.at >= this.end) throw new Error(`truncated at byte ${this.at}`);
        return this.bytes[this.at++];
    }

    /** LEB128 of up to 35 bits, as a number. */
    leb(signed = false) {
        let value = 0;
        let shift = 0;
        let byte;
        do {
            byte = this.byte();
            value += (byte & 0x7f) * 2 ** shift;
            shift += 7;
        } while (byte & 0x80);
        return signed && byte & 0x40 ? value - 2 ** shift : value;
    }

    name() {
        return new TextDecoder().decode(this.take(this.leb()));
    }

    take(count) {
        const bytes = this.bytes.subarray(this.at, this.at + count);
        this.at += count;
        return bytes;
    }

    list(read) {
        return Array.from({ length: this.leb() }, () => read(this));
    }

    limits() {
        const flags = this.byte();
        const min = this.leb();
        return { min, max: flags & 1 ? this.leb() : undefined, shared: (flags & 2) !== 0, memory64: (flags & 4) !== 0 };
    }

    /** The value of a constant expression that is one i32.const; undefined for any other. */
    constant() {
        const opcode = this.byte();
        const value = this.leb(opcode === OPCODE.I32_CONST);
        if (this.byte() !== OPCODE.END) throw new Error('not a simple constant expression');
        return opcode === OPCODE.I32_CONST ? value : undefined;
    }
}

const readImport = (r) => {
    const entry = { module: r.name(), name: r.name(), kind: KINDS[r.byte()] };
    if (entry.kind === 'function') r.leb();
    else if (entry.kind === 'memory') Object.assign(entry, r.limits());
    else if (entry.kind === 'global') Object.assign(entry, { type: r.byte(), mutable: r.byte() === 1 });
    else r.byte(), r.limits();
    return entry;
};
const readGlobal = (r) => ({ type: r.byte(), mutable: r.byte() === 1, value: r.constant() });
const readExport = (r) => ({ name: r.name(), kind: KINDS[r.byte()], index: r.leb() });
const readData = (r) => {
    const mode = r.leb();
    if (mode === 2) r.leb();
    const start = mode === 1 ? undefined : r.constant();
    return { start, byteCount: r.take(r.leb()).length };
};

/**
 * @param {Uint8Array} bytes a WebAssembly binary
 * @returns sections (id, name for custom ones, byteCount), imports, exports, globals and data segments.
 *   Exported globals without imports before them carry `value`.
 * @throws if the bytes are not a module of version 1
 */
export function readModule(bytes) {
    const header = new DataView(bytes.buffer, bytes.byteOffset, 8);
    if (header.getUint32(0, true) !== 0x6d736100 || header.getUint32(4, true) !== 1) throw new Error('not a module');
    const module = { sections: [], imports: [], exports: [], globals: [], data: [] };
    const reader = new Reader(bytes, 8);
    while (reader.at < bytes.length) {
        const id = reader.byte();
        const byteCount = reader.leb();
        const section = new Reader(bytes, reader.at, reader.at + byteCount);
        module.sections.push({ id, byteCount, name: id === SECTION.CUSTOM ? section.name() : undefined });
        if (id === SECTION.IMPORT) module.imports = section.list(readImport);
        if (id === SECTION.GLOBAL) module.globals = section.list(readGlobal);
        if (id === SECTION.EXPORT) module.exports = section.list(readExport);
        if (id === SECTION.DATA) module.data = section.list(readData);
        reader.at += byteCount;
    }
    const importedGlobals = module.imports.filter(({ kind }) => kind === 'global').length;
    for (const entry of module.exports)
        if (entry.kind === 'global') Object.assign(entry, module.globals[entry.index - importedGlobals]);
    return module;
}

/** The symbols an export list names: one per line, # begins a comment. */
export function readExportList(text) {
    return text.split('\n').map((line) => line.replace(/#.*/, '').trim()).filter(Boolean);
}
