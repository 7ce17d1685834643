/** At the edge there are no threads. */
import { QhiveError } from '../errors.js';

/** @returns {never} */
export function loadThreadsSync() {
    throw new QhiveError('UNSUPPORTED', 'there are no threads at the edge: its workers share no memory. Without threads a runtime works as ever: leave options.threads out');
}

/** @returns {Promise<never>} */
export const loadThreads = async () => loadThreadsSync();
