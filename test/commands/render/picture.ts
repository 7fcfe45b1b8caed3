/** `node test/commands/render/picture.ts`: README's picture, of what `tag test/data/notes/clinic-visit.txt --format html` writes. */
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { clinstream } from '../../support/cli.ts';
import { ROOT } from '../../support/model.ts';
import { browser } from '../../support/needs.ts';

const PICTURE = join(ROOT, 'benchmarks/results/tagged-note.png');

const { path, skip } = browser();
if (skip !== false) throw new Error(skip);
const { code, stdout, stderr } = await clinstream(['tag', 'test/data/notes/clinic-visit.txt', '--format', 'html']);
if (code !== 0) throw new Error(stderr);
const chrome = await chromium.launch({ executablePath: path, args: ['--no-sandbox'] });
try {
  const tab = await chrome.newPage({ viewport: { width: 900, height: 400 }, deviceScaleFactor: 1.5 });
  await tab.setContent(stdout);
  await tab.screenshot({ path: PICTURE });
} finally {
  await chrome.close();
}
process.stdout.write(`${PICTURE}\n`);
