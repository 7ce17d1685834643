/**
 * What commands share: their options, their help, and the terminal they write to.
 */
import { parseArgs } from 'node:util';

/**
 * @typedef {{ type: 'string' | 'boolean', value?: string, default?: string | number, text: string, short?: string,
 *     read?: (text: string, name: string) => any }} Option `value` names the argument in the help; `read` turns it into what is meant
 * @typedef {ReturnType<typeof terminal>} Terminal
 * @typedef {{ summary: string, argument?: string, options: Record<string, Option>, examples: [string, string][],
 *     run: (values: any, terminal: Terminal) => void | Promise<void> }} Command
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

/** The values of all options, read and completed. @param {string} name @param {Command} command @param {string[]} args */
export function parse(name, command, args) {
    const options = { ...command.options, ...COMMON };
    const known = Object.fromEntries(Object.entries(options).map(([key, { type, short }]) => [key, short ? { type, short } : { type }]));
    /** @type {Record<string, any>} */
    let values;
    try {
        const parsed = parseArgs({ args, options: known, allowPositionals: command.argument !== undefined, strict: true });
        values = parsed.values;
        if (command.argument !== undefined) values[command.argument] = parsed.positionals.join(' ');
    } catch (error) {
        const [line] = String(error instanceof Error ? error.message : error).split(/\. |\n/);
        throw new UsageError(`${line} (qhive ${name} --help)`);
    }
    for (const [key, { read, default: otherwise }] of Object.entries(options)) {
        if (values[key] === undefined) values[key] = otherwise;
        else if (read) values[key] = read(values[key], key);
    }
    return values;
}

/** @param {string} name @param {Command} command */
export function helpOf(name, { summary, argument, options, examples }) {
    const rows = Object.entries({ ...options, ...COMMON }).map(([key, { value, text, short, default: otherwise }]) => {
        const left = `${short ? `-${short}, ` : '    '}--${key}${value ? ` ${value}` : ''}`;
        return [left, otherwise === undefined ? text : `${text} (default ${otherwise})`];
    });
    const width = Math.max(...rows.map(([left]) => left.length));
    return [
        `qhive ${name}: ${summary}`, '',
        `Usage: qhive ${name}${argument ? ` ${argument}` : ''} [options]`, '',
        ...rows.map(([left, text]) => `  ${left.padEnd(width)}  ${text}`), '',
        'Examples:', ...examples.flatMap(([line, text]) => [`  ${line}`, `      ${text}`]),
    ].join('\n');
}

/** Where a command writes. Colours only on a terminal, and never with NO_COLOR (no-color.org). @param {NodeJS.WriteStream} stream */
export function terminal(stream) {
    const { NO_COLOR, FORCE_COLOR } = process.env;
    const colours = !NO_COLOR && (Boolean(FORCE_COLOR) || (stream.isTTY === true && process.env.TERM !== 'dumb'));
    const styled = (/** @type {number} */ code) => (/** @type {string} */ text) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);
    return { print: (/** @type {string} */ text) => void stream.write(`${text}\n`), bold: styled(1), dim: styled(2) };
}

/** Rows of text, the first column to the left and the others to the right. @param {(string | number)[][]} rows */
export function columns(rows) {
    const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => String(row[i]).length)));
    return rows.map((row) => `  ${row.map((cell, i) => (i === 0 ? String(cell).padEnd(widths[i]) : String(cell).padStart(widths[i]))).join('  ')}`);
}
