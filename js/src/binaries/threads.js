/** A chunk: the bytes of the build for threads. The main entry loads it where threads are asked for. */
import { unpack } from '../packed.js';
import threads from 'qhive:threads-packed';

export const threadsBytes = () => unpack(threads);
