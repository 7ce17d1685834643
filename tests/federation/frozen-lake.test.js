/**
 * The federation table of the design (docs/design/shared-mutable.md): exact success of the greedy policy after 30 rounds, the mean of
 * eight seeds, against the table's value. The optimum is .740; .730 is the policy next to it.
 *
 * Under attack the plain means, and the median, end in one of many policies by chance: the standard deviation of a single run is .12 to
 * .2 there, so those cells are held to .04; so is the honest median, which does better here. All others: .02.
 */
import { federate } from './lake.js';

const FIRST_SEED = 4;
const RUNS = 8;
const CLOSE = 0.02;
const CHAOTIC = 0.04;
const CASES = [
    { elsewhere: false, lied: false, name: 'honest' },
    { elsewhere: true, lied: false, name: 'heterogeneous starts' },
    { elsewhere: false, lied: true, name: '2 of 10 lie' },
    { elsewhere: true, lied: true, name: 'both' },
];
const TABLE = {
    mean: [0.73, 0.73, 0.045, 0.044],
    'visit-weighted': [0.737, 0.74, 0.041, 0.008],
    median: [0.694, 0.73, 0.67, 0.73],
    'trimmed-mean': [0.73, 0.73, 0.725, 0.73],
    robust: [0.73, 0.731, 0.73, 0.73],
};
const LOOSE = { mean: [false, false, true, true], 'visit-weighted': [false, false, true, false], median: [true, false, true, false] };

describe.each(Object.entries(TABLE))('%s', (rule, row) => {
    test.each(CASES.map((each, i) => [each.name, each, row[i], LOOSE[rule]?.[i] ? CHAOTIC : CLOSE]))('%s', (_, { elsewhere, lied }, anchor, tolerance) => {
        const runs = Array.from({ length: RUNS }, (__, i) => federate({ rule, elsewhere, lied, seed: FIRST_SEED + i }));
        const mean = runs.reduce((sum, success) => sum + success) / RUNS;
        process.stdout.write(`# ${rule}, ${_}: ${mean.toFixed(3)} (table ${anchor}; seeds ${FIRST_SEED}..${FIRST_SEED + RUNS - 1})\n`);
        expect(Math.abs(mean - anchor)).toBeLessThanOrEqual(tolerance);
    });
});
