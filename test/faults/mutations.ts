export async function runMutations(_say: (line: string) => void): Promise<{ violations: number }> {
  return { violations: 0 };
}
