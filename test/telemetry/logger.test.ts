/** If these fail, the log shows text of a note that a library quoted in its error. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ClinstreamError } from '../../src/core/errors.ts';
import { createLogger, errorFields } from '../../src/telemetry/logger.ts';
import { CANARY, watched } from './facts.ts';

class BrokenError extends ClinstreamError<'BROKEN'> {
  readonly stage = 'model';
}

const foreign = Object.assign(new SyntaxError(`Unexpected token in ${CANARY}`), { code: 'ERR_PARSE', input: CANARY });
const ours = new BrokenError('BROKEN', 'it broke', { cause: foreign, details: { at: 3 }, retryable: true });

describe('errors in the log', () => {
  it('are name, stage and code, wherever they stand', () => {
    const { telemetry, lines, text } = watched('trace');
    const { logger } = telemetry;
    logger.error(foreign);
    logger.error(foreign, 'while reading');
    logger.error({ err: ours, deep: { list: [foreign] } }, 'while running');
    logger.error({ reason: foreign }, 'said %s and %o', foreign, foreign);
    logger.error('said %s', foreign);
    logger.child({ err: foreign }).error('child');
    assert.ok(!text().includes(CANARY), text());
    assert.deepEqual(lines()[0]?.err, { name: 'SyntaxError', code: 'ERR_PARSE' });
    assert.equal(lines()[1]?.msg, 'while reading');
    assert.deepEqual(lines()[2]?.err, { name: 'BrokenError', stage: 'model', retryable: true, code: 'BROKEN' });
    assert.deepEqual(lines()[2]?.deep, { list: [{ name: 'SyntaxError', code: 'ERR_PARSE' }] });
  });

  it('have no code and no name that is not one', () => {
    const odd = Object.assign(new Error('x'), { code: `not a code: ${CANARY}`, name: `${CANARY} of\na note` });
    assert.deepEqual(errorFields(odd), { name: 'Error' });
  });
});

describe('the logger', () => {
  it('writes bigints and survives circles', () => {
    const { telemetry, lines } = watched();
    const circle: Record<string, unknown> = { offset: 9_007_199_254_740_993n };
    circle.self = circle;
    telemetry.logger.info(circle, 'round');
    assert.equal(lines()[0]?.offset, '9007199254740993');
  });

  it('writes nothing below its level', () => {
    const written: string[] = [];
    const logger = createLogger({ level: 'silent', destination: { write: line => void written.push(line) } });
    logger.fatal('nobody hears');
    assert.deepEqual(written, []);
  });
});
