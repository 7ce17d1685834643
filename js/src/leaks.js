/**
 * For development (option `onLeak`): says which objects were collected as garbage without being freed. Whether and when an engine
 * collects is its own affair, so this is a net with holes; `free`, `dispose` and `using` are the way.
 *
 * What is kept beside an object must not refer to it, nor to its runtime: or neither would ever be collected.
 */

/** @typedef {{ report: (what: string) => void, disposed: boolean }} LeakWatch */

/** @type {FinalizationRegistry<{ watch: LeakWatch, what: string }> | undefined} */
let registry;

/** @param {LeakWatch | null} watch of the runtime @param {object} target @param {string} what */
export function watchLeak(watch, target, what) {
    if (watch === null || typeof FinalizationRegistry !== 'function') return;
    registry ??= new FinalizationRegistry(({ watch: { report, disposed }, what: lost }) => {
        if (!disposed) report(lost);
    });
    registry.register(target, { watch, what }, target);
}

/** It was freed. @param {LeakWatch | null} watch @param {object} target */
export function forgetLeak(watch, target) {
    if (watch !== null) registry?.unregister(target);
}
