import { crossFitRewardModel, estimatePropensities, evaluatePolicy, fitRewardModel } from '../../js/src/evaluate/index.js';
import { LOGGING, REWARDS, VALUE_TARGET, enumerated } from './enumeration.js';

describe('estimatePropensities', () => {
    test('without smoothing, the enumerated log gives mu exactly', () => {
        const { contexts, actions, actionCount } = enumerated();
        const mu = estimatePropensities({ contexts, actions, actionCount, smoothing: 0 });
        contexts.forEach((x, i) => expect(mu.propensities[i]).toBeCloseTo(LOGGING[x][actions[i]], 12));
        expect(mu.contextCount).toBe(2);
        expect(mu.decisionsPerCell).toBeCloseTo(50 / 6, 12);
    });

    test('Laplace smoothing: (n + 1) / (N + k), rows sum to 1, also in a context never seen', () => {
        const mu = estimatePropensities({ contexts: ['a', 'a', 'b'], actions: [0, 1, 1], actionCount: 4 });
        expect(mu.probability('a', 0)).toBeCloseTo(2 / 6, 12);
        expect(mu.probability('a', 3)).toBeCloseTo(1 / 6, 12);
        expect(mu.probability('b', 1)).toBeCloseTo(2 / 5, 12);
        expect(mu.probability('new', 1)).toBeCloseTo(3 / 7, 12);
        for (const x of ['a', 'b', 'new']) {
            expect([0, 1, 2, 3].reduce((s, a) => s + mu.probability(x, a), 0)).toBeCloseTo(1, 12);
        }
        expect(mu.method).toContain('2 contexts x 4 actions');
    });

    test('backoff pulls a context to the overall frequencies', () => {
        const data = { contexts: [0, 0, 1, 1], actions: [0, 0, 1, 1], actionCount: 2, smoothing: 0 };
        expect(estimatePropensities({ ...data, backoff: 2 }).probability(0, 0)).toBeCloseTo((2 + 2 * 0.5) / 4, 12);
        expect(estimatePropensities({ ...data, backoff: 1e9 }).probability(0, 0)).toBeCloseTo(0.5, 6);
        expect(estimatePropensities({ ...data, backoff: 2 }).probability(0, 1)).toBeCloseTo(1 / 4, 12);
    });

    test('no contexts: one cell per action', () => {
        expect([...estimatePropensities({ actions: [0, 0, 1, 0], actionCount: 2, smoothing: 0 }).propensities]).toEqual([0.75, 0.75, 0.25, 0.75]);
    });
});

describe('reward models', () => {
    test('pseudoCount 0 gives cell means, and the model\'s rows fit the estimators', () => {
        const { contexts, actions, rewards, actionCount } = enumerated();
        const model = fitRewardModel({ contexts, actions, rewards, actionCount, pseudoCount: 0 });
        REWARDS.forEach((row, x) => row.forEach((q, a) => expect(model.predict(x, a)).toBeCloseTo(q, 12)));
        expect(model.count(0, 0)).toBe(15);
        expect([...model.rows([1])].map((q) => +q.toFixed(12))).toEqual(REWARDS[1]);
    });

    test('shrinkage by hand: cell -> action -> overall', () => {
        const model = fitRewardModel({ contexts: [0, 0, 1], actions: [0, 0, 1], rewards: [1, 2, 6], actionCount: 2, pseudoCount: 1 });
        const mean = 3;
        const q0 = (3 + mean) / 3;
        const q1 = (6 + mean) / 2;
        expect(model.predict(0, 0)).toBeCloseTo((3 + q0) / 3, 12);
        expect(model.predict(1, 1)).toBeCloseTo((6 + q1) / 2, 12);
        expect(model.predict(1, 0)).toBeCloseTo(q0, 12);
        expect(model.predict('unseen', 1)).toBeCloseTo(q1, 12);
    });

    test('cross-fitting: a reward never explains itself', () => {
        const rows = crossFitRewardModel({ actions: [0, 0, 0, 0], rewards: [1, 2, 3, 100], actionCount: 1, folds: ['a', 'a', 'b', 'b'], pseudoCount: 0 });
        expect([...rows]).toEqual([51.5, 51.5, 1.5, 1.5]);
        expect(() => crossFitRewardModel({ actions: [0, 0], rewards: [1, 2], actionCount: 1, folds: [1, 1] })).toThrow(/two different/);
        expect(() => crossFitRewardModel({ actions: [0, 0], rewards: [1, 2], actionCount: 1 })).toThrow(/folds/);
    });
});

describe('evaluatePolicy without propensities', () => {
    test('estimates them, says so, and agrees with the anchor', () => {
        const log = { ...enumerated(), smoothing: 0 };
        delete log.propensities;
        const result = evaluatePolicy(log);
        expect(result.propensities.source).toBe('estimated');
        expect(result.warnings.map((w) => w.code)).toContain('ESTIMATED_PROPENSITIES');
        expect(result.ips.value).toBeCloseTo(VALUE_TARGET, 12);
        expect(result.doublyRobust.value).toBeCloseTo(VALUE_TARGET, 12);
    });
});
