/** Programs, where they run, and what they print. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, root } from '../../cmake/build.mjs';

export { findProgram, root };
export const scratch = join(root, 'build', 'toolchains');
mkdirSync(scratch, { recursive: true });

/** What a program printed; throws with all it said where it failed. */
export const run = (program, args, options = {}) => execFileSync(program, args, { cwd: root, encoding: 'utf8', stdio: 'pipe', ...options });

/** Exit code and output of a program that may fail. */
export function attempt(program, args) {
    const { status, stdout, stderr } = spawnSync(program, args, { cwd: root, encoding: 'utf8' });
    return { status, stdout, stderr };
}

/** What examples/c/cliff.c prints in every build. */
export const CLIFF = `............
............
oooooooooooo
o~~~~~~~~~~G
13 steps; 37 states known; `;
export const CLIFF_TABLE = 'table 2c80b14a6e52548c';

/** What every build of examples/c/command.c learns in its default run. */
export const COMMAND_TABLES = 'tables   4e63c564e8b5bfc6';
export const COMMAND_STATES = 37;
