/**
 * Runs JavaScript files one after the other in this process: `node run-blocks.mjs file...`. Prints one JSON line each: what it printed, or
 * the error that it ended with.
 */
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';

const write = process.stdout.write.bind(process.stdout);
let said = '';
process.stdout.write = (text) => {
    said += text;
    return true;
};

for (const file of process.argv.slice(2)) {
    said = '';
    let error;
    try {
        await import(pathToFileURL(file));
    } catch (thrown) {
        error = inspect(thrown);
    }
    write(`${JSON.stringify({ file, said, error })}\n`);
}
