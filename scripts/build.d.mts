/**
 * @param root folder of the project
 * @returns whether its dist/ had to be made anew
 */
export function buildIfNewer (root?: string): boolean
