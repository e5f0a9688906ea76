import { analyze } from '@projectwallace/css-analyzer';
import { readFileSync } from 'node:fs';
const { __meta__, ...result } = analyze(readFileSync(process.argv[2], 'utf8'));
process.stdout.write(JSON.stringify(result));
