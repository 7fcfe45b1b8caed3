/** If this fails, every start of the program tells a third party about the machine that reads clinical notes. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { MODEL_DIRECTORY, ROOT } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';

const GRAPH = join(MODEL_DIRECTORY, 'model.int8.onnx');

/** What stands in the folder of temporary files and in the home of a process, after it has opened a session. */
function leftBy(name: string, args: readonly string[]): string[] {
  const home = temporaryFolder(name);
  // nothing of ours, and nothing that says CI, where the library keeps quiet by itself; a report that is tried gets nowhere
  const nowhere = { https_proxy: 'http://127.0.0.1:9', http_proxy: 'http://127.0.0.1:9' };
  const env = { PATH: process.env.PATH, HOME: home, TMPDIR: home, CLINSTREAM_MODEL: MODEL_DIRECTORY, ...nowhere };
  const { status, stderr } = spawnSync(process.execPath, args, {
    cwd: ROOT,
    env,
    input: 'Aspirin.\n',
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  return readdirSync(home, { recursive: true, encoding: 'utf8' });
}

describe('the inference library', () => {
  it('would leave traces of its reports', () => {
    const open = `await (await import('onnxruntime-node')).InferenceSession.create(${JSON.stringify(GRAPH)})`;
    const left = leftBy('telemetry-on', ['--input-type=module', '--eval', open]);
    assert.ok(
      left.some(file => file.startsWith('mat-debug-')),
      `it left ${left}: look how this version reports`,
    );
  });

  it('reports nothing from our program', () => {
    assert.deepEqual(leftBy('telemetry-off', [join(ROOT, 'src/main.ts'), 'tag', '-']), []);
  });
});
