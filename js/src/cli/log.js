/**
 * A log of decisions from a file: CSV with a header, or JSON lines; either may be gzipped. Columns, by name, in any order:
 *
 *   action       what was done, a whole number from 0
 *   reward       what came of it
 *   propensity   the probability with which it was done, in (0, 1]
 *   context      what was known, as one key: a text or a number
 *   cluster      decisions that belong together: a run, a user, a day
 *   target       what the policy to be valued would do: an action; in JSON also a list of probabilities
 *   target_0 ..  the same in CSV: a column of probabilities for each action
 *
 * Only `action` and `reward` must be there. Other columns are left alone.
 */
import { gunzipSync } from 'node:zlib';
import { readInput, UsageError } from './command.js';

/** @typedef {Record<string, any>} Row */

/** Fields of a line of CSV (RFC 4180, without line breaks in fields). @param {string} line @returns {string[]} */
function fieldsOf(line) {
    if (!line.includes('"')) return line.split(',');
    const fields = line.match(/("([^"]|"")*"|[^,]*)(,|$)/g) ?? [];
    const whole = line.endsWith(',') ? fields : fields.slice(0, -1);
    return whole.map((field) => field.replace(/,$/, '').replace(/^"(.*)"$/s, '$1').replaceAll('""', '"'));
}

/** @param {string[]} lines @returns {Row[]} */
function readCsv(lines) {
    const header = fieldsOf(lines[0]).map((name) => name.trim());
    return lines.slice(1).map((line, i) => {
        const fields = fieldsOf(line);
        if (fields.length !== header.length) throw new UsageError(`line ${i + 2} has ${fields.length} fields, the header ${header.length}`);
        /** @type {Row} */
        const row = Object.fromEntries(header.map((name, c) => [name, fields[c].trim()]));
        const odds = header.filter((name) => /^target_\d+$/.test(name)).sort((a, b) => Number(a.slice(7)) - Number(b.slice(7)));
        if (odds.length > 0) row.target = odds.map((name) => numberOf(row[name], name, i + 2));
        return row;
    });
}

/** @param {string[]} lines @returns {Row[]} */
function readJsonLines(lines) {
    return lines.map((line, i) => {
        try {
            const row = JSON.parse(line);
            if (typeof row === 'object' && row !== null && !Array.isArray(row)) return row;
        } catch {
            // told below, as what is no object
        }
        throw new UsageError(`line ${i + 1} must be a JSON object`);
    });
}

/** @param {unknown} value @param {string} name @param {number} line */
function numberOf(value, name, line) {
    const number = value === '' || value == null || typeof value === 'boolean' ? NaN : Number(value);
    if (!Number.isFinite(number)) throw new UsageError(`line ${line}: ${name} must be a number, not ${JSON.stringify(value) ?? 'nothing'}`);
    return number;
}

/** @param {unknown} value @param {string} name @param {number} line */
function actionOf(value, name, line) {
    const number = numberOf(value, name, line);
    if (!Number.isInteger(number) || number < 0 || number >= 2 ** 24) throw new UsageError(`line ${line}: ${name} must be a whole number from 0, not ${JSON.stringify(value)}`);
    return number;
}

/** A column that is in every row, in none, or an error. @param {Row[]} rows @param {string} name @param {number} first line */
function column(rows, name, first) {
    const has = rows.filter((row) => row[name] !== undefined && row[name] !== '').length;
    if (has === 0) return undefined;
    if (has === rows.length) return rows.map((row) => row[name]);
    const line = rows.findIndex((row) => row[name] === undefined || row[name] === '') + first;
    throw new UsageError(`line ${line} has no ${name}, others have one`);
}

/** @param {Row[]} rows @param {number} first line */
function targetsOf(rows, first) {
    const column_ = column(rows, 'target', first);
    if (!column_) return {};
    const lists = column_.filter(Array.isArray).length;
    if (lists === 0) return { targetActions: column_.map((value, i) => actionOf(value, 'target', first + i)) };
    if (lists < rows.length) throw new UsageError('target must be an action in every line, or a list of probabilities in every line');
    return { target: column_.map((list, i) => list.map((/** @type {unknown} */ value) => numberOf(value, 'target', first + i))) };
}

/** @param {string} path */
export function readLog(path) {
    const bytes = readInput(path, 'the log');
    let text;
    try {
        text = (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8');
    } catch (error) {
        throw new UsageError(`the log '${path}' cannot be unpacked: ${error instanceof Error ? error.message : error}`);
    }
    const lines = text.replace(/^\ufeff/, '').split(/\r?\n/).filter((line) => line.trim() !== '');
    if (lines.length === 0) throw new UsageError(`the log '${path}' is empty`);
    const json = lines[0].trimStart().startsWith('{');
    const rows = json ? readJsonLines(lines) : readCsv(lines);
    const first = json ? 1 : 2;
    if (rows.length === 0) throw new UsageError(`the log '${path}' has a header and no decision`);
    for (const name of ['action', 'reward'])
        if (!rows.some((row) => row[name] !== undefined)) throw new UsageError(`the log '${path}' has no ${name}; a ${json ? 'line' : 'header'} must have action and reward`);
    const numbers = (/** @type {string} */ name) => column(rows, name, first)?.map((value, i) => numberOf(value, name, first + i));
    return {
        actions: rows.map((row, i) => actionOf(row.action, 'action', first + i)),
        rewards: rows.map((row, i) => numberOf(row.reward, 'reward', first + i)),
        propensities: numbers('propensity'),
        contexts: column(rows, 'context', first)?.map(String),
        clusters: column(rows, 'cluster', first)?.map(String),
        ...targetsOf(rows, first),
    };
}
