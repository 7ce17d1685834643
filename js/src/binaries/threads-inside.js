/** The script-tag file holds the code for threads. */
import * as threads from '../threads.js';

export const loadThreadsSync = () => threads;

export const loadThreads = async () => threads;
