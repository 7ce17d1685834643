import { useState } from 'react';
import { CONFIG, liveAnEpisode } from '../corridor.js';
import { useAgent, useRuntime } from './use-runtime.js';

export function App() {
    const { runtime, error } = useRuntime({ seed: 1, maxPages: 256 });
    const agent = useAgent(runtime, CONFIG);
    const [steps, setSteps] = useState([]);
    if (error) return <p role="alert">{error.message}</p>;
    if (!agent) return <p>loading</p>;
    return (
        <>
            <button onClick={() => setSteps([...steps, liveAnEpisode(agent)])}>live an episode</button>
            <ol>{steps.map((count, i) => <li key={i}>{count} steps</li>)}</ol>
        </>
    );
}
