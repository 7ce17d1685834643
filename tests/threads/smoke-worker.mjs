/** A thread that steps the agents it is given, and says what their tables hash to. */
import { parentPort, workerData } from 'node:worker_threads';
import { attach } from './module.mjs';

const { module, memory, handles, steps } = workerData;
const thread = attach(module, memory);
for (const handle of handles) thread.call('qh_agent_claim', handle);
const owners = handles.map((handle) => thread.call('qh_agent_owner', handle));
const note = thread.noteOf(handles[0], 1);
const own = thread.createAgent({ name: `of-${thread.place}, ${steps} steps`, actions: 3, encoder: { kind: 'index', states: 8 } });
for (const handle of [...handles, own]) {
    let action = thread.call('qh_begin', handle, 0, 0);
    for (let step = 1; step <= steps; step++) action = thread.call('qh_step', handle, action - 1, step % 8, 0, step, 0);
}
const hashes = handles.map((handle) => thread.hash(handle));
thread.call('qh_thread_end');
parentPort.postMessage({ place: thread.place, owners, note, own, hashes });
