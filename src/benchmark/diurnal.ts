/** The shape of a day. */

/** A day's 24 hours, of any scale; none negative, not all zero. */
export type DayProfile = readonly number[];

/** @throws RangeError for anything but 24 such numbers. */
export function checkProfile(hours: readonly number[]): DayProfile {
  const sum = hours.reduce((total, each) => total + each, 0);
  if (hours.length === 24 && hours.every(each => each >= 0) && Number.isFinite(sum) && sum > 0) return hours;
  throw new RangeError('a day has 24 hours, each a number from 0, and some note in it');
}

/** Notes a second in each hour. */
export function hourlyRates(profile: DayProfile, notesPerDay: number): number[] {
  const sum = profile.reduce((total, each) => total + each, 0);
  return profile.map(each => ((each / sum) * notesPerDay) / 3600);
}

/** The busiest hour's rate over the day's mean; at least 1. */
export function peakOverMean(profile: DayProfile): number {
  return Math.max(...hourlyRates(profile, 86_400));
}

export function busiestHour(profile: DayProfile): number {
  return profile.indexOf(Math.max(...profile));
}
