/** Whether a probability can be believed, and how to make it so. */

/** Logits of words and whether each is Inside, for one head. */
export interface Judged {
  readonly logits: Float32Array;
  /** 1 for Inside, 0 for Outside; the same length. */
  readonly inside: Uint8Array;
}

const BINS = 15;

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/**
 * The temperature that minimises the negative log-likelihood (Guo et al., arXiv 1706.04599), by golden section on its logarithm
 * between 0.1 and 10; the likelihood has one minimum there.
 */
export function fitTemperature(judged: Judged): number {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let low = Math.log(0.1);
  let high = Math.log(10);
  for (let i = 0; i < 40; i++) {
    const a = high - ratio * (high - low);
    const b = low + ratio * (high - low);
    if (negativeLogLikelihood(judged, Math.exp(a)) < negativeLogLikelihood(judged, Math.exp(b))) high = b;
    else low = a;
  }
  return Math.exp((low + high) / 2);
}

/** Mean over words, in nats. */
export function negativeLogLikelihood({ logits, inside }: Judged, temperature: number): number {
  let total = 0;
  for (let i = 0; i < logits.length; i++) {
    const x = (logits[i] as number) / temperature;
    const signed = inside[i] === 1 ? -x : x;
    // log(1 + e^signed) without overflow
    total += signed > 0 ? signed + Math.log1p(Math.exp(-signed)) : Math.log1p(Math.exp(signed));
  }
  return total / logits.length;
}

/** No probability counts as less: one sure mistake costs 13.8 nats, and does not decide alone. */
const CLIP = 1e-6;

/** Negative log-likelihood of probabilities clipped at 1e-6 and 1 − 1e-6: the sum over words, in nats. */
export function clippedLogLoss({ logits, inside }: Judged, temperature: number): number {
  let total = 0;
  for (let i = 0; i < logits.length; i++) {
    const x = (logits[i] as number) / temperature;
    total -= Math.log(Math.min(1 - CLIP, Math.max(CLIP, sigmoid(inside[i] === 1 ? x : -x))));
  }
  return total;
}

/** Words whose probability lies in one of 15 ranges of equal width; empty ones too. */
export interface Bin {
  readonly count: number;
  /** Sum of P(Inside). */
  readonly p: number;
  /** Words that are Inside. */
  readonly inside: number;
}

/**
 * Words that are surely Outside dominate any text, so `undecided` leaves out those below 1 % and above 99 %, where nothing can go wrong.
 */
export function reliabilityBins({ logits, inside }: Judged, temperature: number, undecided = false): Bin[] {
  const bins = Array.from({ length: BINS }, () => ({ count: 0, p: 0, inside: 0 }));
  for (let i = 0; i < logits.length; i++) {
    const p = sigmoid((logits[i] as number) / temperature);
    if (undecided && (p < 0.01 || p > 0.99)) continue;
    const bin = bins[Math.min(BINS - 1, Math.floor(p * BINS))] as { count: number; p: number; inside: number };
    bin.count++;
    bin.p += p;
    bin.inside += inside[i] as number;
  }
  return bins;
}

/** Expected calibration error of P(Inside) over words. */
export function calibrationError(judged: Judged, temperature: number, undecided = false): number {
  return errorOfBins(reliabilityBins(judged, temperature, undecided));
}

export function errorOfBins(bins: readonly Bin[]): number {
  const total = bins.reduce((words, bin) => words + bin.count, 0);
  return total === 0 ? 0 : bins.reduce((error, bin) => error + Math.abs(bin.p - bin.inside), 0) / total;
}

/** The threshold with the best F1 among hundredths; of those within 0.002 of it, the one nearest to 0.5, which is more robust. */
export function bestThreshold({ logits, inside }: Judged, temperature: number): number {
  const candidates = Array.from({ length: 71 }, (_, i) => (i + 15) / 100);
  const f1 = candidates.map(threshold => {
    let [tp, fp, fn] = [0, 0, 0];
    for (let i = 0; i < logits.length; i++) {
      const found = sigmoid((logits[i] as number) / temperature) >= threshold;
      if (found && inside[i] === 1) tp++;
      else if (found) fp++;
      else if (inside[i] === 1) fn++;
    }
    return tp === 0 ? 0 : (2 * tp) / (2 * tp + fp + fn);
  });
  const best = Math.max(...f1);
  const good = candidates.filter((_, i) => (f1[i] as number) >= best - 0.002);
  return good.reduce((nearest, each) => (Math.abs(each - 0.5) < Math.abs(nearest - 0.5) ? each : nearest));
}

/** Mean risk (1 − quality) of the k notes most confident of, for k = 1 … n. */
export function riskByCoverage(notes: readonly { readonly confidence: number; readonly quality: number }[]): number[] {
  let risk = 0;
  return [...notes]
    .sort((a, b) => b.confidence - a.confidence)
    .map(({ quality }, i) => {
      risk += 1 - quality;
      return risk / (i + 1);
    });
}

/** Risk of the notes kept, averaged over all coverages, most confident first; 0 is perfect. */
export function areaUnderRiskCoverage(
  notes: readonly { readonly confidence: number; readonly quality: number }[],
): number {
  return notes.length === 0 ? 0 : riskByCoverage(notes).reduce((area, risk) => area + risk, 0) / notes.length;
}
