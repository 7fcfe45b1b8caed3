/** `npm run kafka:down`: stops what `npm run kafka:up` started and removes its data. */
import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { Detached } from './detached.ts';

const folder = resolve('.clinstream/kafka');
await Promise.all(['broker', 'registry'].map(name => new Detached(resolve(folder, name)).remove()));
rmSync(folder, { recursive: true, force: true });
