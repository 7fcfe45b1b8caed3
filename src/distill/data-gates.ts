/** The gates on what trained a candidate: it is known, and it is not what judges. Pure. */
import type { EarlierModel } from './earlier-models.ts';
import type { Verdict } from './gates.ts';
import { type Leak, type Leakage, SHINGLE_WORDS } from './leakage.ts';
import type { TrainingData } from './training-data.ts';

const IDS_SHOWN = 10;

/** Whether the corpus at hand is the one that trained the candidate. @param data null where the manifest does not say. */
export function dataGate(data: TrainingData | null, allowOther: boolean): Verdict {
  const of = (found: string): string[] =>
    (data?.files ?? []).filter(each => each.found === found).map(each => each.file);
  const [another, missing] = [of('another'), of('missing')];
  const faults = [
    ...(data === null ? ['the manifest does not say what trained the candidate (training.data)'] : []),
    ...(another.length === 0 ? [] : [`the corpus is not the one that trained it: ${another.join(', ')} differ`]),
    ...(missing.length === 0 ? [] : [`the corpus lacks ${missing.join(', ')}, which trained it`]),
  ];
  const allowed = faults.length > 0 && allowOther ? ' (allowed by --allow-other-data)' : '';
  const { unlabelled, earlier } = data ?? { unlabelled: [], earlier: [] };
  const notes = unlabelled.length === 0 ? '' : `; unlabelled text is not looked at: ${unlabelled.join(', ')}`;
  const says = faults.length === 0 ? `${data?.files.length} training files, unchanged` : faults.join('; ');
  return {
    gate: 'data',
    passed: faults.length === 0 || allowOther,
    says: `${says}${allowed}${notes}${unseen(earlier)}`,
    figures: { files: data?.files ?? [], unlabelled, earlier, allowOther },
  };
}

/**
 * @param documents that judge.
 * @param dev `fitted`: they are the very notes that fitted the candidate's temperatures and thresholds; `leftOut`: those of the teacher's dev
 * notes that did not, by what the candidate says of itself; `earlier`: finished models that it learnt from.
 */
export function leakageGate(
  { leaks, empty, trainDocuments }: Leakage,
  documents: number,
  limit: number,
  {
    fitted,
    leftOut,
    earlier,
  }: { readonly fitted: boolean; readonly leftOut: readonly string[]; readonly earlier: readonly EarlierModel[] },
): Verdict {
  const found = shorter(leaks.map(each => `${each.id} (${placeOf(each)})`));
  const says =
    leaks.length === 0
      ? `none of ${documents} documents has ${percent(limit)} or more of its ${SHINGLE_WORDS}-word shingles in ${trainDocuments} documents of train and dev`
      : `${leaks.length} of ${documents} documents were trained or fitted on: ${found}`;
  const none = empty === 0 ? '' : ` (${empty} without words)`;
  const own = fitted
    ? "; temperatures and thresholds were fitted on these very documents, the teacher's dev notes"
    : '';
  const spared = leftOut.length === 0 ? '' : `; not fitted on, by what the candidate says: ${shorter(leftOut)}`;
  const figures = { leaks, documents, empty, trainDocuments, limit, fitted, leftOut, earlier };
  return {
    gate: 'leakage',
    passed: leaks.length === 0,
    says: `${says}${none}${unseen(earlier)}${own}${spared}`,
    figures,
  };
}

/** Nothing where there is none. */
function unseen(earlier: readonly EarlierModel[]): string {
  if (earlier.length === 0) return '';
  const each = earlier.map(({ name, version, as, kept }) => {
    const share = kept === undefined ? '' : `, ${kept} kept`;
    return `${name} ${version} (${as}${share})`;
  });
  return `; what ${each.join(', ')} had learnt from is not looked at`;
}

function shorter(ids: readonly string[]): string {
  const more = ids.length > IDS_SHOWN ? ` and ${ids.length - IDS_SHOWN} more` : '';
  return `${ids.slice(0, IDS_SHOWN).join(', ')}${more}`;
}

function placeOf({ share, most, in: count, trainId, file }: Leak): string {
  const one = `${percent(most)} of it in ${trainId} of ${file}`;
  return most === share ? one : `${percent(share)} of it in ${count} documents, ${one}`;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
