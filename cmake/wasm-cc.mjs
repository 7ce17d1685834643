/**
 * Compiles and links WebAssembly modules: `node wasm-cc.mjs job.json...`. CMake writes the job files
 * (cmake/add-wasm.cmake):
 *
 *   places    [source root, output file, compiler]; compiler '' means npm's @yowasp/clang
 *   unit      C files compiled together as one unit: the optimiser sees the whole core at once
 *   separate  C files compiled one by one, with these flags beside the others: [flags, files]
 *   exports   text files that list the exported symbols, one per line, # begins a comment
 *   reactor   [] or [output file]: the modules are for WASI, linked with its libc by the compiler's driver, which knows where it
 *             is; the output file is a command of everything, this one a library of the unit with the exports
 *   check     flags with which the unit is compiled once more, for its diagnostics alone
 *   compile, link   flags
 *   shrink    flags of wasm-opt (npm's binaryen), which has the last word; none: as the linker wrote it
 *
 * @yowasp/clang is LLVM compiled to WebAssembly. Its first call takes seconds and the next ones a tenth
 * of that, so one process does everything. Optimising LLVM itself costs V8 more than it gains: with the
 * baseline compiler only, the core is built in a quarter of the processor time. The compiler sees a virtual tree, which holds just the C files and
 * headers under the source root; paths are relative to it with either compiler, so that no path of the
 * building machine can reach the module and two folders give the same bytes.
 *
 * The module and the C tests of a build have the same unit, which takes LLVM most of the time: its object stays beside the output, with the hash of
 * all that it was made of.
 *
 * Beside the module goes a dependency file in make's syntax: every header that was really read.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

const SOURCE_FOLDERS = ['include', 'src', 'tests/c', 'examples/c'];
const SOURCE_FILE = /\.(c|h|inc|def)$/;
const OLDEST_CLANG = 19;
const WASM_OPT = fileURLToPath(new URL('../node_modules/binaryen/bin/wasm-opt', import.meta.url));

/** A toolchain runs `clang` and `wasm-ld` over one set of files named relative to the source root. */
async function npmToolchain(tree) {
    setFlagsFromString('--liftoff-only');
    const { commands, Exit } = await import('@yowasp/clang');
    await commands.clang(null, {}, { fetchProgress() {} }); // loads LLVM without its progress lines
    const run = async (name, args) => {
        try {
            tree = await commands[name](args, tree);
        } catch (error) {
            if (error instanceof Exit) throw new CompilerError(name, error.code);
            throw error;
        }
    };
    return {
        id: readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'),
        clang: (args) => run('clang', args),
        link: (args) => run('wasm-ld', args),
        drive: (args) => run('clang', args),
        write: (name, text) => void (tree[name] = text),
        read: (name) => bytesOf(tree[name]),
        close() {},
    };
}

/** clang and wasm-ld of the machine, run in the source root; what they write goes to a scratch folder. */
function systemToolchain(root, clang) {
    const id = execFileSync(clang, ['--version'], { encoding: 'utf8' });
    const [, major] = /clang version (\d+)/.exec(id) ?? [];
    if (!(Number(major) >= OLDEST_CLANG))
        throw new Error(`${clang} is version ${major ?? 'unknown'}; clang ${OLDEST_CLANG} or later is needed`);
    const scratch = mkdtempSync(join(tmpdir(), 'qhive-'));
    const inScratch = (name) => join(scratch, name);
    const run = (name, program, args, cwd) => {
        try {
            execFileSync(program, args, { cwd, stdio: 'inherit' });
        } catch (error) {
            throw new CompilerError(name, error.status ?? error.message);
        }
    };
    return {
        id,
        clang(args) {
            const [input] = args.slice(-1);
            const generated = !input.includes('/');
            const files = args.map((arg) => (/^[^/]+\.(o|d)$/.test(arg) || (generated && arg === input) ? inScratch(arg) : arg));
            run('clang', clang, generated ? ['-I.', ...files] : files, root);
        },
        link: (args) => run('wasm-ld', linkerBeside(clang), args, scratch),
        drive: (args) => run('clang', clang, args, scratch),
        write: (name, text) => writeFileSync(inScratch(name), text),
        read: (name) => readFileSync(inScratch(name)),
        close: () => rmSync(scratch, { recursive: true, force: true }),
    };
}

/** wasm-ld as the compiler finds it: beside it in a WASI SDK, with its version suffix in a distribution. */
function linkerBeside(clang) {
    const suffix = /clang(-\d+)?$/.exec(basename(clang))?.[1] ?? '';
    const named = execFileSync(clang, [`-print-prog-name=wasm-ld${suffix}`], { encoding: 'utf8' }).trim();
    return named || join(dirname(clang), `wasm-ld${suffix}`);
}

class CompilerError extends Error {
    constructor(name, status) {
        super(`${name} failed (${status})`);
    }
}

function loadTree(root) {
    const tree = {};
    for (const folder of SOURCE_FOLDERS) {
        let node = tree;
        for (const part of folder.split('/')) node = node[part] ??= {};
        loadFolder(join(root, folder), node);
    }
    return tree;
}

function loadFolder(folder, node) {
    let entries = [];
    try {
        entries = readdirSync(folder, { withFileTypes: true });
    } catch (error) {
        if (error.code !== 'ENOENT') throw error;
    }
    for (const entry of entries) {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) loadFolder(path, (node[entry.name] ??= {}));
        else if (SOURCE_FILE.test(entry.name)) node[entry.name] = readFileSync(path, 'utf8');
    }
}

function bytesOf(content) {
    if (content === undefined) throw new Error('the compiler wrote no output');
    return typeof content === 'string' ? Buffer.from(content) : content;
}

function readExports(root, files) {
    const lines = files.flatMap((file) => readFileSync(join(root, file), 'utf8').split('\n'));
    const names = lines.map((line) => line.replace(/#.*/, '').trim()).filter(Boolean);
    const bad = names.filter((name) => !/^[A-Za-z_]\w*$/.test(name));
    if (bad.length > 0) throw new Error(`not a symbol in ${files.join(', ')}: ${bad.join(', ')}`);
    return [...new Set(names)];
}

/** The files a make-style dependency list names under the source root, relative to it. */
function dependencies(root, text) {
    const [, list = ''] = /^[^:]+:((?:.|\n)*)$/.exec(text.replace(/\\\r?\n/g, ' ')) ?? [];
    return list
        .split(/(?<!\\)\s+/)
        .filter(Boolean)
        .map((path) => path.replace(/\\ /g, ' '))
        .map((path) => (path.startsWith(root) ? path.slice(root.length + 1) : path).replace(/^\.\//, ''))
        .filter((path) => SOURCE_FOLDERS.some((folder) => path.startsWith(`${folder}/`)));
}

/** All files as one, of which what is not marked QH_FAST_BEGIN (src/base/platform.h) is compiled for size. */
function unitOf(files) {
    const includes = files.map((path) => `#include "${path}"`);
    const forSize = '#pragma clang attribute push(__attribute__((minsize)), apply_to = function)';
    return ['#define QH_COLD_UNIT 1', forSize, ...includes, '#pragma clang attribute pop', ''].join('\n');
}

/** The module after the passes of wasm-opt that `flags` name. */
function shrink(bytes, flags) {
    if (flags.length === 0) return bytes;
    const scratch = mkdtempSync(join(tmpdir(), 'qhive-'));
    const [before, after] = ['before.wasm', 'after.wasm'].map((name) => join(scratch, name));
    try {
        writeFileSync(before, bytes);
        execFileSync(process.execPath, [WASM_OPT, before, '-o', after, ...flags], { stdio: 'inherit' });
        return readFileSync(after);
    } finally {
        rmSync(scratch, { recursive: true, force: true });
    }
}

const hashOf = (what) => createHash('sha256').update(JSON.stringify(what)).digest('hex');

/** The object of a unit that was compiled before, if nothing has changed since: `{ object, list }`; and how to keep one. */
function keptUnit({ places: [, output, compiler], unit, compile, check }, { id }, { tests: _, ...sources }) {
    const file = join(dirname(output), `unit-${hashOf([unit, compile]).slice(0, 16)}.kept`);
    const key = hashOf([compiler, id, unit, compile, check, sources]);
    return {
        find() {
            try {
                const [was, list, object] = JSON.parse(readFileSync(file, 'utf8'));
                return was === key ? { list, object: Buffer.from(object, 'base64') } : undefined;
            } catch {
                return undefined;
            }
        },
        keep({ list, object }) {
            writeFileSync(`${file}.${process.pid}`, JSON.stringify([key, list, Buffer.from(object).toString('base64')]));
            renameSync(`${file}.${process.pid}`, file);
        },
    };
}

async function build(job) {
    const [root, output, compiler] = job.places;
    const tree = loadTree(root);
    const toolchain = compiler === '' ? await npmToolchain(tree) : systemToolchain(root, compiler);
    const unit = keptUnit(job, toolchain, tree);
    try {
        const read = new Set();
        const objects = [];
        const take = (name, list) => {
            for (const path of dependencies(root, list)) read.add(path);
            objects.push(`${name}.o`);
        };
        const compile = async (input, name, flags = []) => {
            await toolchain.clang([...job.compile, ...flags, '-MD', '-MF', `${name}.d`, '-c', '-o', `${name}.o`, input]);
            const list = new TextDecoder().decode(toolchain.read(`${name}.d`));
            take(name, list);
            return list;
        };
        const kept = unit.find();
        if (kept) {
            toolchain.write('unit.o', kept.object);
            take('unit', kept.list);
        } else {
            toolchain.write('unit.c', unitOf(job.unit));
            const list = await compile('unit.c', 'unit');
            if (job.check.length > 0) await toolchain.clang([...job.compile, ...job.check, 'unit.c']);
            unit.keep({ list, object: toolchain.read('unit.o') });
        }
        const [flags, separate] = job.separate;
        for (const [i, path] of separate.entries()) await compile(path, `separate${i}`, flags);

        const exported = readExports(root, job.exports).map((name) => `--export=${name}`);
        const [reactor] = job.reactor;
        if (reactor === undefined) {
            await toolchain.link([...job.link, ...exported, '-o', 'module.wasm', ...objects]);
        } else {
            const asReactor = ['-mexec-model=reactor', ...exported.map((flag) => `-Wl,${flag}`)];
            await toolchain.drive([...job.link, ...asReactor, '-o', 'reactor.wasm', objects[0]]);
            await toolchain.drive([...job.link, '-o', 'module.wasm', ...objects]);
            writeFileSync(reactor, toolchain.read('reactor.wasm'));
        }
        writeFileSync(output, shrink(toolchain.read('module.wasm'), job.shrink));
        const escaped = (path) => path.replace(/ /g, '\\ ');
        const list = [...read].sort().map((path) => ` \\\n  ${escaped(resolve(root, path))}`);
        writeFileSync(`${output}.d`, `${escaped(output)}:${list.join('')}\n`);
    } finally {
        toolchain.close();
    }
}

for (const file of process.argv.slice(2)) {
    const job = JSON.parse(readFileSync(file, 'utf8'));
    try {
        await build(job);
    } catch (error) {
        rmSync(job.places[1], { force: true });
        console.log(error instanceof CompilerError ? `${file}: ${error.message}` : error);
        process.exitCode = 1;
    }
}
