/**
 * A hive of agents in a worker: the page stays free, and what crosses are plain messages.
 *
 *   { type: 'start', agents, seed }   ->  { type: 'ready', agents, simd }
 *   { type: 'learn', episodes }       ->  { type: 'learned', episodes, meanSteps, liveBytes }
 *   whatever fails                    ->  { type: 'error', code, message }
 *
 * A structured clone keeps neither name nor code of an error: that is why they are sent as text.
 */
import { createRuntime } from 'qhive';
import { CONFIG, liveAnEpisode } from '../corridor.js';

let runtime;
let episodes = 0;

const HANDLERS = {
    async start({ agents, seed }) {
        runtime?.dispose();
        runtime = undefined;
        const opened = await createRuntime({ seed, maxPages: 512 });
        for (let i = 0; i < agents; i++) opened.createAgent({ ...CONFIG, name: `walker ${i}` });
        runtime = opened;
        return { type: 'ready', agents: runtime.agents.length, simd: runtime.build.simd };
    },
    learn({ episodes: count }) {
        if (!runtime) throw new Error('start comes before learn');
        let steps = 0;
        for (let i = 0; i < count; i++) for (const agent of runtime.agents) steps += liveAnEpisode(agent);
        episodes += count;
        return { type: 'learned', episodes, meanSteps: steps / count / runtime.agents.length, liveBytes: runtime.memory.liveBytes };
    },
};

self.onmessage = async ({ data }) => {
    try {
        if (!Object.hasOwn(HANDLERS, data.type)) throw new Error(`no message '${data.type}'`);
        self.postMessage(await HANDLERS[data.type](data));
    } catch (error) {
        self.postMessage({ type: 'error', code: error.code, message: error.message });
    }
};
