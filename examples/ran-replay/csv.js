/**
 * CSV files, plain or gzipped, read as a stream: one chunk of decompressed text in memory at a time.
 *
 * The logs quote nothing and hold no commas in fields, so a line is split at its commas. Empty fields are
 * NaN, never 0: an absent reward is not a reward of nothing.
 */
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { basename } from 'node:path';

/** The logs are absent, damaged or not what they should be. Its message is for the user. */
export class LogError extends Error {
  name = 'LogError';
}

/** There are no such logs at all: another folder was meant. */
export class NoLogsError extends LogError {}

/**
 * @param {string} path
 * @returns {AsyncGenerator<string>} decompressed text, in chunks
 * @throws {LogError} when it cannot be read or decompressed
 */
async function* textOf(path) {
  const file = createReadStream(path, { highWaterMark: 256 * 1024 });
  const gzipped = path.endsWith('.gz');
  const source = gzipped ? file.on('error', (error) => source.destroy(error)).pipe(createGunzip({ chunkSize: 256 * 1024 })) : file;
  source.setEncoding('utf8');
  try {
    yield* source;
  } catch (error) {
    throw new LogError(`${basename(path)} cannot be read${gzipped ? ' as gzip' : ''}: ${error.message}`);
  } finally {
    file.destroy();
    source.destroy();
  }
}

/** One line of a file, its fields by column number. Reused from line to line. */
class Row {
  /** @param {string} file name for messages */
  constructor(file) {
    this.file = file;
    this.line = 1;
    this.fields = [];
  }

  /**
   * @param {number} column
   * @returns {string}
   */
  text(column) {
    return this.fields[column];
  }

  /**
   * @param {number} column
   * @returns {number} NaN where empty
   * @throws {LogError} when the field is neither empty nor a number
   */
  number(column) {
    const field = this.fields[column];
    if (field === '') return NaN;
    const value = Number(field);
    if (!Number.isFinite(value)) this.fail(`"${field}" is no number`);
    return value;
  }

  /**
   * @param {number} column
   * @param {number} low inclusive
   * @param {number} high inclusive
   * @returns {number} an integer of that range
   * @throws {LogError}
   */
  integer(column, low, high) {
    const value = this.number(column);
    if (!Number.isInteger(value) || value < low || value > high) {
      this.fail(`"${this.fields[column]}" is no integer in ${low}..${high}`);
    }
    return value;
  }

  /**
   * @param {string} message
   * @throws {LogError} always, naming file and line
   */
  fail(message) {
    throw new LogError(`${this.file}, line ${this.line}: ${message}`);
  }
}

/**
 * Calls `visit` for every line after the header.
 *
 * @param {string} path ends in .gz: gzipped
 * @param {string[]} header the column names the file must have, in order
 * @param {(row: Row) => void} visit the row is reused: keep values, not the row
 * @returns {Promise<number>} lines visited
 * @throws {LogError} on a missing file, another header, a line with too few or too many fields
 */
export async function readCsv(path, header, visit) {
  const row = new Row(basename(path));
  let rest = '';
  let first = true;
  const line = (text) => {
    const clean = text.endsWith('\r') ? text.slice(0, -1) : text;
    if (first) {
      first = false;
      if (clean !== header.join(',')) row.fail(`the header is "${clean.slice(0, 200)}", expected "${header.join(',')}"`);
      return;
    }
    row.line++;
    row.fields = clean.split(',');
    if (row.fields.length !== header.length) row.fail(`${row.fields.length} fields, expected ${header.length}`);
    visit(row);
  };
  for await (const chunk of textOf(path)) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    for (const text of lines) line(text);
  }
  if (rest !== '') line(rest);
  if (first) row.fail('the file is empty');
  return row.line - 1;
}
