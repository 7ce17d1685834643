/**
 * Progress on standard error: a bar on a terminal, a line now and then elsewhere.
 */

import cliProgress from 'cli-progress';

/**
 * @param {string} title @param {number} total steps
 * @returns {{ step(): void, stop(): void }}
 */
export function progress(title, total) {
  if (process.stderr.isTTY) return bar(title, total);
  let done = 0;
  process.stderr.write(`${title}: ${total}\n`);
  return {
    step() {
      done++;
      if (done % Math.ceil(total / 4) === 0 || done === total) process.stderr.write(`${title}: ${done} of ${total}\n`);
    },
    stop() {},
  };
}

function bar(title, total) {
  const shown = new cliProgress.SingleBar({
    format: `${title.padEnd(12)} [{bar}] {value}/{total}  {duration_formatted}`,
    stream: process.stderr, hideCursor: true, barsize: 40,
  }, cliProgress.Presets[process.env.NO_COLOR ? 'legacy' : 'shades_classic']);
  shown.start(total, 0);
  return { step: () => shown.increment(), stop: () => shown.stop() };
}
