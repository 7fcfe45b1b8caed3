/** What a suite needs of the machine. On a user's machine its absence is a loud skip; in CI it is a failure. */
import { existsSync } from 'node:fs';

const CHROMIUM = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Path of a browser, and the reason to skip where there is none. */
export function browser(): { path: string; skip: string | false } {
  const path = CHROMIUM.find(each => existsSync(each));
  if (path !== undefined) return { path, skip: false };
  if (process.env.CI !== undefined) throw new Error('no Chromium on this machine: CI must install one');
  return { path: '', skip: 'SKIPPED: install Chromium or Chrome to test the pages in a real browser' };
}
