// Times two commands: node time.mjs OUR_NAME THEIR_NAME ROUNDS COMMAND... -- COMMAND...
import { spawnSync } from 'node:child_process';
const [ourName, theirName, rounds, ...rest] = process.argv.slice(2), cut = rest.indexOf('--');
const median = (list) => list.sort((x, y) => x - y)[list.length >> 1];
const once = ([program, ...args]) => {
  const from = process.hrtime.bigint();
  const done = spawnSync(program, args, { stdio: 'ignore' });
  if (done.status !== 0) throw new Error(`${program} ended with ${done.status}`);
  return Number(process.hrtime.bigint() - from) / 1e6;
};
const commands = [rest.slice(0, cut), rest.slice(cut + 1)], times = [[], []];
// Taken in turn, so that whatever else the machine does hits both; the first two rounds warm the caches.
for (let round = 0; round < Number(rounds) + 2; round++) commands.forEach((command, k) => { const t = once(command); if (round > 1) times[k].push(t); });
const [ours, theirs] = times.map(median);
console.log(`time: ${ourName} ${ours.toFixed(1)} ms, ${theirName} ${theirs.toFixed(1)} ms, ${(theirs / ours).toFixed(1)} times as fast`);
process.exit(ours < theirs ? 0 : 1);
