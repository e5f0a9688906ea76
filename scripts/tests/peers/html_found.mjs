// Which files of the site are in a page: by their bytes in base64, percent-encoded, or as plain text.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
const [site, ...pages] = process.argv.slice(2);
const files = [];
(function walk(folder) { for (const name of readdirSync(folder)) { const file = join(folder, name); statSync(file).isDirectory() ? walk(file) : files.push(file); } })(site);
// Data URLs inside data URLs are unpacked, so that nested sheets count.
function unpack(text, depth = 0) {
  const found = [];
  for (const [, type, body] of text.matchAll(/data:([\w.+\/-]+)(?:;charset=[\w-]+)?;base64,([A-Za-z0-9+\/=]+)/g)) found.push([type, Buffer.from(body, 'base64')]);
  for (const match of text.matchAll(/(["'(])data:([\w.+\/-]+)(?:;charset=[\w-]+)?,/g)) {
    const from = match.index + match[0].length, end = text.indexOf(match[1] === '(' ? ')' : match[1], from);
    const raw = Buffer.from(text.slice(from, end < 0 ? undefined : end).replaceAll('&amp;', '&')).toString('latin1');
    found.push([match[2], Buffer.from(raw.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16))), 'latin1')]);
  }
  return [text, ...found.flatMap(([type, bytes]) => /css|html|svg|javascript/.test(type)
    ? depth < 4 ? unpack(bytes.toString('utf8'), depth + 1) : [] : [bytes.toString('latin1')])];
}
// The peer writes numbers with their leading zero.
const squeeze = (text) => text.replace(/\s+/g, '').replace(/(?<!\d)0\.(?=\d)/g, '.');
const sets = pages.map((page) => {
  const texts = unpack(readFileSync(page, 'utf8').replaceAll('&quot;', "'")), flat = texts.map(squeeze);
  return new Set(files.map((file) => relative(site, file)).filter((name) => {
    const bytes = readFileSync(join(site, name));
    // Sheets are rewritten inside, so their longest part without an address must be there.
    if (name.endsWith('.css')) {
      const part = squeeze(bytes.toString('utf8')).split(/@charset[^;]*;|@import[^;]*;|url\([^)]*\)/).sort((a, b) => b.length - a.length)[0];
      return flat.some((text) => text.includes(part.slice(0, 400)));
    }
    return texts.some((text) => text.includes(bytes.toString('latin1')) || text.includes(bytes.toString('utf8'))) || flat.some((text) => text.includes(squeeze(bytes.toString('utf8'))));
  }));
});
const [ours, theirs] = sets;
const only = (a, b) => [...a].filter((name) => !b.has(name));
console.log(`resources: html_bundler ${ours.size}, monolith ${theirs.size}, the same ${[...ours].filter((name) => theirs.has(name)).length}`);
for (const name of only(theirs, ours)) console.log(`  only monolith: ${name}`);
for (const name of only(ours, theirs)) console.log(`  only html_bundler: ${name}`);
process.exit(only(theirs, ours).length ? 1 : 0);
