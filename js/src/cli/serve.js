/**
 * `qhive serve`: the page, static files of this package, under a strict content security policy.
 */
import { packageFile, whole } from './command.js';

/** @type {import('./command.js').Command['options']} */
export const options = {
    port: { type: 'string', short: 'p', value: 'N', default: 8080, read: whole(0, 65535), text: 'port; 0: any that is free' },
    host: { type: 'string', value: 'HOST', default: '127.0.0.1', text: 'address to listen at; 0.0.0.0: everybody in the network may look' },
};

/** @type {import('./command.js').Command['examples']} */
export const examples = [
    ['qhive serve', 'then open http://127.0.0.1:8080/'],
    ['qhive serve --port 0 --json', 'any free port; the address comes as JSON'],
];

/** @type {import('./command.js').Command['run']} */
export async function run({ port, host, json }, terminal) {
    const { servePage, addressOf } = await import('qhive:server');
    const server = await servePage({ folder: packageFile('dist/web'), port, host }).catch((/** @type {NodeJS.ErrnoException} */ error) => {
        if (error.code === 'EADDRINUSE') throw new Error(`port ${port} is taken; qhive serve --port N takes another`);
        if (error.code === 'EACCES') throw new Error(`port ${port} is not allowed to this user; qhive serve --port N takes another`);
        throw new Error(`nobody can listen at '${host}': ${error.code ?? error.message}`);
    });
    const address = addressOf(server);
    terminal.print(json ? JSON.stringify({ address }) : `${terminal.bold(address)}   593 agents learn there (Ctrl+C stops)`);
}
