/** Where ES modules find the code for threads. Bundlers split the dynamic import off. */
import { QhiveError } from '../errors.js';

/** @type {typeof import('qhive:threads-code') | undefined} */
let loaded;

export const loadThreads = async () => (loaded ??= await import('qhive:threads-code'));

/** An ES module cannot load another one synchronously, unless it is here already. */
export function loadThreadsSync() {
    if (loaded !== undefined) return loaded;
    throw new QhiveError('UNSUPPORTED', 'options.threads: an ES module cannot load the code for threads synchronously here: use createRuntime()');
}
