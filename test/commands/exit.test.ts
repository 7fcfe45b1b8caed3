/** If this fails, a folder without permission looks like a fault of the program, or such a fault like the user's. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { EXIT, exitCode, explain } from '../../src/commands/exit.ts';

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return assert.fail('it threw nothing');
}

describe('an error that no command foresaw', () => {
  it('is told as what it is where the operating system refused a file', () => {
    for (const [work, told] of [
      [() => readFileSync('/nowhere/x'), /^clinstream: open \/nowhere\/x: ENOENT; check .* \[FILE_FAILED\]$/],
      [() => mkdtempSync('/nowhere/t-'), /^clinstream: mkdtemp \/nowhere\/t-XXXXXX: ENOENT; /],
    ] as const) {
      const error = thrownBy(work);
      assert.match(explain(error), told);
      assert.equal(exitCode(error), EXIT.stream);
    }
  });

  it('is a fault to report otherwise, with its stack', async () => {
    const refused = await new Promise(resolve => connect(1, '127.0.0.1').on('error', resolve));
    for (const error of [new TypeError('ours'), refused, undefined, null, 'text']) {
      assert.match(explain(error), /^clinstream: unexpected failure, please report it: /);
      assert.equal(exitCode(error), EXIT.internal);
    }
  });
});
