// The older services that people move in from, as far as their records go: written as the code of the five original
// documents writes them (Express, mongoose, jsonwebtoken, bcrypt), and exported as mongoexport exports them.
import bcrypt from 'bcrypt'
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BSON, ObjectId } from 'mongodb'
import type { Test } from 'tap'
import { emailMark, passwordMark, secretMark } from './evidence.ts'
import { scratchFolder } from './scratch.ts'

/** As short as theirs were. */
export const oldSecret = `${secretMark}-old`

const base64url = (content: object): string => Buffer.from(JSON.stringify(content)).toString('base64url')

/** As `jwt.sign(payload, secret)` of jsonwebtoken does, but for `iat`, which the caller sets. */
export function jwtSign (payload: object, secret = oldSecret, header: object = { alg: 'HS256', typ: 'JWT' }, hash = 'sha256'): string {
  const signed = `${base64url(header)}.${base64url(payload)}`
  return `${signed}.${createHmac(hash, secret).update(signed).digest('base64url')}`
}

export const hashOfToken = (token: string): string => createHash('sha256').update(token).digest('base64url')

export const seconds = (ms = Date.now()): number => Math.floor(ms / 1000)

export interface OldAccount { id: string, email: string, username: string, password: string, document: Record<string, unknown> }

/** An account as mongoose saves it with `timestamps`. */
export function oldAccount (more: Record<string, unknown> = {}, hash = (password: string) => bcrypt.hashSync(password, 8)): OldAccount {
  const _id = new ObjectId()
  const name = randomBytes(6).toString('hex')
  const [email, username, password] = [`${name}@${emailMark}`, `old-${name}`, `${passwordMark}${name}`]
  const at = new Date('2024-03-01T10:00:00.000Z')
  return { id: _id.toHexString(), email, username, password, document: { _id, username, email, password: hash(password), fullName: 'Ada Lovelace', createdAt: at, updatedAt: at, __v: 0, ...more } }
}

export interface OldSession { token: string, sid: string, document: Record<string, unknown> }

/** A document of `usersession` with its token; `claims` is the payload without its times. */
export function oldSession (account: OldAccount, { claims = { _id: account.id, email: account.email, username: account.username, fullName: 'Ada Lovelace' }, livesSeconds = 86_400, secret = oldSecret, more = {} }: { claims?: object, livesSeconds?: number | null, secret?: string, more?: Record<string, unknown> } = {}): OldSession {
  const iat = seconds() - 60
  const token = jwtSign({ ...claims, iat, ...(livesSeconds !== null && { exp: seconds() + livesSeconds }), nonce: randomBytes(4).toString('hex') }, secret)
  return { token, sid: hashOfToken(token), document: { _id: new ObjectId(), userId: new ObjectId(account.id), token, createdAt: new Date(iat * 1000), updatedAt: new Date(iat * 1000), __v: 0, ...more } }
}

export type ExportForm = 'lines' | 'array' | 'pretty' | 'canonical'

/** What mongoexport writes: relaxed Extended JSON by default, canonical with `--jsonFormat=canonical`. */
export function exported (documents: readonly object[], form: ExportForm = 'lines'): string {
  const texts = documents.map((document) => BSON.EJSON.stringify(document, undefined, form === 'pretty' ? 2 : 0, { relaxed: form !== 'canonical' }))
  if (form === 'array') return `[${texts.join(',\n')}]\n`
  return form === 'pretty' ? `[\n${texts.join(',\n')}\n]\n` : texts.map((text) => `${text}\n`).join('')
}

export function exportFile (t: Test, documents: readonly object[], form: ExportForm = 'lines'): string {
  const file = join(scratchFolder(t), 'export.json')
  writeFileSync(file, exported(documents, form))
  return file
}
