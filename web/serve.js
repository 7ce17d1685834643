/**
 * `npm run serve [-- --port N --host H]`: makes the page and serves it.
 */
import { parseArgs } from 'node:util';
import { folder } from './build.js';
import { addressOf, servePage } from './server.js';

try {
    const { values } = parseArgs({ options: { port: { type: 'string', default: '8080' }, host: { type: 'string', default: '127.0.0.1' } } });
    const server = await servePage({ folder, port: Number(values.port), host: values.host });
    console.log(`${addressOf(server)}   (Ctrl+C stops)`);
} catch (error) {
    console.error(error.code === 'EADDRINUSE' ? 'the port is taken: npm run serve -- --port N' : error.message);
    process.exitCode = 1;
}
