/**
 * What of a call is spent between JavaScript and WebAssembly: an empty call of the module, and the copying in of 64 floats, each by
 * itself and as a share of the calls that contain them.
 */
import { plain } from '../figures.js';
import { interleave, spread } from '../measure.js';
import { agentConfig, AGENTS, createCrew, createFrames, createRuntime, createTransitions, fill, moduleBytes, SHAPE, WINDOW } from '../workload.js';

const LAST = WINDOW - 1;
const PAGES = 256;

/** The shortest function of the module, without the package around it. */
function emptyCall(options) {
    const memory = new WebAssembly.Memory({ initial: PAGES });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes(options)), { env: { memory } });
    const { qh_io_address: call } = exports;
    return (count) => {
        let sum = 0;
        for (let i = 0; i < count; i++) sum += call();
        return sum;
    };
}

function copies(states, arrays) {
    const { dims } = SHAPE;
    const view = new Float32Array(new WebAssembly.Memory({ initial: 1 }).buffer, 0, dims);
    return {
        copy: (count) => {
            for (let i = 0; i < count; i++) view.set(states[i & LAST]);
            return view[0];
        },
        array: (count) => {
            for (let i = 0; i < count; i++) {
                const state = arrays[i & LAST];
                for (let j = 0; j < dims; j++) view[j] = state[j];
            }
            return view[0];
        },
    };
}

const acts = (agent, seen) => (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += agent.act(seen[i & LAST]);
    return sum;
};

const batchActs = (batches) => (count) => {
    for (let i = 0; i < count; i++) batches[i % batches.length].act();
    return batches[0].actions[0];
};

function measure({ rounds, runtime: options }) {
    const { states, walk } = createTransitions();
    const seen = walk.slice(0, WINDOW);
    const arrays = seen.map((state) => Array.from(state));
    const runtime = createRuntime(options);
    const agent = fill(runtime.createAgent(agentConfig()), states);
    const { batches } = createCrew(runtime, createFrames());
    const contenders = {
        call: emptyCall(options),
        ...copies(seen, arrays),
        actInPlace: acts(agent, Array.from(seen, () => agent.input)),
        actCopy: acts(agent, seen),
        batch: batchActs(batches),
    };
    const samples = interleave(contenders, { rounds });
    runtime.dispose();
    return samples;
}

function run(options) {
    const samples = measure(options);
    const nanoseconds = (id, what, name) => {
        const { median, low, high } = spread(samples[name]);
        return plain(`boundary/${id}`, what, median, 'ns', { low, high });
    };
    const share = (id, what, whole, part) => {
        const { median, low, high } = spread(samples[whole].map((time, round) => (100 * part(round)) / time));
        return plain(`boundary/${id}`, what, median, '%', { low, high });
    };
    return [
        nanoseconds('call', 'empty call', 'call'),
        nanoseconds('copy', '64 floats, Float32Array', 'copy'),
        nanoseconds('array', '64 floats, plain array', 'array'),
        share('share-in-place', 'share of act, in place: the call', 'actInPlace', (round) => samples.call[round]),
        share('share-copy', 'share of act, copied: the call, the copy', 'actCopy', (round) => samples.call[round] + samples.copy[round]),
        share('share-batch', `share of ${AGENTS} agents acting: the call`, 'batch', (round) => samples.call[round]),
    ];
}

export const cases = [{ name: 'boundary', about: 'what calling into WebAssembly costs', run }];
