/** An agent learns its way through a corridor, is saved to a file, and another one goes on from there: `node examples/node/main.js` */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRuntimeSync } from 'qhive';
import { CONFIG, liveAnEpisode } from '../corridor.js';

const runtime = createRuntimeSync({ seed: 1, maxPages: 256 });
const agent = runtime.createAgent({ ...CONFIG, name: 'walker' });
const steps = Array.from({ length: 50 }, () => liveAnEpisode(agent));
console.log(`steps of the first five episodes: ${steps.slice(0, 5).join(' ')}`);
console.log(`steps of the last five episodes: ${steps.slice(-5).join(' ')}`);

const folder = mkdtempSync(join(tmpdir(), 'qhive-'));
const file = join(folder, 'walker.qhtb');
writeFileSync(file, agent.exportTable());

const heir = runtime.createAgent({ ...CONFIG, name: 'heir', policy: { kind: 'greedy' } });
heir.importTable(readFileSync(file));
rmSync(folder, { recursive: true });
console.log(`steps of one who inherits what it learned: ${liveAnEpisode(heir)}`);

const { pages, liveBytes } = runtime.memory;
console.log(`memory: ${pages} pages, of which ${heir.memory.liveBytes} bytes are the heir's and ${liveBytes} in use`);
runtime.dispose();
