export interface Bug { name: string, what: string, finds: string, patches: { module: string, from: string, to: string }[] }
export const bugs: readonly Bug[]
export function patchedModules (bug: Bug, read: (module: string) => string): Record<string, string>
