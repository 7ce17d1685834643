/** Where the CommonJS file finds the binaries. */
/* global require */
import { compile, compileSync, refused } from '../engine.js';
import simd from 'qhive:simd';

export { simd };

export const loadScalarSync = () => require('qhive:scalar').scalarBytes();

export const loadScalar = async () => loadScalarSync();

export const threadsModule = async () => compile(require('qhive:threads-build').threadsBytes(), refused);

export const threadsModuleSync = () => compileSync(require('qhive:threads-build').threadsBytes(), refused);
