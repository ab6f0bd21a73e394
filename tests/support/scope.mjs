/** What node:test would be to those who are not tests: everything that was made is undone at the end, the last first. */
export function makeScope() {
  const tasks = [];
  return { after: (task) => tasks.push(task), end: async () => { while (tasks.length > 0) await tasks.pop()(); } };
}
