#!/usr/bin/env node
/**
 * The command line, `npx qhive`: finds the command and hands over to it. A command is one file here, loaded when it is asked for.
 *
 * Exit codes: 0 done, 1 failed, 2 wrong usage (one line says what was expected).
 */
import { VERSION } from 'qhive:abi';
import { helpOf, parse, terminal, UsageError } from './command.js';

/** @type {Record<string, { summary: string, load: () => Promise<import('./command.js').Command> }>} */
const COMMANDS = {
    run: { summary: 'let agents learn to run a simulated radio network, and compare', load: () => import('./run.js') },
    replay: { summary: 'drive 593 agents by the logs of a radio network', load: () => import('./replay.js') },
    evaluate: { summary: 'value a policy on logged decisions, without trying it', load: () => import('./evaluate.js') },
    inspect: { summary: 'look into an exported table or index', load: () => import('./inspect.js') },
    memory: { summary: 'show what the linear memory of a runtime is spent on', load: () => import('./memory.js') },
    ask: { summary: 'find the functions of a radio network that a question is about', load: () => import('./ask.js') },
    bench: { summary: 'measure this package against a flat table and a Map', load: () => import('./bench.js') },
    serve: { summary: 'serve the page on which 593 agents learn live', load: () => import('./serve.js') },
};

function overview() {
    const names = Object.keys(COMMANDS);
    const width = Math.max(...names.map((name) => name.length));
    return [
        'Usage: qhive <command> [options]', '',
        'Commands:', ...names.map((name) => `  ${name.padEnd(width)}  ${COMMANDS[name].summary}`), '',
        'Every command has --help, with examples, and --json, for programs. qhive --version prints the version.', '',
        'Examples:', '  qhive run', '  qhive ask "phones bounce between two cells"', '  qhive serve',
    ].join('\n');
}

/** @param {string[]} args */
async function main(args) {
    const [name, ...rest] = args;
    if (name === '--help' || name === '-h' || name === 'help') return console.log(overview());
    if (name === '--version') return console.log(VERSION);
    if (name === undefined) throw new UsageError(`a command is missing: ${Object.keys(COMMANDS).join(', ')} (qhive --help)`);
    if (!Object.hasOwn(COMMANDS, name)) throw new UsageError(`there is no command '${name}'; there is ${Object.keys(COMMANDS).join(', ')} (qhive --help)`);
    const { summary, load } = COMMANDS[name];
    const command = await load();
    const values = parse(name, command, rest);
    if (values.help) return console.log(helpOf(name, summary, command));
    return command.run(values, terminal(process.stdout));
}

// Whoever reads may have seen enough (`qhive ask ... | head`): that ends the command and is no failure.
process.stdout.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
});

/** One line, whatever a message had. @param {unknown} error */
const lineOf = (error) => String(error instanceof Error ? error.message : error).replace(/\s*\n\s*/g, ' ');

try {
    await main(process.argv.slice(2));
} catch (error) {
    console.error(`qhive: ${lineOf(error)}`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
}
