/** If this fails, somebody believes that a GPU scored, or compares one with a processor. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clinstream } from '../support/cli.ts';

const GOLD = '--corpus c --file gold/c.jsonl';
const NEEDED: Readonly<Record<string, string>> = {
  select: `${GOLD} --task a=A`,
  fuse: `${GOLD} --selection s.json --into c`,
  prompts: `${GOLD} --task a=A --teacher t --prompt p=p.txt --out o`,
  evaluate: '--corpus c',
  review: `${GOLD} --verdicts v.jsonl`,
  doubt: '--corpus c',
};

describe('--device', { timeout: 120_000 }, () => {
  it('is no option of what scores on the processor alone', async () => {
    for (const [command, needed] of Object.entries(NEEDED)) {
      const { code, stderr } = await clinstream(['distill', command, ...needed.split(' '), '--device', 'cuda']);
      assert.equal(code, 2);
      assert.match(stderr, /unknown option '--device'/, command);
    }
  });

  it('is refused where a pipeline is compared with a bare session on the processor', async () => {
    const { code, stdout, stderr } = await clinstream(['bench', 'pipeline', '--device', 'cuda']);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /inference\.device \(--device\) is cuda.*\[CONFIG_INVALID\]/);
  });
});
