/**
 * The features that are near an agent, its safe zone, and its parameter changes: whatever of these the runtime knows,
 * in the shape the page shows. `null` where the runtime has no such part.
 */

/** A part of the runtime, or null in a version that does not have it. */
function part(runtime, name) {
    try {
        return runtime[name] ?? null;
    } catch (error) {
        if (error.code === 'UNSUPPORTED') return null;
        throw error;
    }
}

/** Related features. @returns {{ code: string, name: string, category: string, score: number }[] | null} */
export function featuresOf(runtime, agent, observation) {
    if (!part(runtime, 'knowledge')?.size) return null;
    return agent.explain(observation, 5).knowledge;
}

/** @returns {{ parameter: string, value: number } | null} */
export function zoneOf(runtime, agent) {
    const parameter = agent.config.actuator?.parameter;
    const zones = parameter === undefined ? null : part(runtime, 'safeZones');
    return zones && { parameter, value: zones.value(parameter) };
}

/** The last changes and refusals of its parameter, newest first. */
export function changesOf(runtime, agent) {
    const zones = agent.config.actuator ? part(runtime, 'safeZones') : null;
    return zones && zones.audit().filter((change) => change.agent === agent.id).slice(-12).reverse();
}
