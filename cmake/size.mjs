/**
 * How large each binary is, each room of the core in it, and its largest functions: `npm run size [-- preset... --functions N]`.
 *
 * Each module is linked once more with its names; the bytes of a function count for the room whose source defines it (an inlined
 * one for the room it was inlined into). gzip is level 9, brotli 11, of what ships; gzip of a room or a function is what the module
 * would shrink by without it, so that the parts add up to less than the whole. Last come the files of dist/, and what the default
 * entry is made of.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build, install, root } from './build.mjs';

const PRESETS = ['wasm', 'wasm-scalar', 'wasm-small'];
const SECTION = { CUSTOM: 0, EXPORTS: 7, CODE: 10, DATA: 11 };
const FUNCTION_NAMES = 1;

/** Which room defines a function: names are unique in the core, which is one unit. */
function definitions() {
    const rooms = new Map();
    for (const path of readdirSync(join(root, 'src'), { recursive: true }).filter((name) => /\.[ch]$/.test(name))) {
        const text = readFileSync(join(root, 'src', path), 'utf8');
        const defined = /^(?:EXPORT\([^,]+,\s*(\w+)|(?!#|\/\*)(?:[\w*]+[ *]+)+?(\w+)\([^;{]*\)\s*\{)/gm;
        for (const [, exported, plain] of text.matchAll(defined)) rooms.set(exported ?? plain, dirname(path));
    }
    return rooms;
}

/** Reads just what is needed of a module with names: its functions' bodies and its other sections. */
function readSizes(bytes) {
    let at = 8;
    const leb = () => {
        let value = 0;
        for (let shift = 0; ; shift += 7) {
            const byte = bytes[at++];
            value += (byte & 127) * 2 ** shift;
            if (byte < 128) return value;
        }
    };
    const text = () => {
        const length = leb();
        at += length;
        return bytes.toString('utf8', at - length, at);
    };
    const functions = [];
    const sections = {};
    while (at < bytes.length) {
        const start = at;
        const id = bytes[at++];
        const byteCount = leb();
        const end = at + byteCount;
        const name = id === SECTION.CUSTOM ? text() : '';
        if (id !== SECTION.CUSTOM) sections[id] = bytes.subarray(start, end);
        if (id === SECTION.CODE)
            for (let left = leb(); left > 0; left--) {
                const before = at;
                const length = leb();
                at += length;
                functions.push({ name: `#${functions.length}`, body: bytes.subarray(before, at) });
            }
        while (name === 'name' && at < end) {
            const kind = bytes[at++];
            const next = leb() + at;
            if (kind === FUNCTION_NAMES) for (let left = leb(); left > 0; left--) functions[leb()].name = text();
            at = next;
        }
        at = end;
    }
    return { functions, sections };
}

/** The module of a preset with its names, from the job that CMake wrote for the one without. */
function named(preset) {
    const file = join(root, 'build', preset, 'qhive.wasm.job.json');
    const job = JSON.parse(readFileSync(file, 'utf8'));
    job.places[1] = join(root, 'build', preset, 'qhive-named.wasm');
    job.link = job.link.filter((flag) => flag !== '--strip-all');
    job.shrink.push('-g');
    const copy = join(root, 'build', preset, 'qhive-named.wasm.job.json');
    writeFileSync(copy, JSON.stringify(job));
    execFileSync(process.execPath, [join(root, 'cmake/wasm-cc.mjs'), copy], { cwd: root, stdio: 'inherit' });
    return readFileSync(job.places[1]);
}

const gzipped = (buffers) => gzipSync(Buffer.concat(buffers), { level: 9 }).length;
const bytesOf = (buffers) => buffers.reduce((sum, { length }) => sum + length, 0);

/** Functions grouped by what `keyOf` says: `[key, bytes, gzip]`, largest first, of the `shown` largest. */
function weigh(functions, others, keyOf, shown = Infinity) {
    const groups = new Map();
    for (const entry of functions) groups.set(keyOf(entry), [...(groups.get(keyOf(entry)) ?? []), entry]);
    const all = gzipped([...others, ...functions.map(({ body }) => body)]);
    return [...groups]
        .map(([key, members]) => ({ key, members: new Set(members), count: bytesOf(members.map(({ body }) => body)) }))
        .sort((a, b) => b.count - a.count)
        .slice(0, shown)
        .map(({ key, members, count }) => {
            const left = functions.filter((entry) => !members.has(entry)).map(({ body }) => body);
            return [key, count, all - gzipped([...others, ...left])];
        });
}

function measure(preset, rooms, shown) {
    const shipped = readFileSync(join(root, 'build', preset, 'qhive.wasm'));
    const { functions, sections } = readSizes(named(preset));
    const { [SECTION.CODE]: _code, [SECTION.DATA]: data = Buffer.alloc(0), [SECTION.EXPORTS]: names, ...headers } = sections;
    const others = [data, names, ...Object.values(headers)];
    const parts = [['static data', data], ['names of exports', names], ['types, headers', Buffer.concat(Object.values(headers))]];
    const bodies = functions.map(({ body }) => body);
    const all = gzipped([...others, ...bodies]);
    const rows = weigh(functions, others, ({ name }) => `src/${rooms.get(name) ?? ' (linker)'}`).concat(
        parts.map(([name, part]) => [name, part.length, all - gzipped([...others.filter((other) => other !== part), ...bodies])]),
    );
    const largest = weigh(functions, others, ({ name }) => name, shown);
    return { preset, gzip: gzipped([shipped]), bytes: shipped.length, functions: functions.length, rows, largest };
}

function print({ preset, gzip: packed, bytes, functions, rows, largest }) {
    const line = ([name, count, share]) =>
        console.log(`  ${name.padEnd(34)} ${String(count).padStart(7)} ${((100 * count) / bytes).toFixed(1).padStart(6)} % ${String(share).padStart(7)}`);
    console.log(`\n${preset}: ${bytes} bytes, ${packed} gzipped (${(packed / 1024).toFixed(1)} KiB), ${functions} functions`);
    console.log(`  ${''.padEnd(34)}   bytes            gzip`);
    rows.forEach(line);
    largest.forEach(([name, ...rest]) => line([`  ${name}`, ...rest]));
}

const gzip = (bytes) => gzipSync(bytes, { level: 9 }).length;
const row = (name, bytes) =>
    console.log(`  ${name.padEnd(28)} ${[bytes.length, gzip(bytes), brotliCompressSync(bytes).length].map((n) => String(n).padStart(9)).join('')}`);

/** The files of the package; of the default entry, the binary in it and the rest. */
function printPackage(folder) {
    console.log(`\n${'dist/'.padEnd(30)} ${'bytes'.padStart(9)}${'gzip'.padStart(9)}${'brotli'.padStart(9)}`);
    const files = readdirSync(folder).filter((file) => /\.(mjs|cjs|js|wasm)$/.test(file));
    for (const name of files) row(name, readFileSync(join(folder, name)));
    const entry = readFileSync(join(folder, 'qhive.mjs'), 'utf8');
    const [binary] = /[A-Za-z0-9+/]{5000,}/.exec(entry);
    console.log(`\nqhive.mjs: ${(gzip(entry) / 1024).toFixed(1)} KiB gzipped`);
    row('the binary (LZMA, base64)', Buffer.from(binary));
    row('JavaScript', Buffer.from(entry.replace(binary, '')));
}

try {
    const { values, positionals } = parseArgs({ options: { functions: { type: 'string', default: '40' } }, allowPositionals: true });
    const unknown = positionals.filter((name) => !PRESETS.includes(name));
    if (unknown.length > 0) throw new Error(`no preset ${unknown.join(', ')}; there are ${PRESETS.join(', ')}`);
    const presets = positionals.length > 0 ? positionals : PRESETS;
    await install();
    await build([...presets.map((preset) => `${preset}:qhive_wasm`), 'package']);
    const rooms = definitions();
    for (const preset of presets) print(measure(preset, rooms, Number(values.functions)));
    printPackage(join(root, 'dist'));
} catch (error) {
    console.error(error.message);
    process.exitCode = 2;
}
