import { createServer } from 'node:http';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join, normalize } from 'node:path';
const [site, portFile, log] = process.argv.slice(2);
const types = { '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml',
  '.png': 'image/png', '.jpg': 'image/jpeg', '.webp': 'image/webp', '.woff2': 'font/woff2' };
const server = createServer((request, response) => {
  let path = normalize(new URL(request.url, 'http://x').pathname);
  appendFileSync(log, `${path}\n`);
  if (path.endsWith('/')) path += 'index.html';
  try {
    const body = readFileSync(join(site, path));
    response.writeHead(200, { 'content-type': types[extname(path)] ?? 'application/octet-stream' }).end(body);
  } catch { response.writeHead(404).end('not found'); }
});
server.listen(0, '127.0.0.1', () => writeFileSync(portFile, String(server.address().port)));
