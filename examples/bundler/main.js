/**
 * The same import in every bundler, without a plugin or a setting: the module is inside of the package's file.
 *
 *   npx vite examples/bundler                                               a server for development
 *   npx esbuild examples/bundler/main.js --bundle --format=esm --outfile=build/page.js   one file
 */
import { createRuntime } from 'qhive';
import { CONFIG, liveAnEpisode } from '../corridor.js';

const runtime = await createRuntime({ seed: 1, maxPages: 256 });
const agent = runtime.createAgent(CONFIG);
const steps = Array.from({ length: 30 }, () => liveAnEpisode(agent));
document.getElementById('out').textContent = `The first episode took ${steps[0]} steps, the last ${steps.at(-1)}.`;
