/** Where the ES module finds the binaries in Node, which can also load synchronously. */
import { createRequire } from 'node:module';
import { compile, compileSync, refused } from '../engine.js';
import simd from 'qhive:simd';

export { simd };

export const loadScalar = async () => (await import('qhive:scalar')).scalarBytes();

export const loadScalarSync = () => createRequire(import.meta.url)('./qhive-scalar.cjs').scalarBytes();

export const threadsModule = async () => compile((await import('qhive:threads-build')).threadsBytes(), refused);

export const threadsModuleSync = () => compileSync(createRequire(import.meta.url)('./qhive-threads.cjs').threadsBytes(), refused);
