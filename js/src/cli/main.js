#!/usr/bin/env node
/**
 * The command line, `npx qhive`: finds the command and hands over to it. A command is one file here; it is named in COMMANDS.
 *
 * Exit codes: 0 done, 1 failed, 2 wrong usage (one line says what is wrong).
 */
import { VERSION } from 'qhive:abi';
import { helpOf, parse, terminal, UsageError } from './command.js';
import * as ask from './ask.js';
import * as memory from './memory.js';

/** @type {Record<string, import('./command.js').Command>} */
const COMMANDS = { ask, memory };

function overview() {
    const names = Object.keys(COMMANDS);
    const width = Math.max(...names.map((name) => name.length));
    return [
        'Usage: qhive <command> [options]', '',
        'Commands:', ...names.map((name) => `  ${name.padEnd(width)}  ${COMMANDS[name].summary}`), '',
        'qhive <command> --help says more; qhive --version prints the version.',
    ].join('\n');
}

/** @param {string[]} args */
async function main(args) {
    const [name, ...rest] = args;
    if (name === '--help' || name === '-h' || name === 'help') return console.log(overview());
    if (name === '--version') return console.log(VERSION);
    if (name === undefined) throw new UsageError(`a command is missing: ${Object.keys(COMMANDS).join(', ')} (qhive --help)`);
    if (!Object.hasOwn(COMMANDS, name)) throw new UsageError(`there is no command '${name}'; there is ${Object.keys(COMMANDS).join(', ')} (qhive --help)`);
    const command = COMMANDS[name];
    const values = parse(name, command, rest);
    if (values.help) return console.log(helpOf(name, command));
    return command.run(values, terminal(process.stdout));
}

// Whoever reads may have seen enough (`qhive ask ... | head`): that ends the command and is no failure.
process.stdout.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
});

try {
    await main(process.argv.slice(2));
} catch (error) {
    const usage = error instanceof UsageError;
    console.error(`qhive: ${error instanceof Error ? error.message : error}`);
    process.exitCode = usage ? 2 : 1;
}
