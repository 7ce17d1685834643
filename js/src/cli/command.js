/**
 * What commands share: their options, their help, and the terminal they write to.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/**
 * @typedef {{ type: 'string' | 'boolean', value?: string, default?: string | number, text: string, short?: string,
 *     read?: (text: string, name: string) => any }} Option `value` names the argument in the help; `read` turns it into what is meant
 * @typedef {ReturnType<typeof terminal>} Terminal
 * @typedef {{ argument?: string, arity?: 'one' | 'optional' | 'words', options: Record<string, Option>, examples: [string, string][],
 *     notes?: string[], run: (values: any, terminal: Terminal) => void | Promise<void> }} Command `argument` names what comes without
 *     an option: exactly `one` (default), none or one, or words that belong together; `notes` are lines of the help
 */

/** The caller's mistake: one line, exit code 2. */
export class UsageError extends Error {}

/** @type {Record<string, Option>} */
const COMMON = {
    json: { type: 'boolean', text: 'print one JSON object instead of text' },
    help: { type: 'boolean', short: 'h', text: 'print this' },
};

/** Whole numbers of an option, from `least` to `most`. @param {number} least @param {number} most */
export const whole = (least, most) => (/** @type {string} */ text, /** @type {string} */ name) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (value >= least && value <= most) return value;
    throw new UsageError(`--${name} must be a whole number from ${least} to ${most}, not '${text}'`);
};

/** @param {string} name @param {Command} command @param {string[]} words @param {boolean} help */
function readArgument(name, { argument, arity = 'one' }, words, help) {
    if (arity === 'words') return words.join(' ');
    const enough = words.length === 1 || (arity === 'optional' && words.length === 0) || help;
    if (!enough) throw new UsageError(`${arity === 'one' ? 'one' : 'at most one'} ${argument} is expected, not ${words.length} (qhive ${name} --help)`);
    return words[0];
}

/** Reads a file that the caller named. @param {string} path @param {string} what it is, for the message @returns {Buffer} */
export function readInput(path, what) {
    try {
        return readFileSync(path);
    } catch (error) {
        const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
        const reason = { ENOENT: 'there is no such file', EISDIR: 'it is a folder', EACCES: 'it may not be read' }[String(code)] ?? message;
        throw new UsageError(`${what} '${path}' cannot be read: ${reason}`);
    }
}

/** JSON that the caller wrote. @param {string} path @param {string} what */
export function readJson(path, what) {
    const text = readInput(path, what).toString('utf8');
    try {
        return JSON.parse(text);
    } catch (error) {
        throw new UsageError(`${what} '${path}' must be JSON: ${error instanceof Error ? error.message : error}`);
    }
}

/** A file of the package, wherever it is installed. @param {string} name below its folder */
export const packageFile = (name) => join(dirname(fileURLToPath(import.meta.resolve('qhive/package.json'))), name);

/** The values of all options, read and completed. @param {string} name @param {Command} command @param {string[]} args */
export function parse(name, command, args) {
    const options = { ...command.options, ...COMMON };
    const known = Object.fromEntries(Object.entries(options).map(([key, { type, short }]) => [key, short ? { type, short } : { type }]));
    /** @type {Record<string, any>} */
    let values;
    try {
        const parsed = parseArgs({ args, options: known, allowPositionals: command.argument !== undefined, strict: true });
        values = parsed.values;
        if (command.argument !== undefined) values[command.argument] = readArgument(name, command, parsed.positionals, values.help);
    } catch (error) {
        if (error instanceof UsageError) throw error;
        const [line] = String(error instanceof Error ? error.message : error).split(/\. |\n/);
        throw new UsageError(`${line} (qhive ${name} --help)`);
    }
    for (const [key, { read, default: otherwise }] of Object.entries(options)) {
        if (values[key] === undefined) values[key] = otherwise;
        else if (read) values[key] = read(values[key], key);
    }
    return values;
}

/** @param {string} name @param {string} summary @param {Command} command */
export function helpOf(name, summary, { argument, arity, options, examples, notes = [] }) {
    const rows = Object.entries({ ...options, ...COMMON }).map(([key, { value, text, short, default: otherwise }]) => {
        const left = `${short ? `-${short}, ` : '    '}--${key}${value ? ` ${value}` : ''}`;
        return [left, otherwise === undefined ? text : `${text} (default ${otherwise})`];
    });
    const width = Math.max(...rows.map(([left]) => left.length));
    return [
        `qhive ${name}: ${summary}`, '',
        `Usage: qhive ${name}${argument ? ` ${arity === 'optional' ? `[${argument}]` : argument}` : ''} [options]`, '',
        ...rows.map(([left, text]) => `  ${left.padEnd(width)}  ${text}`), '',
        ...(notes.length > 0 ? [...notes, ''] : []),
        'Examples:', ...examples.flatMap(([line, text]) => [`  ${line}`, `      ${text}`]),
    ].join('\n');
}

/** Where a command writes. Colours only on a terminal or with FORCE_COLOR, and never with NO_COLOR (no-color.org) or FORCE_COLOR=0. @param {NodeJS.WriteStream} stream */
export function terminal(stream) {
    const { NO_COLOR, FORCE_COLOR } = process.env;
    const wanted = FORCE_COLOR ? !/^(0|false)$/.test(FORCE_COLOR) : stream.isTTY === true && process.env.TERM !== 'dumb';
    const colours = !NO_COLOR && wanted;
    const styled = (/** @type {number} */ code) => (/** @type {string} */ text) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);
    return { colours, print: (/** @type {string} */ text) => void stream.write(`${text}\n`), bold: styled(1), dim: styled(2) };
}

/** Rows of text, the first column to the left and the others to the right. @param {(string | number)[][]} rows */
export function columns(rows) {
    const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => String(row[i]).length)));
    return rows.map((row) => `  ${row.map((cell, i) => (i === 0 ? String(cell).padEnd(widths[i]) : String(cell).padStart(widths[i]))).join('  ')}`);
}

/** Names and what they are, both to the left. @param {[string, string | number][]} rows */
export function pairs(rows) {
    const width = Math.max(...rows.map(([name]) => name.length));
    return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`).join('\n');
}
