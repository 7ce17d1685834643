/** Worker threads on a shared runtime, and calls into them. */
import { Worker } from 'node:worker_threads';

/** A worker with the runtime attached: `run(function, argument)` calls the function there, with (runtime, argument, library). */
export async function startWorker(runtime) {
    const worker = new Worker(new URL('worker.mjs', import.meta.url), { workerData: runtime.share() });
    const waiting = new Map();
    let calls = 0;
    let thread;
    await new Promise((resolve, reject) => {
        worker.on('error', reject);
        worker.on('message', ({ id, thread: number, result, error }) => {
            if (number !== undefined) {
                thread = number;
                resolve();
                return;
            }
            const { resolve: done, reject: failed } = waiting.get(id);
            waiting.delete(id);
            if (error) failed(Object.assign(new Error(error.message), error));
            else done(result);
        });
    });
    return {
        thread,
        run(call, argument) {
            return new Promise((resolve, reject) => {
                waiting.set(++calls, { resolve, reject });
                worker.postMessage({ id: calls, source: String(call), argument });
            });
        },
        /** Ends its use of the runtime, then the worker. */
        async end() {
            await this.run((shared) => shared.dispose());
            await worker.terminate();
        },
        /** Ends the worker in the middle of whatever it does. */
        kill: () => worker.terminate(),
    };
}
