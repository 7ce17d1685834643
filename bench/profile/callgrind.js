/**
 * Reads what callgrind writes (https://valgrind.org/docs/manual/cl-format.html) and says which function of the source each instruction
 * belongs to: also of functions that the compiler inlined, which callgrind books on their caller. The file and line of an
 * instruction are those of the inlined code; its function is found in the source itself, by the project's layout of code.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const NAME = /^(fl|fi|fe|fn|cfi|cfl|cfn|ob|cob)=\((\d+)\)(?: (.*))?$/;
const COST = /^([+-]?\d+|\*) (.+)$/;
/** The last line of a definition's head: it begins a block. The name stands before the first parenthesis of the head. */
const HEAD = /^[a-z_A-Z].*\b(\w+)\(/;

/** For each line of a C file, the function that it lies in. @param {string} path @returns {(string | undefined)[]} from line 1 on */
function functionsOf(path) {
    const owners = [undefined];
    let name;
    let candidate;
    for (const line of readFileSync(path, 'utf8').split('\n')) {
        if (!/^[\s}#/]/.test(line)) candidate = /^EXPORT\(/.test(line) ? /,\s*(\w+)/.exec(line)?.[1] : (HEAD.exec(line)?.[1] ?? candidate);
        if (/^(?!\s*\*)\S.*\{$|^\s+.*\) \{$/.test(line) && name === undefined) name = candidate;
        owners.push(name);
        if (line.startsWith('}')) name = undefined;
    }
    return owners;
}

/** One line of a callgrind file, as what it is. */
function* readEntries(text) {
    let afterCalls = false;
    for (const line of text.split('\n')) {
        const name = NAME.exec(line);
        if (name) yield { key: name[1], id: name[2], name: name[3] };
        else if (line.startsWith('calls=')) afterCalls = true;
        else {
            const cost = COST.exec(line);
            if (!cost) continue;
            yield { position: cost[1], costs: cost[2].split(' ').map(Number), ofCall: afterCalls };
            afterCalls = false;
        }
    }
}

/** Self costs by file and line, in the order of the code. @param {string} text */
function* readCosts(text) {
    const files = new Map();
    const functions = new Map();
    let [file, fn, line] = ['', '', 0];
    for (const { key, id, name, position, costs, ofCall } of readEntries(text)) {
        if (key === undefined) {
            line = position === '*' ? line : /^[+-]/.test(position) ? line + Number(position) : Number(position);
            if (!ofCall) yield { file, fn, line, costs };
            continue;
        }
        const names = key.endsWith('fn') ? functions : files;
        if (name !== undefined && !key.endsWith('ob')) names.set(id, name);
        if (key === 'fl' || key === 'fi' || key === 'fe') file = files.get(id);
        if (key === 'fn') fn = functions.get(id);
    }
}

/**
 * @param {string} path of callgrind's file
 * @param {string} root of the sources
 * @returns {{ events: string[], totals: number[], functions: Map<string, number[]>, lines: Map<string, number[]> }}
 */
export function readProfile(path, root) {
    const text = readFileSync(path, 'utf8');
    const events = /^events: (.*)$/m.exec(text)[1].split(' ');
    const [totals, functions, lines] = [events.map(() => 0), new Map(), new Map()];
    const owners = new Map();
    const add = (map, key, costs) => map.set(key, costs.map((cost, i) => cost + (map.get(key)?.[i] ?? 0)));
    let [inside, owner, place] = ['', '', ''];
    for (const { file, fn, line, costs } of readCosts(text)) {
        const local = relative(root, file);
        const own = !local.startsWith('..') && existsSync(join(root, local));
        if (own && !owners.has(local)) owners.set(local, functionsOf(join(root, local)));
        // Code of another's header (an intrinsic) belongs to the line before it.
        if (own) [owner, place] = [`${owners.get(local)[line] ?? fn}  ${local}`, `${local}:${line}`];
        else if (fn !== inside) [owner, place] = [fn, ''];
        inside = fn;
        costs.forEach((cost, i) => (totals[i] += cost));
        add(functions, owner, events.map((_, i) => costs[i] ?? 0));
        if (place !== '') add(lines, place, events.map((_, i) => costs[i] ?? 0));
    }
    return { events, totals, functions, lines };
}
