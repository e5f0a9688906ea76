import { readFileSync } from 'node:fs';
const [theirs, ours] = process.argv.slice(2, 4).map((file) => JSON.parse(readFileSync(file, 'utf8')));
const leaves = (value, path, out) => {
  if (typeof value === 'number') out.set(path, value);
  else if (value && typeof value === 'object') for (const key of Object.keys(value)) leaves(value[key], path ? `${path}.${key}` : key, out);
  return out;
};
const a = leaves(theirs, '', new Map()), b = leaves(ours.metrics, '', new Map());
const close = (x, y) => Math.abs(x - y) <= 1e-9 * Math.max(1, Math.abs(x));
const different = [...a].filter(([key, value]) => b.has(key) && !close(value, b.get(key)));
const missing = [...a.keys()].filter((key) => !b.has(key));
console.log(`values: ${a.size} numbers of the peer, ${a.size - different.length - missing.length} equal, ${different.length} different, ${missing.length} missing`);
for (const [key, value] of different.slice(0, 20)) console.log(`  different: ${key}: ${value} there, ${b.get(key)} here`);
for (const key of missing.slice(0, 20)) console.log(`  missing: ${key}`);
process.exit(different.length + missing.length ? 1 : 0);
