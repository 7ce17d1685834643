/** Where the CommonJS files find the code for threads. */
/* global require */

/** @returns {typeof import('qhive:threads-code')} */
export const loadThreadsSync = () => require('qhive:threads-code');

export const loadThreads = async () => loadThreadsSync();
