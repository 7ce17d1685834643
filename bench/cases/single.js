/**
 * One agent, one call: act and learn, the observation coming from three places.
 *
 * In place: the state lies in `agent.input`, and one float of it is rewritten before each call; the baseline does so in an array of
 * its own. Otherwise the calls of a round walk over 256 of the 4096 states, those of the next round over the next 256. Over all
 * 4096, both sides mostly wait for the observations: a MiB.
 */
import { comparison } from '../figures.js';
import { interleave } from '../measure.js';
import { agentConfig, createDrift, createTransitions, fill, loadBaseline, loadLoops, SHAPE, sharedRuntime, WINDOW } from '../workload.js';

async function createBaseline(name, states) {
    const create = await loadBaseline(name);
    return fill(create(), states);
}

/** A baseline against a second copy of itself: how far a ratio of 1 strays. */
async function runSelf({ rounds }) {
    const { states, walk } = createTransitions();
    const { actLoops } = await loadLoops();
    const { loops, prepare } = actLoops(await createBaseline('flat', states), await createBaseline('flat', states), walk);
    return [comparison('self/flat', 'flat table, act', 'itself', interleave(loops, { rounds, prepare }))];
}

const AGAINST = { flat: 'flat', map: 'Map', 'map:loop': 'Map, tuned join', 'map:floats': 'Map, floats joined', both: 'flat, learn + act' };

/** A figure for each [id, what, baseline, states, loops, what against if not the baseline's own name]: an agent and a baseline that have learned these states. */
async function compareAll({ rounds, runtime: options }, comparisons) {
    const runtime = sharedRuntime(options);
    const figures = [];
    for (const [id, what, name, states, choose, against = AGAINST[name]] of comparisons) {
        const agent = fill(runtime.createAgent(agentConfig()), states);
        const { loops, prepare } = choose(await loadLoops(), agent, await createBaseline(name, states));
        figures.push(comparison(id, what, against, interleave(loops, { rounds, prepare })));
        agent.free();
    }
    return figures;
}

function runAct(options) {
    const { states, walk } = createTransitions();
    const drift = createDrift(WINDOW);
    const arrays = walk.map((state) => Array.from(state));
    const mask = Uint8Array.from({ length: SHAPE.actions }, (_, i) => (i % 3 === 0 ? 0 : 1));
    const copied = ({ actLoops }, ...two) => actLoops(...two, walk);
    return compareAll(options, [
        ['act/in-place/flat', 'act, state in agent.input', 'flat', drift.states, ({ actInPlaceLoops }, ...two) => actInPlaceLoops(...two, drift)],
        ['act/copy/flat', 'act, Float32Array copied in', 'flat', states, copied],
        ['act/far/flat', 'the same over all 4096 states', 'flat', states, ({ actLoops }, ...two) => actLoops(...two, walk, walk.length)],
        ['act/array/flat', 'act, plain array copied in', 'flat', states, ({ actLoops }, ...two) => actLoops(...two, arrays)],
        ['act/mask/flat', 'act with a mask, Float32Array', 'flat', states, ({ maskLoops }, ...two) => maskLoops(...two, walk, mask)],
        ['act/copy/map', 'act, Float32Array copied in', 'map', states, copied],
        ['act/copy/map-loop', 'act, Float32Array copied in', 'map:loop', states, copied],
        ['act/copy/map-floats', 'act, Float32Array copied in', 'map:floats', states, copied],
    ]);
}

function runLearn(options) {
    const transitions = createTransitions();
    const { states } = transitions;
    const drift = createDrift(WINDOW);
    const inPlace = ({ learnInPlaceLoops }, ...two) => learnInPlaceLoops(...two, drift, transitions);
    const copied = ({ learnLoops }, ...two) => learnLoops(...two, transitions);
    return compareAll(options, [
        ['learn/in-place/flat', 'learn, both in agent.input, nextInput', 'flat', drift.states, inPlace],
        ['learn/copy/flat', 'learn, Float32Arrays copied in', 'flat', states, copied],
        ['learn/copy/map', 'learn, Float32Arrays copied in', 'map', states, copied],
        ['learn/copy/map-loop', 'learn, Float32Arrays copied in', 'map:loop', states, copied],
        ['learn/copy/map-floats', 'learn, Float32Arrays copied in', 'map:floats', states, copied],
    ]);
}

/** Learning as an episode goes: one call learns from the last action and chooses the next. */
function runStep(options) {
    const transitions = createTransitions();
    const drift = createDrift(WINDOW);
    const inPlace = ({ stepInPlaceLoops }, ...two) => stepInPlaceLoops(...two, drift, transitions);
    const apart = ({ stepInPlaceLoops }, ...two) => stepInPlaceLoops(...two, drift, transitions, true);
    const copied = ({ stepLoops }, ...two) => stepLoops(...two, transitions);
    return compareAll(options, [
        ['step/in-place/flat', 'step, state in agent.input', 'flat', drift.states, inPlace],
        ['step/in-place/flat-learn-act', 'step, state in agent.input', 'flat', drift.states, apart, AGAINST.both],
        ['step/copy/flat', 'step, Float32Array copied in', 'flat', transitions.states, copied],
        ['step/copy/map', 'step, Float32Array copied in', 'map', transitions.states, copied],
    ]);
}

export const cases = [
    { name: 'self', about: 'the noise floor: a baseline against itself', run: runSelf },
    { name: 'act', about: 'one agent chooses an action', run: runAct },
    { name: 'learn', about: 'one agent learns from a transition', run: runLearn },
    { name: 'step', about: 'one agent learns and chooses', run: runStep },
];
