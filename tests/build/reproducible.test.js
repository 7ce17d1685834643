/** A clean build in a folder of another name gives the same bytes as the build under test. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../cmake/build.mjs';

const INPUTS = ['CMakeLists.txt', 'CMakePresets.json', 'cmake', 'include', 'src', 'package.json', 'package-lock.json'];
const scratch = mkdtempSync(join(tmpdir(), 'qhive-build-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const hash = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');

function cleanBuild(name) {
    const folder = join(scratch, name);
    mkdirSync(folder, { recursive: true });
    for (const input of INPUTS) if (existsSync(join(root, input))) cpSync(join(root, input), join(folder, input), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction');
    return new Promise((resolve, reject) => {
        const child = spawn(process.execPath, ['cmake/build.mjs', 'wasm:qhive_wasm'], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
        let text = '';
        child.stderr.setEncoding('utf8').on('data', (chunk) => (text += chunk));
        child.on('error', reject);
        child.on('close', (status) => (status === 0 ? resolve(join(folder, 'build/wasm/qhive.wasm')) : reject(new Error(text))));
    });
}

test('the module does not depend on where or when it is built', async () => {
    const again = await cleanBuild('another folder, deeper/down');
    expect(hash(again)).toBe(hash(join(root, 'build/wasm/qhive.wasm')));
});
