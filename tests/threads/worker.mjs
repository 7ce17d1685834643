/** A thread that does what it is told: each message is { id, source, argument }, the source of a function of (runtime, argument, library). */
import { parentPort, workerData } from 'node:worker_threads';
import * as library from 'qhive';

const runtime = await library.attachRuntime(workerData);
parentPort.on('message', async ({ id, source, argument }) => {
    try {
        const { default: call } = await import(`data:text/javascript,export default ${encodeURIComponent(source)}`);
        const result = await call(runtime, argument, library);
        parentPort.postMessage({ id, result });
    } catch ({ name, code, message, stack }) {
        parentPort.postMessage({ id, error: { name, code, message, stack } });
    }
});
parentPort.postMessage({ thread: runtime.thread });
