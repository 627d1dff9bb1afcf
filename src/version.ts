// The version of the package, read from its package.json: two folders up from dist/src, one from src.
import { readFileSync } from 'node:fs'

const depth = import.meta.url.includes('/dist/src/') ? '../../package.json' : '../package.json'

export const { version } = JSON.parse(readFileSync(new URL(depth, import.meta.url), 'utf8')) as { version: string }
