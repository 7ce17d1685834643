/**
 * 593 agents in one call. The observations lie where they are read: in the rows of a batch, in the baselines' own arrays. Each agent
 * meets 8 states in turn, one batch of the same agents for each, so that nothing is written while the clock runs; or one and the same.
 */
import { comparison } from '../figures.js';
import { interleave } from '../measure.js';
import { AGENTS, createCrew, createFrames, createRuntime, fillCrew, loadBaseline, loadLoops } from '../workload.js';

async function createBaselines(name, frames) {
    const create = await loadBaseline(name);
    return fillCrew(Array.from({ length: AGENTS }, (_, i) => create(i + 1)), frames);
}

/** A figure for each [id, what, against, baseline, loops, frames]; all frames by default. */
async function compareAll({ rounds, runtime: options }, comparisons) {
    const frames = createFrames();
    const runtime = createRuntime(options);
    const { batches } = createCrew(runtime, frames);
    const figures = [];
    for (const [id, what, against, name, loops, count] of comparisons) {
        const { [loops]: create } = await loadLoops();
        const contenders = create(batches.slice(0, count), await createBaselines(name, frames), frames.slice(0, count));
        figures.push(comparison(id, what, against, interleave(contenders, { rounds })));
    }
    runtime.dispose();
    return figures;
}

const runAct = (options) =>
    compareAll(options, [
        ['batch-act/flat', '593 agents act, one batch', 'flat', 'flat', 'batchActLoops'],
        ['batch-act/same/flat', 'the same, one observation each', 'flat', 'flat', 'batchActLoops', 1],
        ['batch-act/map', '593 agents act, one batch', 'Map', 'map', 'batchActLoops'],
        ['batch-act/map-loop', '593 agents act, one batch', 'Map, tuned join', 'map:loop', 'batchActLoops'],
        ['batch-act/map-floats', '593 agents act, one batch', 'Map, floats joined', 'map:floats', 'batchActLoops'],
    ]);

const runStep = (options) =>
    compareAll(options, [
        ['batch-step/flat', '593 agents step, one batch', 'flat', 'flat', 'batchStepLoops'],
        ['batch-step/same/flat', 'the same, one observation each', 'flat', 'flat', 'batchStepLoops', 1],
        ['batch-step/flat-learn-act', '593 agents step, one batch', 'flat, learn + act', 'flat', 'batchLearnAndActLoops'],
        ['batch-step/map', '593 agents step, one batch', 'Map', 'map', 'batchStepLoops'],
        ['batch-step/map-loop', '593 agents step, one batch', 'Map, tuned join', 'map:loop', 'batchStepLoops'],
        ['batch-step/map-floats', '593 agents step, one batch', 'Map, floats joined', 'map:floats', 'batchStepLoops'],
    ]);

export const cases = [
    { name: 'batch-act', about: '593 agents choose, one call', run: runAct },
    { name: 'batch-step', about: '593 agents learn and choose, one call', run: runStep },
];
