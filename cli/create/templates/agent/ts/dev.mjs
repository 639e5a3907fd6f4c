// Compiles on every change of src/, and starts the agent anew. Ctrl-C ends it; the agent says farewell first.
import { spawn } from 'node:child_process';
import { watch } from 'node:fs';

/** An editor writes several times. */
const QUIET_MS = 100;
const PATIENCE_MS = 10_000;

let agent;
let isEnding = false;
let timer;
/** One after the other. */
let turn = Promise.resolve();

const run = (words, ...channel) =>
  spawn(process.execPath, words, { stdio: ['ignore', 'inherit', 'inherit', ...channel] });
const ended = (child) =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode);
    else child.once('close', resolve);
  });

async function again() {
  if (isEnding) return;
  if ((await ended(run(['node_modules/typescript/bin/tsc']))) !== 0) {
    console.error('it does not compile: what runs goes on until the next change');
    return;
  }
  await stop();
  if (isEnding) return;
  // By its channel the agent knows that we are here: should we be killed, it ends too.
  const started = run(['--enable-source-maps', 'dist/src/main.js'], 'ipc');
  agent = started;
  started.once('exit', (code) => {
    if (agent === started) console.error(`the agent ended with ${code}: it is started anew by the next change`);
  });
}

async function stop() {
  const running = agent;
  agent = undefined;
  if (!running) return;
  running.kill('SIGTERM');
  const late = setTimeout(() => running.kill('SIGKILL'), PATIENCE_MS);
  await ended(running);
  clearTimeout(late);
}

function end() {
  if (isEnding) return;
  isEnding = true;
  void stop().then(() => process.exit(0));
}

const next = () => {
  turn = turn.then(again);
};
next();
watch('src', { recursive: true }, () => {
  clearTimeout(timer);
  timer = setTimeout(next, QUIET_MS);
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, end);
// The shell that npm puts between passes no signal on: it is just gone.
const parent = process.ppid;
setInterval(() => process.ppid === parent || end(), 500);
