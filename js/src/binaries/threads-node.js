/** Where the ES module finds the code for threads in Node, which can also load synchronously. */
import { createRequire } from 'node:module';

/** @returns {Promise<typeof import('qhive:threads-code')>} */
export const loadThreads = () => import('qhive:threads-code');

/** @returns {typeof import('qhive:threads-code')} */
export const loadThreadsSync = () => createRequire(import.meta.url)('./threads.cjs');
