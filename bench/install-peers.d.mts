/**
 * @param folder of the alternatives
 * @param command what installs
 * @param say told before it begins, because it takes a while
 * @returns whether they had to be installed; fails with what npm said
 */
export function installPeers (folder?: string, command?: string[], say?: (text: string) => void): Promise<boolean>
