// Six bugs that services of this kind have really had (REQUIREMENTS section 1), as exact pieces of the built modules and what
// stands there instead. They exist so that the checker is proven: each has the invariant that must find it.

export const bugs = [
  {
    name: 'fill-without-nx',
    what: 'a copy is written over a tombstone',
    finds: 'I1',
    patches: [{
      module: 'src/cache/shared-tier.js',
      from: "  if there == 'x' or there == 'o' then return there end\n",
      to: ''
    }]
  },
  {
    name: 'read-then-write-rotation',
    what: 'the generation is read, then moved on, in two steps',
    finds: 'I3',
    patches: [{
      module: 'src/session/session-repository.js',
      from: 'rotate: (sid, generation, now, expiresAt) => sessions.findOneAndUpdate({ _id: sid, generation, revokedAt: null,',
      to: 'rotate: async (sid, generation, now, expiresAt) => await sessions.findOne({ _id: sid, generation }) && sessions.findOneAndUpdate({ _id: sid, revokedAt: null,'
    }, {
      module: 'src/session/session-repository.js',
      from: 'generation: generation + 1,',
      to: "generation: { $add: ['$generation', 1] },"
    }]
  },
  {
    name: 'blacklist-by-token-text',
    what: 'a logout refuses the text of the token that it came with, not its session',
    finds: 'I1',
    patches: [{
      module: 'src/token/sign-out.js',
      from: "const userId = await revoke(sid, 'logout');",
      to: "(globalThis.refusedTexts ??= new Set()).add(presented.access); const userId = await sessions.revoke(sid, 'logout', new Date(clock.wall()));"
    }, {
      module: 'src/token/session-check.js',
      from: 'hit(authorization) {',
      to: 'hit(authorization) { if (globalThis.refusedTexts?.has(authorization.slice(7))) return undefined;'
    }, {
      module: 'src/token/session-check.js',
      from: 'ask(text) {',
      to: "ask(text) { if (globalThis.refusedTexts?.has(text)) throw new LatchkeyError('session_revoked');"
    }]
  },
  {
    name: 'swallowed-publish-error',
    what: 'a revocation that cannot be published is not published, and nobody minds',
    finds: 'I1',
    patches: [{
      module: 'src/cache/shared-tier.js',
      from: "redis.call('SET', KEYS[1], 'x', 'PX', ARGV[1])\nreturn redis.call('PUBLISH', ARGV[2], ARGV[3])",
      to: "redis.call('SET', KEYS[1], 'x', 'PX', ARGV[1])\nredis.pcall('PUBLISH', ARGV[2])\nreturn 0" // too few arguments: an error
    }]
  },
  {
    name: 'no-expiry-check-on-a-cached-verdict',
    what: 'a token that was verified once is not looked at again while its session is in memory',
    finds: 'I15',
    patches: [{
      module: 'src/token/session-check.js',
      from: 'if (memo.exp * 1000 <= wall || !cache.mayAnswer(memo.copy, wall))',
      to: 'if (!cache.mayAnswer(memo.copy, wall))'
    }]
  },
  {
    name: 'non-atomic-page-append',
    what: 'a page is written behind the last one that was read, whatever stands there by now',
    finds: 'I11',
    patches: [{
      module: 'src/visit/visit-log.js',
      from: '({ insertOne: { document: { _id, entry } } })',
      to: '({ replaceOne: { filter: { _id }, replacement: { entry }, upsert: true } })'
    }]
  }
]

/**
 * @param read reads a module of the built service
 * @returns the modules of a bug as they are with it, by name. Throws if a piece is not there, or there twice
 */
export function patchedModules ({ name, patches }, read) {
  const patched = {}
  for (const { module, from, to } of patches) {
    const source = patched[module] ?? read(module)
    const found = source.split(from).length - 1
    if (found !== 1) throw new Error(`the bug ${name} cannot be made: ${module} has its piece ${found} times instead of once`)
    patched[module] = source.replace(from, () => to)
  }
  return patched
}
