/** The pages that users read, and what is in their fences. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { root } from '../../cmake/build.mjs';

const TOP = readdirSync(root).filter((name) => name.endsWith('.md'));
const FOLDERS = ['docs', 'examples', 'web', 'bench', '.github'];

function below(folder) {
    try {
        return readdirSync(join(root, folder), { recursive: true }).filter((name) => name.endsWith('.md')).map((name) => `${folder}/${name}`);
    } catch (error) {
        if (error.code === 'ENOENT') return [];
        throw error;
    }
}

export const pages = [...TOP, ...FOLDERS.flatMap(below)].map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

/** Every fenced block: its page, number on it, first words behind the fence, text. */
export const blocks = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/^```(.*)\n([^]*?)^```$/gm)].map(([, info, source], i) => ({ page: path, number: i + 1, info: info.trim(), source })));

export const of = (info) => blocks.filter((block) => block.info === info);
export const titled = (list) => list.map((block) => [`${block.page}, block ${block.number}`, block]);

/** Every link to a file, with the page it is on: [page, target without fragment, fragment]. */
export const links = pages.flatMap(({ path, text }) =>
    [...text.replace(/^```[^]*?^```$/gm, '').matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, target]) => target)
        .filter((target) => !/^[a-z]+:/.test(target))
        .map((target) => {
            const [file, fragment] = target.split('#');
            return { page: path, target, file: file ? relative(root, join(root, dirname(path), file)) : path, fragment };
        }));
