/** If these fail, no other Avro program can tell which schema our values were written with. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { canonicalForm, crc64Avro, schemaFingerprint } from '../../src/events/fingerprint.ts';
import type { AvroSchema } from '../../src/events/schemas.ts';

/** From Apache Avro's share/test/data/schema-tests.txt: canonical form and signed fingerprint. */
const PUBLISHED: readonly (readonly [string, bigint])[] = [
  ['"null"', 7195948357588979594n],
  ['"boolean"', -6970731678124411036n],
  ['"int"', 8247732601305521295n],
  ['"long"', -3434872931120570953n],
  ['"float"', 5583340709985441680n],
  ['"double"', -8181574048448539266n],
  ['"bytes"', 5746618253357095269n],
  ['"string"', -8142146995180207161n],
  ['[]', -1241056759729112623n],
  ['["int"]', -5232228896498058493n],
  ['["int","boolean"]', 5392556393470105090n],
  ['{"name":"foo","type":"record","fields":[]}', -4824392279771201922n],
  ['{"name":"a.b.foo","type":"record","fields":[]}', -4616218487480524110n],
  ['{"name":"foo","type":"record","fields":[{"name":"f1","type":"boolean"}]}', 7843277075252814651n],
  ['{"name":"x.y.z.foo","type":"enum","symbols":["A1","A2"]}', -4448647247586288245n],
  ['{"type":"array","items":"null"}', -589620603366471059n],
];

describe('CRC-64-AVRO', () => {
  it('gives the published fingerprints', () => {
    assert.equal(crc64Avro(Buffer.from('"int"')), 0x7275d51a3f395c8fn);
    for (const [canonical, fingerprint] of PUBLISHED) {
      assert.equal(BigInt.asIntN(64, crc64Avro(Buffer.from(canonical))), fingerprint, canonical);
    }
  });

  it('writes them in little-endian order', () => {
    assert.equal(schemaFingerprint('int').toString('hex'), '8f5c393f1ad57572');
  });
});

describe('the parsing canonical form', () => {
  it('drops documentation, defaults, namespaces and logical types', () => {
    const schema: AvroSchema = {
      type: 'record',
      name: 'foo',
      namespace: 'x.y',
      doc: 'Useful info',
      fields: [
        { name: 'f1', type: { type: 'long', logicalType: 'timestamp-millis' }, doc: 'When' },
        { name: 'f2', type: { type: 'enum', name: 'bar', symbols: ['A'] }, default: 'A' },
        { name: 'f3', type: 'bar' },
      ],
    };
    const expected =
      '{"name":"x.y.foo","type":"record","fields":[{"name":"f1","type":"long"},' +
      '{"name":"f2","type":{"name":"x.y.bar","type":"enum","symbols":["A"]}},{"name":"f3","type":"x.y.bar"}]}';
    assert.equal(canonicalForm(schema), expected);
  });

  it('agrees with the published forms', () => {
    const nonEmpty = PUBLISHED.filter(([canonical]) => canonical !== '[]');
    for (const [canonical] of nonEmpty) assert.equal(canonicalForm(JSON.parse(canonical)), canonical);
  });
});
