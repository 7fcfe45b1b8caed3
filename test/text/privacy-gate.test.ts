/** If this fails, a note with a patient's identifiers would be processed, or ordinary notes would be refused. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Note } from '../../src/core/note.ts';
import { PrivacyError } from '../../src/text/privacy-error.ts';
import { gate } from '../../src/text/privacy-gate.ts';
import { trip } from '../../src/text/tripwire.ts';

function note(
  text: string,
  deidentification: Note['deidentification'] = { method: 'safe-harbor', version: '2' },
): Note {
  return {
    noteId: 'n',
    noteVersion: 1,
    patientId: 'p',
    encounterId: null,
    noteType: 'x',
    authoredAt: 0,
    specialty: null,
    source: '',
    text,
    deidentification,
  };
}

const IDENTIFIERS: readonly (readonly [category: string, text: string])[] = [
  ['ssn', 'SS: 219 09 9999'],
  ['ssn', 'SS No. 219 09 9999'],
  ['ssn', 'Soc Sec 219 09 9999'],
  ['ssn', 'Soc. Sec. # 219 09 9999'],
  ['ssn', 'SSN (updated 2019): 219 09 9999'],
  ['phone', '+1 555-234 5678'],
  ['phone', 'tel 555-234 5678'],
  ['phone', 'call 555.234-5678'],
  ['phone', '555-234.5678'],
  ['ssn', 'SSN 219-09-9999.'],
  ['ssn', 'social 219 09 9998'],
  ['mrn', 'MRN: 00482913'],
  ['ssn', 'SSN: 219099999'],
  ['ssn', 'SS# 219 09 9999'],
  ['ssn', 'SSN\n219 09 9999'],
  ['ssn', 'Social Security Number (SSN): 219099999'],
  ['mrn', 'Medical Record Number A1234567'],
  ['mrn', 'Medical Record Number (MRN): 00482913'],
  ['mrn', 'MRN is 00482913'],
  ['mrn', 'MRN.: 00482913'],
  ['phone', 'call (555) 234-5678 today'],
  ['phone', 'tel. 555.234.5678'],
  ['phone', 'call 1 (555) 234 5678'],
  ['phone', '+44 20 7946 0958'],
  ['phone', '+4420 7946 0958'],
  ['phone', '+852 2345 6789'],
  ['phone', 'tel. +420 600 500 100'],
  ['phone', '１-５５５-２３４-５６７８'],
  ['phone', '555\u2011234\u20115678'],
  ['email', 'j.doe@example.org'],
  ['url', 'see https://example.org/p?id=7'],
  ['url', 'www.example.co.uk'],
  ['birth-date', 'DOB: 03/14/1956'],
  ['birth-date', 'date of birth 1956-03-14'],
  ['birth-date', 'born on March 14, 1956'],
  ['birth-date', 'Date of birth (DOB): 03/14/1956'],
  ['birth-date', 'date of birth is 03/14/1956'],
  ['birth-date', 'DOB: 14-Mar-1956'],
  ['birth-date', 'DOB 14MAR1956'],
  ['birth-date', 'DOB: 14-Mar-56'],
  ['ip', 'from 192.168.10.44'],
  ['card', 'paid 4111 1111 1111 1111'],
  ['card', '378282246310005'],
  ['birth-date', 'DOB: \u200e03/\u200e04/\u200e1956'],
  ['birth-date', 'DOB: ٠٣/٠٤/١٩٥٦'],
  ['birth-date', 'DOB: ०३/०४/१९५६'],
  ['phone', 'Call (617)\u202f555-0142'],
  ['phone', 'Call (617)\u3000555-0142'],
  ['phone', 'Call 617\u00ad-555\u00ad-0142'],
  ['phone', 'Call 617-\u200b555-\u200b0142'],
  ['phone', 'Call 617-555-0142²'],
  ['ssn', 'SSN 123-\u200b45-\u200b6789'],
  ['ssn', 'SSN 123\u00ad45\u00ad6789'],
  ['mrn', 'MRN: \u200e12345678\u200e'],
  ['mrn', 'MRN: 𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖'],
  ['email', 'john.doe\u200b@example.com'],
  ['email', 'john.doe@\u00adexample.com'],
  ['card', 'card 4111\u202f1111\u202f1111\u202f1111'],
];

const ORDINARY: readonly string[] = [
  'Verified by name and date of birth. 03/14/2024 09:30 resting',
  'Two identifiers (name, DOB). 03/14/2024',
  'Checked name and MRN. 2024-03-14 note',
  'BP 120/80, HR 72, temp 98.6, SpO2 97%',
  'WBC 4.5-11.0, platelets 150-400, sodium 135-145',
  'admitted 03/14/2016, discharged 2016-03-20 at 10:30',
  'Section 1.2.3.4 of the plan; version 2.10.4',
  'L4-L5, C5-C6-C7; grade 2-3/6 murmur; 000-12-3456',
  'insulin 100-200-300 sliding scale; 1234 5678 9012 3456',
  'DOB: MM/DD/YYYY; MRN: ******; phone: [PHONE]; e-mail: [EMAIL]',
  'born at 38 weeks on time; total 1,200,300.50',
  'born on March 14; SSN: 000120000; MRN is (pending)',
  'ratio 211-234-5678-1',
  'BP / time\n142 88 0930',
  'HR SpO2 time 102 97 1415',
  'I/O 24h: +1250 2500 1250',
  'NET +500 1500 1000',
  'Plt 220-250 2020',
  'taper 300-250 2000',
];

describe('privacy gate', () => {
  for (const [category, text] of IDENTIFIERS) {
    it(`stops ${category}: ${text}`, () => assert.deepEqual([...trip(text).keys()], [category]));
  }

  for (const text of ORDINARY) it(`passes: ${text}`, () => assert.deepEqual([...trip(text)], []));

  it('refuses what nobody attests', () => {
    for (const attestation of [null, { method: '', version: '1' }, { method: 'x', version: ' ' }]) {
      assert.throws(() => gate(note('fever', attestation)), { code: 'NOTE_NOT_ATTESTED' });
    }
    assert.equal(gate(note('fever')).text, 'fever');
  });

  it('names the categories and never what it found', () => {
    const error = (() => {
      try {
        gate(note('mail j.doe@example.org or call 555-234-5678'));
      } catch (caught) {
        return caught;
      }
      return undefined;
    })();
    assert.ok(error instanceof PrivacyError && error.code === 'NOTE_LOOKS_IDENTIFIED');
    assert.equal(error.details.categories, 'email,phone');
    assert.ok(!/doe|example|5678/.test(`${error.message} ${JSON.stringify(error.details)} ${error.stack}`));
  });

  it('reads a hostile megabyte to the end', () => {
    for (const unit of [
      '1',
      '1-',
      'a@',
      'a.',
      '(555) ',
      '+1 ',
      'dob ',
      'dob 14-mar-',
      'www.a',
      '4111 ',
      'mrn ',
      'mrn (.',
      'ssn ',
    ]) {
      assert.doesNotThrow(() => trip(unit.repeat(1_000_000 / unit.length)));
    }
  });

  it('passes the demo notes but for those with a web address', () => {
    const lines = readFileSync(new URL('../data/demo/notes.jsonl', import.meta.url), 'utf8')
      .trim()
      .split('\n');
    const alarms = lines
      .map(line => [...trip((JSON.parse(line) as Note).text).keys()])
      .filter(found => found.length > 0);
    assert.deepEqual(alarms, [['url'], ['url']]);
  });
});
