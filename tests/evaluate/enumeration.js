/**
 * The exact anchor of offline evaluation: two contexts, three actions, every (context, action) as often
 * as the logging policy produces it. p(x) mu(a | x) are multiples of 1/50, so 50 decisions enumerate the
 * joint distribution exactly and sample means over them are expectations.
 */
export const CONTEXTS = [0.6, 0.4];
export const LOGGING = [[0.5, 0.3, 0.2], [0.2, 0.2, 0.6]];
export const TARGET = [[0.1, 0.1, 0.8], [0.7, 0.2, 0.1]];
export const REWARDS = [[1, 0, 0.5], [0.2, 0.9, 0.4]];
export const WRONG = REWARDS.map((row) => row.map((q, a) => q + 0.3 * (a - 1) + 0.1));

export const VALUE_LOGGING = 0.544;
export const VALUE_TARGET = 0.444;
export const VARIANCE_IPS = 0.399930666667;
export const ESS_RATIO = 0.331272084806;

/** @returns {object} the 50 decisions, `contexts` being 0 or 1 */
export function enumerated({ propensity = (x, a) => LOGGING[x][a], model = WRONG } = {}) {
    const log = { actionCount: 3, contexts: [], actions: [], rewards: [], propensities: [], target: [], model: [] };
    CONTEXTS.forEach((p, x) => LOGGING[x].forEach((mu, a) => {
        for (let copies = Math.round(50 * p * mu); copies > 0; copies--) {
            log.contexts.push(x);
            log.actions.push(a);
            log.rewards.push(REWARDS[x][a]);
            log.propensities.push(propensity(x, a));
            log.target.push(TARGET[x]);
            log.model.push(model[x]);
        }
    }));
    return log;
}
