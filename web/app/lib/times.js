// Formatters are dear to make: one of each serves the page.
const hours = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const moments = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const daysOfThisYear = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const daysOfOtherYears = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
const nearDays = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });

export const hourText = (at) => hours.format(at);
export const momentText = (at) => moments.format(at);
export const isoText = (at) => new Date(at).toISOString();

/** Today, Yesterday, or the date; with its year unless that is this year. */
export function dayText(at, now = Date.now()) {
  const today = dayOf(now);
  if (at >= today.begins && at < today.ends) return capital(nearDays.format(0, 'day'));
  if (dayOf(at).ends === today.begins) return capital(nearDays.format(-1, 'day'));
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return (sameYear ? daysOfThisYear : daysOfOtherYears).format(at);
}

/** The midnights around a time: whatever lies between them is of the same day. */
export function dayOf(at) {
  const date = new Date(at);
  const [year, month, day] = [date.getFullYear(), date.getMonth(), date.getDate()];
  return { begins: new Date(year, month, day).getTime(), ends: new Date(year, month, day + 1).getTime() };
}

const capital = (text) => text.charAt(0).toLocaleUpperCase() + text.slice(1);
