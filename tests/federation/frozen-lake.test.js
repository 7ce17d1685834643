/**
 * The federation table of the design (docs/design/shared-mutable.md): exact success of the greedy policy after 30 rounds, the mean of
 * ten seeds, against the table's value. The optimum is .740; .730 is the policy next to it. The protocol, as far as the table does not
 * name it, is lake.js's. It was chosen by what other seeds gave (1..40 among them): these here had no part in it.
 *
 * Fifteen cells are held to .02. Three are decided by chance: under attack the means, and the median, end in one of many bad policies,
 * with a standard deviation of a single run that is more than the table's value; they are held to three standard errors of the difference
 * between ten runs here and ten there. Visit-weighted under attack hardly ever arrives, here (.006 to .020) even less often than in the table
 * (.041): it is held to .04. The honest median does better here than in the table, since clients that have not been somewhere have no
 * say: it is held from below.
 */
import { federate } from './lake.js';

const FIRST_SEED = 1001;
const RUNS = 10;
const CLOSE = 0.02;
const ERRORS = 3;
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
const BY_CHANCE = { mean: [false, false, true, true], median: [false, false, true, false] };
const FAR = { 'visit-weighted': [0, 0, 0.04, 0] };
const BETTER = { median: [true, false, false, false] };

const meanOf = (values) => values.reduce((sum, value) => sum + value) / values.length;

describe.each(Object.entries(TABLE))('%s', (rule, row) => {
    test.each(CASES.map((each, i) => [each.name, each, row[i], BY_CHANCE[rule]?.[i], FAR[rule]?.[i], BETTER[rule]?.[i]]))('%s', (name, { elsewhere, lied }, anchor, byChance, far, better) => {
        const runs = Array.from({ length: RUNS }, (_, i) => federate({ rule, elsewhere, lied, seed: FIRST_SEED + i }));
        const mean = meanOf(runs);
        const deviation = Math.sqrt(meanOf(runs.map((success) => (success - mean) ** 2)));
        process.stdout.write(`# ${rule}, ${name}: ${mean.toFixed(3)}, standard deviation ${deviation.toFixed(3)} (table ${anchor}; seeds ${FIRST_SEED}..${FIRST_SEED + RUNS - 1})\n`);
        const tolerance = byChance ? Math.max(CLOSE, ERRORS * deviation * Math.sqrt(2 / RUNS)) : far || CLOSE;
        expect(mean).toBeGreaterThanOrEqual(anchor - tolerance);
        if (!better) expect(mean).toBeLessThanOrEqual(anchor + tolerance);
    });
});
