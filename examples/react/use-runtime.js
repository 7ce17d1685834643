/**
 * Two React hooks: a runtime that lives as long as its component, and agents in it.
 *
 * A runtime is memory outside of JavaScript's: what a component opens it must dispose of. Effects do, also when React's strict mode
 * mounts every component twice, and when the component goes before the module is compiled.
 */
import { createRuntime } from 'qhive';
import { useEffect, useState } from 'react';

/** `{ runtime, error }`, both undefined until the module is ready. Options are read once, when the component is mounted. */
export function useRuntime(options) {
    const [first] = useState(options);
    const [state, setState] = useState({});
    useEffect(() => {
        let wanted = true;
        let opened;
        createRuntime(first).then(
            (runtime) => {
                opened = runtime;
                if (wanted) setState({ runtime });
                else runtime.dispose();
            },
            (error) => wanted && setState({ error }),
        );
        return () => {
            wanted = false;
            setState({});
            opened?.dispose();
        };
    }, [first]);
    return state;
}

/** An agent of this runtime, undefined as long as there is none; freed with the component. The configuration is read once. */
export function useAgent(runtime, config) {
    const [first] = useState(config);
    const [agent, setAgent] = useState();
    useEffect(() => {
        if (!runtime) return undefined;
        const made = runtime.createAgent(first);
        setAgent(made);
        return () => {
            setAgent(undefined);
            try {
                made.free();
            } catch (error) {
                if (error.code !== 'STALE_HANDLE') throw error; // its runtime went first, and the agent with it
            }
        };
    }, [runtime, first]);
    return agent;
}
