/** Prints the hash of the golden program: `node in-node.mjs STEPS SIMD [SEED]`. */
import { createRuntimeSync } from 'qhive';
import { run } from './program.mjs';

const [steps, simd, seed] = process.argv.slice(2);
console.log(run(createRuntimeSync, Number(steps), { simd: simd === 'true', ...(seed ? { seed: Number(seed) } : {}) }));
