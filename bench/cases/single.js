/**
 * One agent, one call: act and learn, the observation coming from three places.
 *
 * In place: the state lies in `agent.input`; it stays the same through a round and is another one in the next, since the writing
 * belongs to whoever produces the state. The baseline reads one state over and over as well. Otherwise the calls of a round walk over
 * 256 of the 4096 states, those of the next round over the next 256. Over all 4096, both sides mostly wait for the observations: a MiB.
 */
import { comparison } from '../figures.js';
import { interleave } from '../measure.js';
import { agentConfig, baselineOptions, createRuntime, createTransitions, fill, loadBaseline, loadLoops, SHAPE } from '../workload.js';

async function createBaseline(name, states) {
    const { FlatAgent, MapAgent } = await loadBaseline(name);
    return fill(new (FlatAgent ?? MapAgent)(baselineOptions()), states);
}

/** A baseline against a second copy of itself: how far a ratio of 1 strays. */
async function runSelf({ rounds }) {
    const { states, walk } = createTransitions();
    const { actLoops } = await loadLoops();
    const { loops, prepare } = actLoops(await createBaseline('flat', states), await createBaseline('flat', states), walk);
    return [comparison('self/flat', 'flat table, act', 'itself', interleave(loops, { rounds, prepare }))];
}

/** `compare(id, what, name, loops)` times an agent that has learned all states against a baseline that has. */
async function compareAll({ rounds, runtime: options }, body) {
    const transitions = createTransitions();
    const runtime = createRuntime(options);
    const agent = fill(runtime.createAgent(agentConfig()), transitions.states);
    const figures = [];
    await body(transitions, async (id, what, name, choose) => {
        const baseline = await createBaseline(name, transitions.states);
        const { loops, prepare } = choose(await loadLoops(), agent, baseline);
        figures.push(comparison(id, what, name === 'map' ? 'Map' : name, interleave(loops, { rounds, prepare })));
    });
    runtime.dispose();
    return figures;
}

const runAct = (options) =>
    compareAll(options, async (transitions, compare) => {
        const { walk } = transitions;
        const arrays = walk.map((state) => Array.from(state));
        const mask = Uint8Array.from({ length: SHAPE.actions }, (_, i) => (i % 3 === 0 ? 0 : 1));
        const copied = ({ actLoops }, ...two) => actLoops(...two, walk);
        await compare('act/in-place/flat', 'act, state in agent.input', 'flat', (all, ...two) => all.actInPlaceLoops(...two, transitions));
        await compare('act/copy/flat', 'act, Float32Array copied in', 'flat', copied);
        await compare('act/far/flat', 'the same over all 4096 states', 'flat', (all, ...two) => all.actLoops(...two, walk, walk.length));
        await compare('act/array/flat', 'act, plain array copied in', 'flat', (all, ...two) => all.actLoops(...two, arrays));
        await compare('act/mask/flat', 'act with a mask, Float32Array', 'flat', (all, ...two) => all.maskLoops(...two, walk, mask));
        await compare('act/copy/map', 'act, Float32Array copied in', 'map', copied);
    });

const runLearn = (options) =>
    compareAll(options, async (transitions, compare) => {
        const copied = ({ learnLoops }, ...two) => learnLoops(...two, transitions);
        await compare('learn/in-place/flat', 'learn, state in agent.input', 'flat', (all, ...two) => all.learnInPlaceLoops(...two, transitions));
        await compare('learn/copy/flat', 'learn, Float32Arrays copied in', 'flat', copied);
        await compare('learn/copy/map', 'learn, Float32Arrays copied in', 'map', copied);
    });

export const cases = [
    { name: 'self', about: 'the noise floor: a baseline against itself', run: runSelf },
    { name: 'act', about: 'one agent chooses an action', run: runAct },
    { name: 'learn', about: 'one agent learns from a transition', run: runLearn },
];
