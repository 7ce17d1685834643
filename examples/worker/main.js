/** The page's side of worker.js. Vite, webpack and Rollup know this way of naming a worker; esbuild bundles worker.js on its own. */
const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
const out = document.getElementById('out');

worker.onmessage = ({ data }) => {
    if (data.type === 'error') out.textContent = `${data.code ?? 'error'}: ${data.message}`;
    if (data.type === 'learned') out.textContent = `after ${data.episodes} episodes: ${data.meanSteps.toFixed(1)} steps each`;
    if (data.type === 'ready' || (data.type === 'learned' && data.episodes < 50)) worker.postMessage({ type: 'learn', episodes: 1 });
};
worker.postMessage({ type: 'start', agents: 100, seed: 1 });
